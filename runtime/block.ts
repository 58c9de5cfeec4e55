/**
 * The octets that a pipe will write next.
 *
 * Small bodies are copied into a block of 64 KiB: a copy is cheaper than a view, and than one more
 * piece in a write. Large ones are borrowed, and join the same write. Who must copy a message anyway
 * (because a layer insists on octets in one piece) copies it to where it will be sent from.
 */
import { allocate, Message, type Room } from "./message.js";
import type { Stats } from "./stats.js";

/** Octets after which a block is written at once: more costs cache and latency, less calls of the system. */
export const BLOCK = 64 * 1024;
/** Bodies from here on are borrowed. */
export const BORROW = 16 * 1024;
/** Octets of a block's buffer: one more message fits behind its mark, so that it is one piece. */
const BUFFER = BLOCK + BORROW + 256;
/** Octets that are copied word by word. */
export const WORDS = 128;
/** Octets of the first buffer: a connection that says little holds little. Then it is a block's. */
const FIRST = 1024;

export class Block {
  #bytes: Uint8Array | undefined;
  #view!: DataView;
  /** What is free begins here. */
  #next = 0;
  /** Written, and not yet among the pieces: from … to. */
  #from = 0;
  #to = 0;
  #pieces: Uint8Array[] = [];
  #size = FIRST;
  /** Octets that wait. */
  length = 0;

  constructor(readonly stats: Stats) {}

  /** Adds a message's octets. */
  put(m: Message): void {
    const n = m.end - m.start;
    const { rest, length } = m;
    const body = rest.length - m.trailers;
    this.length += length;
    // A small message is in one piece.
    if (length < BORROW && m.bytes !== this.#bytes && !m.lent) this.#ensure(length);
    if (m.bytes === this.#bytes) this.#extend(m.start, m.end);
    else if (n >= BORROW) this.#piece(m.bytes.subarray(m.start, m.end));
    else if (n > 0) this.#copy(m);
    for (let i = 0; i < rest.length; i++) {
      const s = rest[i] as Uint8Array;
      const k = s.length;
      if (k >= BORROW || m.lent) this.#piece(s);
      else if (k > 0) {
        const at = this.#reserve(k);
        (this.#bytes as Uint8Array).set(s, at);
        this.#extend(at, at + k);
        if (i >= body) continue;
        this.stats.copies++;
        this.stats.copiedOctets += k;
      }
    }
  }

  /** A message of `n` octets in one piece, with room at both ends, where it will be sent from: to be filled. */
  blank(n: number, room: Room): Message {
    const all = room.head + n + room.tail;
    let floor = 0;
    let bytes: Uint8Array;
    let view: DataView;
    if (all <= BORROW) {
      floor = this.#reserve(all);
      bytes = this.#bytes as Uint8Array;
      view = this.#view;
    } else {
      bytes = allocate(all, this.stats);
      view = new DataView(bytes.buffer);
    }
    const start = floor + room.head;
    const out = new Message(bytes, view, floor, start, start + n);
    out.ceiling = floor + all;
    return out;
  }

  /** A copy of the message, as `blank` makes one. */
  gather(m: Message, room: Room): Message {
    const n = m.length;
    const out = this.blank(n, room);
    let at = out.start;
    if (m.end > m.start) {
      out.bytes.set(m.bytes.subarray(m.start, m.end), at);
      at += m.end - m.start;
    }
    for (const s of m.rest) {
      out.bytes.set(s, at);
      at += s.length;
    }
    out.pipe = m.pipe;
    out.exchange = m.exchange;
    out.text = m.text;
    this.stats.copies++;
    this.stats.copiedOctets += n;
    return out;
  }

  /** All that waits, in order; then nothing does. */
  take(): readonly Uint8Array[] {
    this.#cut();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.length = 0;
    // What is left would cut the next block in two.
    if (this.#next >= BLOCK) this.#bytes = undefined;
    return pieces;
  }

  /** Copies a window: headers, and the body if there are no segments. */
  #copy(m: Message): void {
    const n = m.end - m.start;
    const at = this.#reserve(n);
    // For as many octets as headers have, a view would cost more than the copy.
    if (n <= WORDS) copyWords(this.#view, at, m.view, m.start, n);
    else (this.#bytes as Uint8Array).set(m.bytes.subarray(m.start, m.end), at);
    this.#extend(at, at + n);
    if (m.rest.length > 0) return;
    this.stats.copies++;
    this.stats.copiedOctets += n;
  }

  #reserve(n: number): number {
    this.#ensure(n);
    const at = this.#next;
    this.#next = at + n;
    return at;
  }

  /** Makes room for `n` octets in one piece. */
  #ensure(n: number): void {
    if (this.#bytes !== undefined && this.#next + n <= this.#bytes.length) return;
    this.#cut();
    this.#bytes = allocate(n <= FIRST && this.#size === FIRST ? FIRST : BUFFER, this.stats);
    this.#size = BUFFER;
    this.#view = new DataView(this.#bytes.buffer);
    this.#next = this.#from = this.#to = 0;
  }

  #extend(start: number, end: number): void {
    if (start !== this.#to) {
      this.#cut();
      this.#from = start;
    }
    this.#to = end;
  }

  #piece(octets: Uint8Array): void {
    this.#cut();
    this.#pieces.push(octets);
  }

  #cut(): void {
    if (this.#bytes === undefined || this.#to === this.#from) return;
    this.#pieces.push(this.#bytes.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}

/** Copies `n` octets as words, whatever they mean. */
export function copyWords(
  to: DataView,
  at: number,
  from: DataView,
  start: number,
  n: number,
): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) to.setUint32(at + i, from.getUint32(start + i));
  for (; i < n; i++) to.setUint8(at + i, from.getUint8(start + i));
}
