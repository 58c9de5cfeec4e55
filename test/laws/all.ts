/** All laws for one subject, with as many cases as are asked for. */
import fc from "fast-check";
import { expressions, type FieldModel, parts } from "../../codegen/model.js";
import {
  breakable,
  broken,
  type Drawn,
  valid,
} from "../../generated/arbitraries/draw/arbitrary.js";
import { type Choices, DeadEnd, Draw } from "../../generated/arbitraries/draw/draw.js";
import { changed } from "../oracle/value.js";
import { cut, judged, refused, writable, written } from "./law.js";
import type { Sample, Subject } from "./subject.js";

/**
 * WIRESTACK_RUNS multiplies the cases. The seed is fixed, so that a change is judged by what it changes;
 * WIRESTACK_SEED takes another one, and replays a run that failed.
 */
export const TIMES = Number(process.env.WIRESTACK_RUNS ?? 1);
export const SEED = Number(process.env.WIRESTACK_SEED ?? 20141116);

/** A law as a test: its name, and its cases. Returns how many there were. */
export interface Law {
  readonly name: string;
  run(s: Subject, runs: number): number;
}

type Edit = readonly [kind: number, at: number, octet: number];
export const edits = fc.array(fc.tuple(fc.nat(5), fc.nat(), fc.nat(255)), {
  minLength: 1,
  maxLength: 4,
});
const choices = fc.array(fc.nat(), { minLength: 8, maxLength: 8 });

export function edited(octets: Uint8Array, list: readonly Edit[]): Uint8Array {
  const all = [...octets];
  for (const [kind, at, octet] of list) {
    const i = at % Math.max(1, all.length);
    if (kind === 0) all.splice(i, 0, octet);
    else if (kind === 1) all.splice(i, 1);
    else if (kind === 2) all.length = i;
    else if (all.length > 0) all[i] = kind === 3 ? octet : (all[i] ?? 0) ^ (1 << (octet % 8));
  }
  return Uint8Array.from(all);
}

/** Holds a law against many cases; says why, and by which seed, it does not hold. */
export function check<T>(arbitrary: fc.Arbitrary<T>, law: (x: T) => void, numRuns: number): number {
  let cases = 0;
  const counted = (x: T) => {
    cases++;
    law(x);
  };
  const found = fc.check(fc.property(arbitrary, counted), { numRuns, seed: SEED });
  if (found.failed) {
    const { errorInstance, counterexample } = found;
    const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
    const at = `WIRESTACK_SEED=${SEED}: ${fc.stringify(counterexample?.[0]).slice(0, 2000)}`;
    throw new Error(`${why}\n${at}`, { cause: errorInstance });
  }
  return cases;
}

export const laws: readonly Law[] = [
  {
    name: "what is written is read back, in the octets declared",
    run: (s, runs) => check(valid(s.draw), (drawn) => written(s, drawn), runs),
  },
  {
    name: "every cut asks for more, and never for more than is missing",
    run: (s, runs) => check(valid(s.draw), (drawn) => cut(s, drawn), Math.ceil(runs / 4)),
  },
  {
    name: "one broken rule is refused, by its number and in words",
    run(s, runs) {
      if (!breakable(s.draw)) return 0;
      return check(broken(s.draw), (b) => refused(s, b), Math.ceil(runs / 2));
    },
  },
  {
    name: "any octets are judged as the interpreter does, and have one spelling if accepted",
    run(s, runs) {
      const law = ([{ value, octets, little }, list]: readonly [Drawn<Sample>, Edit[]]) => {
        const context = { little, needs: value.needs };
        judged(s, s.codec(context), edited(octets, list), context);
      };
      return check(fc.tuple(valid(s.draw), edits), law, runs);
    },
  },
  {
    name: "a value that cannot be read is not written",
    run(s, runs) {
      const law = ([{ value, little }, list]: readonly [Drawn<Sample>, number[]]) => {
        let at = 0;
        const bad = changed(s.fields, value.value, (ways) => (list[at++] ?? 0) % ways);
        writable(s, bad, { little, needs: value.needs });
      };
      return check(fc.tuple(valid(s.draw), choices), law, runs);
    },
  },
];

/** The least and the greatest size that draws come to, found by trying what makes them so. */
export function sizes(s: Subject): { min: number; max: number } {
  return {
    min: climbed(s, (a, b) => a <= b, s.min),
    max: climbed(s, (a, b) => a >= b, s.max),
  };
}

/** The numbers that a header's expressions compare with, and their neighbours. */
function landmarks(fields: readonly FieldModel[]): number[] {
  const found = fields.flatMap((f) =>
    [...expressions(f)].flatMap((e) =>
      [...parts(e)]
        .flatMap((p) => ("b" in p ? [p.a, p.b] : []))
        .filter((x) => typeof x === "number"),
    ),
  );
  return [...new Set(found.flatMap((n) => [n - 2, n - 1, n, n + 1, n + 2]))];
}

/**
 * Changes a choice or two, and keeps what is no worse, until `goal` is reached. Choices are kept by what
 * they are about: so those of a field stay as they are where another one before it comes or goes.
 */
function climbed(s: Subject, better: (a: number, b: number) => boolean, goal: number): number {
  let best: number | undefined;
  let kept = new Map<string, number>();
  let state = SEED;
  const random = () => {
    state = (Math.imul(state, 0x41c64e6d) + 12345) >>> 0;
    return state / 2 ** 32;
  };
  const marks = landmarks(s.fields);
  for (let i = 0; i < 20000 && best !== goal; i++) {
    const tried = new Map<string, number>();
    const times = new Map<string, number>();
    const next = (about: string): number => {
      const nth = times.get(about) ?? 0;
      times.set(about, nth + 1);
      const key = `${about}, ${nth}`;
      const was = kept.get(key);
      const x = was === undefined || random() < 2 / Math.min(kept.size, 60) ? random() : was;
      tried.set(key, x);
      return x;
    };
    let name = "";
    const choices: Choices = {
      choose(about, ways) {
        name = about;
        return ways[Math.floor(next(about) * ways.length)] as never;
      },
      whole(lo, hi) {
        const at = next(`within ${name}`);
        const near = marks.filter((n) => n >= lo && n <= hi);
        if (at < 0.5 && near.length > 0) return near[Math.floor(at * 2 * near.length)] as number;
        return lo + Math.floor(((at * 7) % 1) * (hi - lo + 1));
      },
    };
    const draw = new Draw(choices, i % 2 === 1);
    try {
      s.draw(draw);
    } catch (e) {
      if (e instanceof DeadEnd) continue;
      throw e;
    }
    const octets = draw.octets.length;
    if (best !== undefined && !better(octets, best)) continue;
    best = octets;
    kept = tried;
  }
  return best ?? Number.NaN;
}
