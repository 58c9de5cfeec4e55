// timeout: 120
/**
 * Whole sockets in worlds full of trouble, 10,000 of them in CI, each from a seed. A failure prints the seed
 * and what it stands for, and happens again by
 *
 *     WIRESTACK_SEED=1234 npm test -- simulation
 *
 * More, from that seed on: `WIRESTACK_SIMULATIONS=100000 WIRESTACK_SEED=20000 npm test -- simulation`.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { acts } from "./acts.js";
import { planOf, print } from "./plan.js";
import { play, type Sights } from "./scene.js";

const test = suite("simulation");
const { CI, WIRESTACK_SEED, WIRESTACK_SIMULATIONS } = process.env;
/** Enough of them to meet every kind of trouble; CI takes all. */
const ENOUGH = 6000;
const first = Number(WIRESTACK_SEED ?? 1);
const many = Number(
  WIRESTACK_SIMULATIONS ?? (WIRESTACK_SEED === undefined ? (CI ? 10_000 : ENOUGH) : 1),
);

const sights: Sights = {};

// Sockets make errors that nobody looks at, and their stacks cost a fifth of the time. Again, one has them.
if (many > 1) Error.stackTraceLimit = 0;

test(`${many} worlds from seed ${first} on keep every promise`, async () => {
  for (let seed = first; seed < first + many; seed++) {
    try {
      await play(seed, acts, sights);
    } catch (error) {
      const again = `again: WIRESTACK_SEED=${seed} npm test -- simulation`;
      throw new Error(`seed ${seed}: ${error}\n${again}\n${print(planOf(seed))}`, { cause: error });
    }
  }
});

if (many >= ENOUGH) {
  test("they met every kind of trouble", () => {
    const wanted = [
      ...[
        "pipeline",
        "pair",
        "pair1",
        "request",
        "publish",
        "survey",
        "tcp",
        "ipc",
        "inproc",
        "memory",
        "a third for a pair",
        "signed",
      ],
      ...["drop", "drop all", "cut", "outage", "rebind", "restart", "refused", "lost"],
      ...["trySend said no", "a send given up", "a request given up", "nothing said"],
      ...["pub: the peer takes no more", "sub: no such topic", "receive queue full"],
      ...["responses", "a survey of all", "a survey given up", "a publication of all"],
      ...["asked again", "worlds in which everybody is asked once", "forged"],
      ...["req: no such request", "req: was not asked", "rep: the peer has gone"],
    ];
    const rare = wanted.filter((what) => (sights[what] ?? 0) < 10);
    assert.equal(rare, []);
  });
}

test.run();
