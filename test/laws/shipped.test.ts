// timeout: 110
/**
 * The laws, over every shipped header. A run that fails prints its seed; WIRESTACK_SEED replays it,
 * WIRESTACK_RUNS multiplies the cases.
 */
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Model } from "../../codegen/model.js";
import type { Module } from "../../codegen/run.js";
import { laws, SEED, sizes, TIMES } from "./all.js";
import { subjects } from "./subject.js";

const test = suite("laws");
const model = JSON.parse(readFileSync("generated/model.json", "utf8")) as Model;
const RUNS = 400 * TIMES;
/** Lists of 128 KiB take the interpreter long: a few of them are enough. */
const FEW = 12 * TIMES;
let cases = 0;

const load = (path: string): Promise<Module> =>
  import(new URL(`../../generated/${path}.js`, import.meta.url).href);

for (const header of model.headers) {
  const [codec, arbitrary] = [await load(header.file), await load(`arbitraries/${header.file}`)];
  for (const s of subjects(header, codec, arbitrary)) {
    for (const law of laws) {
      test(`${s.name}: ${law.name}`, () => {
        cases += law.run(s, s.max > 8192 ? FEW : RUNS);
      });
    }
    test(`${s.name}: the least and the greatest size are attained`, () => {
      assert.equal(sizes(s), { min: s.min, max: s.max });
      assert.equal(s.tail ? [codec.TAIL_MIN, codec.TAIL_MAX] : [codec.MIN, codec.MAX], [
        s.min,
        s.max,
      ]);
    });
  }
}

test("tens of thousands of cases were tried", () => {
  console.log(`${cases} cases, seed ${SEED}`);
  assert.ok(cases >= 50_000 * TIMES, String(cases));
});

test.run();
