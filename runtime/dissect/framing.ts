/**
 * Finds the units in a direction of a stream: each is a header with its payload, and after it the next
 * begins. A unit that lies in a segment stays there; one that spans segments is put together.
 */
import type { Choice, Facts, HeaderTable, OpenerTable, Walker } from "../../generated/dissect.js";
import type { Run, Sink } from "./flow/stream.js";
import { Search } from "./resync.js";
import { Growing, type Source } from "./source.js";
import type { Tables } from "./tables.js";

/** A header with its payload. */
export interface Unit {
  readonly table: HeaderTable;
  readonly source: Source;
  readonly start: number;
  /** Where its octets end, and where they should. */
  readonly end: number;
  readonly claim: number;
  /** Number of the frame with which it and all before it was complete. */
  readonly frame: number;
  /** Framing was lost before it, and found again by guessing. */
  readonly guessed: boolean;
}

/** What an opener says about the octets at the beginning of a stream. */
export type Opened =
  | { readonly is: "granted"; readonly octets: number; readonly next: Choice | undefined }
  | { readonly is: "more" | "wait" | "no" };

/** What framing needs of its surroundings. */
export interface Host {
  readonly tables: Tables;
  readonly walker: Walker;
  readonly facts: Facts;
  /** The capture begins amid this direction: nobody has seen how it opened. */
  readonly amid: boolean;
  unit(unit: Unit): void;
  opener(opener: OpenerTable, source: Source, from: number, to: number): Opened;
  /** Framing is lost at an octet of the stream: from here on all is octets, unless it is found again. */
  lost(position: number, why: string): void;
  found(position: number): void;
}

/** A unit whose header is known. */
interface Begun {
  readonly table: HeaderTable;
  readonly head: number;
  readonly total: number;
  /** What follows it; `again`: what was expected before it. */
  readonly after: Choice | "again" | undefined;
}

/** Octets of a unit that are kept; a longer one is counted, and shown as cut. */
const LONGEST = 64 * 2 ** 20;
/** Octets of a stream whose beginning is not there in which its framing is looked for: most are something else. */
const AMID = 2 ** 20;
/** Octets that are kept while the other side has not answered. */
const PATIENCE = 2 ** 20;
/** Results of a codec's `measure` from here on downwards are faults. */
const BAD = -(2 ** 24);

const NO_FACTS: Facts = { get: () => undefined, set() {} };

export class Framing implements Sink {
  /** What is expected; undefined: octets are only octets. */
  #choice: Choice | undefined;
  /** Looks for a unit after a hole. */
  #search: Search | undefined;
  #guessed = false;
  #begun: Begun | undefined;
  /** The first octets of the unit that has begun. */
  #held = new Growing();
  /** Octets behind them that are missing, or not kept. */
  #gone = 0;
  #broken = false;
  /** Octets that must be held before it is of use to look again; undefined: whatever comes. */
  #need: number | undefined;
  /** Octets of an opening that was granted, still to be passed over. */
  #skip = 0;
  /** Greatest frame number since the last hole. */
  #frame = 0;
  /** Octets of the stream so far, holes counted. */
  #position = 0;

  constructor(
    choice: Choice | undefined,
    readonly host: Host,
  ) {
    this.#choice = choice;
  }

  /** Octets are only octets: no framing was found, or it is lost. */
  get opaque(): boolean {
    return this.#choice === undefined;
  }

  /** The unit that has begun and is not whole: its octets so far, and those it lacks, if known. */
  get open(): { table?: HeaderTable; octets: number; lack?: number } | undefined {
    const octets = this.#held.length + this.#gone;
    if (octets === 0) return undefined;
    if (this.#begun === undefined) return { octets };
    return { table: this.#begun.table, octets, lack: this.#begun.total - octets };
  }

  run({ source, from, to }: Run): void {
    this.#position += to - from;
    this.#frame = Math.max(this.#frame, source.frame);
    let at = from;
    if (this.#search !== undefined) return this.#look(source, from, to);
    while (at < to && !this.opaque) {
      if (this.#broken) at += this.#pass(to - at);
      else {
        if (this.#held.length === 0) at = this.#parse(source, at, to);
        at += this.#hold(source, at, to);
      }
    }
    // Framing was lost here, so what is left is where it may be found again.
    if (at < to) this.#look(source, at, to);
  }

  /** Keeps octets of a unit that is not whole, as many as it needs; returns how many. */
  #hold(source: Source, from: number, to: number): number {
    if (this.opaque || from === to) return 0;
    const need = this.#need ?? Number.POSITIVE_INFINITY;
    const take = Math.min(to - from, need - this.#held.length);
    this.#held.add(source, from, from + take);
    if (this.#need === undefined || this.#held.length >= need) this.resume();
    else if (this.#begun === undefined && this.#held.length > PATIENCE) this.#lose("no answer");
    return take;
  }

  hole(octets: number): void {
    this.#position += octets;
    this.#frame = 0;
    this.#search = this.#search?.anew();
    if (this.opaque) return;
    const why = `${octets} octets are missing`;
    if (this.#begun === undefined) return this.#lose(why);
    const passed = this.#pass(octets);
    this.#broken = this.#begun !== undefined;
    if (passed < octets) this.#lose(why);
  }

  /** Nothing comes any more. */
  finish(): void {
    this.#seek(true);
  }

  /** Looks for where framing begins. */
  #look(source: Source, from: number, to: number): void {
    this.#search?.add(source, from, to);
    this.#seek(false);
  }

  #seek(last: boolean): void {
    const search = this.#search;
    if (search?.over) this.#search = undefined;
    const found = search?.find(last);
    if (search === undefined || found === undefined) return;
    const { source, at } = found;
    const { length } = source.bytes;
    this.#search = undefined;
    this.#choice = search.choice;
    this.#guessed = true;
    this.host.found(this.#position - (length - at));
    const end = this.#parse(source, at, length);
    if (!this.opaque && end < length) this.#held.add(source, end, length);
  }

  /** Looks at what is held again: more has come, or the other side has answered. */
  resume(): void {
    if (this.opaque || this.#held.length === 0 || this.#broken) return;
    const held = this.#held;
    const source = held.source("stream");
    this.#held = new Growing();
    const end = this.#parse(source, 0, held.length);
    if (this.opaque) return;
    if (end === 0) this.#held = held;
    else if (end < held.length) this.#held.add(source, end, held.length);
  }

  /** Counts octets of a broken unit; returns how many belong to it. */
  #pass(octets: number): number {
    const unit = this.#begun;
    if (unit === undefined) return 0;
    const count = Math.min(octets, unit.total - this.#held.length - this.#gone);
    this.#gone += count;
    if (this.#held.length + this.#gone < unit.total) return count;
    const source = this.#held.source("stream");
    this.#held = new Growing();
    this.#gone = 0;
    this.#broken = false;
    this.#emit(unit, source, 0, source.bytes.length);
    return count;
  }

  /** Emits the units that are whole; returns where the next one begins. */
  #parse(source: Source, from: number, to: number): number {
    let at = from;
    while (!this.opaque) {
      this.#begun ??= this.#find(source, at, to);
      const unit = this.#begun;
      if (unit === undefined) {
        if (this.#skip === 0) return at;
        at += this.#skip;
        this.#skip = 0;
        continue;
      }
      if (to - at < unit.total) {
        this.#need = Math.min(unit.total, LONGEST);
        this.#broken = to - at >= LONGEST;
        return at;
      }
      this.#emit(unit, source, at, at + unit.total);
      at += unit.total;
    }
    return at;
  }

  #emit(unit: Begun, source: Source, start: number, end: number): void {
    const { table, total, after } = unit;
    const frame = this.#frame;
    this.#begun = undefined;
    if (after !== "again") this.#choice = after;
    else if (this.#choice?.next.again !== true) this.#choice = undefined;
    const guessed = this.#guessed;
    this.host.unit({ table, source, start, end, claim: start + total, frame, guessed });
  }

  #lose(why: string): void {
    const { host } = this;
    const choice = this.#choice;
    if (choice?.next.again === true) this.#search = new Search(choice, host);
    else if (host.amid && !this.#guessed) {
      const behind = host.tables.behind(choice);
      if (behind !== undefined) this.#search = new Search(behind, host, AMID);
    }
    this.#choice = undefined;
    this.#begun = undefined;
    this.#held = new Growing();
    this.#gone = 0;
    this.#broken = false;
    this.host.lost(this.#position, why);
  }

  /** The header that stands here. Undefined: more octets must come, or there is none, or an opening. */
  #find(source: Source, at: number, to: number): Begun | undefined {
    const choice = this.#choice;
    if (choice === undefined || at === to) {
      this.#need = undefined;
      return undefined;
    }
    const { tables, facts } = this.host;
    const one = tables.chosen(choice, (name) => facts.get(name));
    if (one !== undefined) return this.#begin(one, source, at, to);
    let need = Number.POSITIVE_INFINITY;
    let answer: "more" | "wait" | "no" = "no";
    for (const c of choice.next.by === "trial" ? tables.tried(choice.next.of) : []) {
      if ("op" in c) {
        const opened = this.host.opener(c, source, at, to);
        if (opened.is === "granted") {
          this.#choice = opened.next;
          this.#skip = opened.octets;
          return undefined;
        }
        if (answer !== "more") answer = opened.is;
      } else {
        const n = c.measure?.(source.view, at, to) ?? BAD;
        if (n > 0) return this.#begin(c, source, at, to);
        if (n < 0 && n > BAD) need = Math.min(need, to - at - n);
      }
    }
    this.#need = answer === "more" ? undefined : need;
    if (answer === "no" && need === Number.POSITIVE_INFINITY)
      this.#lose("nothing known begins here");
    return undefined;
  }

  #begin(table: HeaderTable, source: Source, at: number, to: number): Begun | undefined {
    const around = { claim: Number.POSITIVE_INFINITY, facts: NO_FACTS };
    const w = this.host.walker.walk(table, source.view, at, to, around, false);
    if (w.cut) {
      this.#need = to - at + 1;
      return undefined;
    }
    const head = w.head - at;
    // A payload without a length is all that follows in the stream.
    const open = w.claim === Number.POSITIVE_INFINITY;
    return { table, head, total: open ? head : w.claim - at, after: open ? w.next : "again" };
  }
}
