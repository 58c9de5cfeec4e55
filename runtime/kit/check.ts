/** A check, before and after it has a name. */
import { thrown } from "./chance.js";
import type { Terms } from "./terms.js";

/** One property of a layer. */
export interface Law {
  /** A sentence of which the layer is the subject. */
  readonly name: string;
  /** Throws what is wrong. */
  hold(terms: Terms): void;
}

/** Runs something; what is wrong is told with where it happened. */
export function told<T>(where: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const why = thrown(error);
    throw why.as(`${where}: ${why.message}`);
  }
}

/** So many of some numbers, spread evenly. */
export function spread(most: number, from: number, to: number): number[] {
  const all = to - from + 1;
  if (all <= most) return Array.from({ length: Math.max(0, all) }, (_, i) => from + i);
  return Array.from({ length: most }, (_, i) => from + Math.floor((i * all) / most));
}
