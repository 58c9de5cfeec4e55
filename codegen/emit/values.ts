/** How generated code that writes reaches values, and refuses those that cannot be written. */
import type { Expr } from "../../spec/lang.js";
import type { FieldModel, HeaderModel, UintModel } from "../model.js";
import {
  beside,
  type Code,
  closed,
  hex,
  local,
  type Names,
  negated,
  num,
  OPPOSITE,
  outside,
} from "./code.js";
import type { Used } from "./support.js";
import { type Look, lookIn, phrase } from "./words.js";

/** How a field's value is reached: a variable, or a property of one; and the variable with its octets, if one is. */
interface Reach {
  readonly text: string;
  readonly field: FieldModel;
  readonly octets?: string;
}
type Scope = ReadonlyMap<string, Reach>;

export class Values {
  #scope: Scope = new Map();
  /** Fields of which an arm knows which values they have. */
  #chosen: ReadonlySet<string> = new Set();

  constructor(
    readonly code: Code,
    readonly header: HeaderModel,
    readonly used: Used,
  ) {}

  /** Fields whose values are arguments. */
  know(fields: readonly FieldModel[], as?: string): void {
    this.#enter(fields, (f) => as ?? local(f.name));
  }

  /** Notes that there is a variable with the field's octets. */
  measure(f: FieldModel): void {
    const reach = { text: this.text(f.name), field: f, octets: beside(f.name, "octets") };
    this.#scope = new Map(this.#scope).set(f.name, reach);
  }

  /** The variable with the field's octets, if there is one. */
  octets(f: FieldModel): string | undefined {
    return this.#scope.get(f.name)?.octets;
  }

  /** Whether no value is reached through a variable of this name, but its own. */
  free(name: string): boolean {
    return [...this.#scope.values()].every(
      ({ text, field }) => local(field.name) === text || !new RegExp(`^${name}\\b`).test(text),
    );
  }

  /** What computes the field itself, if it is computed. */
  auto(name: string): FieldModel["auto"] {
    return this.#scope.get(name)?.field.auto;
  }

  #enter(fields: readonly FieldModel[], reach: (f: FieldModel) => string): void {
    const scope = new Map(this.#scope);
    for (const f of fields) scope.set(f.name, { text: reach(f), field: f });
    this.#scope = scope;
  }

  /** What `body` prints stands in an arm that these fields have chosen. */
  chosen(names: readonly string[], body: () => void): void {
    const outer = this.#chosen;
    this.#chosen = new Set([...outer, ...names]);
    body();
    this.#chosen = outer;
  }

  /** What `body` prints sees these fields too. */
  inside(fields: readonly FieldModel[], reach: (f: FieldModel) => string, body: () => void): void {
    const outer = this.#scope;
    this.#enter(fields, reach);
    body();
    this.#scope = outer;
  }

  names(self?: string, head?: string): Names {
    return {
      field: (name) => {
        const known = this.#scope.get(name);
        const boolean = known?.field.type.kind === "uint" && known.field.type.as === "boolean";
        // One that may be absent is read only where it is there.
        const sure = known?.field.when === undefined || known.field.auto !== undefined ? "" : "!";
        const text = `${known?.text ?? local(name)}${sure}`;
        const values = this.#chosen.has(name) ? [] : closed(known?.field);
        return { text, boolean, values };
      },
      octets: (of) => this.#scope.get(of)?.octets ?? String(this.#scope.get(of)?.field.min),
      count: (of) =>
        this.#scope.get(of)?.field.when === undefined
          ? `${this.text(of)}.length`
          : `(${this.text(of)}?.length ?? 0)`,
      ...(self === undefined ? {} : { self }),
      ...(head === undefined ? {} : { head }),
    };
  }

  /** A field's value, as an expression. */
  text(name: string): string {
    return this.#scope.get(name)?.text ?? local(name);
  }

  path(f: FieldModel): string {
    return JSON.stringify(`${this.header.name}.${f.path}`);
  }

  /** Refuses the value if `test` holds. */
  refuseIf(test: string, f: FieldModel, why: string, value = this.text(f.name)): void {
    this.code.line(
      `if (${test}) ${this.used.get("refuse")}(${this.path(f)}, ${value}, ${JSON.stringify(why)});`,
    );
  }

  /** Refuses a field that is there by its condition, and has no value. */
  needed(f: FieldModel): void {
    this.refuseIf(
      `${this.text(f.name)} === undefined`,
      f,
      `is needed, since ${this.#since(f, true)}`,
      '"a value"',
    );
  }

  /** Refuses the value of a field that is absent by its condition. */
  surplus(f: FieldModel): string {
    const why = JSON.stringify(`must be left out, since ${this.#since(f, false)}`);
    return `${this.used.get("refuse")}(${this.path(f)}, ${this.text(f.name)}, ${why});`;
  }

  #since({ when = 1 }: FieldModel, holds: boolean): string {
    const { head, front, last } = this.header;
    return truth(when, holds, lookIn([...head, ...front, ...last]));
  }

  /** A number is what its type and rules allow. */
  check(f: FieldModel, x: string): void {
    const t = f.type;
    if (t.kind === "uint" && t.as !== "boolean") {
      const closed = t.names !== undefined && t.open !== true && !f.lint;
      const range = t.as === "bigint" ? bigRange(t, x) : numberRange(t, x);
      this.refuseIf(range, f, `does not fit ${t.bits} bits`, x);
      if (closed)
        this.refuseIf(
          outside(x, Object.values(t.names ?? {}), t.bits),
          f,
          `is none of ${Object.keys(t.names ?? {}).join(", ")}`,
          x,
        );
    } else if (t.kind === "escape" || t.kind === "varint") {
      const bits = t.kind === "varint" ? t.bits : Math.max(...t.tiers.map((y) => y.bits));
      const most = bits >= 53 ? "" : ` || ${x} > ${hex(2 ** bits - 1)}`;
      this.refuseIf(
        `!Number.isSafeInteger(${x}) || ${x} < 0${most}`,
        f,
        `does not fit ${Math.min(bits, 53)} bits`,
        x,
      );
    }
    for (const m of f.musts) this.refuseIf(negated(m.expr, this.names(x)), f, m.text, x);
  }

  /** What was written since `From` is as many octets as `fill` says. */
  filled(f: FieldModel, fill: Expr): void {
    const taken = `p - ${beside(f.name, "from")}`;
    this.refuseIf(
      `${taken} !== ${num(fill, this.names())}`,
      f,
      "octets are not what its length says",
      taken,
    );
  }

  /** A loop over an array; `for … of` takes several times as long. */
  each(x: string, item: string, more: string, body: () => void): void {
    this.code.block(`for (let i = 0; ${more}; i++)`, () => {
      this.code.line(`const ${item} = ${x}[i]!;`);
      body();
    });
  }
}

/** That a condition holds, or does not, in words. */
function truth(e: Expr, holds: boolean, look: Look): string {
  if (typeof e === "number") return holds ? "it always is" : "it never is";
  if (e.op === "field") return `${e.name} is ${holds}`;
  if (e.op === "not") return truth(e.a, !holds, look);
  if (e.op === "and" || e.op === "or") {
    const word = (e.op === "and") === holds ? "and" : "or";
    return `${truth(e.a, holds, look)} ${word} ${truth(e.b, holds, look)}`;
  }
  if (holds || !("b" in e)) return phrase(e, look);
  return phrase({ ...e, op: OPPOSITE[e.op] ?? e.op }, look);
}

/** A test that is true if a number of up to 32 bits does not fit. */
export function range32(bits: number, x: string): string {
  return bits === 32 ? `${x} >>> 0 !== ${x}` : `(${x} & ${hex(2 ** bits - 1)}) !== ${x}`;
}

export function numberRange(t: UintModel, x: string): string {
  if (t.bits === 64) return `!Number.isSafeInteger(${x}) || ${x} < 0`;
  if (!t.signed) return range32(t.bits, x);
  return t.bits === 32
    ? `(${x} | 0) !== ${x}`
    : `(${x} << ${32 - t.bits}) >> ${32 - t.bits} !== ${x}`;
}

const bigRange = (t: UintModel, x: string): string =>
  `typeof ${x} !== "bigint" || BigInt.as${t.signed ? "Int" : "Uint"}N(64, ${x}) !== ${x}`;
