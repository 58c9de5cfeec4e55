/** Octets under construction, by bits; nothing is shared with the codecs. */
export class Wire {
  #octets: number[] = [];
  /** Bits used of the last octet. */
  #used = 0;
  #behind: readonly number[] = [];

  /** Octets so far. */
  get length(): number {
    return this.#octets.length;
  }

  get octets(): Uint8Array {
    return Uint8Array.from([...this.#octets, ...this.#behind]);
  }

  put(bits: number, value: number | bigint, little = false): void {
    let n = BigInt.asUintN(bits, BigInt(value));
    if (this.#used === 0 && bits % 8 === 0) {
      const octets: number[] = [];
      for (let i = 0; i < bits; i += 8, n >>= 8n) octets.push(Number(n & 0xffn));
      this.#octets.push(...(little ? octets : octets.reverse()));
      return;
    }
    for (let i = bits - 1; i >= 0; i--) {
      if (this.#used === 0) this.#octets.push(0);
      const bit = Number((n >> BigInt(i)) & 1n) << (7 - this.#used);
      this.#octets.push((this.#octets.pop() ?? 0) | bit);
      this.#used = (this.#used + 1) % 8;
    }
  }

  run(octets: Iterable<number>): Uint8Array {
    const from = this.length;
    for (const octet of octets) this.#octets.push(octet);
    return Uint8Array.from(this.#octets.slice(from));
  }

  /** Room for a number that is computed when all is there; its place, in bits. */
  hold(bits: number): number {
    const at = this.#used === 0 ? this.length * 8 : (this.length - 1) * 8 + this.#used;
    this.put(bits, 0);
    return at;
  }

  /** Fills room left by `hold`. */
  patch(at: number, bits: number, value: number, little: boolean): void {
    const n = BigInt(value);
    for (let i = 0; i < bits; i++) {
      const low = little ? 8 * Math.floor(i / 8) + 7 - (i % 8) : bits - 1 - i;
      const one = Number((n >> BigInt(low)) & 1n);
      const octet = Math.floor((at + i) / 8);
      const bit = 1 << (7 - ((at + i) % 8));
      this.#octets[octet] = ((this.#octets[octet] ?? 0) & ~bit) | (one * bit);
    }
  }

  /** RFC 1071, over all octets so far. */
  internet(): number {
    let sum = 0;
    for (const [i, octet] of this.#octets.entries()) sum += i % 2 === 0 ? octet << 8 : octet;
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    return 0xffff - sum;
  }

  /** What follows stands in front of what is there so far. */
  turn(): void {
    this.#behind = this.#octets;
    this.#octets = [];
  }
}
