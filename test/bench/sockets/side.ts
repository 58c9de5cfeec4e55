/** One side of a contest: what a process does when it is told to run. */

import { rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where two sides meet, and the octets of each message. */
export interface Place {
  readonly url: string;
  readonly size: number;
  /** Of two that both could. */
  readonly listens: boolean;
  /** Connections between them. */
  readonly peers: number;
}

export interface Side {
  /**
   * Does `n` operations. Ready for the other side when it returns; resolves when done, to nanoseconds
   * an operation, or to 0 if timing is the other side's task.
   */
  run(n: number): Promise<number>;
}

/** Makes a side that is bound, or connected. */
export type Maker = (place: Place) => Promise<Side>;
export type Sides = Readonly<Record<string, Maker>>;

/** Requests under way at a time, where many are. */
export const WINDOW = 64;

/** What is sent: no octet is 0, so that whoever receives zeros notices. */
export const bodyOf = (size: number): Uint8Array => new Uint8Array(size).fill(0x6f);

export function check(m: Uint8Array, size: number): void {
  if (m.length !== size || m[0] !== 0x6f || m[size - 1] !== 0x6f) {
    throw new Error(`received ${m.length} octets that were not sent`);
  }
}

/** Counts what arrives, and times it from the first message. */
export class Tally implements Side {
  #wanted = 0;
  #got = 0;
  #start = 0;
  #done: (ns: number) => void = () => {};

  constructor(readonly size: number) {}

  run(n: number): Promise<number> {
    this.#wanted = n;
    this.#got = 0;
    return new Promise((done) => {
      this.#done = done;
    });
  }

  take(m: Uint8Array): void {
    check(m, this.size);
    const got = ++this.#got;
    if (got === 1) this.#start = performance.now();
    else if (got === this.#wanted) {
      this.#done(((performance.now() - this.#start) * 1e6) / (got - 1));
    }
  }
}

/** Sends `n` messages in a loop of its own. */
export const sender = (send: (n: number) => Promise<void>): Side => ({
  run: async (n) => {
    await send(n);
    return 0;
  },
});

/** Answers whatever comes, told or not. */
export const server: Side = { run: async () => 0 };

/** What asks, and resolves to the reply. */
export type Ask = () => Promise<Uint8Array>;

/** Asks `n` times, one at a time; the median of the round trips. */
export const asker = (ask: Ask, { size }: Place): Side => ({
  async run(n) {
    const taken = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const start = performance.now();
      check(await ask(), size);
      taken[i] = performance.now() - start;
    }
    return (taken.sort()[n >> 1] ?? Number.NaN) * 1e6;
  },
});

/** Asks `n` times, `WINDOW` at a time; the mean. */
export const crowd = (ask: Ask, { size }: Place): Side => ({
  async run(n) {
    const start = performance.now();
    let left = n;
    const one = async () => {
      while (left-- > 0) check(await ask(), size);
    };
    await Promise.all(Array.from({ length: WINDOW }, one));
    return ((performance.now() - start) * 1e6) / n;
  },
});

// --- each message to many ---

/** Messages that are published at a time. */
export const burstOf = (peers: number): number => (peers > 64 ? 64 : 256);
/** Bursts on their way to the subscribers. */
const BURSTS = 2;

/**
 * Where subscribers tell how many bursts they have got. Nobody who publishes waits for them by himself:
 * some would drop, and some would buffer.
 */
const wayBack = (url: string): string => join(tmpdir(), `bench-${/\d+$/.exec(url)?.[0]}.sock`);

/**
 * Publishes `n` messages in all, counted once for each subscriber, by `publish`, which is told how many
 * at a time; the mean, until all have arrived. `full` resolves when every subscriber is there.
 */
export async function publisher(
  { url, peers }: Place,
  full: Promise<unknown>,
  publish: (n: number) => Promise<void> | void,
): Promise<Side> {
  let arrived = 0;
  let wake: () => void = () => {};
  const path = wayBack(url);
  const back = createServer((socket) => {
    rmSync(path);
    socket.on("data", ({ length }) => {
      arrived += length;
      wake();
    });
  });
  await new Promise<void>((done) => back.listen(path, done));
  const burst = burstOf(peers);
  return {
    async run(n) {
      await full;
      const start = performance.now();
      const bursts = n / peers / burst;
      arrived = 0;
      for (let sent = 1; sent <= bursts; sent++) {
        await publish(burst);
        await new Promise(setImmediate);
        while (sent - arrived >= (sent < bursts ? BURSTS : 1)) {
          await new Promise<void>((done) => {
            wake = done;
          });
        }
      }
      return ((performance.now() - start) * 1e6) / n;
    },
  };
}

/** Counts what subscribers get, and tells when all have got a burst: no one is ever far behind. */
export class Arrivals implements Side {
  readonly #place: Place;
  readonly #back;
  /** How many have got each burst. */
  readonly #bursts: number[] = [];

  constructor(place: Place) {
    this.#place = place;
    this.#back = connect(wayBack(place.url));
  }

  async run(): Promise<number> {
    return 0;
  }

  /** One more subscriber, who says what it gets. */
  subscriber(): (m: Uint8Array) => void {
    const { size, peers } = this.#place;
    const burst = burstOf(peers);
    let got = 0;
    return (m) => {
      check(m, size);
      if (++got % burst !== 0) return;
      const n = got / burst;
      const all = (this.#bursts[n] ?? 0) + 1;
      this.#bursts[n] = all;
      if (all === peers) this.#back.write("+");
    };
  }
}
