/** Which messages have come: held against a set that forgets nothing. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { NEW, OLD, SEEN, Window, Windows } from "../../../runtime/secure/integrity/window.js";
import { check, TIMES } from "../../laws/all.js";

const test = suite("window");

test("a window knows what a set of all numbers knows, as far back as it reaches", () => {
  const size = fc.constantFrom(1, 2, 31, 32, 33, 64, 100, 1024);
  const step = fc.oneof(
    fc.integer({ min: -70, max: 70 }),
    fc.integer({ min: -1100, max: 1100 }),
    fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 40),
  );
  const start = fc.constantFrom(0, 31, 32, 2 ** 32 - 5, 2 ** 53 - 2 ** 42);
  const law = ([n, from, steps]: [number, number, number[]]) => {
    const window = new Window(n);
    const come = new Set<number>();
    let at = from;
    let newest = -1;
    for (const by of [0, ...steps]) {
      at = Math.min(2 ** 53 - 1, Math.max(0, at + by));
      const expected = newest - at > n ? OLD : come.has(at) ? SEEN : NEW;
      assert.is(window.see(at), expected, `${at} of ${[...come]}`);
      if (expected === NEW) come.add(at);
      newest = Math.max(newest, at);
    }
  };
  check(fc.tuple(size, start, fc.array(step, { maxLength: 60 })), law, 2000 * TIMES);
});

test("every number of a window is told apart", () => {
  for (const size of [1, 32, 1000, 1024]) {
    const window = new Window(size);
    const newest = 5000;
    assert.is(window.see(newest), NEW);
    for (let n = newest - size; n < newest; n++) assert.is(window.see(n), NEW);
    for (let n = newest - size; n <= newest; n++) assert.is(window.see(n), SEEN);
    assert.is(window.see(newest - size - 1), OLD);
  }
});

test("so many senders are remembered, and of more the one that was silent longest is forgotten", () => {
  const windows = new Windows(8, 3);
  // Each differs from the first in one thing.
  const [a, b, c, d] = [
    [1, 2, 3],
    [9, 2, 3],
    [1, 9, 3],
    [1, 2, 9],
  ] as const;
  for (const [key, high, low] of [a, b, c, a, a, d]) windows.of(key, high, low).see(1);
  assert.is(windows.of(...a).see(1), SEEN);
  assert.is(windows.of(...c).see(1), SEEN);
  assert.is(windows.of(...d).see(1), SEEN);
  assert.is(windows.of(...b).see(1), NEW);
  assert.is(windows.of(...a).see(1), NEW, "whose turn it was to go");
});

test.run();
