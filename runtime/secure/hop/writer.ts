/**
 * Messages into sealed records: those of a tick share one, and one that is longer than a record goes on
 * in the next.
 *
 * A body is copied once, to where it is sealed from. What the cipher puts out lies in the block that the
 * transport writes next.
 */
import * as padding from "../../../generated/hop/padding.js";
import * as piece from "../../../generated/hop/piece.js";
import * as record from "../../../generated/hop/record.js";
import * as sealed from "../../../generated/hop/sealed.js";
import { copyWords, WORDS } from "../../block.js";
import type { PipeContext } from "../../layer.js";
import type { Message } from "../../message.js";
import { allocate } from "../../message.js";
import { type CipherState, LONGEST } from "./noise.js";
import type { Terms } from "./terms.js";

const { Type } = record;
const NOTHING = new Uint8Array(0);
const TAG = sealed.TAIL_MAX;
/** Octets of a record before it is sealed. */
const MOST = LONGEST - TAG;
/** Octets of the first buffer: a connection that says little holds little. */
const FIRST = 1024;
/** Sizes of sealed records. */
const BUCKETS = [64, 256, 1024, 4096, 16_384, LONGEST] as const;

export class Writer {
  /** The side below takes no more for now. */
  full = false;
  /** Records in all. */
  records = 0;
  #bytes: Uint8Array = NOTHING;
  #view: DataView = new DataView(NOTHING.buffer);
  #fill = record.MAX;
  /** What is left of a message that goes on, and of it the first segment's octets that are done. */
  #rest: readonly Uint8Array[] = [];
  #done = 0;
  #left = 0;
  #length = 0;
  /** Under the key that there is now. */
  #underKey = 0;
  #octets = 0;
  #since: number;

  constructor(
    readonly context: PipeContext,
    readonly state: CipherState,
    readonly terms: Terms,
    /** Takes a sealed record. */
    readonly put: (m: Message) => void,
  ) {
    this.#since = context.env.now();
  }

  /** Messages, or the end of one, wait to be sealed. */
  get waits(): boolean {
    return this.#fill > record.MAX;
  }

  /** A message goes on, when the side below takes more. */
  get holds(): boolean {
    return this.#left > 0;
  }

  /** Adds a message. A message offered is a message taken: of the one before nothing is held any more. */
  add(m: Message): void {
    if (this.#left > 0) this.pour(true);
    const n = m.length;
    const all = piece.size(n) + n;
    if (all > MOST - this.#fill) {
      if (this.waits) this.seal();
      if (all > MOST - this.#fill) return this.#begin(m, n);
    }
    this.#ensure(all);
    let at = piece.write(this.#view, this.#fill, false, n);
    const bytes = this.#bytes;
    const head = m.end - m.start;
    if (head > 0) {
      if (head > WORDS) bytes.set(m.bytes.subarray(m.start, m.end), at);
      else copyWords(this.#view, at, m.view, m.start, head);
      at += head;
    }
    const { rest } = m;
    for (let i = 0; i < rest.length; i++) {
      const s = rest[i] as Uint8Array;
      bytes.set(s, at);
      at += s.length;
    }
    this.#fill = at;
    this.#copied(n);
  }

  /** Begins a message that is longer than a record. */
  #begin(m: Message, n: number): void {
    this.#rest = m.segments();
    this.#done = 0;
    this.#left = this.#length = n;
    this.pour(false);
    // What is in front may be changed when the message is sent again; the body stays as it is.
    const [first = NOTHING, ...others] = this.#rest;
    if (this.#left > 0 && first.length <= WORDS) this.#rest = [first.slice(), ...others];
  }

  /** Goes on with a message, while the side below takes more, or at any rate. */
  pour(anyway: boolean): void {
    while (this.#left > 0 && (anyway || !this.full)) {
      this.#ensure(MOST);
      const from = this.#fill;
      const room = MOST - from;
      const whole = piece.size(this.#left) + this.#left <= room;
      const n = whole ? this.#left : room - piece.MAX;
      this.#fill = piece.write(this.#view, from, !whole, n);
      this.#copy(n);
      this.#left -= n;
      if (!whole) this.seal();
      else {
        this.#rest = [];
        this.#copied(this.#length);
      }
    }
  }

  #copy(n: number): void {
    for (let want = n; want > 0; ) {
      const first = this.#rest[0] as Uint8Array;
      const k = Math.min(want, first.length - this.#done);
      this.#bytes.set(first.subarray(this.#done, this.#done + k), this.#fill);
      this.#fill += k;
      this.#done += k;
      want -= k;
      if (this.#done < first.length) continue;
      this.#rest = this.#rest.slice(1);
      this.#done = 0;
    }
  }

  #copied(n: number): void {
    const { stats } = this.context;
    stats.copies++;
    stats.copiedOctets += n;
  }

  /** Seals what waits, be it nothing. */
  seal(type: record.Type = Type.data): void {
    const size = this.#padded();
    this.#ensure(size - this.#fill);
    if (size > this.#fill) this.#pad(size);
    this.#fill = record.MAX;
    const given = type === Type.data && this.#due(size) ? Type.rekey : type;
    record.write(this.#view, 0, given);
    const { block, room, stats } = this.context;
    const m = block.blank(size + TAG, room);
    this.state.seal(NOTHING, this.#bytes.subarray(0, size), m.bytes.subarray(m.start, m.end));
    this.records++;
    stats.sealed++;
    if (given === Type.rekey) this.#rekey();
    this.put(m);
  }

  /** Whether after this record there is to be a new key. */
  #due(size: number): boolean {
    const { records, octets, time } = this.terms.rekey;
    this.#underKey++;
    this.#octets += size;
    if (this.#underKey >= records || this.#octets >= octets) return true;
    return this.context.env.now() - this.#since >= time;
  }

  #rekey(): void {
    this.state.rekey();
    this.#underKey = this.#octets = 0;
    this.#since = this.context.env.now();
  }

  /** Octets that the record gets. */
  #padded(): number {
    const { padding } = this.terms;
    const n = this.#fill + TAG;
    if (padding === 16) return Math.min(Math.ceil(n / 16) * 16, LONGEST) - TAG;
    if (padding === "buckets") return (BUCKETS.find((size) => size >= n) as number) - TAG;
    return this.#fill;
  }

  #pad(to: number): void {
    let at = this.#fill;
    if (to - at >= padding.MIN) at = padding.write(this.#view, at);
    this.#bytes.fill(0, at, to);
  }

  /** Makes room for `n` octets behind those that are there. */
  #ensure(n: number): void {
    const all = this.#fill + n;
    if (all <= this.#bytes.length) return;
    const bytes = allocate(all <= FIRST ? FIRST : MOST, this.context.stats);
    bytes.set(this.#bytes.subarray(0, this.#fill));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
