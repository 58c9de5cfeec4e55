/** Octets under construction, by bits; nothing is shared with the codecs. */
export class Wire {
  #space = new Uint8Array(64);
  /** Octets so far. */
  length = 0;
  /** Bits used of the last octet. */
  #used = 0;
  #behind: Uint8Array = new Uint8Array(0);

  /** How many octets there are. */
  get size(): number {
    return this.length + this.#behind.length;
  }

  get octets(): Uint8Array {
    const all = new Uint8Array(this.size);
    all.set(this.#space.subarray(0, this.length));
    all.set(this.#behind, this.length);
    return all;
  }

  put(bits: number, value: number | bigint, little = false): void {
    if (this.#used === 0 && bits % 8 === 0) {
      const at = this.#more(bits / 8);
      const octets = octetsOf(value, bits / 8);
      this.#space.set(little ? octets : octets.reverse(), at);
      return;
    }
    const octets = octetsOf(value, Math.ceil(bits / 8));
    for (let i = bits - 1; i >= 0; i--) {
      if (this.#used === 0) this.#space[this.#more(1)] = 0;
      const bit = (((octets[i >>> 3] ?? 0) >>> (i & 7)) & 1) << (7 - this.#used);
      this.#space[this.length - 1] = (this.#space[this.length - 1] ?? 0) | bit;
      this.#used = (this.#used + 1) % 8;
    }
  }

  /** Octets as they are. Returns a copy. */
  run(octets: ArrayLike<number>): Uint8Array {
    const at = this.#more(octets.length);
    this.#space.set(octets, at);
    return this.#space.slice(at, this.length);
  }

  /** Room for more octets; where it begins. */
  #more(octets: number): number {
    const at = this.length;
    this.length += octets;
    if (this.length > this.#space.length) {
      const larger = new Uint8Array(2 * this.length);
      larger.set(this.#space);
      this.#space = larger;
    }
    return at;
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
      this.#space[octet] = ((this.#space[octet] ?? 0) & ~bit) | (one * bit);
    }
  }

  /** RFC 1071, over all octets so far. */
  internet(): number {
    let sum = 0;
    for (const [i, octet] of this.octets.entries()) sum += i % 2 === 0 ? octet << 8 : octet;
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    return 0xffff - sum;
  }

  /** What follows stands in front of what is there so far. */
  turn(): void {
    this.#behind = this.octets;
    this.length = 0;
  }
}

/** The lowest octets of a number, the lowest first. */
function octetsOf(value: number | bigint, octets: number): number[] {
  const all: number[] = [];
  if (typeof value === "number" && octets <= 4) {
    for (let i = 0; i < octets; i++) all.push((value >>> (8 * i)) & 0xff);
  } else {
    const n = BigInt(value);
    for (let i = 0; i < octets; i++) all.push(Number((n >> BigInt(8 * i)) & 0xffn));
  }
  return all;
}
