/** Chance that can be had again: the same seed gives the same numbers (sfc32). */
export class Random {
  #a: number;
  #b: number;
  #c = 0x9e3779b9;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 0x1_0000_0000) | 0;
    // Near seeds begin alike; they part in a dozen rounds.
    for (let i = 0; i < 12; i++) this.word();
  }

  /** 32 bits. */
  word(): number {
    const out = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + out;
    return out >>> 0;
  }

  /** From `low` to `high`. */
  between(low: number, high: number): number {
    return low + (this.word() / 0x1_0000_0000) * (high - low);
  }

  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  /** True this often: 0 never, 1 always. */
  often(share: number): boolean {
    return this.word() / 0x1_0000_0000 < share;
  }

  pick<T>(...choices: readonly T[]): T {
    return choices[this.whole(0, choices.length - 1)] as T;
  }

  fill(octets: Uint8Array): void {
    for (let i = 0; i < octets.length; i++) octets[i] = this.word();
  }
}
