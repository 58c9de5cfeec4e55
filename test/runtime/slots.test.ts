/** Numbers that a peer may say cost nothing to look up, and find only what they were given for. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Slots } from "../../runtime/slots.js";
import { check, TIMES } from "../laws/all.js";
import { Still } from "../laws/still.js";

const test = suite("slots");
const MOST = 65_536;
const BITS_31 = 2 ** 31;

const slots = (seed = 1) => new Slots<object>(new Still(seed));

function added(s: Slots<object>, value: object = {}): number {
  const number = s.add(value);
  if (number === undefined) throw new Error("it is full");
  return number;
}

test("each thing has a number of its own, of 31 bits, under which it is found", () => {
  const s = slots();
  const things = Array.from({ length: MOST }, () => ({}));
  const numbers = things.map((t) => added(s, t));
  assert.is(new Set(numbers).size, MOST);
  assert.ok(numbers.every((n) => Number.isInteger(n) && n >= 0 && n < BITS_31));
  assert.ok(numbers.every((n, i) => s.get(n) === things[i]));
  assert.is(s.size, MOST);
  assert.is(s.add({}), undefined, "65536 at a time");
  assert.equal([...s.values()].length, MOST);
});

test("the permutation is one: no number means two things, and every one means something or nothing", () => {
  // A bijection of 31 bits cannot be tried whole; but where it is not one, neighbours collide soon.
  for (const seed of [1, 2, 3, 0x7fffffff]) {
    const s = slots(seed);
    const seen = new Set<number>();
    for (let i = 0; i < 400_000; i++) {
      const number = added(s);
      assert.not.ok(seen.has(number));
      seen.add(number);
      s.delete(number);
    }
  }
});

test("a slot rests while 4096 others are used, and gives another number each time, 2^15 times", () => {
  const s = slots();
  const first = added(s, { name: "first" });
  s.delete(first);
  for (let i = 0; i < 4095; i++) {
    s.delete(added(s));
    assert.is(s.get(first), undefined);
  }
  // Where all others are in use it cannot rest, but its numbers differ.
  const full = slots();
  const held = Array.from({ length: MOST }, () => added(full));
  const mine = new Set<number>();
  let number = held[0] as number;
  for (let generation = 0; generation < 2 ** 15; generation++) {
    assert.not.ok(mine.has(number));
    mine.add(number);
    full.delete(number);
    number = added(full);
  }
  assert.ok(mine.has(number), "then the first comes again");
});

test("stale numbers, and numbers that never were, find nothing", () => {
  const step = fc.tuple(fc.boolean(), fc.nat());
  const law = ([seed, steps, guesses]: [number, [boolean, number][], number[]]) => {
    const s = slots(seed);
    const there = new Map<number, object>();
    const gone = new Set<number>();
    for (const [adds, which] of steps) {
      const number = [...there.keys()][which % Math.max(1, there.size)];
      if (adds || number === undefined) {
        const thing = {};
        there.set(added(s, thing), thing);
      } else {
        s.delete(number);
        there.delete(number);
        gone.add(number);
        // A second time it is nobody's.
        s.delete(number);
      }
      assert.is(s.size, there.size);
    }
    for (const [number, thing] of there) assert.is(s.get(number), thing);
    for (const number of [...gone, ...guesses]) assert.is(s.get(number), there.get(number));
    assert.equal(new Set(s.values()), new Set(there.values()));
  };
  const cases = fc.tuple(
    fc.nat(),
    fc.array(step, { maxLength: 200 }),
    fc.array(fc.nat(BITS_31 - 1), { minLength: 20, maxLength: 20 }),
  );
  check(cases, law, 200 * TIMES);
});

test("two sockets give other numbers, and one number tells nothing of the next", () => {
  const [a, b] = [slots(11), slots(12)];
  const [ofA, ofB] = [a, b].map((s) => Array.from({ length: 1000 }, () => added(s))) as [
    number[],
    number[],
  ];
  const shared = ofA.filter((n) => ofB.includes(n)).length;
  assert.ok(shared < 3, `${shared} numbers are both's`);
  const steps = new Set(ofA.slice(1).map((n, i) => n - (ofA[i] as number)));
  assert.ok(steps.size > 900, `${steps.size} different steps in 999`);
});

test("60,000 chosen numbers cost no more than random ones", () => {
  const N = 60_000;
  const s = slots();
  const held = Array.from({ length: 1000 }, () => added(s));
  const env = new Still(5);
  const words = new Uint32Array(N);
  env.random(new Uint8Array(words.buffer));
  const random = Array.from(words, (w) => w % BITS_31);
  const floods: Readonly<Record<string, number[]>> = {
    "in sequence": Array.from({ length: N }, (_, i) => i),
    "multiples of 2^16": Array.from({ length: N }, (_, i) => (i * 65_536) % BITS_31),
    "one number": Array.from({ length: N }, () => 42),
    "neighbours of a real one": Array.from(
      { length: N },
      (_, i) => ((held[0] as number) ^ i) % BITS_31,
    ),
  };
  const time = (numbers: readonly number[]) => {
    const start = process.cpuUsage().user;
    for (let round = 0; round < 3; round++) for (const n of numbers) s.get(n);
    return process.cpuUsage().user - start;
  };
  time(random);
  // A flooded hash table is slower by hundreds; a busy machine is not, by the least of five tries.
  const least = (numbers: readonly number[]) =>
    Math.min(...Array.from({ length: 5 }, () => time(numbers)));
  const base = Math.max(500, least(random));
  for (const [name, numbers] of Object.entries(floods)) {
    const t = least(numbers);
    assert.ok(t < 20 * base, `${name}: ${t} µs, against ${base} for random ones`);
  }
  assert.ok(held.every((n) => s.get(n) !== undefined));
});

test.run();
