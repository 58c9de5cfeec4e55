/** Nothing that a peer does may be thrown into the application. */
import type { Test } from "uvu";
import * as assert from "uvu/assert";

/** Fails a test during which something was thrown past everybody, or warned of. */
export function nothingThrown<T>(test: Test<T>): Test<T> {
  let thrown: unknown[] = [];
  const note = (error: unknown) => void thrown.push(error);
  test.before(() => {
    for (const event of ["uncaughtException", "unhandledRejection", "warning"]) {
      process.on(event, note);
    }
  });
  test.after.each(() => {
    const found = thrown;
    thrown = [];
    assert.equal(found, []);
  });
  return test;
}
