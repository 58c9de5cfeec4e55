/** Joins the pieces into which a sender has cut a message. */
import { Growing, type Source } from "../source.js";

export class Join {
  #pieces: Growing | undefined;

  constructor(
    /** Octets that a message may have; the pieces of a longer one are not kept. */
    readonly limit = 64 * 2 ** 20,
  ) {}

  /**
   * The whole message when its last piece comes. A message in one piece is that piece as it is. Where pieces
   * do not say that they are the first, each is that behind a last.
   */
  take(
    {
      first = this.#pieces === undefined,
      last,
    }: { readonly first?: boolean | undefined; readonly last: boolean },
    source: Source,
    from: number,
    to: number,
  ): { readonly source: Source; readonly from: number; readonly to: number } | undefined {
    if (first && last) {
      this.#pieces = undefined;
      return { source, from, to };
    }
    if (first) this.#pieces = new Growing();
    const pieces = this.#pieces;
    if (pieces === undefined) return undefined;
    if (pieces.length + to - from > this.limit) {
      this.#pieces = undefined;
      return undefined;
    }
    pieces.add(source, from, to);
    if (!last) return undefined;
    this.#pieces = undefined;
    return { source: pieces.source("joined"), from: 0, to: pieces.length };
  }
}
