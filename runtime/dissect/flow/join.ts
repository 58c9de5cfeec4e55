/** Joins the pieces into which a sender has cut a message. */
import { Growing, type Source } from "../source.js";

export class Join {
  #pieces: Growing | undefined;
  /** Where a message begins is not known: a piece may be the end of one whose beginning is missing. */
  #lost = false;

  constructor(
    /** Octets that a message may have; the pieces of a longer one are not kept. */
    readonly limit = 64 * 2 ** 20,
  ) {}

  /** Pieces are missing here: what comes next does not go on what was before. */
  lose(): void {
    this.#pieces = undefined;
    this.#lost = true;
  }

  /**
   * The whole message when its last piece comes. A message in one piece is that piece as it is. Where pieces
   * do not say that they are the first, each is that behind a last.
   */
  take(
    { first: said, last }: { readonly first?: boolean | undefined; readonly last: boolean },
    source: Source,
    from: number,
    to: number,
  ): { readonly source: Source; readonly from: number; readonly to: number } | undefined {
    const lost = this.#lost && said !== true;
    if (said === true || last) this.#lost = false;
    if (lost) return undefined;
    const first = said ?? this.#pieces === undefined;
    if (first && last) {
      this.#pieces = undefined;
      return { source, from, to };
    }
    if (first) this.#pieces = new Growing();
    const pieces = this.#pieces;
    if (pieces === undefined) return undefined;
    if (pieces.length + to - from > this.limit) {
      this.#pieces = undefined;
      this.#lost = !last;
      return undefined;
    }
    pieces.add(source, from, to);
    if (!last) return undefined;
    this.#pieces = undefined;
    return { source: pieces.source("joined"), from: 0, to: pieces.length };
  }
}
