/** Lengths and counts of what may be absent, and fields that are called as generated code calls its own. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SpecError } from "../../codegen/error.js";
import type { Module } from "../../codegen/run.js";
import {
  bit,
  bits,
  bytes,
  countOf,
  type Fields,
  type Header,
  header,
  nested,
  octetsOf,
  repeat,
  text,
  u8,
  u16,
} from "../../spec/lang.js";
import { compile, modelOf } from "../oracle/compile.js";

const test = suite("computed fields");

async function codec(spec: unknown): Promise<Module> {
  const model = modelOf(spec as Header<Fields, Fields>);
  if (model instanceof SpecError) throw model;
  const [made] = await compile([model]);
  return made?.codec ?? {};
}

type Call = (...args: unknown[]) => number;

/** What is written is as long as it was said to be, and read as it was given. */
function written({ sizeValue, writeValue, measure, decode, read }: Module, value: object): string {
  const octets = new Uint8Array((sizeValue as Call)(value));
  const v = new DataView(octets.buffer);
  assert.is((writeValue as Call)(v, 0, value), octets.length);
  assert.is((measure as Call)(v, 0, octets.length), octets.length);
  const into = {};
  assert.is((decode as Call)(v, 0, octets.length, into), octets.length);
  const back = (read as Call)(v, 0, octets.length) as unknown as Record<string, unknown>;
  assert.equal(into, back);
  for (const [name, given] of Object.entries(value)) assert.equal(back[name], given);
  return Buffer.from(octets).toString("hex");
}

test("a computed length decides whether what it measures is there", async () => {
  const noted = await codec(
    header("x", { noteLength: u8.must((n) => n.le(40)).auto(octetsOf("note")) }, { ref: "-" }).and(
      (h) => ({ note: text(h.noteLength).when(h.noteLength.gt(0)) }),
    ),
  );
  assert.is(written(noted, { note: "hé" }), "0368c3a9");
  assert.is(written(noted, {}), "00");
  assert.throws(() =>
    (noted.writeValue as Call)(new DataView(new ArrayBuffer(9)), 0, { note: "" }),
  );
});

test("texts of any length take as many octets as they are said to take", async () => {
  const noted = await codec(
    header("x", { n: u16.auto(octetsOf("note")) }, { ref: "-" }).and((h) => ({ note: text(h.n) })),
  );
  for (const piece of ["a", "é", "€", "\u{10ffff}", "a€", "\ufeff"]) {
    for (const many of [1, 16, 17, 31, 32, 33, 113, 114, 340, 341, 2000]) {
      const note = piece.repeat(many);
      const octets = Buffer.from(note).toString("hex");
      const length = (octets.length / 2).toString(16).padStart(4, "0");
      assert.is(written(noted, { note }), length + octets, `${many} of ${piece}`);
    }
  }
});

test("what is no text, is missing, or is too much, is said", async () => {
  const noted = await codec(
    header("x", { has: bit, kind: bits(7), n: u8 }, { ref: "-" }).and((h) => ({
      name: text(2),
      note: text(1).when(h.has.and(h.kind.eq(2))),
      more: u8.when(h.has.not()),
    })),
  );
  const said = (value: object): string => {
    try {
      (noted.writeValue as Call)(new DataView(new ArrayBuffer(99)), 0, value);
      return "nothing";
    } catch (error) {
      return (error as Error).message;
    }
  };
  const plain = { has: true, kind: 2, n: 0, name: "ab", note: "c" };
  assert.is(said(plain), "nothing");
  for (const none of [undefined, null, 5]) {
    assert.is(said({ ...plain, name: none }), `x.name: ${none} is no text`);
  }
  assert.is(said({ ...plain, note: 5 }), "x.note: 5 is no text");
  assert.is(said({ ...plain, name: "\ud800a" }), 'x.name: "\\ud800a" has half a surrogate pair');
  const needed = "x.note: a value is needed, since has is true and kind is 2";
  assert.is(said({ ...plain, note: undefined }), needed);
  const spare = "x.note: c must be left out, since has is false or kind is not 2";
  assert.is(said({ ...plain, kind: 3 }), spare);
  assert.is(said({ ...plain, more: 1 }), "x.more: 1 must be left out, since has is true");
  const { note: _, ...rest } = plain;
  assert.is(said({ ...rest, has: false }), "x.more: a value is needed, since has is false");
});

test("another field decides whether what a computed length measures is there", async () => {
  const noted = await codec(
    header(
      "x",
      { has: bit, rest: bits(7), noteLength: u8.auto(octetsOf("note")) },
      { ref: "-" },
    ).and((h) => ({ note: text(h.noteLength).when(h.has) })),
  );
  assert.is(written(noted, { has: true, rest: 0, note: "hi" }), "80026869");
  assert.is(written(noted, { has: false, rest: 1 }), "0100");
  // Octets of what is absent are none: another number is wrong.
  const v = new DataView(Uint8Array.of(0, 1, 0x61).buffer);
  assert.ok((noted.measure as Call)(v, 0, 3) <= -(2 ** 24));
});

test("elements of what is absent are none", async () => {
  const listed = await codec(
    header("x", { f: bit, g: bits(7), a: u8.auto(countOf("b")) }, { ref: "-" }).and((h) => ({
      b: repeat(u16, { count: h.a, max: 4 }).when(h.f),
    })),
  );
  assert.is(written(listed, { f: true, g: 0, b: [1, 2] }), "800200010002");
  assert.is(written(listed, { f: false, g: 0 }), "0000");
});

test("a length and its text are there under one condition", async () => {
  const noted = await codec(
    header("x", { has: bit, rest: bits(7) }, { ref: "-" })
      .and((h) => ({ noteLength: u8.auto(octetsOf("note")).when(h.has) }))
      .and((h) => ({ note: text(h.noteLength).when(h.has) })),
  );
  assert.is(written(noted, { has: true, rest: 0, note: "hi" }), "80026869");
  assert.is(written(noted, { has: false, rest: 0 }), "00");
});

test("octets of parts, of fixed fields, and of what a length is computed with, are counted", async () => {
  const mixed = await codec(
    header(
      "x",
      { all: u8.auto(octetsOf("part")), fixed: u8.auto(octetsOf("word").add(octetsOf("tail"))) },
      { ref: "-" },
    )
      .and(() => ({
        part: nested(
          header("y", { n: u8.auto(octetsOf("t")) }, { ref: "-" }).and((h) => ({ t: text(h.n) })),
        ),
        word: u16,
      }))
      .and((h) => ({ tail: u16.when(h.all.gt(2)) })),
  );
  assert.is(
    written(mixed, { part: { n: 2, t: "ab" }, word: 1, tail: 2 }),
    "0304026162" + "00010002",
  );
});

const NAMES = [
  "text",
  "put",
  "textSize",
  "checkX",
  "h",
  "size",
  "w1",
  "noteOctets",
  "xFrom",
  "stop",
];

for (const name of NAMES) {
  test(`a field may be called ${name}, in a part too, beside one that is computed from it`, async () => {
    const inner = () =>
      header("y", { n: u8.auto(octetsOf(name)), [name === "x" ? "y" : "x"]: u8 }, { ref: "-" }).and(
        (h) => ({ [name]: text((h as never as { n: never }).n) }) as never,
      );
    const made = await codec(inner());
    assert.is(written(made, { x: 7, [name]: "abc" }), "0307616263");
    const outer = await codec(header("x", { [name]: nested(inner()) } as Fields, { ref: "-" }));
    assert.is(written(outer, { [name]: { n: 3, x: 7, [name]: "abc" } }), "0307616263");
    const list = repeat(nested(inner()) as never, { fill: "rest", max: 3 });
    const more = await codec(header("x", { [name]: list } as Fields, { ref: "-" }));
    const value = { n: 1, x: 7, [name]: "a" };
    assert.is(written(more, { [name]: [value, value] }), "010761010761");
  });
}

test("what surrounds a field may be called as it is, also where that is computed", async () => {
  const inner = header("y", { part: u8.auto(octetsOf("x")) }, { ref: "-" }).and((h) => ({
    x: bytes(h.part),
  }));
  const made = await codec(header("x", { part: nested({ part: nested(inner) }) }, { ref: "-" }));
  const value = { part: { part: { part: 1, x: Uint8Array.of(9) } } };
  assert.is(written(made, value), "0109");
});

test.run();
