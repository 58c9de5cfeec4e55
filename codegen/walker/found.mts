/** What the function of a stack has found, and how it is found: field by field, over headers known to be right. */
import { bitsAt, octetsAt, wholeAt } from "./octets.mjs";

/** A field: bits from the view's first. Fields inside a field are one deeper. */
export interface Found {
  readonly name: string;
  readonly value: number | bigint | boolean | string | Uint8Array | undefined;
  readonly bit: number;
  readonly bits: number;
  readonly depth: number;
}

/** Value of the first part, and the type that holds the number instead. */
export type Tier = readonly [at: number, bits: number, little?: boolean];
/** Name, mask, and where in the number it lies. */
export type Flag = readonly [name: string, mask: number, bit: number, bits: number];

/** What a list of options looks like. */
export interface Options {
  /** Octets of an option's type and length. */
  readonly type: number;
  readonly length: number;
  /** Whether the length counts type and length too, and in what unit. */
  readonly item: boolean;
  readonly unit: number;
  readonly align: number;
  readonly single: readonly number[];
  readonly names: Readonly<Record<number, string>>;
}

/** Octets of a part, or a negative number if it is not whole or not right. */
export type Measure = (v: DataView, o: number, end: number) => number;
export type Take = (into: Finder) => void;

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

export class Finder {
  readonly found: Found[] = [];
  /** Where the present header begins and where the octets within its trailer end. */
  start: number;
  end: number;
  /** Where the present trailer ends. */
  #stop: number;
  #bit: number;
  #depth = 0;

  constructor(
    readonly view: DataView,
    o: number,
    end: number,
  ) {
    this.start = o;
    this.end = end;
    this.#stop = end;
    this.#bit = o * 8;
  }

  /** The next head; false if it is not whole or not right. */
  head(measure: Measure, take: Take): boolean {
    this.start = this.#bit / 8;
    if (measure(this.view, this.start, this.end) < 0) return false;
    take(this);
    return true;
  }

  /** The trailer in front of those found before. */
  tail(measure: Measure, take: Take): boolean {
    const behind = this.#bit;
    const octets = measure(this.view, behind / 8, this.end);
    if (octets < 0) return false;
    this.#stop = this.end;
    this.end -= octets;
    this.front();
    take(this);
    this.#bit = behind;
    return true;
  }

  /** The trailer's last octets are next: they say how many are in front of them. */
  last(octets: number): void {
    this.#bit = (this.#stop - octets) * 8;
  }

  /** The trailer's first octets are next. */
  front(): void {
    this.#bit = this.end * 8;
  }

  /** Octets up to the end. */
  get rest(): number {
    return this.end - this.#bit / 8;
  }

  number(name: string, bits: number, little = false): number {
    return this.#note(name, this.#number(this.#bit, bits, little), bits);
  }

  signed(name: string, bits: number, little = false): number {
    const value = this.#number(this.#bit, bits, little);
    return this.#note(name, value < 2 ** (bits - 1) ? value : value - 2 ** bits, bits);
  }

  bit(name: string): boolean {
    return this.#note(name, bitsAt(this.view, this.#bit, 1) === 1, 1);
  }

  big(name: string, signed: boolean, little = false): void {
    const o = this.#bit / 8;
    const value = signed ? this.view.getBigInt64(o, little) : this.view.getBigUint64(o, little);
    this.#note(name, value, 64);
  }

  flags(name: string, bits: number, flags: readonly Flag[], little = false): number {
    const from = this.#bit;
    const value = this.number(name, bits, little);
    for (const [flag, mask, bit, width] of flags) {
      const is = (value & mask) !== 0;
      const depth = this.#depth + 1;
      this.found.push({ name: flag, value: is, bit: from + bit, bits: width, depth });
    }
    return value;
  }

  escape(name: string, bits: number, tiers: readonly Tier[]): number {
    const first = bitsAt(this.view, this.#bit, bits);
    const tier = tiers.find(([at]) => at === first);
    if (tier === undefined) return this.#note(name, first, bits);
    const [, wide, little = false] = tier;
    return this.#note(name, this.#number(this.#bit + bits, wide, little), bits + wide);
  }

  varint(name: string): number {
    let value = 0;
    let octets = 0;
    for (let more = true; more; octets++) {
      const octet = this.view.getUint8(this.#bit / 8 + octets);
      value += (octet & 0x7f) * 2 ** (7 * octets);
      more = octet > 0x7f;
    }
    return this.#note(name, value, octets * 8);
  }

  bytes(name: string, octets: number): void {
    this.#note(name, octetsAt(this.view, this.#bit / 8, octets), octets * 8);
  }

  text(name: string, octets: number): void {
    this.#note(name, UTF8.decode(octetsAt(this.view, this.#bit / 8, octets)), octets * 8);
  }

  /** Zeros up to a multiple of `to`, counted from the head's first octet. */
  pad(name: string, to: number): void {
    const odd = (this.#bit / 8 - this.start) % to;
    if (odd > 0) this.bytes(name, to - odd);
  }

  /** Fields that are one. */
  part(name: string, fields: () => void): void {
    const at = this.found.length;
    const bit = this.#bit;
    this.#depth++;
    fields();
    this.#depth--;
    const bits = this.#bit - bit;
    this.found.splice(at, 0, { name, value: undefined, bit, bits, depth: this.#depth });
  }

  /** Elements that fill `octets`. */
  fill(octets: number, element: () => void): void {
    const stop = this.#bit + octets * 8;
    while (this.#bit < stop) element();
  }

  options(name: string, octets: number, of: Options, little = false): void {
    const stop = this.#bit + octets * 8;
    const value = octetsAt(this.view, this.#bit / 8, octets);
    this.found.push({ name, value, bit: this.#bit, bits: octets * 8, depth: this.#depth++ });
    while (this.#bit < stop) {
      const from = this.#bit;
      const type = this.#number(from, of.type * 8, little);
      const head = of.single.includes(type) ? of.type : of.type + of.length;
      const said =
        head === of.type ? 0 : this.#number(from + of.type * 8, of.length * 8, little) * of.unit;
      const octets = of.item ? Math.max(head, said) : head + said;
      const value = octetsAt(this.view, from / 8 + head, octets - head);
      this.#note(of.names[type] ?? `${name}.type_${type}`, value, octets * 8);
      this.#bit = from + Math.ceil(octets / of.align) * of.align * 8;
    }
    this.#depth--;
  }

  #number(at: number, bits: number, little: boolean): number {
    if (at % 8 !== 0 || bits % 8 !== 0) return bitsAt(this.view, at, bits);
    if (bits === 64) return Number(this.view.getBigUint64(at / 8, little));
    return wholeAt(this.view, at / 8, bits, little);
  }

  /** Notes a value, and passes over its bits. */
  #note<T extends Found["value"]>(name: string, value: T, bits: number): T {
    this.found.push({ name, value, bit: this.#bit, bits, depth: this.#depth });
    this.#bit += bits;
    return value;
  }
}
