/** Opens sealed octets, if somebody has the key. */
import type { Source } from "../source.js";

/** Finds a key by its number, and opens with it; undefined: there is none, or the seal is broken. */
export type Keys = (key: number, sealed: Uint8Array) => Uint8Array | undefined;

/** What was sealed; undefined if it stays so. */
export function open(
  keys: Keys | undefined,
  key: number,
  source: Source,
  from: number,
  to: number,
): Uint8Array | undefined {
  return keys?.(key, source.bytes.subarray(from, to));
}
