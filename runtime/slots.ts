/**
 * Numbers of 31 bits for things of ours, looked up by what a peer says.
 *
 * No hash table is keyed by a number that a peer chose (V8's can be flooded): a number is a slot and
 * its generation, under a permutation that only this process knows. So numbers look random, cannot
 * be guessed one from another, and come again only after 2^27 others.
 */
import type { Env } from "./env.js";

const SLOT_BITS = 16;
/** Things at a time. */
const MOST = 1 << SLOT_BITS;
/** A free slot rests until this many have been used, so that its number does not come again soon. */
const REST = 4096;
const MASK = 0x7fffffff;

export class Slots<T> {
  readonly #values: (T | undefined)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];
  #freeFrom = 0;
  readonly #factors: readonly [number, number, number];
  readonly #inverses: readonly [number, number, number];
  readonly #masks: readonly [number, number];
  size = 0;

  constructor(env: Env) {
    const [a = 1, b = 1, c = 1, k = 0, l = 0] = words(env, 5);
    this.#factors = [a | 1, b | 1, c | 1];
    this.#inverses = [inverse(a | 1), inverse(b | 1), inverse(c | 1)];
    this.#masks = [k & MASK, l & MASK];
  }

  /** Its number; undefined if there are 65,536 already. */
  add(value: T): number | undefined {
    const slot = this.#take();
    if (slot === undefined) return undefined;
    const generation = (this.#generations[slot] ?? -1) + 1;
    this.#generations[slot] = generation;
    this.#values[slot] = value;
    this.size++;
    return this.#scramble(this.#plain(slot, generation));
  }

  get(number: number): T | undefined {
    const slot = this.#slotOf(number);
    return slot < 0 ? undefined : this.#values[slot];
  }

  delete(number: number): void {
    const slot = this.#slotOf(number);
    if (slot < 0 || this.#values[slot] === undefined) return;
    this.#values[slot] = undefined;
    this.#free.push(slot);
    this.size--;
  }

  /** All that are there. */
  *values(): Iterable<T> {
    for (const v of this.#values) if (v !== undefined) yield v;
  }

  #take(): number | undefined {
    const used = this.#values.length;
    const free = this.#free.length - this.#freeFrom;
    if (free === 0 || (used < REST && free < REST)) {
      if (used < MOST) {
        this.#values.push(undefined);
        return used;
      }
      if (free === 0) return undefined;
    }
    const slot = this.#free[this.#freeFrom++];
    if (this.#freeFrom >= 1024) {
      this.#free.splice(0, this.#freeFrom);
      this.#freeFrom = 0;
    }
    return slot;
  }

  #plain(slot: number, generation: number): number {
    return ((generation << SLOT_BITS) | slot) & MASK;
  }

  #slotOf(number: number): number {
    const plain = this.#unscramble(number);
    const slot = plain & (MOST - 1);
    const generation = this.#generations[slot];
    return generation !== undefined && this.#plain(slot, generation) === plain ? slot : -1;
  }

  #scramble(n: number): number {
    const [a, b, c] = this.#factors;
    const [k, l] = this.#masks;
    let x = Math.imul(n ^ k, a) & MASK;
    x ^= x >>> 16;
    x = Math.imul(x, b) & MASK;
    x ^= x >>> 16;
    return (Math.imul(x, c) & MASK) ^ l;
  }

  #unscramble(n: number): number {
    const [a, b, c] = this.#inverses;
    const [k, l] = this.#masks;
    let x = Math.imul((n & MASK) ^ l, c) & MASK;
    x ^= x >>> 16;
    x = Math.imul(x, b) & MASK;
    x ^= x >>> 16;
    return (Math.imul(x, a) & MASK) ^ k;
  }
}

/** Unpredictable words of 32 bits. */
function words(env: Env, n: number): Uint32Array {
  const w = new Uint32Array(n);
  env.random(new Uint8Array(w.buffer));
  return w;
}

/** The number that undoes a multiplication by an odd one, modulo 2^32. */
function inverse(odd: number): number {
  let x = odd;
  // Each step doubles the bits that are right; an odd number is its own inverse in three.
  for (let bits = 3; bits < 32; bits *= 2) x = Math.imul(x, 2 - Math.imul(odd, x));
  return x;
}
