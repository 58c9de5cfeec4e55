/**
 * Finds the units in a direction of a stream: each is a header with its payload, and after it the next
 * begins. A unit that spans segments is put together, one that lies in a segment stays there.
 */
import type { Choice, Facts, HeaderTable, OpenerTable, Walker } from "../../generated/dissect.js";
import type { Run, Sink } from "./flow/stream.js";
import { Growing, type Source } from "./source.js";
import type { Tables } from "./tables.js";

/** A header with its payload. */
export interface Unit {
  readonly table: HeaderTable;
  readonly source: Source;
  readonly start: number;
  /** Octets there are, and octets it should have. */
  readonly end: number;
  readonly claim: number;
  /** Number of the frame with which it was complete, and all before it. */
  readonly frame: number;
}

/** What the beginning of a stream, or what follows in it, turned out to be. */
export type Opened =
  | { readonly is: "granted"; readonly octets: number; readonly next: Choice | undefined }
  | { readonly is: "more" | "wait" | "no" };

/** What framing needs of its surroundings. */
export interface Host {
  readonly tables: Tables;
  readonly walker: Walker;
  unit(unit: Unit): void;
  /** An opening in text. */
  opener(opener: OpenerTable, source: Source, from: number, to: number): Opened;
  /** Framing is lost, or was never found; what comes is octets. */
  lost(why: string): void;
}

/** A unit whose header is known. */
interface Awaited {
  readonly table: HeaderTable;
  /** Octets of its head, and of the whole. */
  readonly head: number;
  readonly total: number;
  /** What follows it; undefined: the same choice as before. */
  readonly next: Choice | undefined;
}

/** Octets of a unit that are kept; a longer one is counted, and shown as cut. */
const LONGEST = 64 * 2 ** 20;
/** Answers of `measure` at or below it are faults. */
const FAULT = -0x1000000;

export class Framing implements Sink {
  #choice: Choice | undefined;
  #awaited: Awaited | undefined;
  /** Octets of the unit that has begun. */
  #held = new Growing();
  /** Octets of it that are missing or not kept, behind those held. */
  #gone = 0;
  /** Octets without which it is of no use to look again. */
  #need = 1;
  /** Greatest frame number since the last hole. */
  #frame = 0;

  constructor(
    choice: Choice | undefined,
    readonly facts: Facts,
    readonly host: Host,
  ) {
    this.#choice = choice;
  }

  /** Octets are only octets. */
  get opaque(): boolean {
    return this.#choice === undefined;
  }

  run({ source, from, to }: Run): void {
    this.#frame = Math.max(this.#frame, source.frame);
    let at = from;
    while (at < to && !this.opaque) {
      const held = this.#held.length;
      if (this.#gone > 0) at = this.#pass(at, to);
      else if (held === 0) {
        at = this.#parse(source, at, to);
        if (at < to && !this.opaque) this.#held.add(source, at, Math.min(to, at + LONGEST));
        return;
      } else if (held === LONGEST) this.#gone = 1;
      else {
        const take = Math.min(to - at, Math.max(1, this.#need - held), LONGEST - held);
        this.#held.add(source, at, at + take);
        at += take;
        if (this.#held.length >= this.#need) this.resume();
      }
    }
  }

  /** A hole inside a known body costs that body; one that takes octets of a header costs the framing. */
  hole(octets: number): void {
    this.#frame = 0;
    if (this.opaque) return;
    const unit = this.#awaited;
    const lost = `a hole of ${octets} octets`;
    if (unit === undefined || this.#held.length < unit.head) return this.#lose(lost);
    const left = unit.total - this.#held.length - this.#gone;
    this.#gone += Math.min(octets, left);
    if (octets >= left) this.#finish();
    if (octets > left) this.#lose(lost);
  }

  /** Looks at what is held again: more has come, or the other side has answered. */
  resume(): void {
    if (this.opaque || this.#held.length === 0 || this.#gone > 0) return;
    const held = this.#held;
    const source = held.source("stream");
    this.#held = new Growing();
    const end = this.#parse(source, 0, held.length);
    if (this.opaque) return;
    if (end === 0) this.#held = held;
    else if (end < held.length) this.#held.add(source, end, held.length);
  }

  /** Gives the units that are whole; returns where the first begins that is not. */
  #parse(source: Source, from: number, to: number): number {
    let at = from;
    while (at < to && !this.opaque) {
      const unit = this.#awaited ?? this.#recognise(source, at, to);
      if (unit === undefined) return at;
      if (unit === "passed") {
        at += this.#need;
        this.#need = 1;
        continue;
      }
      this.#awaited = unit;
      this.#need = unit.total;
      if (to - at < unit.total) return at;
      this.#give(source, at, at + unit.total);
      at += unit.total;
    }
    return at;
  }

  /** The header that begins here; undefined: more octets are needed, or it is none. */
  #recognise(source: Source, at: number, to: number): Awaited | "passed" | undefined {
    const { tables } = this.host;
    let more = 0;
    for (const candidate of tables.tried(this.#choice?.next.of ?? "")) {
      if (!("fields" in candidate)) {
        const opened = this.host.opener(candidate, source, at, to);
        if (opened.is === "granted") {
          this.#choice = opened.next;
          this.#need = opened.octets;
          return "passed";
        }
        if (opened.is === "more") more ||= 1;
        if (opened.is === "wait") more ||= Number.POSITIVE_INFINITY;
        continue;
      }
      const n = candidate.measure?.(source.view, at, to) ?? FAULT;
      if (n > 0) return this.#begin(candidate, source, at, to);
      if (n > FAULT) more = Math.min(more || -n, -n);
    }
    if (more === 0) this.#lose("no header that may stand here is recognised");
    this.#need = to - at + more;
    return undefined;
  }

  #begin(table: HeaderTable, source: Source, at: number, to: number): Awaited | undefined {
    const claim = Number.MAX_SAFE_INTEGER;
    const { facts, host } = this;
    const w = host.walker.walk(table, source.view, at, to, { claim, facts }, false);
    const head = w.head - at;
    const total = w.claim === claim ? head : w.claim - at;
    if (w.cut || total <= 0) {
      this.#lose("a header of nothing");
      return undefined;
    }
    // A header that says how long its payload is stands in a row of its kind.
    return { table, head, total, next: w.claim === claim ? w.next : undefined };
  }

  #give(source: Source, start: number, end: number, claim = end): void {
    const unit = this.#awaited as Awaited;
    this.#awaited = undefined;
    this.#need = 1;
    if (unit.next !== undefined) this.#choice = unit.next;
    this.host.unit({ table: unit.table, source, start, end, claim, frame: this.#frame });
  }

  /** Counts octets of a unit of which some are missing. */
  #pass(at: number, to: number): number {
    const left = (this.#awaited?.total ?? 0) - this.#held.length - this.#gone;
    const take = Math.min(to - at, Math.max(0, left));
    this.#gone += take;
    if (take === left || left <= 0) this.#finish();
    return at + take;
  }

  /** Gives a unit of which octets are missing. */
  #finish(): void {
    const held = this.#held;
    const claim = this.#awaited?.total ?? held.length;
    this.#held = new Growing();
    this.#gone = 0;
    if (this.#awaited !== undefined) this.#give(held.source("stream"), 0, held.length, claim);
  }

  #lose(why: string): void {
    this.#choice = undefined;
    this.#awaited = undefined;
    this.#held = new Growing();
    this.#gone = 0;
    this.host.lost(why);
  }
}
