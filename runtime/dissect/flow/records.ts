/** Splits a record into the pieces that stand in it one behind the other. */

/** A piece: octets of the record. */
export interface Extent {
  readonly from: number;
  readonly to: number;
}

/** Pieces of a record at most: it has no more than 65,535 octets, and none of them fewer than two. */
const MOST = 2 ** 15;

/**
 * The pieces of a record's octets. `end` tells where the piece that begins at an offset ends, by the
 * header that it begins with; undefined: no piece does, and the rest is padding.
 */
export function records(
  from: number,
  to: number,
  end: (at: number) => number | undefined,
): Extent[] {
  const pieces: Extent[] = [];
  for (let at = from; at < to && pieces.length < MOST; ) {
    const stop = end(at);
    if (stop === undefined || stop <= at || stop > to) break;
    pieces.push({ from: at, to: stop });
    at = stop;
  }
  return pieces;
}
