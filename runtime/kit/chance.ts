/** Cases made from a seed, and the smallest of those that fail. */

/** Numbers that a seed decides. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to below `n`. */
  below(n: number): number {
    // Weyl's sequence, mixed: neighbours of a seed have nothing in common.
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    x = (x ^ (x >>> 15)) >>> 0;
    return Math.floor((x / 2 ** 32) * n);
  }

  flip(): boolean {
    return this.below(2) === 1;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }
}

/** What is known of a mistake beside its sentence. */
export interface About {
  /** The sentence without where it happened, or of which size: the same for the same mistake. */
  readonly reason?: string;
  readonly cause?: unknown;
  /** It takes long to see it. */
  readonly slow?: boolean;
  /** Something else may be the mistake, of which this comes. */
  readonly symptom?: boolean;
  /** Others come of it. */
  readonly leads?: boolean;
  /** What was not kept to, in general. */
  readonly rule?: string | undefined;
}

/** A law does not hold: a sentence that says what happened, and how to mend it. */
export class Broken extends Error {
  readonly reason: string;

  constructor(
    said: string,
    readonly about: About = {},
  ) {
    super(said, { cause: about.cause });
    this.reason = about.reason ?? said;
  }

  /** The same, with more around it. */
  as(said: string, more: About = {}): Broken {
    return new Broken(said, { ...this.about, reason: this.reason, ...more });
  }
}

/** What the layer itself threw, as a sentence. */
export function thrown(error: unknown): Broken {
  if (error instanceof Broken) return error;
  return new Broken(
    `it threw ${wordsOf(error)}. A layer throws at nobody: bad input closes the connection with a WireError, or is dropped and counted`,
    { cause: error },
  );
}

/** What was thrown, and where. */
export function wordsOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return `${String(error)}, which is no Error`;
    const { name, message, stack } = error;
    const frame = `${stack}`.split("\n").find((line) => /^\s+at (?!.*<anonymous>)/.test(line));
    return `${name}: ${message}${frame === undefined ? "" : ` (${frame.trim()})`}`;
  } catch {
    return "what cannot be printed";
  }
}

/** Tries that making a case smaller may take. */
const TRIES = 300;
/** The same, where each takes long. */
const FEW = 10;

/** A kind of case: how one is drawn, what is a little less than one, and how it reads. */
export interface Cases<T> {
  draw(chance: Chance): T;
  smaller(one: T): Iterable<T>;
  shown(one: T): string;
}

/** Holds a law against cases; says why it does not hold, by which seed, and for which case of the smallest. */
export function forAll<T>(
  { seed, runs }: { readonly seed: number; readonly runs: number },
  cases: Cases<T>,
  law: (one: T) => void,
  salt = 0,
): void {
  const broken = (one: T): Broken | undefined => {
    try {
      law(one);
      return undefined;
    } catch (error) {
      return thrown(error);
    }
  };
  for (let run = 0; run < runs; run++) {
    let one = cases.draw(new Chance(seed + run * 7919 + salt));
    let why = broken(one);
    if (why === undefined) continue;
    let tries = why.about.slow ? FEW : TRIES;
    for (let again = true; again && tries > 0; ) {
      again = false;
      for (const less of cases.smaller(one)) {
        if (tries-- <= 0) break;
        const still = broken(less);
        if (still === undefined) continue;
        [one, why, again] = [less, still, true];
        break;
      }
    }
    throw why.as(`${why.message}\n    seed ${seed}, smallest case: ${cases.shown(one)}`);
  }
}

/** Lists with less in them: a half, or one, left out; then each element smaller. */
export function* fewer<T>(list: readonly T[], smaller: (one: T) => Iterable<T>): Generator<T[]> {
  const half = list.length >> 1;
  if (half > 1) {
    yield list.slice(0, half);
    yield list.slice(half);
  }
  for (let i = list.length - 1; i >= 0; i--) yield list.toSpliced(i, 1);
  for (const [i, one] of list.entries()) {
    for (const less of smaller(one)) yield list.with(i, less);
  }
}

/** What is less than a number. */
export function* halves(n: number): Generator<number> {
  if (n > 0) yield 0;
  if (n > 2) yield n >> 1;
  if (n > 1) yield n - 1;
}
