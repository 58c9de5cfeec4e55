/**
 * What options may be called, and what numbers they may be. Another name is a TypeError, another number a
 * RangeError, and says which there are.
 */

/** The names of some options: all of them, or it does not compile. */
export type Names<T> = { readonly [K in keyof T]-?: true };

/**
 * `given` with no name but these. What is misspelt would count as not said: and a certificate that nobody
 * asks for lets everybody in.
 */
export function named<T extends object>(whose: string, given: T, names: Names<T>): T {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`${whose} takes options: an object; not ${given}`);
  }
  for (const name in given) {
    if (Object.hasOwn(names, name)) continue;
    throw new TypeError(
      `${whose} has no option '${name}'; it has ${Object.keys(names).join(", ")}`,
    );
  }
  return given;
}

/** A whole number, `least` or more. */
export function count(name: string, n: number, least: number): number {
  if (Number.isSafeInteger(n) && n >= least) return n;
  throw new RangeError(`${name} is a whole number, ${least} or more; not ${n}`);
}

/** Milliseconds, with fractions or without; `Infinity` where nothing is the most. */
export function time(name: string, ms: number, least: number, most = Infinity): number {
  if (typeof ms === "number" && ms >= least && ms <= most) return ms;
  const range = most === Infinity ? `, ${least} or more` : ` from ${least} to ${most}`;
  throw new RangeError(`${name} is milliseconds${range}; not ${ms}`);
}
