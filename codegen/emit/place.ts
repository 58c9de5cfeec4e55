/** Where reading stands in generated code, which octets are left there, and what is said if they are not. */
import type { FaultKind, FieldModel, HeaderModel } from "../model.js";
import type { Code } from "./code.js";
import { flip, offset, wrapSum } from "./load.js";
import type { Used } from "./support.js";

/** Which of the functions that read. */
export type Mode = "measure" | "decode" | "read" | "explain";

/** What octets a field may take: up to a variable's offset; what to do when there are fewer. */
interface Limit {
  readonly name: string;
  /** The fault that too few octets are; undefined: more may come. */
  readonly fault?: { readonly n: number; readonly path: string };
}

export class Place {
  limit: Limit | undefined = { name: "end" };
  /** Words loaded so far, which number their variables. */
  words = 0;
  /** Octets from where the variable `base` says to the next. */
  plus = 0;
  #moved: boolean;

  constructor(
    readonly code: Code,
    readonly header: HeaderModel,
    readonly mode: Mode,
    readonly used: Used,
    public base = "o",
  ) {
    this.#moved = base === "p";
  }

  /** Whether what is read is checked. */
  get checks(): boolean {
    return this.mode !== "read";
  }

  /** The offset of the next octet, as an expression. */
  get at(): string {
    return this.plus === 0 ? this.base : `${this.base} + ${this.plus}`;
  }

  /** Octets from the header's first, as an expression. */
  get taken(): string {
    if (this.base === "o") return String(this.plus);
    return this.plus === 0 ? `${this.base} - o` : `${this.base} - o + ${this.plus}`;
  }

  /** Begins at an offset that a variable holds, with all octets known to be there. */
  startAt(base: string, bounded = false): void {
    this.base = base;
    this.plus = 0;
    this.#moved = base === "p";
    if (!bounded) this.limit = undefined;
  }

  /** Goes on where a variable says. */
  jump(to: string): void {
    this.base = to;
    this.plus = 0;
  }

  /** Makes `p` the cursor, where it stands now. */
  cursor(): void {
    if (this.base === "p") {
      if (this.plus > 0) this.code.line(`p += ${this.plus};`);
    } else if (this.#moved) this.code.line(`p = ${this.at};`);
    else this.code.line(`let p = ${this.at};`);
    this.#moved = true;
    this.base = "p";
    this.plus = 0;
  }

  /** Tests that `n` octets are left. */
  left(n: string): void {
    if (!this.checks || this.limit === undefined || n === "0") return;
    const { name, fault } = this.limit;
    const need = /^\d+$/.test(n) ? this.#sum(Number(n)) : `${this.at} + ${n}`;
    const short = need === "o" ? name : `${name} - ${/[ ]/.test(need) ? `(${need})` : need}`;
    const test = `${name} < ${need}`;
    if (fault !== undefined) {
      this.code.line(`if (${test}) return ${this.fault(fault.n, fault.path, this.at)};`);
    } else if (this.mode === "explain") {
      this.code.line(
        `if (${test}) return ${this.used.get("short")}(${this.#quoted()}, ${flip(short)});`,
      );
    } else this.code.line(`if (${test}) return ${short};`);
  }

  #sum(n: number): string {
    return this.plus + n === 0 ? this.base : `${this.base} + ${this.plus + n}`;
  }

  #quoted(): string {
    return JSON.stringify(this.header.name);
  }

  fault(n: number, path: string, at: string): string {
    if (this.mode !== "explain") return n === 0 ? "BAD" : `BAD - ${n}`;
    const text = this.header.faults[n]?.text ?? "";
    return `${this.used.get("wrong")}(${JSON.stringify(`${this.header.name}.${path}`)}, ${offset(at)}, ${JSON.stringify(text)})`;
  }

  /** Refuses if `test` holds. */
  refuse(test: string, f: FieldModel, kind: FaultKind, at: string): void {
    const n = f.faults[kind];
    if (this.checks && n !== undefined)
      this.code.line(`if (${test}) return ${this.fault(n, f.path, at)};`);
  }

  /** Where a list's octets end, if they are there: `fill` octets, an expression or `rest`. */
  stop(f: FieldModel, fill: string, stop: string, most: number): void {
    const limit = this.limit?.name ?? "end";
    const { at } = this;
    this.code.line(`const ${stop} = ${fill === "rest" ? limit : `${at} + ${wrapSum(fill)}`};`);
    if (f.type.kind === "tlv") this.refuse(`${stop} - ${wrapSum(at)} > ${most}`, f, "max", at);
    if (fill === "rest" || !this.checks || this.limit === undefined) return;
    const { name, fault } = this.limit;
    if (fault !== undefined) {
      this.code.line(`if (${name} < ${stop}) return ${this.fault(fault.n, fault.path, at)};`);
    } else if (this.mode === "explain") {
      this.code.line(
        `if (${name} < ${stop}) return ${this.used.get("short")}(${this.#quoted()}, ${stop} - ${name});`,
      );
    } else this.code.line(`if (${name} < ${stop}) return ${name} - ${stop};`);
  }
}
