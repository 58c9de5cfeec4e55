/** Functions of stacks against the walker, over headers that nobody wrote: what shipped stacks lack. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { emitArbitraries } from "../../codegen/emit/arbitraries.js";
import { emitCodec } from "../../codegen/emit/codec.js";
import { emitDissect } from "../../codegen/emit/fields.js";
import { SpecError } from "../../codegen/error.js";
import type { HeaderModel, Model } from "../../codegen/model.js";
import { type Module, run } from "../../codegen/run.js";
import { type Part, valid } from "../../generated/arbitraries/draw/arbitrary.js";
import type { Found } from "../../generated/dissect/found.js";
import { type HeaderTable, type Registry, Walker } from "../../generated/dissect.js";
import { modelOf } from "../oracle/compile.js";
import type { Value } from "../oracle/interpreter.js";
import { randomHeaders } from "../oracle/random-specs.js";
import { SEED, TIMES } from "./all.js";
import { hex } from "./law.js";

const test = suite("stacks of random headers");
const HEADERS = 150 * TIMES;

const named = (id: string) => ({ name: id, id, type: id.toUpperCase(), file: id });
// The walker looks for a trailer behind a payload.
const headers = fc
  .sample(randomHeaders, { numRuns: HEADERS, seed: SEED })
  .map((h) => modelOf(h))
  .filter((m): m is HeaderModel => !(m instanceof SpecError))
  .map((h, i): HeaderModel => ({ ...h, ...named(`h${i}`), payload: { via: [], next: [] } }));
const stacks = headers.map(({ name, id }) => ({
  name,
  id: `${id}Stack`,
  doc: "",
  headers: [name],
}));
const model: Model = { version: 1, headers, openers: [], stacks };
const files = new Map([...emitArbitraries(model), ...emitDissect(model)]);
for (const h of headers) files.set(`${h.file}.ts`, emitCodec(h));
const modules = await run(files, [
  "dissect.ts",
  "dissect/stacks.ts",
  ...headers.map((h) => `arbitraries/${h.file}.ts`),
]);
const { registry } = modules.get("dissect.ts") as { registry: Registry } & Module;
const functions = modules.get("dissect/stacks.ts") as Module;

type TakeApart = (v: DataView, o: number, end: number, little: boolean) => Found[] | undefined;

/** A head with its trailer directly behind it. */
function messageOf(header: HeaderModel): Part<void> {
  const draw = modules.get(`arbitraries/${header.file}.ts`) as Module;
  const [head, tail] = [draw.head, draw.tail] as [Part<Value>, typeof draw.tail];
  return (d) => {
    const value = head(d);
    if (header.last.length === 0) return;
    const needs = header.tailNeeds.map((name) => value[name]);
    // The trailer is drawn on octets of its own: its front is put before its last.
    const apart = new (d.constructor as new (...args: unknown[]) => typeof d)(d.choices, d.little);
    (tail as (...args: unknown[]) => unknown)(apart, ...needs);
    d.run(apart.octets);
  };
}

const row = ({ name, value, bit, bits, depth }: Found): string => {
  const text = value instanceof Uint8Array ? hex(value) : `${typeof value} ${value}`;
  return `${bit} + ${bits} (${depth}) ${name} = ${text}`;
};

test("function and walker say the same", () => {
  const kinds = new Set<string>();
  let cases = 0;
  for (const header of headers) {
    const table = registry.headers.find((h) => h.name === header.name) as HeaderTable;
    const takeApart = functions[`${header.id}Stack`] as TakeApart;
    for (const { octets, little } of fc.sample(valid(messageOf(header)), {
      numRuns: 12,
      seed: SEED,
    })) {
      const view = new DataView(Uint8Array.from([1, 2, 3, ...octets]).buffer);
      const around = { claim: view.byteLength, facts: new Map(), little };
      const { nodes } = new Walker().walk(table, view, 3, view.byteLength, around);
      const own = nodes.filter((n) => n.bits > 0 || n.table !== undefined || n.value === undefined);
      const found = takeApart(view, 3, view.byteLength, little);
      // The walker reads a trailer from its end.
      assert.equal(found?.map(row).sort(), own.map(row).sort(), `${header.name}: ${hex(octets)}`);
      const wrong = nodes.flatMap(({ name, notes = [] }) =>
        notes
          .filter(({ text }) => text.startsWith("should be"))
          .map(({ text }) => `${name} ${text}`),
      );
      assert.equal(wrong, [], `what is computed is right: ${header.name}: ${hex(octets)}`);
      for (const n of own) if (n.table !== undefined) kinds.add(n.table.kind);
      cases++;
    }
  }
  const trailers = headers.filter((h) => h.last.length > 0).length;
  console.log(`${cases} messages, ${trailers} of ${headers.length} headers with trailers`);
  assert.ok(trailers > 5, `${trailers} trailers`);
  for (const kind of ["uint", "bytes", "text", "escape", "varint", "tlv", "pad"])
    assert.ok(kinds.has(kind), `no ${kind}`);
});

test.run();
