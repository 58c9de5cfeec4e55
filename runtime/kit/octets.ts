/** Bodies, and ways to cut, compare and damage them. All octets that the kit itself touches it touches here. */
import { Message } from "../message.js";

/** Octets that tell where they belong: each place of each body has its own. */
export function body(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0, x = seed | 1; i < words.length; i++) {
    x = (Math.imul(x, 0x41c64e6d) + 12345) | 0;
    words[i] = x ^ (x >>> 15);
  }
  return new Uint8Array(words.buffer, 0, length);
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Where two runs of octets differ, if only in length; −1 if nowhere. */
export function difference(a: Uint8Array, b: Uint8Array): number {
  // A hundred times as fast, where there is one.
  if (globalThis.Buffer?.compare(a, b) === 0) return -1;
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return i;
  return a.length === b.length ? -1 : n;
}

/** Where octets from … to are not this one; −1 if nowhere. */
export function unlike(octets: Uint8Array, from: number, to: number, octet: number): number {
  for (let i = from; i < to; i++) if (octets[i] !== octet) return i;
  return -1;
}

/** The same octets, cut at these places. Each piece has a buffer of its own. */
export function cut(octets: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((p) => p % (octets.length + 1)), octets.length];
  at.sort((a, b) => a - b);
  return at.slice(1).map((end, i) => octets.slice(at[i], end));
}

/** The same octets as a window and what follows it, cut at these places. */
export function segmented(octets: Uint8Array, places: readonly number[]): Message {
  const [first, ...rest] = cut(octets, places);
  const m = Message.of(first as Uint8Array);
  m.rest = rest;
  return m;
}

/** Something that happens to octets on their way. */
export interface Edit {
  readonly kind: "set" | "flip" | "drop" | "insert" | "end";
  readonly at: number;
  readonly octet: number;
}

/** Octets with edits, near their beginning or their end: there the headers are. */
export function edited(octets: Uint8Array, edits: readonly Edit[]): Uint8Array {
  let all: Uint8Array = octets.slice();
  for (const { kind, at, octet } of edits) {
    const near = (at >>> 1) % Math.max(1, Math.min(all.length, 64));
    const i = at % 2 === 0 ? near : Math.max(0, all.length - 1 - near);
    const one = Uint8Array.of(octet);
    if (kind === "end") all = all.slice(0, i);
    else if (kind === "drop") all = joined([all.subarray(0, i), all.subarray(i + 1)]);
    else if (kind === "insert") all = joined([all.subarray(0, i), one, all.subarray(i)]);
    else if (i < all.length)
      all[i] = kind === "set" ? octet : (all[i] as number) ^ (1 << (octet % 8));
  }
  return all;
}
