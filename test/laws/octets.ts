/** Bodies of all sizes, and ways to cut them. */
import fc from "fast-check";
import { Message } from "../../runtime/message.js";

/** Octets that tell where they belong: each place of each body has its own. */
export function body(length: number, seed: number): Uint8Array {
  const octets = new Uint8Array(length);
  for (let i = 0, x = seed | 1; i < length; i++) {
    x = (Math.imul(x, 0x41c64e6d) + 12345) | 0;
    octets[i] = x >>> 16;
  }
  return octets;
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** The same octets as a window and what follows it, cut at these places. */
export function segmented(octets: Uint8Array, places: readonly number[]): Message {
  const at = [0, ...places.map((p) => p % (octets.length + 1)), octets.length];
  at.sort((a, b) => a - b);
  const pieces = at.slice(1).map((end, i) => octets.slice(at[i], end));
  const m = Message.of(pieces[0] as Uint8Array);
  m.rest = pieces.slice(1);
  return m;
}

/** Sizes around every threshold of `edges`, and others. */
export function sizes(...edges: readonly number[]): fc.Arbitrary<number> {
  const near = fc
    .tuple(fc.constantFrom(0, ...edges), fc.integer({ min: -2, max: 2 }))
    .map(([edge, off]) => Math.max(0, edge + off));
  return fc.oneof(near, fc.nat(300), near);
}
