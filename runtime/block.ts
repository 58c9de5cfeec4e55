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

export class Block {
  #bytes: Uint8Array | undefined;
  #view!: DataView;
  /** What is free begins here. */
  #next = 0;
  /** Written, and not yet among the pieces: from … to. */
  #from = 0;
  #to = 0;
  #pieces: Uint8Array[] = [];
  /** Octets that wait. */
  length = 0;

  constructor(readonly stats: Stats) {}

  /** Adds a message's octets. */
  put(m: Message): void {
    const n = m.end - m.start;
    const { rest } = m;
    this.length += n;
    if (m.bytes === this.#bytes) this.#extend(m.start, m.end);
    else if (n >= BORROW) this.#piece(m.bytes.subarray(m.start, m.end));
    else if (n > 0) this.#copy(m.bytes, m.start, m.end, rest.length === 0);
    for (let i = 0; i < rest.length; i++) {
      const s = rest[i] as Uint8Array;
      const k = s.length;
      this.length += k;
      if (k >= BORROW) this.#piece(s);
      else if (k > 0) {
        const at = this.#reserve(k);
        (this.#bytes as Uint8Array).set(s, at);
        this.#extend(at, at + k);
        this.stats.copies++;
        this.stats.copiedOctets += k;
      }
    }
  }

  /** A copy of the message in one piece, with room at both ends, where it will be sent from. */
  gather(m: Message, room: Room): Message {
    const n = m.length;
    const all = room.head + n + room.tail;
    let floor = 0;
    let out: Message;
    if (all <= BORROW) {
      floor = this.#reserve(all);
      out = new Message(this.#bytes as Uint8Array, this.#view, floor, floor, floor);
    } else {
      const bytes = allocate(all, this.stats);
      out = new Message(bytes, new DataView(bytes.buffer), 0, 0, 0);
    }
    let at = floor + room.head;
    out.start = at;
    if (m.end > m.start) {
      out.bytes.set(m.bytes.subarray(m.start, m.end), at);
      at += m.end - m.start;
    }
    for (const s of m.rest) {
      out.bytes.set(s, at);
      at += s.length;
    }
    out.end = at;
    out.ceiling = at + room.tail;
    out.pipe = m.pipe;
    out.exchange = m.exchange;
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

  /** Copies from a window: header octets, one by one, since a view costs more than most headers have. */
  #copy(bytes: Uint8Array, start: number, end: number, body: boolean): void {
    const n = end - start;
    const at = this.#reserve(n);
    const to = this.#bytes as Uint8Array;
    if (n <= 24) for (let i = 0; i < n; i++) to[at + i] = bytes[start + i] as number;
    else to.set(bytes.subarray(start, end), at);
    this.#extend(at, at + n);
    // A window without segments holds the body as well.
    if (body) {
      this.stats.copies++;
      this.stats.copiedOctets += n;
    }
  }

  #reserve(n: number): number {
    let at = this.#next;
    if (this.#bytes === undefined || at + n > BUFFER) {
      this.#cut();
      this.#bytes = allocate(BUFFER, this.stats);
      this.#view = new DataView(this.#bytes.buffer);
      at = this.#from = this.#to = 0;
    }
    this.#next = at + n;
    return at;
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
