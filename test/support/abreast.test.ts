import { type Context, suite, type Test } from "uvu";
import * as assert from "uvu/assert";
import { abreast } from "./abreast.js";

const test = suite("abreast");

/** A suite that keeps what is added, to be run as uvu does: one after the other. */
function added() {
  const handlers: (() => Promise<void> | void)[] = [];
  const add = ((_: string, run: () => Promise<void>) => handlers.push(run)) as unknown;
  return { add: add as Test<Context>, handlers };
}

test("so many tests run at a time, and each reports its own outcome in its turn", async () => {
  const { add, handlers } = added();
  const several = abreast(add, 2);
  let now = 0;
  const most: number[] = [];
  const ends: (() => void)[] = [];
  for (const name of ["a", "b", "c", "d"]) {
    several(name, async () => {
      most.push(++now);
      await new Promise<void>((end) => ends.push(end));
      now--;
      if (name === "b") throw new Error("b's own");
    });
  }
  const [a, b, c, d] = handlers.map((handler) => handler);
  const first = a?.();
  assert.equal(most, [1, 2]);
  // The second is over before the first, and the third begins.
  ends[1]?.();
  for (let i = 0; i < 9; i++) await undefined;
  assert.equal(most, [1, 2, 2]);
  ends[0]?.();
  await first;
  await Promise.resolve(b?.()).then(
    () => assert.unreachable(),
    (error) => assert.is(error.message, "b's own"),
  );
  for (let i = 0; i < 9; i++) await undefined;
  assert.equal(most, [1, 2, 2, 2]);
  for (const end of ends) end();
  await c?.();
  await d?.();
  assert.is(now, 0);
});

test.run();
