/** However a message lies in memory, it is the same message. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as way from "../../generated/sp/request.js";
import { bodyOf } from "../../runtime/body.js";
import { watch } from "../../runtime/kit/spy.js";
import { Message, Slab } from "../../runtime/message.js";
import { Stats } from "../../runtime/stats.js";
import { check, TIMES } from "../laws/all.js";
import { body, joined, same, segmented } from "../laws/octets.js";

const test = suite("message");
const RUNS = 600 * TIMES;

type Do = readonly [
  what: "measure" | "take" | "push" | "append" | "last" | "chop" | "fork",
  n: number,
];
const doings: fc.Arbitrary<Do[]> = fc.array(
  fc.tuple(
    fc.constantFrom("measure", "take", "push", "append", "last", "chop", "fork"),
    fc.nat(90),
  ),
  { maxLength: 12 },
);

/** What is seen of a message while this is done to it. */
function seen(m: Message, doing: readonly Do[], slab: Slab): string[] {
  const out: string[] = [];
  const forks: [Message, Uint8Array][] = [];
  const note = (what: string, octets: Uint8Array) =>
    out.push(`${what} ${Buffer.from(octets).toString("hex")}`);
  for (const [i, [what, some]] of doing.entries()) {
    const n = Math.min(some, m.length);
    switch (what) {
      case "measure":
        out.push(`measure ${m.measure(way.measure, slab)}`);
        break;
      case "take": {
        const behind = n - (m.end - m.start);
        if (behind > 0) m.gather(behind, slab);
        note(what, m.bytes.subarray(m.start, m.start + n));
        m.pop(n);
        break;
      }
      case "push":
        m.push(some, slab);
        m.bytes.set(body(some, i), m.start);
        break;
      case "append": {
        const at = m.append(some, slab);
        new Uint8Array(m.tail.buffer, m.tail.byteOffset).set(body(some, i), at);
        break;
      }
      case "last": {
        const at = m.last(some, slab);
        note(what, new Uint8Array(m.tail.buffer, m.tail.byteOffset + at, n));
        break;
      }
      case "chop":
        m.chop(n);
        break;
      case "fork":
        forks.push([m.fork(some, slab), joined(m.segments())]);
    }
    out.push(`length ${m.length}`);
  }
  // Where it was popped, a head belongs to who pushes next; all else is the fork's as well.
  const popped = doing.some(([what]) => what === "take");
  for (const [fork, was] of popped ? [] : forks) note("fork", subtract(fork, was));
  note("body", bodyOf(m, slab.stats));
  return out;
}

/** Nothing, if the fork still has its octets. */
function subtract(fork: Message, was: Uint8Array): Uint8Array {
  const is = joined(fork.segments());
  return same(is, was) ? new Uint8Array(0) : is;
}

const slab = () => new Slab(new Stats());

test("cutting a message in two, at any octet, changes no result", () => {
  const octets = joined([body(12, 3).map((x) => x & 0x7f), Uint8Array.of(0x80), body(40, 5)]);
  const doing: Do[] = [
    ["measure", 0],
    ["take", 16],
    ["push", 9],
    ["append", 20],
    ["last", 32],
    ["chop", 30],
    ["last", 90],
  ];
  const whole = seen(Message.of(octets.slice()), doing, slab());
  for (let cut = 0; cut <= octets.length; cut++) {
    assert.equal(seen(segmented(octets, [cut]), doing, slab()), whole, `cut at ${cut}`);
  }
});

test("no way of cutting a message into segments changes any result", () => {
  const cuts = fc.array(fc.nat(), { maxLength: 9 });
  const cases = fc.tuple(fc.nat(90), fc.nat(), cuts, doings);
  check(
    cases,
    ([length, seed, places, doing]) => {
      const octets = body(length, seed);
      const whole = seen(Message.of(octets.slice()), doing, slab());
      assert.equal(seen(segmented(octets, places), doing, slab()), whole);
    },
    RUNS,
  );
});

test("borrowed octets are never written", () => {
  const cuts = fc.array(fc.nat(), { maxLength: 5 });
  const cases = fc.tuple(fc.nat(90), cuts, fc.nat(40), doings);
  check(
    cases,
    ([length, places, head, doing]) => {
      const s = slab();
      const pieces = segmented(body(length, 7), places).segments();
      const before = pieces.map((p) => p.slice());
      const m = Message.around(new Uint8Array(0), head, s);
      m.rest = pieces;
      seen(m, doing, s);
      assert.ok(pieces.every((p, i) => same(p, before[i] as Uint8Array)));
    },
    RUNS,
  );
});

test("octets pushed beyond the room get a new head, and no body is copied", () => {
  const cases = fc.tuple(fc.nat(80), fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 8 }));
  check(
    cases,
    ([head, pushes]) => {
      const s = slab();
      const octets = body(200, 1);
      const spy = watch();
      const m = Message.around(octets, head, s);
      let want: Uint8Array[] = [octets];
      let room = head;
      let grown = 0;
      for (const [i, n] of pushes.entries()) {
        m.push(n, s);
        if (n > room) {
          grown++;
          room = Math.max(n, 64);
        }
        room -= n;
        for (let k = 0; k < n; k++) m.bytes[m.start + k] = i;
        want = [new Uint8Array(n).fill(i), ...want];
      }
      spy.close();
      assert.is(s.stats.outOfRoom, grown);
      assert.equal(spy.copies, []);
      assert.ok(m.segments().at(-1) === octets, "the body is where it was");
      assert.ok(same(joined(m.segments()), joined(want)));
    },
    RUNS,
  );
});

test("within its room a message needs no other", () => {
  const s = slab();
  const m = Message.blank(10, { head: 12, tail: 5 }, s);
  const { bytes } = m;
  m.push(4, s);
  m.push(8, s);
  m.append(3, s);
  m.append(2, s);
  assert.is(m.segments().length, 1);
  assert.is(m.bytes, bytes);
  assert.is(m.length, 27);
  assert.equal([s.stats.outOfRoom, s.stats.allocations], [0, 1]);
});

test("a slab gives windows that do not overlap, and one buffer to many", () => {
  const s = slab();
  check(
    fc.array(fc.nat(20_000), { maxLength: 40 }),
    (wanted) => {
      const windows = wanted.map((n) => {
        const at = s.take(n);
        assert.is(s.view.buffer, s.bytes.buffer);
        return s.bytes.subarray(at, at + n);
      });
      for (const [i, w] of windows.entries()) w.fill(i);
      assert.ok(windows.every((w, i) => w.length === wanted[i] && w.every((x) => x === i)));
    },
    50 * TIMES,
  );
  const one = slab();
  for (let i = 0; i < 1024; i++) one.take(64);
  assert.is(one.stats.allocations, 1);
});

test.run();
