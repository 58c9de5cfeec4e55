/**
 * Whatever the generated codec accepts, the package binary-parser reads to the same value; whatever it
 * refuses by a rule that can be told to the package, the package refuses. Of a header that is cut short
 * nothing is asked of the package, which hands out what is there as if it were all.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SpecError } from "../../codegen/error.js";
import type { HeaderModel, Model } from "../../codegen/model.js";
import type { Module } from "../../codegen/run.js";
import {
  breakable,
  broken,
  type Drawn,
  valid,
} from "../../generated/arbitraries/draw/arbitrary.js";
import { ForeignParser, Inexpressible, REASONS, REFUSED } from "../oracle/binary-parser.js";
import { compile, modelOf } from "../oracle/compile.js";
import { randomHeaders } from "../oracle/random-specs.js";
import { difference } from "../oracle/value.js";
import { check, edited, edits, SEED, TIMES } from "./all.js";
import { exact, FAULT, hex } from "./law.js";
import { type Context, type Sample, type Subject, subjects } from "./subject.js";

const test = suite("binary-parser");

const model = JSON.parse(readFileSync("generated/model.json", "utf8")) as Model;
const load = (path: string): Promise<Module> =>
  import(new URL(`../../generated/${path}.js`, import.meta.url).href);

const shipped = await Promise.all(
  model.headers.map(async (h) =>
    subjects(h, await load(h.file), await load(`arbitraries/${h.file}`)),
  ),
).then((all) => all.flat());

const RUNS = 120 * TIMES;
/** Lists of 128 KiB take long to draw. */
const FEW = 4 * TIMES;
const HEADERS = 120 * TIMES;
const models = fc
  .sample(randomHeaders, { numRuns: HEADERS, seed: SEED + 1 })
  .map((h) => modelOf(h))
  .filter((m): m is HeaderModel => !(m instanceof SpecError));
const random = (await compile(models)).flatMap(({ header, codec, arbitrary }) =>
  subjects(header, codec, arbitrary),
);

/** A parser for each byte order, or why there is none. */
function translated(s: Subject): readonly ForeignParser[] | Inexpressible {
  try {
    return [false, true].map((little) => new ForeignParser(s.header, s.tail, little));
  } catch (e) {
    if (e instanceof Inexpressible) return e;
    throw e;
  }
}

const counts = { accepted: 0, refused: 0, cut: 0, unnoticed: 0 };

/** What both make of the same octets. */
function agree(s: Subject, foreign: ForeignParser, octets: Uint8Array, context: Context): void {
  const { little, needs } = context;
  const c = s.codec({ little, needs });
  const n = c.measure(exact(octets), 0, octets.length);
  // Trailers end where octets do; those that can be told to it have one size.
  const from = s.tail ? Math.max(0, octets.length - s.max) : 0;
  const whole = octets.subarray(from, n >= 0 ? from + n : octets.length);
  if (n >= 0) {
    counts.accepted++;
    const read = foreign.parse(whole, needs);
    const value = c.read(exact(whole), 0, n);
    assert.is(difference(s.fields, value, read.value), undefined, `of ${hex(whole)}`);
    if (!s.open) assert.is(read.octets, n, `octets of ${hex(whole)}`);
  } else if (n <= -FAULT && REFUSED.includes(s.header.faults[-n - FAULT]?.kind ?? "")) {
    counts.refused++;
    assert.throws(() => foreign.parse(whole, needs), undefined, `refuses ${hex(whole)}`);
  }
}

/** Every part of a header asks for more, whatever the package makes of it. */
function cut(s: Subject, foreign: ForeignParser, { value, octets, little }: Drawn<Sample>): void {
  if (s.open || octets.length === 0) return;
  const part = octets.subarray(0, octets.length - 1);
  const { needs } = value;
  const n = s.codec({ little, needs }).measure(exact(part), 0, part.length);
  assert.ok(n < 0 && n > -FAULT, `${hex(part)} is cut short`);
  counts.cut++;
  try {
    foreign.parse(part, needs);
    counts.unnoticed++;
  } catch {
    // It notices where a number is missing.
  }
}

function compared(s: Subject, parsers: readonly ForeignParser[], runs: number): void {
  const of = ({ little }: { readonly little: boolean }) => parsers[Number(little)] as ForeignParser;
  const judged = (d: Drawn<Sample>, octets: Uint8Array) =>
    agree(s, of(d), octets, { little: d.little, needs: d.value.needs });
  check(valid(s.draw), (d) => judged(d, d.octets), runs);
  check(fc.tuple(valid(s.draw), edits), ([d, list]) => judged(d, edited(d.octets, list)), runs);
  if (breakable(s.draw)) check(broken(s.draw), (d) => judged(d, d.octets), Math.ceil(runs / 2));
  if (!s.tail) check(valid(s.draw), (d) => cut(s, of(d), d), Math.ceil(runs / 4));
}

/** It would have to begin at the end. */
const BACKWARDS = [
  "integrity.trailer, its trailer: a trailer that is decided by its last octets: it reads forwards only",
];

test("every shipped header can be told to it, but for those that are read from their end", () => {
  const not = shipped.flatMap((s) => {
    const found = translated(s);
    return found instanceof Inexpressible ? [`${s.name}: ${found.message}`] : [];
  });
  assert.equal(not, BACKWARDS);
});

for (const s of shipped) {
  const parsers = translated(s);
  if (parsers instanceof Inexpressible) continue;
  test(`${s.name} is what it reads`, () => compared(s, parsers, s.max > 8192 ? FEW : RUNS));
}

test("random headers are what it reads, wherever they can be told to it", () => {
  const not = new Map<string, number>();
  for (const s of random) {
    const parsers = translated(s);
    if (parsers instanceof Inexpressible) {
      not.set(parsers.reason, (not.get(parsers.reason) ?? 0) + 1);
    } else compared(s, parsers, 30);
  }
  console.log(`random headers and trailers that it has no word for: ${JSON.stringify([...not])}`);
  assert.equal([...not.keys()].sort(), Object.keys(REASONS).sort(), "the reasons are all needed");
});

test("thousands of cases were compared", () => {
  const { accepted, refused, cut, unnoticed } = counts;
  console.log(
    `${accepted} accepted by both, ${refused} refused by both, ${cut} cut short, ` +
      `of which it did not notice ${unnoticed}; ${random.length} random heads and trailers, seed ${SEED}`,
  );
  assert.ok(accepted > 8000 * TIMES && refused > 3000 * TIMES && cut > 1000 * TIMES);
});

test.run();
