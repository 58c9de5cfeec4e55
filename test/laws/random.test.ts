// timeout: 110
/**
 * The laws, over headers that nobody wrote. A failing run prints its seed; WIRESTACK_SEED replays it,
 * WIRESTACK_RUNS multiplies the headers.
 */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SpecError } from "../../codegen/error.js";
import type { HeaderModel } from "../../codegen/model.js";
import { compile, modelOf } from "../oracle/compile.js";
import { randomHeaders } from "../oracle/random-specs.js";
import { laws, SEED, sizes, TIMES } from "./all.js";
import { type Subject, subjects } from "./subject.js";

const test = suite("laws of random headers");

const HEADERS = 400 * TIMES;
const RUNS = 30;
const models = fc.sample(randomHeaders, { numRuns: HEADERS, seed: SEED }).map((h) => modelOf(h));
const accepted = models.filter((m): m is HeaderModel => !(m instanceof SpecError));
const compiled = await compile(accepted);
const all = compiled.flatMap(({ header, codec, arbitrary }) => subjects(header, codec, arbitrary));
let cases = 0;

test("most of them are accepted", () => {
  assert.ok(accepted.length > 0.8 * HEADERS, `${accepted.length} of ${HEADERS}, seed ${SEED}`);
});

for (const law of laws) {
  test(law.name, () => {
    for (const s of all) cases += about(s, () => law.run(s, RUNS));
  });
}

test("the least and the greatest size are attained", () => {
  const loose = all.flatMap((s) => {
    const { min, max } = sizes(s);
    if (min === s.min && max === s.max) return [];
    return [`${s.name} declares ${s.min} to ${s.max}, and ${min} to ${max} were found`];
  });
  assert.equal(loose, [], `seed ${SEED}`);
});

test("tens of thousands of cases were tried", () => {
  console.log(`${cases} cases over ${all.length} heads and trailers, seed ${SEED}`);
  assert.ok(cases >= 40_000 * TIMES, String(cases));
});

/** A failure tells which header it is about. */
function about<T>(s: Subject, run: () => T): T {
  try {
    return run();
  } catch (e) {
    const plain = (_: string, v: unknown) => (isPlace(v) ? undefined : v);
    const model = JSON.stringify(
      { head: s.header.head, front: s.header.front, last: s.header.last },
      plain,
    );
    throw new Error(`${(e as Error).message}\nof ${s.name}: ${model}`, { cause: e });
  }
}

const isPlace = (v: unknown) => typeof v === "object" && v !== null && "column" in v;

test.run();
