/**
 * Draws a header: its value, and the octets that stand for it, side by side and without its codec.
 *
 * Each generated module of this folder walks its header's fields in wire order and asks a `Draw` for
 * every one. What comes is decided by `Choices`: fast-check's, or each choice once for the vectors.
 */
import { fits, type Option, type Options, options } from "./options.mjs";
import { Wire } from "./wire.mjs";

export interface Choices {
  /** One of several; the first is the least or plainest, the last the greatest. */
  choose<T>(name: string, ways: readonly T[]): T;
  /** A whole number, both ends included. */
  whole(lo: number, hi: number): number;
}

/** A condition on a number, and the number of its fault; `KEEP`: to be kept, never to be broken. */
export type Rule = readonly [fault: number, holds: (x: number) => boolean];
export const KEEP = -1;

export interface Whole {
  /** Values worth trying, beside the least and the greatest. */
  readonly marks?: readonly number[];
  readonly rules?: readonly Rule[];
  readonly signed?: boolean;
  readonly little?: boolean;
  /** Fault of numbers that are too great. */
  readonly range?: number;
  /** Fault of a form that is not the shortest. */
  readonly shortest?: number;
}

/** Value of the first part, and the type that holds the number instead. */
export type Tier = readonly [at: number, bits: number, little?: boolean];

/** The choices made so far lead nowhere: no value keeps to the rules. */
export class DeadEnd extends Error {}

const top = (bits: number) => Math.min(2 ** bits - 1, Number.MAX_SAFE_INTEGER);
const width = (point: number) => (point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4);
export const sorted = (all: readonly number[]): number[] => [...new Set(all)].sort((a, b) => a - b);

export class Draw extends Wire {
  /** Faults that could have been broken on the way. */
  readonly offered = new Set<number>();
  broken = false;

  constructor(
    readonly choices: Choices,
    /** Byte order, where the caller decides. */
    readonly little = false,
    /** The fault to break, if it is met. */
    readonly breaks?: number,
  ) {
    super();
  }

  /** Whether now is the time to break `fault`; at most once. */
  breaking(fault: number | undefined): boolean {
    if (fault === undefined || fault === KEEP || this.broken) return false;
    this.offered.add(fault);
    this.broken = fault === this.breaks;
    return this.broken;
  }

  #among<T>(name: string, ways: readonly T[]): T {
    return this.choices.choose(`${name}, broken`, ways);
  }

  // ------------------------------------------------------------------------------------ numbers

  number(name: string, bits: number, of: Whole = {}): number {
    const half = 2 ** (bits - 1);
    const [lo, hi] = of.signed ? [-half, half - 1] : [0, top(bits)];
    const value = this.pick(name, lo, hi, of);
    const beyond = this.breaking(of.range) ? this.#among(name, [2n ** 53n, 2n ** 64n - 1n]) : value;
    this.put(bits, this.#bad(name, lo, hi, of) ?? beyond, of.little);
    return value;
  }

  /** A number of which only some values are allowed. */
  named<const N extends number>(
    name: string,
    bits: number,
    names: readonly N[],
    fault: number,
    of: Whole = {},
  ): N {
    const rule: Rule = [fault, (x) => names.includes(x as N)];
    return this.number(name, bits, {
      ...of,
      marks: names,
      rules: [rule, ...(of.rules ?? [])],
    }) as N;
  }

  konst(name: string, bits: number, value: number, fault: number, of: Whole = {}): void {
    this.named(name, bits, [value], fault, of);
  }

  bit(name: string, rules: readonly Rule[] = []): boolean {
    return this.number(name, 1, { rules }) === 1;
  }

  big(name: string, signed: boolean, little = false): bigint {
    const sign = 2n ** 63n;
    const [lo, hi] = signed ? [-sign, sign - 1n] : [0n, 2n * sign - 1n];
    const high = BigInt(this.choices.whole(0, 2 ** 31 - 1));
    const any = (high << 32n) + BigInt(this.choices.whole(0, 2 ** 32 - 1));
    const value = this.choices.choose(name, [lo, any, signed ? -1n : sign, hi]);
    this.put(64, value, little);
    return value;
  }

  /** A number whose first bits may say that a wider type follows and holds it. */
  escape(name: string, bits: number, tiers: readonly Tier[], of: Whole = {}): number {
    const low = tiers[0]?.[0] ?? 0;
    const last = tiers.length - 1;
    const hi = top(tiers[last]?.[1] ?? bits);
    const steps = tiers.flatMap(([, wide]) => [top(wide), top(wide) + 1]);
    const all = { ...of, marks: [...(of.marks ?? []), low - 1, low, ...steps] };
    const value = this.pick(name, 0, hi, all);
    const said = this.#bad(name, 0, hi, all) ?? value;
    const write = (i: number, n: number | bigint) => {
      const [at, wide, little] = tiers[i] ?? [0, 0];
      this.put(bits, at);
      this.put(wide, n, little);
    };
    if (tiers[last]?.[1] === 64 && this.breaking(of.range)) write(last, 2n ** 53n);
    else if (this.breaking(of.shortest)) {
      const i = this.#among(name, [...tiers.keys()]);
      const least = i === 0 ? low : 2 ** (tiers[i - 1]?.[1] ?? 0);
      write(i, this.#among(name, [0, least - 1]));
    } else if (said < low) this.put(bits, said);
    else {
      const i = tiers.findIndex(([, wide]) => said <= top(wide));
      write(i, said);
    }
    return value;
  }

  /** LEB128. */
  varint(name: string, bits: number, of: Whole = {}): number {
    const most = Math.ceil(bits / 7);
    const steps = Array.from({ length: most - 1 }, (_, i) => 2 ** (7 * (i + 1)));
    const all = { ...of, marks: [...(of.marks ?? []), ...steps.flatMap((n) => [n - 1, n])] };
    const value = this.pick(name, 0, top(bits), all);
    const octets: number[] = [];
    let n = this.#bad(name, 0, top(bits), all) ?? value;
    for (; n > 0x7f; n = Math.floor(n / 0x80)) octets.push((n % 0x80) + 0x80);
    octets.push(n);
    if (this.breaking(of.range)) octets.splice(0, octets.length, ...new Array(most).fill(0xff));
    else if (octets.length < most && this.breaking(of.shortest)) {
      octets.push((octets.pop() ?? 0) + 0x80, 0);
    }
    this.run(octets);
    return value;
  }

  /** A number that keeps to the rules; no octets. */
  pick(name: string, lo: number, hi: number, { marks = [], rules = [] }: Whole): number {
    const kept = (x: number) => rules.every(([, holds]) => holds(x));
    const [least, ...more] = sorted([lo, ...marks, hi]).filter(
      (x) => x >= lo && x <= hi && kept(x),
    );
    const ways = least === undefined ? ["any" as const] : [least, "any" as const, ...more];
    const way = hi > lo ? this.choices.choose(name, ways) : (least ?? "any");
    if (way !== "any") return way;
    for (let i = 0; i < 32; i++) {
      const x = this.choices.whole(lo, hi);
      if (kept(x)) return x;
    }
    if (least !== undefined) return least;
    for (let x = lo; x <= hi && x < lo + 0x10000; x++) if (kept(x)) return x;
    throw new DeadEnd(`no value for ${name}`);
  }

  /** A value that breaks the one rule to be broken, and none before it: the first is what is reported. */
  #bad(name: string, lo: number, hi: number, of: Whole): number | undefined {
    const { marks = [], rules = [] } = of;
    if (this.broken || rules.every(([fault]) => fault === KEEP)) return undefined;
    const near = sorted([lo, hi, ...marks.flatMap((m) => [m - 1, m, m + 1])]);
    const fit = near.filter((x) => x >= lo && x <= hi);
    const first = (x: number) => rules.find(([, holds]) => !holds(x))?.[0];
    for (const [fault] of rules) {
      const bad = fit.filter((x) => first(x) === fault);
      if (bad.length > 0 && this.breaking(fault)) return this.#among(name, bad);
    }
    return undefined;
  }

  // ------------------------------------------------------------------------------------- octets

  /** Octets of a run that reaches to the end. */
  rest(name: string, max: number, fault: number | undefined): number {
    return this.breaking(fault) ? max + 1 : this.pick(name, 0, max, { marks: [1] });
  }

  bytes(octets: number): Uint8Array {
    let state = this.choices.whole(0, 0xffffffff);
    const some = new Uint8Array(octets);
    for (let i = 0; i < octets; i++) {
      state = (Math.imul(state, 0x41c64e6d) + 12345) >>> 0;
      some[i] = state >>> 24;
    }
    return this.run(some);
  }

  fixed(octets: readonly number[], fault: number): void {
    const bad = octets.length > 0 && this.breaking(fault);
    const at = bad ? this.choices.whole(0, octets.length - 1) : -1;
    this.run(octets.map((n, i) => (i === at ? n ^ 0x20 : n)));
  }

  text(name: string, octets: number, encoding: "utf8" | "ascii", fault: number): string {
    // Code points at the borders of the encoding; U+FEFF is one that decoders like to swallow.
    const points = [0x61, 0xfeff, 0, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff];
    const plain = octets === 0 || this.choices.choose(name, [true, false]);
    let text = "";
    for (let room = octets; room > 0; ) {
      const fit = points.filter((p) => (encoding === "ascii" ? p < 0x80 : width(p) <= room));
      const border = fit[this.choices.whole(0, fit.length - 1)] ?? 0x61;
      const point = plain ? 0x61 + (text.length % 26) : border;
      text += String.fromCodePoint(point);
      room -= width(point);
    }
    const encoded = [...new TextEncoder().encode(text)];
    if (octets > 0 && this.breaking(fault)) encoded[this.choices.whole(0, octets - 1)] = 0xff;
    this.run(encoded);
    return text;
  }

  /** Zeros up to a multiple of `to`. */
  pad(to: number, fault: number): void {
    const octets = Math.ceil(this.length / to) * to - this.length;
    const at = octets > 0 && this.breaking(fault) ? this.choices.whole(0, octets - 1) : -1;
    this.run(Array.from({ length: octets }, (_, i) => (i === at ? 1 : 0)));
  }

  // -------------------------------------------------------------------------------------- lists

  /** Fields that belong together. */
  part<T>(draw: () => T): T {
    return draw();
  }

  /** No fields are there for this value. */
  nothing(name: string): never {
    throw new DeadEnd(`no form for ${name}`);
  }

  list<T>(count: number, draw: () => T): T[] {
    return Array.from({ length: count }, draw);
  }

  /** Elements up to the first for which `ends` holds; `draw` keeps each to the rule given. */
  until(
    name: string,
    max: number,
    fault: number,
    ends: (x: number) => boolean,
    draw: (rule: Rule) => number,
  ): number[] {
    const more: Rule = [KEEP, (x) => !ends(x)];
    if (this.breaking(fault)) return this.list(max, () => draw(more));
    const count = this.pick(`elements of ${name}`, 1, max, {});
    return [...this.list(count - 1, () => draw(more)), draw([KEEP, ends])];
  }

  /** Elements that fill `octets` exactly. */
  fill<T>(name: string, octets: number, max: number, draw: () => T): T[] {
    const list: T[] = [];
    const end = this.length + octets;
    while (this.length < end) {
      if (list.length === max) throw new DeadEnd(`too many elements for ${name}`);
      list.push(draw());
    }
    if (this.length > end) throw new DeadEnd(`the elements of ${name} do not fill it`);
    return list;
  }

  /** Elements to the end. `octets`: of each, if all have the same. */
  fillRest<T>(
    name: string,
    max: number,
    faults: { readonly max?: number; readonly fill?: number },
    octets: number | undefined,
    draw: () => T,
  ): T[] {
    if (this.breaking(faults.max)) return this.list(max + 1, draw);
    const count = this.pick(`elements of ${name}`, 0, max, {});
    const list = this.list(count, draw);
    if (octets !== undefined && octets > 1 && count < max && this.breaking(faults.fill)) {
      this.bytes(this.choices.whole(1, octets - 1));
    }
    return list;
  }

  /** Options that fill `octets` exactly. */
  options(name: string, octets: number, of: Options, little = false): Option[] {
    return options(this, name, octets, of, little);
  }

  /** Options to the end. */
  optionsRest(
    name: string,
    max: number,
    fault: number | undefined,
    of: Options,
    little = false,
  ): Option[] {
    if (this.breaking(fault)) {
      this.bytes(max + 1);
      return [];
    }
    const octets = this.pick(name, 0, max, { marks: [24], rules: [[KEEP, (n) => fits(n, of)]] });
    return options(this, name, octets, of, little);
  }

  // ----------------------------------------------------------------------------------- computed

  /** Fills the room left by `hold` with what is computed. */
  settle(at: number, bits: number, value: number, fault: number, little = false): number {
    if (value < 0 || value > top(bits)) throw new DeadEnd("a computed value does not fit");
    this.patch(at, bits, this.breaking(fault) ? value ^ 1 : value, little);
    return value;
  }

  /** A computed number that had to be drawn, as it decides what follows, is what it should be. */
  agree(drawn: number, made: number): void {
    if (drawn !== made) throw new DeadEnd("a computed value decides otherwise");
  }
}
