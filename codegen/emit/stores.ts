/** Where writing stands in generated code, and how numbers are stored there. */
import type { Code } from "./code.js";
import type { Used } from "./support.js";

export class Stores {
  /** Octets from where the variable `base` says to the next. */
  plus = 0;
  base = "o";
  #moved = false;

  constructor(
    readonly code: Code,
    readonly used: Used,
  ) {}

  /** The offset of the next octet, as an expression. */
  get at(): string {
    return this.plus === 0 ? this.base : `${this.base} + ${this.plus}`;
  }

  /** Makes `p` the cursor, where it stands now. */
  cursor(): void {
    if (this.base === "p") {
      if (this.plus > 0) this.code.line(`p += ${this.plus};`);
    } else this.code.line(this.#moved ? `p = ${this.at};` : `let p = ${this.at};`);
    this.#moved = true;
    this.base = "p";
    this.plus = 0;
  }

  /** Brings the cursor up. */
  advance(): void {
    if (this.plus > 0) this.code.line(`p += ${this.plus};`);
    this.plus = 0;
  }

  /** The offset `n` octets further on. */
  from(n: number): string {
    return this.plus + n === 0 ? this.base : `${this.base} + ${this.plus + n}`;
  }

  /** Stores a number of whole octets at the next offset. */
  number(
    bits: number,
    signed: boolean,
    order: "big" | "little" | "header",
    x: string,
    big = false,
  ): void {
    const little = order === "big" || bits === 8 ? "" : order === "little" ? ", true" : ", little";
    if (big)
      return this.code.line(`v.setBig${signed ? "Int" : "Uint"}64(${this.at}, ${x}${little});`);
    if (bits === 64) {
      const [first, second] = [this.at, this.from(4)];
      const hi =
        order === "header" ? `little ? ${second} : ${first}` : order === "little" ? second : first;
      const lo =
        order === "header" ? `little ? ${first} : ${second}` : order === "little" ? first : second;
      this.code.line(`v.setUint32(${hi}, ${x} / 0x1_0000_0000${little});`);
      return this.code.line(`v.setUint32(${lo}, ${x}${little});`);
    }
    if (bits === 24) return this.#three(order, x);
    this.code.line(`v.set${signed ? "Int" : "Uint"}${bits}(${this.at}, ${x}${little});`);
  }

  /** Stores three octets; no single store can. */
  #three(order: "big" | "little" | "header", x: string): void {
    const two = (at: number, little: string) =>
      this.code.line(`v.setUint16(${this.from(at)}, ${x} >>> 8${little});`);
    const one = (at: number) => this.code.line(`v.setUint8(${this.from(at)}, ${x});`);
    const big = () => {
      two(0, "");
      one(2);
    };
    const little = () => {
      one(0);
      two(1, ", true");
    };
    if (order === "big") return big();
    if (order === "little") return little();
    this.code.line("if (little) {");
    this.code.indented(little);
    this.code.line("} else {");
    this.code.indented(big);
    this.code.line("}");
  }

  /** Stores 1 to 4 octets of bits. */
  bits(octets: number, word: string): void {
    if (octets === 3) this.#three("big", word);
    else this.code.line(`v.setUint${octets * 8}(${this.at}, ${word});`);
  }

  /** Passes over octets, and makes those zero that fill up to a multiple. */
  skip(octets: string, align: number): void {
    this.code.line(`p += ${octets};`);
    if (align === 1) return;
    const clear = this.used.get("clear");
    if (/^\d+$/.test(octets)) {
      const filled = -Number(octets) & (align - 1);
      if (filled === 0) return;
      this.code.line(`${clear}(v, p, ${filled});`);
      return this.code.line(`p += ${filled};`);
    }
    this.code.line(`const filled = -(${octets}) & ${align - 1};`);
    this.code.line(`${clear}(v, p, filled);`);
    this.code.line("p += filled;");
  }
}
