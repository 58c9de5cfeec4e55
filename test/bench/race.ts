/**
 * Contenders timed in one interleaved run.
 *
 * Machines are shared and clocks drift, so nothing is compared that was not timed in the same round,
 * and a ratio is the median of the rounds' ratios. Whoever runs first after another pays for what
 * that one left in the heap and the caches: so each slice begins with a stretch that does not count,
 * and each round has an order of its own. And what the compiler makes of a loop is sometimes bad luck:
 * so the loops are compiled anew for each of a few heats.
 */

export interface Contender {
  readonly name: string;
  /** Handles record `i`. */
  readonly run: (i: number) => unknown;
  /** A new loop over the records 0 … `records` − 1; nothing that `run` returns is lost. */
  readonly loop: (records: number) => () => unknown;
}

/** Where results escape to, so that no compiler finds them useless. */
const kept: unknown[] = new Array(16).fill(undefined);

/**
 * A contender from the body of its function of `i`, which sees the names in `scope`. All that is
 * compiled has a text of its own, made unique by name and number: functions that share their source
 * share what the compiler learns about their calls too, and the second would run slower.
 */
export function contender(name: string, body: string, scope: object): Contender {
  let compiled = 0;
  const compile = (text: string) => {
    const unique = `"use strict"; // ${name} ${compiled++}\n${text}`;
    return new Function("kept", ...Object.keys(scope), unique)(kept, ...Object.values(scope));
  };
  const run = `(i) => { ${body} }`;
  const loop = (records: number) =>
    compile(`const run = ${run};
      return () => {
        let sum = 0;
        for (let i = 0; i < ${records}; i++) {
          const made = run(i);
          if (typeof made === "number") sum += made;
          else kept[i & 15] = made;
        }
        return sum;
      };`);
  return { name, run: compile(`return ${run};`), loop };
}

const HEATS = 5;
/** Nanoseconds of a slice, of the stretch before it, and of warming up before a heat. */
const SLICE = 2e6;
const LEAD = 5e5;
const WARM_UP = 30e6;

/** Nanoseconds a pass over at least `least` nanoseconds. */
function time(loop: () => unknown, least: number): number {
  const start = process.hrtime.bigint();
  let passes = 0;
  let taken = 0;
  while (taken < least) {
    kept[0] = loop();
    passes++;
    taken = Number(process.hrtime.bigint() - start);
  }
  return taken / passes;
}

/** Nanoseconds a record of each contender, one for each round. */
export type Times = ReadonlyMap<Contender, readonly number[]>;

export function race(contenders: readonly Contender[], records: number, rounds: number): Times {
  const times = new Map<Contender, number[]>(contenders.map((c) => [c, []]));
  for (let heat = 0; heat < HEATS; heat++) {
    const runners = contenders.map((c) => ({ times: times.get(c), loop: c.loop(records) }));
    for (const { loop } of runners) time(loop, WARM_UP);
    for (let round = heat; round < rounds; round += HEATS) {
      for (const { times, loop } of shuffled(runners)) {
        time(loop, LEAD);
        times?.push(time(loop, SLICE) / records);
      }
    }
  }
  return times;
}

export function shuffled<T>(list: readonly T[]): T[] {
  const keyed = list.map((item) => ({ item, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? Number.NaN)) / 2;
}

/** How many times as long `a` takes as `b`. */
export function ratio(times: Times, a: Contender, b: Contender): number {
  const divisors = times.get(b) ?? [];
  return median((times.get(a) ?? []).map((t, round) => t / (divisors[round] ?? Number.NaN)));
}
