/** Bodies of all sizes, and ways to cut them. */
import fc from "fast-check";

export { body, joined, segmented } from "../../runtime/kit/octets.js";

export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Sizes around every threshold of `edges`, and others. */
export function sizes(...edges: readonly number[]): fc.Arbitrary<number> {
  const near = fc
    .tuple(fc.constantFrom(0, ...edges), fc.integer({ min: -2, max: 2 }))
    .map(([edge, off]) => Math.max(0, edge + off));
  return fc.oneof(near, fc.nat(300), near);
}
