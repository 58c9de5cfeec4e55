/** The vectors in JSON, against the generated codecs and against the interpreter. */
import { readdirSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { FieldModel, Model } from "../../codegen/model.js";
import type { Module } from "../../codegen/run.js";
import { difference } from "../oracle/value.js";
import { FAULT, hex, judged } from "./law.js";
import { type Context, type Subject, subjects } from "./subject.js";
import { octetsOf, type Part, vectorsOf } from "./vectors.js";

const test = suite("vectors");
const model = JSON.parse(readFileSync("generated/model.json", "utf8")) as Model;
let counted = 0;

/** Rules that nothing can break, as an earlier one of the same header forbids all that would. */
const FORESTALLED: readonly string[] = [
  // The block's length has a maximum of its own.
  "pcapng.interface.options: max",
  "pcapng.section.options: max",
  // It is computed from octets that it decides itself.
  "pcapng.interface.length: auto",
  "pcapng.section.length: auto",
  // Only the operations that have a form are named.
  "sp.udp.about: arm",
];

const forestalled = new Set(FORESTALLED);

const load = (path: string): Promise<Module> =>
  import(new URL(`../../generated/${path}.js`, import.meta.url).href);

const exact = (octets: Uint8Array) => new DataView(Uint8Array.from(octets).buffer);

function accepted(s: Subject, part: Part): void {
  for (const { hex: text, size, value, ...given } of part.accepted) {
    const context = contextOf(given);
    const octets = octetsOf(text);
    const c = s.codec(context);
    assert.is(octets.length, size, text);
    assert.is(c.measure(exact(octets), 0, size), size, text);
    const reading = judged(s, c, octets, context);
    assert.equal(reading.verdict, { kind: "whole", octets: size }, text);
    assert.is(difference(s.fields, reading.value ?? {}, value), undefined, text);
    assert.is(difference(s.fields, c.read(exact(octets), 0, size), value), undefined, text);
    const space = new DataView(new ArrayBuffer(size));
    assert.is(c.write(space, 0, value), size, text);
    assert.is(hex(new Uint8Array(space.buffer)), hex(octets), text);
    counted++;
  }
}

function refused(s: Subject, part: Part): void {
  for (const { hex: text, fault, path, text: why, ...given } of part.refused) {
    const context = contextOf(given);
    // What is broken may decide a length.
    const behind = s.open || s.tail ? 0 : s.max;
    const octets = Uint8Array.from([...octetsOf(text), ...new Uint8Array(behind)]);
    const c = s.codec(context);
    const { verdict } = judged(s, c, octets, context);
    assert.equal(verdict, { kind: "fault", fault }, `${s.name}: ${text}`);
    const got = c.measure(exact(octets), 0, octets.length);
    assert.is(got, -FAULT - fault, `${s.name}: ${text}`);
    const words = c.explain(got, exact(octets), 0, octets.length);
    const at = words.slice(`${path}, octet `.length, words.indexOf(":"));
    assert.is(words, `${path}, octet ${Number(at)}: ${why}`);
    counted++;
  }
}

function cut(s: Subject, part: Part): void {
  for (const { hex: text, missing, ...given } of part.cut) {
    const context = contextOf(given);
    const octets = octetsOf(text);
    const c = s.codec(context);
    const got = c.measure(exact(octets), 0, octets.length);
    assert.ok(got < 0 && -got <= missing, `${s.name}: ${text} gives ${got}`);
    assert.is(judged(s, c, octets, context).verdict.kind, "need", `${s.name}: ${text}`);
    counted++;
  }
}

const contextOf = (given: { little?: boolean; head?: Context["needs"] }): Context => ({
  little: given.little ?? false,
  needs: given.head ?? {},
});

/** Numbers of the faults that fields of this list can raise. */
function breakable(fields: readonly FieldModel[]): number[] {
  return fields.flatMap(({ type: t, musts, faults, implied }) => {
    const { auto, ...own } = faults;
    const inner =
      t.kind === "nested"
        ? breakable(t.fields)
        : t.kind === "repeat"
          ? breakable([t.of])
          : t.kind === "choose"
            ? [...t.arms.flatMap((a) => breakable(a.fields)), ...breakable(t.otherwise ?? [])]
            : [];
    return [
      ...Object.values(own),
      ...musts.map((m) => m.fault),
      ...(auto === undefined || implied ? [] : [auto]),
      ...inner,
    ];
  });
}

for (const header of model.headers) {
  const [codec, arbitrary] = [await load(header.file), await load(`arbitraries/${header.file}`)];
  const vectors = vectorsOf(header.file);
  for (const s of subjects(header, codec, arbitrary)) {
    const part = s.tail ? vectors.trailer : vectors.head;
    if (part === undefined) throw new Error(`${s.name} has no vectors`);
    test(`${s.name}: what is to be accepted is, by codec and interpreter, with its value`, () =>
      accepted(s, part));
    test(`${s.name}: what is to be refused is, by the rule's number and in its words`, () =>
      refused(s, part));
    test(`${s.name}: what is cut asks for more`, () => cut(s, part));
    test(`${s.name}: the least and the greatest size are among them`, () => {
      const sizes = part.accepted.map((v) => v.size);
      assert.equal([Math.min(...sizes), Math.max(...sizes)], [s.min, s.max]);
      assert.equal([part.min, part.max], [s.min, s.max]);
    });
    test(`${s.name}: every rule is broken by one of them`, () => {
      const broken = new Set(part.refused.map((v) => v.fault));
      const whole = [...new Set(breakable(s.fields))].filter((n) => !broken.has(n));
      const named = whole.map((n) => {
        const { path, kind } = header.faults[n] ?? { path: "?", kind: "?" };
        return `${header.name}.${path}: ${kind}`;
      });
      const mine = FORESTALLED.filter((name) => named.includes(name));
      assert.equal(named.sort(), mine.sort());
      for (const name of mine) forestalled.delete(name);
    });
  }
}

test("each header has a file, and no file is without one", () => {
  const files = readdirSync("generated/vectors", { recursive: true, encoding: "utf8" });
  const found = files.filter((f) => f.endsWith(".json")).map((f) => f.replaceAll("\\", "/"));
  assert.equal(found.sort(), model.headers.map((h) => `${h.file}.json`).sort());
});

test("what is said to be forestalled is", () => assert.equal([...forestalled], []));

test("a thousand vectors were tried", () => {
  console.log(`${counted} vectors`);
  assert.ok(counted > 1000, String(counted));
});

test.run();
