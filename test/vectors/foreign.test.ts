/**
 * What others have written is read as they meant it, by codec, interpreter and dissector, and written
 * again octet by octet. Every header has such a vector.
 */
import { readdirSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type FieldModel, type HeaderModel, inValue, type Model } from "../../codegen/model.js";
import type { Module } from "../../codegen/run.js";
import { type Facts, type Walked, Walker, registry } from "../../generated/dissect.js";
import { Tables } from "../../runtime/dissect/tables.js";
import { written } from "../laws/law.js";
import { type Subject, subjects } from "../laws/subject.js";
import type { Value } from "../oracle/interpreter.js";
import { fieldsOf } from "../oracle/value.js";
import { meaningOf, type Vector, vectorsOf } from "./vector.js";

const test = suite("foreign vectors");
const { headers } = JSON.parse(readFileSync("generated/model.json", "utf8")) as Model;
const tables = new Tables(registry);

const load = (path: string): Promise<Module> =>
  import(new URL(`../../generated/${path}.js`, import.meta.url).href);

/** What the codec makes of a head or a trailer, which must take all its octets and obey the laws. */
function read(s: Subject, octets: Uint8Array, little: boolean, needs: Value = {}): Value {
  const context = { little, needs: needs as Readonly<Record<string, number>> };
  const codec = s.codec(context);
  const view = new DataView(Uint8Array.from(octets).buffer);
  const n = codec.measure(view, 0, octets.length);
  assert.is(n, octets.length, n < 0 ? codec.explain(n, view, 0, octets.length) : undefined);
  const value = codec.read(view, 0, octets.length);
  written(s, { value: { value, needs: context.needs }, octets, little });
  return value;
}

const snake = (name: string) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

/** Names and values of all fields, as the dissector should find them. */
function leaves(fields: readonly FieldModel[], value: Value): [string, unknown][] {
  return fields.filter(inValue).flatMap((f): [string, unknown][] => {
    const { type: t, shown } = f;
    const v = value[f.name];
    if (v === undefined) return [];
    const inner = fieldsOf(t, v);
    if (inner !== undefined) return leaves(inner, v as Value);
    if (t.kind === "repeat") return (v as unknown[]).map((e) => [t.of.shown, e]);
    if (t.kind !== "tlv") return [[shown, v]];
    const names = new Map(Object.entries(t.names).map(([name, type]) => [type, snake(name)]));
    return (v as readonly { type: number; value?: Uint8Array }[]).map((item) => [
      `${shown}.${names.get(item.type) ?? `type_${item.type}`}`,
      item.value ?? new Uint8Array(0),
    ]);
  });
}

/** What the dissector makes of all the octets; it may find nothing wrong. */
function walk(header: HeaderModel, vector: Vector, facts: Facts): Walked {
  const { head, payload, trailer, elided, little } = vector;
  const octets = Uint8Array.from([...head, ...payload, ...trailer]);
  const table = registry.headers.find(({ name }) => name === header.name);
  if (table === undefined) throw new Error(`${header.name} is not in the registry`);
  const claim = elided ? 2 ** 53 - 1 : octets.length;
  const view = new DataView(octets.buffer);
  const walked = new Walker().walk(table, view, 0, octets.length, { claim, little, facts });
  assert.is(walked.head, head.length, "the dissector's head is the codec's");
  const notes = [...walked.notes, ...walked.nodes.flatMap((node) => node.notes ?? [])];
  assert.equal(
    notes.filter((note) => note.severity === "error"),
    [],
  );
  for (const { name, status } of walked.nodes) assert.is.not(status, "bad", name);
  return walked;
}

/** The name of the header that follows, where this one or its octets tell. */
function following({ next, end, head }: Walked, { payload }: Vector, facts: Facts): string[] {
  if (next === undefined || next.next.bare) return [];
  const chosen = tables.chosen(next, (name) => facts.get(name));
  const tried = () => {
    const view = new DataView(Uint8Array.from(payload).buffer);
    return tables
      .tried(next.next.of)
      .find((h) => "measure" in h && h.measure && h.measure(view, 0, end - head) > 0);
  };
  const found = chosen ?? (next.next.by === "trial" ? tried() : undefined);
  return found === undefined ? [] : [`→ ${found.name}`];
}

for (const header of headers) {
  const vectors = vectorsOf(header);
  const [head, tail] = subjects(
    header,
    await load(header.file),
    await load(`arbitraries/${header.file}`),
  );

  test(`${header.name} has a vector by another implementation`, () => {
    assert.ok(vectors.length > 0, `test/vectors/${header.file}.txt has none`);
  });

  for (const vector of vectors) {
    test(`${header.name} is read and written as in ${vector.at}`, () => {
      const value = read(head as Subject, vector.head, vector.little);
      const end = tail && read(tail, vector.trailer, vector.little, value);
      const facts = new Map<string, number | string>(vector.given);
      const walked = walk(header, vector, facts);

      const expected = [
        ...leaves(header.head, value),
        ...leaves([...header.last, ...header.front], end ?? {}),
      ];
      const names = new Set(expected.map(([name]) => name));
      const found = walked.nodes.flatMap(({ name, value }) =>
        names.has(name) ? [[name, value]] : [],
      );
      assert.equal(found, expected, "the dissector finds what the codec reads");

      const said = [
        ...meaningOf(header.head, value),
        ...meaningOf([...header.front, ...header.last], end ?? {}),
        ...Object.keys(header.sets).map((f) => `${f}=${tables.nameOf(f, facts.get(f))}`),
        ...following(walked, vector, facts),
      ];
      assert.is(said.join(" "), vector.meaning, vector.origin);
    });
  }
}

test("every file of vectors is some header's", () => {
  const files = readdirSync("test/vectors", { recursive: true, encoding: "utf8" });
  const known = new Set(headers.map(({ file }) => `${file}.txt`));
  assert.equal(
    files.filter((name) => name.endsWith(".txt") && !known.has(name)),
    [],
  );
});

test.run();
