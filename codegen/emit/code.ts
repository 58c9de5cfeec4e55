/** Printing TypeScript: lines with indentation, safe names, expressions. */
import type { Expr } from "../../spec/lang.js";
import { type FieldModel, type HeaderModel, inValue, type TypeModel } from "../model.js";
import { HELPERS } from "./helpers.js";

/** Lines of code; `block` indents. */
export class Code {
  readonly lines: string[] = [];
  #indent = "";

  line(text = ""): void {
    this.lines.push(text === "" ? "" : this.#indent + text);
  }

  /** `open {`, the lines that `body` prints, `}` and what follows it. */
  block(open: string, body: () => void, close = "}"): void {
    this.line(open === "" ? "{" : `${open} {`);
    this.indented(body);
    this.line(close);
  }

  indented(body: () => void): void {
    const outer = this.#indent;
    this.#indent += "  ";
    body();
    this.#indent = outer;
  }

  /** A documentation comment; lines stay as they are. */
  doc(...lines: readonly string[]): void {
    const all = lines.flatMap((l) => l.split("\n")).map((l) => l.replaceAll("*/", "*\\/"));
    if (all.length === 0 || all.every((l) => l === "")) return;
    if (all.length === 1) this.line(`/** ${all[0]} */`);
    else {
      this.line("/**");
      for (const l of all) this.line(l === "" ? " *" : ` * ${l}`);
      this.line(" */");
    }
  }

  toString(): string {
    return `${this.lines.join("\n").trimEnd()}\n`;
  }
}

export const pascal = (path: string): string =>
  path
    .split(/[.\s_-]+/)
    .map((w) => w.charAt(0).toUpperCase() + w.slice(1))
    .join("");

// Keywords, and names that the generated functions and files use themselves.
const TAKEN = new Set([
  ...HELPERS,
  ...`break case catch class const continue debugger default delete do else enum export extends false finally for function
  if import in instanceof new null return super switch this throw true try typeof var void while with yield let static
  await async implements interface package private protected public arguments eval undefined NaN Infinity
  v o p q i n x h end into little stop sum head octet scale total string number boolean
  measure explain decode read write prepend size measureEnd explainEnd readEnd writeEnd sizeEnd
  MIN MAX TAIL_MIN TAIL_MAX HEADER KNOWN BAD ENCODER DECODER SCRATCH Record Omit
  Math Number BigInt DataView Uint8Array TextDecoder TextEncoder RangeError TypeError`.split(/\s+/),
]);

/** Words of a group, and the functions that go over options. */
const OURS = /^(w\d*|(check|split)[A-Z].*)$/;

/** A field's name as that of a variable. */
export const local = (name: string): string =>
  TAKEN.has(name) || OURS.test(name) ? `${name}_` : name;

/**
 * A variable for what is known of a field beside its value: `note_octets`. A field's name has no underscore,
 * and a helper's neither, so it can meet nobody.
 */
export const beside = (name: string, what: string): string => `${name}_${what}`;

/** A mask or a constant of the wire. */
export const hex = (n: number): string => (n < 10 ? String(n) : `0x${n.toString(16)}`);

/** A quantity: in decimal, unless it is too great to be read so. */
export const dec = (n: number): string =>
  Math.abs(n) < 1_000_000 ? String(n) : n < 0 ? `-0x${(-n).toString(16)}` : `0x${n.toString(16)}`;

/** A field as an expression reads it; `values`: the only ones with which its type lets it be compared. */
interface Named {
  readonly text: string;
  readonly boolean: boolean;
  readonly values?: readonly number[] | undefined;
}

/** The only values that a field can have, by its names. */
export function closed(f: FieldModel | undefined): readonly number[] | undefined {
  const t = f?.type;
  if (t?.kind !== "uint" || t.names === undefined || t.open === true || f?.lint) return undefined;
  return Object.values(t.names);
}

/** How expressions name what they read. */
export interface Names {
  /** The value of a field that is in sight; `boolean` if it is one. */
  field(name: string): Named;
  readonly self?: string;
  readonly head?: string;
  octets?(field: string): string;
  count?(field: string): string;
}

const SIGNS: Readonly<Record<string, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  mod: "%",
  eq: "===",
  ne: "!==",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};
const LOGIC = new Set(["eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not"]);

const wrap = (text: string): string =>
  /^[\w.$()[\]]+!?$/.test(text) && !/^\(.*[^)]$/.test(text) ? text : `(${text})`;

/** An expression that yields a number. */
export function num(e: Expr, names: Names): string {
  if (typeof e === "number") return dec(e);
  switch (e.op) {
    case "field": {
      const { text, boolean } = names.field(e.name);
      return boolean ? `Number(${text})` : text;
    }
    case "self":
      return names.self ?? "NaN";
    case "head":
      return names.head ?? "NaN";
    case "octets":
      return names.octets?.(e.of) ?? "NaN";
    case "count":
      return names.count?.(e.of) ?? "NaN";
    case "payload":
    case "last":
      return "NaN";
    case "pick": {
      const of = wrap(num(e.of, names));
      const entries = Object.entries(e.map);
      const otherwise = e.otherwise ?? entries.pop()?.[1] ?? 0;
      return entries.reduceRight(
        (rest, [k, n]) => `${of} === ${k} ? ${n} : ${rest}`,
        String(otherwise),
      );
    }
    case "not":
      return `Number(${cond(e, names)})`;
  }
  if (LOGIC.has(e.op)) return `Number(${cond(e, names)})`;
  const a = wrap(num(e.a, names));
  const b = wrap(num(e.b, names));
  switch (e.op) {
    case "div":
      // A head's octets are a small whole number.
      if (typeof e.a === "object" && e.a.op === "head" && Math.log2(Number(b)) % 1 === 0)
        return `${a} >>> ${Math.log2(Number(b))}`;
      return `Math.floor(${a} / ${b})`;
    case "shl":
      return typeof e.b === "number" ? `${a} * ${2 ** e.b}` : `${a} * 2 ** ${b}`;
    case "shr":
      return typeof e.b === "number"
        ? `Math.floor(${a} / ${2 ** e.b})`
        : `Math.floor(${a} / 2 ** ${b})`;
    case "mask":
      return `(${a} & ${b}) >>> 0`;
    default:
      return `${a} ${SIGNS[e.op]} ${b}`;
  }
}

/** An expression that yields a boolean. */
export function cond(e: Expr, names: Names): string {
  if (typeof e === "number") return e === 0 ? "false" : "true";
  if (e.op === "field") {
    const { text, boolean } = names.field(e.name);
    return boolean ? text : `${text} !== 0`;
  }
  if (e.op === "not") return negated(e.a, names);
  if (e.op === "and" || e.op === "or") {
    return junction(e.op === "and" ? "&&" : "||", cond(e.a, names), cond(e.b, names));
  }
  if ((e.op === "eq" || e.op === "ne") && typeof e.a === "object" && e.a.op === "field") {
    // A comparison of which types know the outcome is a mistake to them.
    const { text, values } = names.field(e.a.name);
    if (values !== undefined && typeof e.b === "number" && !values.includes(e.b))
      return `(${text} as number) ${SIGNS[e.op]} ${dec(e.b)}`;
  }
  if (LOGIC.has(e.op) && "b" in e)
    return `${wrap(num(e.a, names))} ${SIGNS[e.op]} ${wrap(num(e.b, names))}`;
  return `${wrap(num(e, names))} !== 0`;
}

/** Two conditions as one; parentheses only where the two signs mix. */
function junction(sign: "&&" | "||", a: string, b: string): string {
  const other = sign === "&&" ? " || " : " && ";
  const part = (x: string) => (x.includes(other) || x.includes(" ? ") ? `(${x})` : x);
  return `${part(a)} ${sign} ${part(b)}`;
}

/** What holds if a comparison does not. */
export const OPPOSITE: Readonly<Record<string, "eq" | "ne" | "lt" | "le" | "gt" | "ge">> = {
  eq: "ne",
  ne: "eq",
  lt: "ge",
  le: "gt",
  gt: "le",
  ge: "lt",
};

/** Its negation, without a bang where a sign can say it. */
export function negated(e: Expr, names: Names): string {
  if (typeof e === "object" && "b" in e) {
    const op = OPPOSITE[e.op];
    if (op !== undefined) return cond({ op, a: e.a, b: e.b }, names);
    if (e.op === "or") return junction("&&", negated(e.a, names), negated(e.b, names));
    if (e.op === "and") return junction("||", negated(e.a, names), negated(e.b, names));
  }
  if (typeof e === "object" && e.op === "not") return cond(e.a, names);
  return `!${wrap(cond(e, names))}`;
}

/** A test that is true for values outside `names`; of values below 32 a bit mask, else a comparison. */
export function outside(x: string, values: readonly number[], bits: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  const lo = sorted[0] ?? 0;
  const hi = sorted.at(-1) ?? 0;
  if (hi - lo + 1 === sorted.length) {
    const low = lo === 0 ? "" : `${x} < ${dec(lo)} || `;
    return sorted.length === 1 ? `${x} !== ${dec(lo)}` : `${low}${x} > ${dec(hi)}`;
  }
  if (lo >= 0 && hi < 32) {
    const mask = sorted.reduce((m, n) => m + 2 ** n, 0);
    return `((${hex(mask)} >>> ${x}) & 1) === 0${bits > 5 ? ` || ${x} > ${dec(hi)}` : ""}`;
  }
  return sorted.map((n) => `${x} !== ${hex(n)}`).join(" && ");
}

/** The TypeScript type of a field's value. */
export function typeOf(f: FieldModel, header: HeaderModel): string {
  const base = plainType(f.type, f, header);
  return f.when === undefined ? base : `${base} | undefined`;
}

function plainType(t: TypeModel, f: FieldModel, header: HeaderModel): string {
  switch (t.kind) {
    case "uint":
      if (t.as !== "number") return t.as;
      return t.names !== undefined && t.open !== true && !f.lint ? enumName(f, header) : "number";
    case "escape":
    case "varint":
      return "number";
    case "bytes":
      return "Uint8Array";
    case "text":
      return "string";
    case "pad":
      return "never";
    case "tlv":
      return "{ type: number; value: Uint8Array | undefined }[]";
    case "repeat": {
      const of = plainType(t.of.type, t.of, header);
      return /^\w+$/.test(of) || of.startsWith("{") ? `${of}[]` : `(${of})[]`;
    }
    case "nested":
      return objectType(t.fields, header);
    case "choose": {
      const arms = [
        ...t.arms.map((a) => a.fields),
        ...(t.otherwise === undefined ? [] : [t.otherwise]),
      ];
      return [...new Set(arms.map((a) => objectType(a, header)))].join(" | ");
    }
  }
}

export const objectType = (fields: readonly FieldModel[], header: HeaderModel): string => {
  const own = fields.filter(inValue);
  if (own.length === 0) return "Record<string, never>";
  return `{ ${own.map((f) => `${f.name}: ${typeOf(f, header)}`).join("; ")} }`;
};

/** Name of the constant that holds the names of a field's values. */
export function enumName(f: FieldModel, header: HeaderModel): string {
  const name = pascal(f.path);
  const all = [...every([...header.head, ...header.front, ...header.last])];
  // `a.b` and `aB`.
  const twin =
    f.path.includes(".") && all.some((g) => g.path !== f.path && pascal(g.path) === name);
  if (twin) return f.path.split(".").map(pascal).join("_");
  const taken = TAKEN.has(name) || name === header.type || name === `${header.type}Tail`;
  return taken ? `${name}Value` : name;
}

/** All fields, those inside others too. */
export function* every(fields: readonly FieldModel[]): Generator<FieldModel> {
  for (const f of fields) {
    yield f;
    const t = f.type;
    if (t.kind === "nested") yield* every(t.fields);
    if (t.kind === "repeat") yield* every([t.of]);
    if (t.kind === "choose")
      for (const a of [...t.arms.map((x) => x.fields), t.otherwise ?? []]) yield* every(a);
  }
}
