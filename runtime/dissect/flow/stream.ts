/**
 * Puts a stream's octets in order by their sequence numbers. The first copy of an octet counts. What
 * comes early is kept, within a budget, until what is missing comes, or is given up: then it is
 * reported as a hole.
 */
import { kept, type Source } from "../source.js";

/** A run of octets; `lack` more stood behind them and were not captured. */
export interface Run {
  readonly source: Source;
  readonly from: number;
  readonly to: number;
  readonly lack: number;
}

/** Takes a stream's octets in order. */
export interface Sink {
  run(run: Run): void;
  /** Octets that never came. */
  hole(octets: number): void;
}

/** How a segment came: next, before others that it follows, or for a second time. */
export type Arrival = "in order" | "early" | "again";

/** Octets that all streams together may keep. */
export class Budget {
  constructor(public left: number) {}
}

/** Octets without a gap, from `start`; linked, so that two islands become one at no cost. */
interface Island {
  start: number;
  end: number;
  first: Link;
  last: Link;
}
interface Link {
  readonly run: Run;
  next: Link | undefined;
}

/** What a kept run costs besides its octets. */
const OVERHEAD = 256;
/** Gaps that one stream may have open. */
const ISLANDS = 4096;

export class Stream {
  /** Sequence number of the first octet. */
  #base: number | undefined;
  /** Octets from the first that are delivered or given up. */
  #next = 0;
  #islands: Island[] = [];
  #kept = 0;

  constructor(
    readonly sink: Sink,
    readonly budget: Budget,
    /** Octets that this stream alone may keep. */
    readonly limit = 16 * 2 ** 20,
  ) {}

  /** Octets wait for others before them. */
  get waits(): boolean {
    return this.#islands.length > 0;
  }

  /** Whether a beginning at `seq` belongs to another stream between the same ends. */
  restarts(seq: number): boolean {
    return this.#base !== undefined && this.#base !== (seq + 1) % 2 ** 32;
  }

  /** A segment; `syn`: its sequence number is that of the octet before. */
  take(seq: number, syn: boolean, run: Run): Arrival {
    const first = syn ? (seq + 1) % 2 ** 32 : seq;
    const length = lengthOf(run);
    if (this.#base === undefined) {
      if (!syn && length === 0) return "in order";
      this.#base = first;
    }
    // The number nearest to what is expected: sequence numbers wrap.
    const at = this.#next + ((first - this.#base - this.#next) | 0);
    const end = at + length;
    if (end <= this.#next) return length === 0 ? "in order" : "again";
    const start = Math.max(at, this.#next);
    const arrival = start === this.#next ? "in order" : "early";
    if (start === this.#next && !(this.#islands[0] && this.#islands[0].start < end)) {
      this.#deliver(part(run, start - at, end - at));
    } else this.#keep(run, at, start, end);
    this.#drain();
    while (this.#islands.length > ISLANDS || this.#kept > this.limit || this.budget.left < 0) {
      if (!this.waits) break;
      this.#giveUp();
    }
    return arrival;
  }

  /** Nothing comes any more. */
  finish(): void {
    while (this.waits) this.#giveUp();
  }

  #deliver(run: Run): void {
    this.#next += lengthOf(run);
    if (run.to > run.from) this.sink.run(run);
    if (run.lack > 0) this.sink.hole(run.lack);
  }

  /** Keeps what of the run is new, and joins the islands that it touches. */
  #keep(run: Run, at: number, start: number, end: number): void {
    const i = this.#reach(start);
    let count = 0;
    let from = start;
    let made: Island | undefined;
    for (let island = this.#islands[i]; island && island.start <= end; ) {
      if (from < island.start) made = joined(made, this.#island(run, at, from, island.start));
      from = Math.max(from, island.end);
      made = joined(made, island);
      count++;
      island = this.#islands[i + count];
    }
    if (from < end) made = joined(made, this.#island(run, at, from, end));
    if (made !== undefined) this.#islands.splice(i, count, made);
  }

  /** Index of the first island that ends at `at` or behind it. */
  #reach(at: number): number {
    let lo = 0;
    let hi = this.#islands.length;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      if ((this.#islands[mid]?.end ?? 0) < at) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  }

  #island(run: Run, at: number, start: number, end: number): Island {
    const { source, from, to, lack } = part(run, start - at, end - at);
    const link: Link = {
      run: { source: kept(source, from, to), from: 0, to: to - from, lack },
      next: undefined,
    };
    this.#account(to - from + OVERHEAD);
    return { start, end, first: link, last: link };
  }

  #account(octets: number): void {
    this.#kept += octets;
    this.budget.left -= octets;
  }

  /** Delivers the first island, if nothing is missing before it. */
  #drain(): void {
    const island = this.#islands[0];
    if (island === undefined || island.start > this.#next) return;
    this.#islands.shift();
    for (let link: Link | undefined = island.first; link; link = link.next) {
      this.#account(link.run.from - link.run.to - OVERHEAD);
      this.#deliver(link.run);
    }
  }

  #giveUp(): void {
    const island = this.#islands[0];
    if (island === undefined) return;
    this.sink.hole(island.start - this.#next);
    this.#next = island.start;
    this.#drain();
  }
}

const lengthOf = (run: Run): number => run.to - run.from + run.lack;

/** Octets `start` to `end` of a run. */
function part(run: Run, start: number, end: number): Run {
  const { source, from, to } = run;
  const octets = to - from;
  const a = Math.min(start, octets);
  const b = Math.min(end, octets);
  return { source, from: from + a, to: from + b, lack: end - start - (b - a) };
}

function joined(a: Island | undefined, b: Island): Island {
  if (a === undefined) return b;
  a.last.next = b.first;
  return { start: a.start, end: b.end, first: a.first, last: b.last };
}
