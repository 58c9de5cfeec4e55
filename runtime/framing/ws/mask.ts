/**
 * What a client covers its payloads with, so that no script can make it say what a proxy on the way
 * would take for HTTP. RFC 6455 §5.3.
 */
import type { Env } from "../../env.js";

/** Keys that are drawn at a time: a call of the system's costs as much as a hundred frames. */
const KEYS = 1024;
/** Octets from which on a view of words is worth its making. */
const LONG = 512;
const WORD = 8;

/** Keys that nobody can foretell. */
export class Keys {
  readonly #keys = new Uint32Array(KEYS);
  #next = KEYS;

  constructor(readonly env: Env) {}

  take(): number {
    if (this.#next === KEYS) {
      this.env.random(new Uint8Array(this.#keys.buffer));
      this.#next = 0;
    }
    return this.#keys[this.#next++] as number;
  }
}

const pools = new WeakMap<Env, Keys>();

/** A world's keys: one pool for all its connections. */
export function keysOf(env: Env): Keys {
  const keys = pools.get(env) ?? new Keys(env);
  pools.set(env, keys);
  return keys;
}

/** Covers octets `from` to `to`, or uncovers them: twice is as never. */
export function mask(v: DataView, from: number, to: number, key: number): void {
  if (to - from < LONG) return cover(v, from, to, key);
  const first = from + (-(v.byteOffset + from) & (WORD - 1));
  const words = Math.floor((to - first) / WORD);
  const rest = turned(key, first - from);
  cover(v, from, first, key);
  coverWords(new BigUint64Array(v.buffer, v.byteOffset + first, words), rest);
  cover(v, first + words * WORD, to, rest);
}

const twice = new BigUint64Array(1);

/** Twice as fast as by 32 bits: such a loop is compiled to words of the machine, and no BigInt is made. */
function coverWords(words: BigUint64Array, key: number): void {
  // The key in the machine's own order of octets.
  twice[0] = 0n;
  cover(new DataView(twice.buffer), 0, WORD, key);
  const k = twice[0] as bigint;
  for (let i = 0; i < words.length; i++) words[i] = BigInt.asUintN(64, (words[i] as bigint) ^ k);
}

function cover(v: DataView, from: number, to: number, key: number): void {
  let o = from;
  for (; o + 4 <= to; o += 4) v.setUint32(o, v.getUint32(o) ^ key);
  for (let k = key; o < to; o++, k <<= 8) v.setUint8(o, v.getUint8(o) ^ (k >>> 24));
}

/** The key for what follows `n` octets that were covered. */
export function turned(key: number, n: number): number {
  const bits = 8 * (n % 4);
  return bits === 0 ? key : (key << bits) | (key >>> (32 - bits));
}
