/** What is drawn, as fast-check arbitraries: headers that are valid, broken by one rule, cut off. */
import fc from "fast-check";
import { type Choices, DeadEnd, Draw } from "./draw.mjs";

/** Draws the head of a header, or its trailer: a function of a generated module beside this. */
export type Part<T> = (d: Draw) => T;

/** The value, and the octets that stand for it. */
export interface Drawn<T> {
  readonly value: T;
  readonly octets: Uint8Array;
  /** Byte order, where the caller decides. */
  readonly little: boolean;
}

export interface Broken<T> extends Drawn<T> {
  /** Number of the one fault in the octets; the value is without it. */
  readonly fault: number;
}

export interface Truncated {
  readonly octets: Uint8Array;
  readonly little: boolean;
  /** Octets of the whole. */
  readonly whole: number;
}

/** Values that keep to all rules; often at a boundary, now and then the smallest and the greatest. */
export const valid = <T,>(part: Part<T>): fc.Arbitrary<Drawn<T>> =>
  tapes.map((tape) => drawn(part, tape)).filter((d) => d !== undefined);

/** Whether there is a rule that can be broken. */
export const breakable = (part: Part<unknown>): boolean =>
  fc
    .sample(tapes, { numRuns: 64, seed: 1 })
    .some((tape) => (attempt(part, new Draw(new Tape(tape)))?.draw.offered.size ?? 0) > 0);

/** Octets that break exactly one rule; for parts of which one is `breakable`. */
export const broken = <T,>(part: Part<T>): fc.Arbitrary<Broken<T>> =>
  fc
    .tuple(tapes, fc.nat())
    .map(([tape, which]): Broken<T> | undefined => {
      const offered = attempt(part, new Draw(new Tape(tape), little(tape)));
      if (offered === undefined) return undefined;
      const faults = [...offered.draw.offered];
      const fault = faults[which % faults.length];
      if (fault === undefined) return undefined;
      const bad = attempt(part, new Draw(new Tape(tape), little(tape), fault));
      if (bad?.draw.broken !== true) return undefined;
      return { value: bad.value, octets: bad.draw.octets, little: little(tape), fault };
    })
    .filter((b) => b !== undefined);

/** The first octets of a valid header, not all. For headers that can have octets. */
export const truncated = <T,>(part: Part<T>): fc.Arbitrary<Truncated> =>
  fc
    .tuple(valid(part), fc.nat())
    .filter(([{ octets }]) => octets.length > 0)
    .map(([{ octets, little }, n]) => ({
      octets: octets.subarray(0, n % octets.length),
      little,
      whole: octets.length,
    }));

/** Numbers that decide one after another; where they end, the plainest is taken. So they shrink. */
const tapes = fc.array(fc.nat(0xffffffff), { maxLength: 96, size: "max" });

const little = (tape: readonly number[]) => (tape[0] ?? 0) % 16 >= 8;

function drawn<T>(part: Part<T>, tape: readonly number[]): Drawn<T> | undefined {
  const made = attempt(part, new Draw(new Tape(tape), little(tape)));
  return made && { value: made.value, octets: made.draw.octets, little: little(tape) };
}

function attempt<T>(part: Part<T>, draw: Draw): { value: T; draw: Draw } | undefined {
  try {
    return { value: part(draw), draw };
  } catch (e) {
    if (e instanceof DeadEnd) return undefined;
    throw e;
  }
}

class Tape implements Choices {
  #at = 1;
  /** 0 to 3: as it comes; then: always, or almost always, the least or the greatest. */
  readonly #mood: number;

  constructor(readonly numbers: readonly number[]) {
    this.#mood = (numbers[0] ?? 0) % 8;
  }

  #next(): number {
    return this.numbers[this.#at++] ?? 0;
  }

  choose<T>(_name: string, ways: readonly T[]): T {
    const n = this.#next();
    const strays = this.#mood < 4 || (this.#mood > 5 && n % 8 === 7);
    const end = this.#mood % 2 === 0 ? 0 : ways.length - 1;
    return ways[strays ? (n >>> 3) % ways.length : end] as T;
  }

  whole(lo: number, hi: number): number {
    const span = hi - lo + 1;
    const n = this.#next();
    // Small ones as often as great ones.
    const reach = n % 2 === 0 ? Math.min(span, 2 ** ((n >>> 1) % 54)) : span;
    return lo + ((this.#next() * 2 ** 21 + (n >>> 11)) % reach);
  }
}
