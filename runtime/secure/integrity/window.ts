/**
 * Which messages of a sender have come already: the newest, and a bit for each of those before it, in a
 * ring (RFC 6479).
 */

const BITS = 32;

export const NEW = 0;
/** It has come before. */
export const SEEN = 1;
/** It is so far behind the newest that nobody remembers. */
export const OLD = 2;
export type Seen = typeof NEW | typeof SEEN | typeof OLD;

export class Window {
  readonly #words: Uint32Array;
  #newest = -1;

  /** `size`: numbers behind the newest that are remembered; 1 or more. */
  constructor(readonly size: number) {
    // One word more than they take: the newest may stand at the beginning of its own.
    this.#words = new Uint32Array(Math.ceil(size / BITS) + 1);
  }

  /** What is known of a number, from 0 to 2^53 − 1; from now on it has come. */
  see(seq: number): Seen {
    const words = this.#words;
    const n = words.length;
    const at = Math.floor(seq / BITS);
    if (seq > this.#newest) {
      const from = Math.floor(this.#newest / BITS);
      for (let k = Math.min(at - from, n); k > 0; k--) words[(at - k + 1) % n] = 0;
      this.#newest = seq;
    } else if (this.#newest - seq > this.size) return OLD;
    const bit = 1 << (seq % BITS);
    const word = words[at % n] as number;
    if ((word & bit) !== 0) return SEEN;
    words[at % n] = word | bit;
    return NEW;
  }
}

/** A window for each sender of late; of more than `most` the one that was silent longest is forgotten. */
export class Windows {
  readonly #windows = new Map<string, Window>();
  /** Who sent the message before has mostly sent this one. */
  #last: Window;
  #key = -1;
  #high = 0;
  #low = 0;

  constructor(
    readonly size: number,
    readonly most: number,
  ) {
    this.#last = new Window(size);
  }

  /** Of a sender, by its key and its epoch. */
  of(key: number, high: number, low: number): Window {
    if (low === this.#low && high === this.#high && key === this.#key) return this.#last;
    // No number by itself: V8 hashes text by a seed that nobody knows, and numbers by none.
    const name = `${key}.${high}.${low}`;
    let window = this.#windows.get(name);
    if (window !== undefined) this.#windows.delete(name);
    else window = new Window(this.size);
    this.#windows.set(name, window);
    if (this.#windows.size > this.most) {
      const [oldest] = this.#windows.keys();
      this.#windows.delete(oldest as string);
    }
    this.#key = key;
    this.#high = high;
    this.#low = low;
    this.#last = window;
    return window;
  }
}
