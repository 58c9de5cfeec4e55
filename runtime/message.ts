/**
 * How octets lie in memory on their way through a stack.
 *
 *     going down                                        come up
 *     ┌──────── room ────────┬ window ┐   ┌── body ──┐  ┌ popped ┬──── window ────┐
 *     │                      │ header │ → │ borrowed │  │ header │ body           │
 *     └──────────────────────┴────────┘   └──────────┘  └────────┴────────────────┘
 *     ◀── push(n)                                                ──▶ pop(n)
 *
 * A message is a window in a slab, with room before it, then segments borrowed from others. Whoever
 * pushed octets may write them; nobody below the port writes any others, so a body can be shared.
 */
import type { Stats } from "./stats.js";

/** Octets of a slab. Windows come from its front; it dies when nobody holds a view of it. */
const SLAB = 64 * 1024;

/** Octets of a window before segments that are taken for headers: more are not worth a copy. */
const HEAD = 128;

const NONE: readonly Uint8Array[] = [];
const EMPTY = new Uint8Array(0);
const EMPTY_VIEW = new DataView(EMPTY.buffer);

/** Head and tail room that a stack's headers ask for, in octets. */
export interface Room {
  readonly head: number;
  readonly tail: number;
}

/** A buffer that holds whatever was in memory before: to be written whole. */
export function allocate(n: number, stats: Stats): Uint8Array {
  stats.allocations++;
  const { Buffer } = globalThis;
  if (Buffer === undefined) return new Uint8Array(n);
  return new Uint8Array(Buffer.allocUnsafeSlow(n).buffer);
}

/** Windows, one behind the other. */
export class Slab {
  /** Where the window that was taken last lies. */
  bytes: Uint8Array = EMPTY;
  view: DataView = EMPTY_VIEW;
  #slab: Uint8Array = EMPTY;
  #slabView: DataView = EMPTY_VIEW;
  #next = 0;

  constructor(readonly stats: Stats) {}

  /** Takes `n` octets; answers where they begin in `bytes`. */
  take(n: number): number {
    if (n > SLAB / 4) {
      this.bytes = allocate(n, this.stats);
      this.view = new DataView(this.bytes.buffer);
      return 0;
    }
    if (this.#next + n > this.#slab.length) {
      this.#slab = allocate(SLAB, this.stats);
      this.#slabView = new DataView(this.#slab.buffer);
      this.#next = 0;
    }
    this.bytes = this.#slab;
    this.view = this.#slabView;
    const at = this.#next;
    this.#next = at + n;
    return at;
  }
}

/** What a layer keeps of an exchange. */
export interface Note {
  /** Whose it is. */
  readonly by: object;
  /** Another's. */
  readonly next: Note | undefined;
}

/** What ties a reply to its request, beside the message: never on the wire. */
export class Exchange {
  /** For the one layer that does the tying. */
  tie: unknown = undefined;
  /** For those above it, each its own: a WeakMap would cost as much as a third of an HMAC. */
  notes: Note | undefined = undefined;
  /** It has ended: answered, or given up. */
  over = false;
}

/** A window, at one time. */
export type Mark = Pick<
  Message,
  "bytes" | "view" | "floor" | "start" | "end" | "ceiling" | "rest" | "trailers"
>;

export class Message {
  /** The window's buffer, and its view: offsets of both are the same. */
  bytes: Uint8Array;
  view: DataView;
  /** The window: header octets, or all. */
  start: number;
  end: number;
  /** Where the room before the window begins, and where the room behind it ends. */
  floor: number;
  ceiling: number;
  /** What follows the window. Never written to, so it may be others' too. */
  rest: readonly Uint8Array[] = NONE;
  /** Segments at the end that were appended: no part of the body. */
  trailers = 0;
  /** The connection that it came from, or that took it. */
  pipe: object | undefined = undefined;
  exchange: Exchange | undefined = undefined;
  /** The window lies in a chunk with other messages, and would keep all of it alive. */
  shared = false;
  /** Somebody keeps this object to send it again: hand on a fork of it. */
  kept = false;
  /** Its segments are borrowed, however short they are: they are many connections'. */
  lent = false;
  /** It is text, in UTF-8: WebSocket says so beside the octets, others nowhere. */
  text = false;

  constructor(bytes: Uint8Array, view: DataView, floor: number, start: number, end: number) {
    this.bytes = bytes;
    this.view = view;
    this.floor = floor;
    this.start = start;
    this.end = end;
    this.ceiling = end;
  }

  /** A message around a body that is borrowed: room in a slab, and no octet copied. */
  static around(body: Uint8Array, head: number, slab: Slab): Message {
    const floor = slab.take(head);
    const at = floor + head;
    const m = new Message(slab.bytes, slab.view, floor, at, at);
    m.rest = [body];
    return m;
  }

  /** A message with room for a body of `n` octets in its window, to be filled by whoever asked. */
  static blank(n: number, room: Room, slab: Slab): Message {
    const floor = slab.take(room.head + n + room.tail);
    const at = floor + room.head;
    const m = new Message(slab.bytes, slab.view, floor, at, at + n);
    m.ceiling = at + n + room.tail;
    return m;
  }

  /** A run of octets, as it came. */
  static of(bytes: Uint8Array): Message {
    return new Message(
      bytes,
      new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
      0,
      0,
      bytes.length,
    );
  }

  /** Octets in all. */
  get length(): number {
    let n = this.end - this.start;
    for (const s of this.rest) n += s.length;
    return n;
  }

  /** Puts `n` octets before the window, to be written at `start` by who asked. */
  push(n: number, slab: Slab): void {
    if (this.start - n < this.floor) this.#grow(n, slab);
    this.start -= n;
  }

  /** Takes `n` octets off the front of the window. */
  pop(n: number): void {
    this.start += n;
  }

  /** Out of room: the old window becomes a segment, and a new one begins. No octet is copied. */
  #grow(n: number, slab: Slab): void {
    slab.stats.outOfRoom++;
    if (this.end > this.start) {
      this.rest = [this.bytes.subarray(this.start, this.end), ...this.rest];
    }
    const room = Math.max(n, 64);
    this.floor = slab.take(room);
    this.bytes = slab.bytes;
    this.view = slab.view;
    this.start = this.end = this.ceiling = this.floor + room;
  }

  /**
   * Brings the next `n` octets behind the window into it, because a header lies across segments; all
   * there are, if fewer. The window moves to a slab; the body stays where it is.
   */
  gather(n: number, slab: Slab): void {
    slab.stats.gathered++;
    const have = this.end - this.start;
    const room = this.start - this.floor;
    const floor = slab.take(room + have + n);
    const to = slab.bytes;
    let at = floor + room;
    to.set(this.bytes.subarray(this.start, this.end), at);
    at += have;
    const rest = [...this.rest];
    for (let want = n; want > 0 && rest.length > 0; ) {
      const first = rest[0] as Uint8Array;
      const k = Math.min(want, first.length);
      to.set(first.subarray(0, k), at);
      at += k;
      want -= k;
      if (k < first.length) rest[0] = first.subarray(k);
      else rest.shift();
    }
    this.bytes = to;
    this.view = slab.view;
    this.floor = floor;
    this.start = floor + room;
    this.end = this.ceiling = at;
    this.rest = rest.length > 0 ? rest : NONE;
  }

  /** As a codec's `measure` of the window, for a header that may lie across segments. */
  measure(measure: (v: DataView, o: number, end: number) => number, slab: Slab): number {
    for (;;) {
      const n = measure(this.view, this.start, this.end);
      if (n >= 0 || n <= -0x1000000 || this.rest.length === 0) return n;
      this.gather(-n, slab);
    }
  }

  /**
   * Puts `n` octets behind everything; answers where in `tail` they are to be written. They lie in
   * the room behind the window if the window is all there is, else in a window of their own.
   */
  append(n: number, slab: Slab): number {
    if (this.rest.length === 0 && this.end + n <= this.ceiling) {
      const at = this.end;
      this.end = at + n;
      this.tail = this.view;
      return at;
    }
    const at = slab.take(n);
    this.rest = [...this.rest, slab.bytes.subarray(at, at + n)];
    this.trailers++;
    this.tail = slab.view;
    return at;
  }

  /** Where `append` and `last` said a trailer lies. */
  tail: DataView = EMPTY_VIEW;

  /** Where in `tail` the last `n` octets lie, in one piece; fewer if there are no more. */
  last(n: number, slab: Slab): number {
    const { rest } = this;
    if (rest.length === 0) {
      this.tail = this.view;
      return Math.max(this.start, this.end - n);
    }
    const end = rest[rest.length - 1] as Uint8Array;
    if (end.length >= n) {
      this.tail = new DataView(end.buffer, end.byteOffset, end.length);
      return end.length - n;
    }
    slab.stats.gathered++;
    const have = Math.min(n, this.length);
    const at = slab.take(have);
    const to = slab.bytes.subarray(at, at + have);
    let want = have;
    const pieces = this.segments();
    while (want > 0) {
      const s = pieces.pop() as Uint8Array;
      const k = Math.min(want, s.length);
      want -= k;
      to.set(s.subarray(s.length - k), want);
      if (k < s.length) pieces.push(s.subarray(0, s.length - k));
    }
    this.end = this.start;
    this.rest = [...pieces, to];
    this.tail = slab.view;
    return at;
  }

  /** Takes the last `n` octets off. They may be a fork's too, so their place is no room. */
  chop(n: number): void {
    let want = n;
    if (this.rest.length > 0) {
      const rest = [...this.rest];
      while (want > 0 && rest.length > 0) {
        const s = rest.pop() as Uint8Array;
        const k = Math.min(want, s.length);
        want -= k;
        if (k < s.length) rest.push(s.subarray(0, s.length - k));
        else if (this.trailers > 0) this.trailers--;
      }
      this.rest = rest.length > 0 ? rest : NONE;
    }
    if (want === 0) return;
    this.end -= want;
    this.ceiling = this.end;
  }

  /** All octets, in order, where they lie. */
  segments(): Uint8Array[] {
    if (this.end === this.start) return [...this.rest];
    return [this.bytes.subarray(this.start, this.end), ...this.rest];
  }

  /** The window as it is, to be put back: whoever sends a message again begins where it did before. */
  mark(): Mark {
    const { bytes, view, floor, start, end, ceiling, rest, trailers } = this;
    return { bytes, view, floor, start, end, ceiling, rest, trailers };
  }

  reset(mark: Mark): void {
    this.bytes = mark.bytes;
    this.view = mark.view;
    this.floor = mark.floor;
    this.start = mark.start;
    this.end = mark.end;
    this.ceiling = mark.ceiling;
    this.rest = mark.rest;
    this.trailers = mark.trailers;
  }

  /**
   * Another message of the same octets, without the window's first `n`: a head of its own to push on,
   * and the body shared.
   */
  fork(room: number, slab: Slab, n = 0): Message {
    const start = this.start + n;
    const head = this.end - start;
    // In front of segments there are headers: copied, they are as those of any other message.
    const copied = this.rest.length > 0 && head <= HEAD ? head : 0;
    const floor = slab.take(room + copied);
    const at = floor + room;
    const m = new Message(slab.bytes, slab.view, floor, at, at + copied);
    if (copied > 0) slab.bytes.set(this.bytes.subarray(start, this.end), at);
    if (copied === head) m.rest = this.rest;
    else m.rest = [this.bytes.subarray(start, this.end), ...this.rest];
    m.trailers = this.trailers;
    m.pipe = this.pipe;
    m.exchange = this.exchange;
    m.text = this.text;
    return m;
  }
}
