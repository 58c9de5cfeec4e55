/** Bodies of messages, the same on both sides of a wire, and in a page. */

/** What there is already: to make 20 MiB takes a while. */
const bodies = new Map<string, Uint8Array>();

/** Octets of no pattern that a shift or a swap would keep; the same ones for the same numbers. */
export function bodyOf(n: number, seed = 0): Uint8Array {
  const key = `${n}-${seed}`;
  const known = bodies.get(key);
  if (known !== undefined) return known;
  const octets = new Uint8Array(n);
  let x = n + seed * 7919 + 1;
  for (let i = 0; i < n; i++) {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
    octets[i] = x >> 16;
  }
  bodies.set(key, octets);
  return octets;
}
