/** Long lines are folded where a list stands, and mean what they meant. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { tidy } from "../../codegen/emit/tidy.js";

const test = suite("tidy");

test("a call is folded at its arguments", () => {
  const long = "a".repeat(60);
  assert.is(tidy(`const x = f(${long}, { b: 1 }, ${long});`).split("\n").length, 6);
});

test("a parenthesis that only groups is no list, however long", () => {
  const line = `const y = x === 6 && (${"(f4 & 1) >>> 0 === 0 || ".repeat(5)}z) ? 1 : 2;`;
  assert.is(tidy(line), `${line}\n`);
});

test.run();
