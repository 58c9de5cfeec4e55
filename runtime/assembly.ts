/**
 * A message that comes in pieces, brought together once.
 *
 * Never allocates by what a header claims: at most 4 KiB, or four times what has arrived. Until a
 * quarter is here large pieces are kept where they lie and small ones copied together, so that a
 * message in pieces of one octet holds no more memory than another. Between pieces of a body that may
 * be extended others may lie, so there large is what takes half of the buffer that it would keep.
 */
import { allocate, Message } from "./message.js";
import type { Stats } from "./stats.js";

/** Claims up to here are believed. */
const TRUST = 4 * 1024;
/** Pieces from here on are kept as they are; smaller ones are copied to buffers that grow, from … to. */
const KEEP = 8 * 1024;
const SMALL = 1024;
const LARGE = 64 * 1024;

export class Assembly {
  /** Octets that are still to come. */
  missing: number;
  #got = 0;
  readonly #head: number;
  #whole: Uint8Array | undefined;
  #pieces: Uint8Array[] = [];
  #small: Uint8Array | undefined;
  #smallFill = 0;

  /** Of a body of `length` octets, behind a header of `head`. Not `last`: it may be extended. */
  constructor(
    head: number,
    public length: number,
    readonly stats: Stats,
    public last = true,
  ) {
    this.#head = head;
    this.missing = length;
  }

  /** The body goes on, with so many octets more. */
  extend(length: number, last: boolean): void {
    this.length += length;
    this.missing += length;
    this.last = last;
  }

  add(bytes: Uint8Array, from: number, to: number): void {
    const n = to - from;
    if (n === 0) return;
    this.missing -= n;
    const piece = bytes.subarray(from, to);
    const believed = this.length <= TRUST || (this.#got + n) * 4 >= this.length;
    if (this.last && this.#whole === undefined && believed) this.#begin();
    if (this.#whole !== undefined) this.#whole.set(piece, this.#head + this.#got);
    else if (n >= KEEP && (this.last || 2 * n >= bytes.buffer.byteLength)) {
      this.#seal();
      this.#pieces.push(piece);
    } else this.#collect(piece);
    this.#got += n;
  }

  /** The message; all of it is here. Where its header stood there is room. */
  message(): Message {
    if (this.#whole === undefined) this.#begin();
    const bytes = this.#whole as Uint8Array;
    const { stats } = this;
    stats.copies++;
    stats.copiedOctets += this.length;
    return new Message(bytes, new DataView(bytes.buffer), 0, this.#head, bytes.length);
  }

  #begin(): void {
    this.#seal();
    const whole = allocate(this.#head + this.length, this.stats);
    let at = this.#head;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    this.#whole = whole;
  }

  #collect(piece: Uint8Array): void {
    let small = this.#small;
    if (small === undefined || this.#smallFill + piece.length > small.length) {
      const size = Math.min(LARGE, Math.max(SMALL, piece.length, (small?.length ?? 0) * 2));
      this.#seal();
      small = this.#small = allocate(size, this.stats);
    }
    small.set(piece, this.#smallFill);
    this.#smallFill += piece.length;
  }

  #seal(): void {
    if (this.#small !== undefined && this.#smallFill > 0) {
      this.#pieces.push(this.#small.subarray(0, this.#smallFill));
    }
    this.#small = undefined;
    this.#smallFill = 0;
  }
}
