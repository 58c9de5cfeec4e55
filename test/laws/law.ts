/**
 * The laws that every codec obeys, each as a function of one case. P1 to P8 are the design's names.
 *
 * A case is judged three times over: by the generated codec, by the interpreter, and by what the case
 * was drawn as. Not one of them shares code with another.
 */
import * as assert from "uvu/assert";
import type { Broken, Drawn } from "../../generated/arbitraries/draw/arbitrary.js";
import type { Reading } from "../oracle/interpreter.js";
import { difference } from "../oracle/value.js";
import type { Codec, Context, Sample, Subject } from "./subject.js";

/** A fault's number is −2^24 − n. */
export const FAULT = 2 ** 24;
const AROUND = 5;

export const hex = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");

/** Octets with others in front and behind, which must not matter. */
export function amid(octets: Uint8Array, poison: number): DataView {
  const all = new Uint8Array(octets.length + 2 * AROUND).fill(poison);
  all.set(octets, AROUND);
  return new DataView(all.buffer);
}

export const exact = (octets: Uint8Array) => new DataView(Uint8Array.from(octets).buffer);

/** P4, P5, P6, P7 and P8: a valid value becomes just the octets it was drawn with, and comes back. */
export function written(
  s: Subject,
  { value: { value, needs }, octets, little }: Drawn<Sample>,
): void {
  const c = s.codec({ little, needs });
  const n = octets.length;
  assert.ok(n >= s.min && n <= s.max, `P5: ${n} octets are within ${s.min} and ${s.max}`);
  assert.is(c.size(value), n, "P5: size");
  for (const fill of [0xa5, 0x5a]) {
    const space = amid(new Uint8Array(n).fill(fill), fill);
    assert.is(c.write(space, AROUND, value), AROUND + n, "write returns the end");
    assert.is(hex(new Uint8Array(space.buffer, AROUND, n)), hex(octets), "P6: whatever was there");
    const around = [...new Uint8Array(space.buffer)].filter(
      (_, i) => i < AROUND || i >= AROUND + n,
    );
    assert.ok(
      around.every((x) => x === fill),
      "P1: writes nothing outside",
    );
  }
  if (!s.tail) {
    const apart = new DataView(new ArrayBuffer(n + 16));
    assert.is(c.prepend(apart, n + 9, value), 9, "prepend returns the start");
    assert.is(hex(new Uint8Array(apart.buffer, 9, n)), hex(octets), "P7: apart as in place");
  }
  const reading = judged(s, c, octets, { little, needs });
  assert.equal(reading.verdict, { kind: "whole", octets: n }, "P8: the interpreter finds it whole");
  const differs = difference(s.fields, c.read(exact(octets), 0, n), value);
  assert.is(differs, undefined, "P4: read gives what was written");
}

/** P1, P3 and P8: any octets get the interpreter's verdict, and what is whole has one spelling. */
export function judged(s: Subject, c: Codec, octets: Uint8Array, context: Context): Reading {
  const n = octets.length;
  const view = exact(octets);
  const got = c.measure(view, 0, n);
  for (const poison of [0xff, 0]) {
    const among = amid(octets, poison);
    assert.is(c.measure(among, AROUND, AROUND + n), got, "P1: neighbours do not matter");
  }
  const reading = s.judge(octets, context);
  const { verdict, value = {} } = reading;
  if (verdict.kind === "whole") assert.is(got, verdict.octets, "P8: whole");
  else if (verdict.kind === "need") assert.ok(isNeed(got), `P8: ${got} asks for more`);
  // A run of fields is tested at once, so octets may be asked for before the fault is seen.
  else if (!isNeed(got)) assert.is(got, -FAULT - verdict.fault, "P8: the same fault");
  explained(s, c, got, view, n);
  const into: Record<string, unknown> = {};
  if (!s.tail) {
    const decoded = c.decode(view, 0, n, into);
    // Of what is missing, one may know more than the other.
    if (!isNeed(got) || !isNeed(decoded))
      assert.is(decoded, got, "decode measures as measure does");
  }
  if (verdict.kind !== "whole") return reading;

  const from = s.tail ? n - got : 0;
  const read = c.read(view, 0, n);
  assert.is(difference(s.fields, read, value), undefined, "P8: the interpreter's value");
  if (!s.tail)
    assert.is(difference(s.fields, into, value), undefined, "decode gives what read gives");
  for (const [field, get] of c.accessors) {
    assert.is(get(view, 0), read[field], `the accessor of ${field}`);
  }
  const space = new DataView(new ArrayBuffer(got));
  assert.is(c.write(space, 0, read), got, "P3: what is read can be written");
  assert.is(
    hex(new Uint8Array(space.buffer)),
    hex(octets.subarray(from, from + got)),
    "P3: one spelling",
  );
  return reading;
}

const isNeed = (n: number) => n < 0 && n > -FAULT;

function explained(s: Subject, c: Codec, got: number, view: DataView, end: number): void {
  if (got >= 0) return;
  const words = c.explain(got, view, 0, end);
  if (isNeed(got)) return assert.match(words, /more octets? (is|are) needed/);
  const { path, text } = s.header.faults[-got - FAULT] ?? { path: "?", text: "?" };
  assert.ok(words.startsWith(`${s.header.name}.${path}, octet `), words);
  assert.ok(words.includes(text), words);
}

/** P2: each part asks for more, ever further on, and never for more than is missing. */
export function cut(s: Subject, { value: { needs }, octets, little }: Drawn<Sample>): void {
  const n = octets.length;
  const c = s.codec({ little, needs });
  const step = Math.max(1, Math.floor(n / 48));
  const least = { measure: 0, decode: 0 };
  for (let some = 0; some < n; some += step) {
    const part = s.tail ? octets.subarray(n - some) : octets.subarray(0, some);
    if (s.open) {
      // What a shorter run to the end means is the interpreter's to say.
      judged(s, c, part, { little, needs });
      continue;
    }
    const view = exact(part);
    for (const how of s.tail ? (["measure"] as const) : (["measure", "decode"] as const)) {
      const got = how === "measure" ? c.measure(view, 0, some) : c.decode(view, 0, some, {});
      assert.ok(isNeed(got), `P2: ${some} of ${n} octets give ${got}`);
      assert.ok(some - got <= n, `P2: with ${some} of ${n} octets it asks for ${-got}`);
      assert.ok(
        some - got >= least[how],
        `P2: with ${some} octets it asks for ${-got}, less than before`,
      );
      least[how] = some - got;
    }
    explained(s, c, c.measure(view, 0, some), view, some);
  }
}

/** One broken rule is refused by its number, and named. */
export function refused(s: Subject, broken: Broken<Sample>): void {
  const { little, fault } = broken;
  // What was broken may decide a length: there is enough behind it.
  const behind = s.open || s.tail ? 0 : Math.min(s.max, 4096);
  const octets = Uint8Array.from([...broken.octets, ...new Uint8Array(behind)]);
  const { needs } = broken.value;
  const c = s.codec({ little, needs });
  const { verdict } = judged(s, c, octets, { little, needs });
  // A length or a choice is broken in the field that says it, and another may have read that before:
  // then the verdict is about that one. `judged` has seen that the codec's is the same.
  const said = ["max", "arm", "fill"].includes(s.header.faults[fault]?.kind ?? "");
  if (said && verdict.kind !== "whole") return;
  assert.equal(verdict, { kind: "fault", fault }, "the interpreter finds the fault");
  assert.is(c.measure(exact(octets), 0, octets.length), -FAULT - fault, "the codec finds it too");
}

/** P4: what is written is read as it was; all else is refused, in words. */
export function writable(s: Subject, value: Sample["value"], context: Context): void {
  const c = s.codec(context);
  const space = amid(new Uint8Array(2 * s.max + 8192), 0x5a);
  let end: number;
  try {
    end = c.write(space, AROUND, value);
  } catch (e) {
    assert.ok(e instanceof RangeError || e instanceof TypeError, String(e));
    // An object of another arm's form is a type error before it is a value.
    const words = e instanceof TypeError || e.message.startsWith(s.header.name);
    assert.ok(words, `P4: refused in words: ${e.message}`);
    return;
  }
  const octets = new Uint8Array(space.buffer, AROUND, end - AROUND);
  assert.is(c.size(value), octets.length, "P5: size");
  const { verdict, value: read = {} } = judged(s, c, octets, context);
  assert.equal(verdict, { kind: "whole", octets: octets.length }, "P4: what is written is whole");
  assert.is(
    difference(s.fields, read, value, false),
    undefined,
    "P4: and is what was to be written",
  );
}
