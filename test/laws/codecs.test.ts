// timeout: 110
/**
 * Laws that every shipped codec obeys, with headers drawn from its spec. A failing run prints a seed;
 * WIRESTACK_SEED replays it, WIRESTACK_RUNS multiplies the cases.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HeaderModel, Model } from "../../codegen/model.js";
import {
  type Broken,
  broken,
  type Drawn,
  type Part,
  valid,
} from "../../generated/arbitraries/draw/arbitrary.js";
import { readHead } from "../oracle/interpreter.js";

const test = suite("laws");
const model = JSON.parse(readFileSync("generated/model.json", "utf8")) as Model;

const FAULT = 2 ** 24;
const RUNS = 1150 * Number(process.env.WIRESTACK_RUNS ?? 1);
const SEED = process.env.WIRESTACK_SEED;
let cases = 0;

const seeded = SEED === undefined ? {} : { seed: Number(SEED) };

/** A generated module, its functions with the byte order put where they want it. */
interface Codec {
  readonly MIN: number;
  readonly MAX: number;
  measure(v: DataView, o: number, end: number): number;
  explain(n: number, v: DataView, o: number, end: number): string;
  decode(v: DataView, o: number, end: number, into: object): number;
  read(v: DataView, o: number, end: number): Record<string, unknown>;
  write(v: DataView, o: number, h: object): number;
  prepend(v: DataView, end: number, h: object): number;
  size(h: object): number;
}

type Loose = Readonly<Record<string, (...args: unknown[]) => never>> & {
  readonly MIN: number;
  readonly MAX: number;
};

async function load(
  h: HeaderModel,
): Promise<{ codec: (little: boolean) => Codec; part: Part<object> }> {
  const at = (path: string) => new URL(`../../generated/${path}.js`, import.meta.url).href;
  const m = (await import(at(h.file))) as Loose;
  const { head } = (await import(at(`arbitraries/${h.file}`))) as { head: Part<object> };
  const codec = (little: boolean): Codec => {
    const extra = h.order === "caller" ? [little] : [];
    const call = (name: string, ...args: unknown[]) =>
      (m[name] as (...args: unknown[]) => never)(...args);
    return {
      MIN: m.MIN,
      MAX: m.MAX,
      measure: (v, o, end) => call("measure", v, o, end, ...extra),
      explain: (n, v, o, end) => call("explain", n, v, o, end, ...extra),
      decode: (v, o, end, into) => call("decode", v, o, end, ...extra, into),
      read: (v, o, end) => call("read", v, o, end, ...extra),
      write: (v, o, x) => call("writeValue", v, o, ...extra, x),
      prepend: (v, end, x) => call("prependValue", v, end, ...extra, x),
      size: (x) => call("sizeValue", x),
    };
  };
  return { codec, part: head };
}

/** Octets amid others that must not matter. */
function amid(octets: Uint8Array, poison: number, before = 3): DataView {
  const all = new Uint8Array(before + octets.length + 8).fill(poison);
  all.set(octets, before);
  return new DataView(all.buffer);
}
const exact = (octets: Uint8Array): DataView => new DataView(Uint8Array.from(octets).buffer);
const hex = (octets: Uint8Array) => Buffer.from(octets).toString("hex");

for (const h of model.headers) {
  const { codec, part } = await load(h);
  // Lists of 128 KiB take the interpreter long; a few of them are enough.
  const params = { ...seeded, numRuns: h.max > 4096 ? 6 : RUNS };

  test(`${h.name}: what is written is read back, in the octets declared`, () => {
    const seen = { min: Number.POSITIVE_INFINITY, max: 0 };
    const law = ({ value, octets, little }: Drawn<object>) => {
      cases++;
      const c = codec(little);
      const n = octets.length;
      seen.min = Math.min(seen.min, n);
      seen.max = Math.max(seen.max, n);
      assert.ok(n >= c.MIN && n <= c.MAX, "P5: within MIN and MAX");
      assert.is(c.size(value), n, "P5: size");
      for (const poison of [0xa5, 0x5a]) {
        const space = amid(new Uint8Array(n).fill(poison), poison);
        assert.is(c.write(space, 3, value), 3 + n, "write returns the end");
        const made = new Uint8Array(space.buffer, 3, n);
        assert.is(hex(made), hex(octets), "P3, P6: the same octets whatever was there");
        assert.ok(
          new Uint8Array(space.buffer, 3 + n).every((x) => x === poison),
          "nothing behind",
        );
      }
      const apart = new DataView(new ArrayBuffer(n + 16));
      assert.is(c.prepend(apart, n + 9, value), 9, "prepend returns the start");
      assert.is(
        hex(new Uint8Array(apart.buffer, 9, n)),
        hex(octets),
        "P7: prepended equals written",
      );
      for (const view of [amid(octets, 0xff), amid(octets, 0)]) {
        assert.is(c.measure(view, 3, 3 + n), n, "P1: neighbours do not matter");
      }
      const view = exact(octets);
      const got = c.read(view, 0, n);
      const into = {};
      assert.is(c.decode(view, 0, n, into), n);
      assert.equal(into, { ...got }, "decode gives what read gives");
      for (const [k, v] of Object.entries(value)) assert.equal(got[k], v, `P4: ${k}`);
      const oracle = readHead(h, octets, little);
      assert.equal(oracle.verdict, { kind: "whole", octets: n }, "P8: the interpreter agrees");
    };
    fc.assert(fc.property(valid(part), law), params);
    assert.is(seen.min, h.min, "MIN is attained");
    if (h.max < 2000) assert.is(seen.max, h.max, "MAX is attained");
  });

  // What runs to the end of its octets is whole, or wrong, wherever it is cut.
  const open = JSON.stringify(h.head).includes('"rest"');
  if (!open)
    test(`${h.name}: every cut asks for more, and never for more than is missing`, () => {
      const law = ({ octets, little }: Drawn<object>) => {
        cases++;
        const c = codec(little);
        const view = exact(octets);
        const step = Math.max(1, Math.floor(octets.length / 64));
        let least = 0;
        for (let end = 0; end < octets.length; end += step) {
          const n = c.measure(view, 0, end);
          assert.ok(n < 0 && n > -FAULT, `P2: ${end} of ${octets.length} gives ${n}`);
          assert.ok(end - n <= octets.length, "asks for no more than there is");
          assert.ok(end - n >= least, "P2: the need never falls");
          least = end - n;
        }
      };
      fc.assert(fc.property(valid(part), law), {
        ...params,
        numRuns: Math.ceil(params.numRuns / 4),
      });
    });

  // A computed value that always holds cannot be broken.
  const implied = new Set(h.head.filter((f) => f.implied).map((f) => f.path));
  if (h.faults.some((f) => f.kind !== "auto" || !implied.has(f.path))) {
    test(`${h.name}: one broken rule is refused, by its number and in words`, () => {
      const law = ({ octets, little, fault }: Broken) => {
        cases++;
        const c = codec(little);
        const view = amid(octets, 0xa5);
        const n = c.measure(view, 3, 3 + octets.length);
        assert.is(n, -FAULT - fault, c.explain(n, view, 3, 3 + octets.length));
        assert.is(c.decode(view, 3, 3 + octets.length, {}), n);
        const { path = "?", text = "?" } = h.faults[fault] ?? {};
        const words = c.explain(n, view, 3, 3 + octets.length);
        assert.ok(words.startsWith(`${h.name}.${path}, octet `), words);
        assert.ok(words.includes(text), words);
        assert.equal(readHead(h, octets, little).verdict, { kind: "fault", fault });
      };
      fc.assert(fc.property(broken(part), law), {
        ...params,
        numRuns: Math.ceil(params.numRuns / 2),
      });
    });
  }

  test(`${h.name}: whatever is accepted has one spelling`, () => {
    const mutated = fc.tuple(
      valid(part),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
    );
    const law = ([{ octets, little }, changes]: [Drawn<object>, [number, number][]]) => {
      cases++;
      const c = codec(little);
      const bad = Uint8Array.from(octets);
      for (const [at, x] of changes) if (bad.length > 0) bad[at % bad.length] = x;
      const view = exact(bad);
      const n = c.measure(view, 0, bad.length);
      const { verdict } = readHead(h, bad, little);
      if (verdict.kind === "whole") assert.is(n, verdict.octets, "P8");
      else if (verdict.kind === "fault") assert.is(n, -FAULT - verdict.fault, "P8");
      else assert.ok(n < 0 && n > -FAULT, "P8: more is needed");
      if (n <= 0) return;
      const space = new DataView(new ArrayBuffer(n));
      assert.is(c.write(space, 0, c.read(view, 0, bad.length)), n);
      assert.is(hex(new Uint8Array(space.buffer)), hex(bad.subarray(0, n)), "P3");
    };
    fc.assert(fc.property(mutated, law), params);
  });
}

test("at least 100,000 cases were tried", () => {
  if (Number(process.env.WIRESTACK_RUNS ?? 1) >= 1) assert.ok(cases >= 100_000, String(cases));
});

test.run();
