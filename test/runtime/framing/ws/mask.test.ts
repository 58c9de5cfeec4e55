/** Masks against RFC 6455 §5.3 to the letter: octet i is XORed with octet i modulo 4 of the key. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { mask, turned } from "../../../../runtime/framing/ws/mask.js";

const test = suite("mask");
const KEY = 0x81f2e3d4;
const KEY_OCTETS = [0x81, 0xf2, 0xe3, 0xd4];
const LENGTHS = [0, 1, 3, 4, 7, 8, 63, 64, 511, 512, 513, 519, 520, 1000, 4099];

test("wherever it begins and ends, each octet is covered by its own of the key, and no neighbour is", () => {
  for (const length of LENGTHS) {
    for (let base = 0; base < 9; base++) {
      for (const from of [0, 1, 5, 8]) {
        const memory = Uint8Array.from({ length: 5000 }, (_, i) => i * 7 + (i >> 8));
        const wanted = memory.slice();
        for (let i = 0; i < length; i++) {
          const at = base + from + i;
          wanted[at] = (wanted[at] as number) ^ (KEY_OCTETS[i % 4] as number);
        }
        mask(new DataView(memory.buffer, base), from, from + length, KEY);
        assert.is(Buffer.compare(memory, wanted), 0, `${length} octets from ${base} + ${from}`);
      }
    }
  }
});

test("in pieces it covers as in one", () => {
  for (const cut of [0, 1, 2, 3, 600, 603]) {
    const whole = new Uint8Array(1300).fill(5);
    const pieces = whole.slice();
    mask(new DataView(whole.buffer), 0, 1300, KEY);
    const view = new DataView(pieces.buffer);
    mask(view, 0, cut, KEY);
    mask(view, cut, 1300, turned(KEY, cut));
    assert.equal(pieces, whole);
  }
});

test.run();
