import { readFileSync } from "node:fs";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Packet } from "../../runtime/dissect/capture.js";
import type { Message } from "../../runtime/dissect/frame.js";
import { treeText } from "../../runtime/dissect/tree.js";
import { packetsOf } from "../support/dissected.js";
import {
  concat,
  frames,
  hello,
  message,
  messages,
  packets,
  type Segment,
  segments,
} from "./traffic.js";

const REQ = 0x30;
const SIZE = 700;

/** 200 requests of 0 to 2,500 octets, one behind the other. */
const LENGTHS = Array.from({ length: 200 }, (_, i) => (i * 7919) % 2500);
const MESSAGES = LENGTHS.map((length, i) => message(i, length));
const STREAM = concat([hello(REQ), ...MESSAGES]);
/** Of each message's first octet in the stream. */
const STARTS = MESSAGES.map((_, i) =>
  MESSAGES.slice(0, i).reduce((at, m) => at + m.length, hello(REQ).length),
);
const tag = (i: number) => (0x80000000 + i).toString(16);

const tags = (list: readonly Message[]) => list.map((m) => m.tags.join(","));
const whole = (list: readonly Message[]) => list.filter((m) => m.missing === 0 && !m.guessed);
const ALL = MESSAGES.map((_, i) => tag(i));

test("a stream in order gives its messages, however it is cut into segments", () => {
  for (const size of [1448, 61, 17]) {
    assert.equal(tags(whole(messages(segments(STREAM, size)))), ALL, `${size} octets a segment`);
  }
});

test("one octet a segment", () => {
  const some = concat([hello(REQ), ...MESSAGES.slice(0, 6)]);
  assert.equal(tags(whole(messages(segments(some, 1)))), ALL.slice(0, 6));
});

test("segments out of order", () => {
  const [syn, ...data] = segments(STREAM, SIZE) as [Segment, ...Segment[]];
  for (const distance of [2, 5, 40]) {
    const list = [...data];
    for (let i = 0; i + distance < list.length; i += distance) {
      list.splice(i, distance, ...list.slice(i, i + distance).reverse());
    }
    assert.equal(tags(whole(messages([syn, ...list]))), ALL, `${distance} reversed`);
  }
});

test("segments sent again, whole and in part", () => {
  const list = segments(STREAM, SIZE);
  assert.equal(tags(whole(messages(list.flatMap((s) => [s, s])))), ALL);
  const overlapping = list.flatMap((s, i) => {
    if (i < 2) return [s];
    const at = (i - 1) * SIZE - 300;
    return [{ seq: 1001 + at, payload: STREAM.subarray(at, at + 600) }, s];
  });
  assert.equal(tags(whole(messages(overlapping))), ALL);
});

test("where two segments bring the same octets, the first one counts", () => {
  const stream = concat([hello(REQ), message(1, 20, 0x61)]);
  const forged = concat([hello(REQ), message(1, 20, 0x62)]);
  const cut = (octets: Uint8Array, from: number, to: number) => ({
    seq: 1001 + from,
    payload: octets.subarray(from, to),
  });
  const syn = { seq: 1000, syn: true, payload: new Uint8Array(0) };
  // The middle comes early and twice; what lies around it comes with other octets in its place.
  const list = [syn, cut(stream, 25, 35), cut(forged, 22, 38), cut(forged, 0, 40)];
  const [m] = messages(list);
  assert.is(Buffer.from(m?.payload ?? []).toString("latin1"), "bbbbbaaaaaaaaaabbbbb");
});

test("sequence numbers wrap", () => {
  for (const isn of [2 ** 32 - 1, 2 ** 32 - 2, 2 ** 32 - 50_000]) {
    assert.equal(tags(whole(messages(segments(STREAM, SIZE, isn)))), ALL, String(isn));
  }
});

/** Without the octets from `from` to `to`. */
function without(from: number, to: number): Segment[] {
  return segments(STREAM, SIZE).flatMap((s) => {
    const at = s.seq - 1001;
    if (s.syn || at + s.payload.length <= from || at >= to) return [s];
    const before = { seq: s.seq, payload: s.payload.subarray(0, Math.max(0, from - at)) };
    const after = {
      seq: Math.max(s.seq, to + 1001),
      payload: s.payload.subarray(Math.max(0, to - at)),
    };
    return [before, after].filter((x) => x.payload.length > 0);
  });
}

test("a hole inside a body costs that message and no other", () => {
  const i = LENGTHS.findIndex((n, k) => k > 20 && n > 2000);
  const start = STARTS[i] ?? 0;
  const list = messages(without(start + 100, start + 900));
  assert.equal(
    tags(whole(list)),
    ALL.filter((t) => t !== tag(i)),
  );
  const [cut] = list.filter((m) => m.missing > 0);
  assert.is(cut?.tags.join(), tag(i));
  assert.is(cut?.missing, 12 + (LENGTHS[i] ?? 0) - 8 - (100 - 8));
  assert.not.ok(list.some((m) => m.guessed));
});

test("a hole that ends with a message leaves the next one its frame", () => {
  const i = LENGTHS.findIndex((n, k) => k > 20 && n > 2000);
  const [start = 0, end = 0] = [STARTS[i], STARTS[i + 1]];
  const found = whole(messages(without(start + 50, end)));
  assert.equal(
    tags(found),
    ALL.filter((t) => t !== tag(i)),
  );
  const frameOf = (list: readonly Message[]) => list.map((m) => m.frame);
  assert.equal(
    frameOf(found),
    [...frameOf(found)].sort((a, b) => a - b),
  );
});

test("behind a hole that takes a header, messages are found again, and said to be guessed", () => {
  const i = 60;
  const start = STARTS[i] ?? 0;
  const all = frames(packets(without(start - 3, start + 5)));
  const list = all.flatMap((f) => f.messages);
  assert.equal(tags(whole(list)), ALL.slice(0, i - 1));
  assert.equal(tags(list.filter((m) => m.guessed)), ALL.slice(i + 1));
  const remarks = all.flatMap((f) => f.remarks).join("\n");
  assert.match(remarks, /framing lost at octet \d+: 8 octets are missing/);
  assert.match(remarks, /found again at octet \d+/);
});

test("nine lost segments: every message whole in what is left is found, and every header", () => {
  const lost = new Set([20, 55, 90, 120, 150, 180, 210, 240, 270]);
  const kept = segments(STREAM, SIZE).filter((_, i) => !lost.has(i));
  const gone = [...lost].map((i) => [(i - 1) * SIZE, i * SIZE] as const);
  const hit = (from: number, to: number) => gone.some(([a, b]) => a < to && from < b);
  const ends = STARTS.map((s, i) => s + (MESSAGES[i]?.length ?? 0));
  const left = ALL.filter((_, i) => !hit(STARTS[i] ?? 0, ends[i] ?? 0));
  const headers = ALL.filter((_, i) => !hit(STARTS[i] ?? 0, (STARTS[i] ?? 0) + 12));
  const list = messages(kept);
  assert.equal(tags(list.filter((m) => m.missing === 0)), left);
  assert.equal(tags(list), headers);
});

test("a stream that the capture enters in its middle gives every message that begins behind that", () => {
  const [, , , ...later] = segments(STREAM, SIZE);
  const list = messages(later);
  const first = (later[0]?.seq ?? 0) - 1001;
  const behind = MESSAGES.filter((_, i) => (STARTS[i] ?? 0) >= first);
  assert.is(behind.length, 196);
  // Whose messages they are nobody has said; their own header is a part of them.
  assert.ok(list.every((m) => m.guessed && m.missing === 0 && m.protocol === ""));
  const own = behind.map((m) => Buffer.from(m.subarray(8)).toString("hex"));
  assert.equal(
    list.map((m) => Buffer.from(m.payload).toString("hex")),
    own,
  );
});

test("what is no such stream is not taken for one, and not looked at for ever", () => {
  const random = Uint8Array.from(
    { length: 9 << 17 },
    (_, i) => Math.imul(i ^ 0x5bd1, 0x9e3779b1) >>> 24,
  );
  const text = new TextEncoder().encode('{"key": "value", "n": 12}\n'.repeat(2000));
  for (const octets of [
    random,
    new Uint8Array(1 << 20),
    new Uint8Array(1 << 20).fill(0xff),
    text,
  ]) {
    const [, ...later] = segments(octets, 1400);
    assert.is(messages(later).length, 0);
  }
});

test("a SYN with another initial number begins a new stream; with the same it is sent again", () => {
  const one = segments(concat([hello(REQ), message(1, 10)]), SIZE);
  const other = segments(concat([hello(REQ), message(2, 10)]), SIZE, 77_000);
  const [syn] = one as [Segment];
  const list = messages([syn, ...one, syn, ...other]);
  assert.equal(tags(list), [tag(1), tag(2)]);
  assert.equal(
    list.map((m) => m.stream),
    [0, 1],
  );
});

test("what the capture's end leaves unfinished is told", () => {
  const cut = STREAM.subarray(0, (STARTS[1] ?? 0) + 30);
  const remarks = frames(packets(segments(cut, SIZE))).flatMap((f) => f.remarks);
  assert.match(remarks.join(), /unfinished: 30 octets of SP message.*, \d+ octets missing/);
});

test("any reordering with repetitions gives the same messages", () => {
  const few = concat([hello(REQ), ...MESSAGES.slice(0, 8)]);
  const [syn, ...data] = segments(few, 211) as [Segment, ...Segment[]];
  const order = fc.shuffledSubarray(
    [...data, ...data].map((_, i) => i),
    { minLength: 2 * data.length },
  );
  fc.assert(
    fc.property(order, (at) => {
      const list = at.map((i) => data[i % data.length] as Segment);
      assert.equal(tags(whole(messages([syn, ...list]))), ALL.slice(0, 8));
    }),
    { numRuns: 100 },
  );
});

test("octets changed at random are shown, and never an error", async () => {
  const files = ["ws-pair1-nng-nng", "udp-push-nng2-nng2", "dev-nng-survey", "wss-reqrep-nng-nng"];
  const captured = files.flatMap((file) =>
    packetsOf(readFileSync(`test/captures/peers/${file}.pcap`)),
  );
  const flips = fc.array(fc.tuple(fc.nat(captured.length - 1), fc.nat(2000), fc.nat(255)), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(flips, fc.constantFrom(1, 101, 113, 276, 0, 9999), (changes, link) => {
      const list = captured.map((p) => ({ ...p, octets: p.octets.slice() }));
      for (const [i, at, value] of changes) {
        const { octets } = list[i] as Packet;
        octets[at % octets.length] = value;
      }
      for (const f of frames(link === 1 ? list : list.map((p) => ({ ...p, link })))) treeText(f);
    }),
    { numRuns: 60 },
  );
});

test("hostile reordering costs time in proportion", () => {
  // Every other octet, from the back: as many islands as there can be.
  const time = (octets: number): number => {
    const list: Segment[] = [{ seq: 1000, syn: true, payload: new Uint8Array(0) }];
    for (let at = octets - 1; at > 0; at -= 2) {
      list.push({ seq: 1001 + at, payload: new Uint8Array(1) });
    }
    const start = performance.now();
    messages(list);
    return performance.now() - start;
  };
  time(5000);
  const [one, eight] = [time(10_000), time(80_000)];
  assert.ok(eight < 24 * one, `${one} ms, eight times as much ${eight} ms`);
});

test.run();
