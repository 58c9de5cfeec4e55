/**
 * What codecs of npm get wrong without a word: they truncate, over-read, and overflow into neighbours
 * (each seen with binary-parser, restructure, typed-binary, protodef, compact-encoding or
 * binary-parser-encoder). The same inputs here.
 */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { SpecError } from "../codegen/error.js";
import { bit, bits, bytes, header, octetsOf, repeat, text, u8, u16, u32 } from "../spec/lang.js";
import { compile, modelOf } from "./oracle/compile.js";

interface Codec {
  measure(v: DataView, o: number, end: number): number;
  explain(n: number, v: DataView, o: number, end: number): string;
  read(v: DataView, o: number, end: number): Record<string, unknown>;
  write(v: DataView, o: number, ...values: unknown[]): number;
}

const ref = { ref: "-" };
const specs = [
  header("test.data", { n: u8.auto(octetsOf("data")) }, ref).and((h) => ({ data: bytes(h.n) })),
  header("test.text", { n: u8.auto(octetsOf("data")) }, ref).and((h) => ({ data: text(h.n) })),
  header("test.nibbles", { a: bits(4), b: bits(4) }, ref),
  header("test.numbers", { a: u8, b: u16, c: u32 }, ref),
  header("test.hops", { hops: repeat(u32, { until: (x) => x.ge(0x80000000), max: 16 }) }, ref),
  header("test.option", { has: bit, more: bits(7) }, ref).and((h) => ({ key: u32.when(h.has) })),
];
const models = specs.map((s) => {
  const made = modelOf(s as never);
  if (made instanceof SpecError) throw made;
  return made;
});
const [data, words, nibbles, numbers, hops, option] = (await compile(models)).map(
  (c) => c.codec as unknown as Codec,
) as [Codec, Codec, Codec, Codec, Codec, Codec];

/** A view of the first octets of a pool in which others' secrets follow. */
function pooled(...octets: number[]): DataView {
  const pool = new Uint8Array(64).fill(0x53);
  pool.set(octets, 8);
  return new DataView(pool.buffer, 8, octets.length);
}

test("a length of five with two octets there asks for three, and reads nothing short", () => {
  for (const codec of [data, words]) {
    const v = pooled(5, 0x41, 0x42);
    assert.is(codec.measure(v, 0, 3), -3);
    assert.match(codec.explain(-3, v, 0, 3), "3 more octets are needed");
  }
});

test("neighbours in the same pool are never returned", () => {
  const pool = new Uint8Array(64).fill(0x53);
  pool.set([2, 0xaa, 0xbb], 8);
  // The view reaches further than the header's octets: `end` alone counts.
  const v = new DataView(pool.buffer);
  assert.is(data.measure(v, 8, 10), -1);
  const { data: got } = data.read(v, 8, 11) as { data: Uint8Array };
  assert.equal([...got], [0xaa, 0xbb]);
  assert.is(got.length, 2);
});

test("31 in four bits does not spill into its neighbour", () => {
  const v = new DataView(new ArrayBuffer(1));
  assert.throws(() => nibbles.write(v, 0, 31, 1), /test\.nibbles\.a: 31 does not fit 4 bits/);
  assert.throws(() => nibbles.write(v, 0, 1, 16), /test\.nibbles\.b/);
  assert.is(v.getUint8(0), 0);
});

test("300 in an octet, fractions, NaN and negative numbers are refused, not folded", () => {
  const v = new DataView(new ArrayBuffer(7));
  for (const bad of [300, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, "7", undefined]) {
    assert.throws(() => numbers.write(v, 0, bad, 0, 0), /test\.numbers\.a/);
  }
  for (const bad of [65536, -1, 0.1]) assert.throws(() => numbers.write(v, 0, 0, bad, 0), /\.b/);
  for (const bad of [2 ** 32, -1, 2 ** 53])
    assert.throws(() => numbers.write(v, 0, 0, 0, bad), /\.c/);
});

test("a terminator that comes early is refused: no element is dropped", () => {
  const v = new DataView(new ArrayBuffer(64));
  assert.throws(() => hops.write(v, 0, [17, 0x80000001, 34]), /test\.hops\.hops/);
  assert.throws(() => hops.write(v, 0, [17, 34]), /test\.hops\.hops/);
  assert.throws(() => hops.write(v, 0, []), /test\.hops\.hops/);
  assert.is(hops.write(v, 0, [17, 34, 0x80000001]), 12);
});

test("data that does not fit its length is refused, and so is half a character", () => {
  const v = new DataView(new ArrayBuffer(600));
  assert.throws(() => data.write(v, 0, new Uint8Array(256)), /test\.data\.n/);
  assert.throws(() => words.write(v, 0, "\ud800"), /surrogate/);
  assert.ok(
    words.measure(pooled(1, 0xff), 0, 2) <= -(2 ** 24),
    "octets that are no text are a fault",
  );
});

test("a conditional field is there exactly if its condition holds", () => {
  const v = new DataView(new ArrayBuffer(8));
  assert.throws(() => option.write(v, 0, true, 0, undefined), /test\.option\.key/);
  assert.throws(() => option.write(v, 0, false, 0, 7), /test\.option\.key/);
  assert.is(option.write(v, 0, true, 0, 7), 5);
  assert.is(option.write(v, 0, false, 0, undefined), 1);
});

test("too little room is an error, never a write into what follows", () => {
  const pool = new Uint8Array(16).fill(0xa5);
  const v = new DataView(pool.buffer, 4, 3);
  assert.throws(() => numbers.write(v, 0, 1, 2, 3), RangeError);
  assert.ok(pool.subarray(7).every((x) => x === 0xa5));
});

test.run();
