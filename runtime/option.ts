/** What numbers options may be. Whatever is none of them is a RangeError that says which are. */

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
