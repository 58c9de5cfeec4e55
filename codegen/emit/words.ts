/** Fields and expressions in words for people: what pictures and the catalogue say. */
import type { Expr } from "../../spec/lang.js";
import { type FieldModel, innerOf, type TypeModel } from "../model.js";

/** Finds the field that an expression names, for the names of its values. */
export type Look = (name: string) => FieldModel | undefined;

/** A look-up by name in some fields and what they hold. */
export function lookIn(fields: readonly FieldModel[]): Look {
  const all = new Map<string, FieldModel>();
  const visit = (list: readonly FieldModel[]) => {
    for (const f of list) {
      if (!all.has(f.name)) all.set(f.name, f);
      for (const inner of innerOf(f.type)) visit(inner);
    }
  };
  visit(fields);
  return (name) => all.get(name);
}

const SIGNS: Readonly<Record<string, string>> = {
  add: "+",
  sub: "-",
  mul: "×",
  div: "/",
  mod: "mod",
  shl: "<<",
  shr: ">>",
  mask: "&",
  lt: "<",
  le: "≤",
  gt: ">",
  ge: "≥",
};

/** What binds closer stands without parentheses. */
const RANK: Readonly<Record<string, number>> = {
  add: 2,
  sub: 2,
  mul: 3,
  div: 3,
  mod: 3,
  shl: 1,
  shr: 1,
  mask: 1,
};
const rank = (e: Expr): number => (typeof e === "object" && "b" in e ? (RANK[e.op] ?? 0) : 4);

/** A number as people write it: great ones in hex. */
export const figure = (n: number): string => (n >= 0x10000 ? `0x${n.toString(16)}` : String(n));

/** An amount or a condition: `(ihl - 5) × 4`, `opcode is close or ping`. `self`: what a rule is about. */
export function phrase(e: Expr, look: Look, self = "value"): string {
  const say = (x: Expr) => phrase(x, look, self);
  const atLeast = (least: number, x: Expr) => (rank(x) < least ? `(${say(x)})` : say(x));
  if (typeof e === "number") return figure(e);
  switch (e.op) {
    case "field":
      return e.name;
    case "self":
      return self;
    case "head":
      return "octets of this header";
    case "payload":
      return "octets of the payload";
    case "octets":
      return `octets of ${e.of}`;
    case "count":
      return `elements of ${e.of}`;
    case "last":
      return `last of ${e.of}`;
    case "not":
      return `not ${atLeast(1, e.a)}`;
    case "pick": {
      const arms = Object.entries(e.map).map(
        ([k, v]) => `${figure(v)} if ${say(e.of)} is ${valueName(e.of, Number(k), look)}`,
      );
      return [...arms, ...(e.otherwise === undefined ? [] : [`else ${figure(e.otherwise)}`])].join(
        ", ",
      );
    }
    case "eq":
    case "ne":
      return equality(e.op, e.a, e.b, look, say);
    case "and":
    case "or": {
      const same = alternatives(e, look);
      if (same !== undefined) return same;
      const mixed = (x: Expr) =>
        typeof x === "object" && (x.op === "and" || x.op === "or") && x.op !== e.op;
      const side = (x: Expr) =>
        mixed(x) && alternatives(x, look) === undefined ? `(${say(x)})` : say(x);
      return `${side(e.a)} ${e.op} ${side(e.b)}`;
    }
  }
  return `${atLeast(rank(e), e.a)} ${SIGNS[e.op]} ${atLeast(rank(e) + 1, e.b)}`;
}

function equality(op: "eq" | "ne", a: Expr, b: Expr, look: Look, say: (x: Expr) => string): string {
  const flag = b === 0 ? flagOf(a, look) : undefined;
  if (flag !== undefined) return op === "ne" ? flag : `not ${flag}`;
  const value = typeof b === "number" ? valueName(a, b, look) : say(b);
  return `${say(a)} is ${op === "ne" ? "not " : ""}${value}`;
}

/** `flags.syn`, for a test of one named bit. */
function flagOf(e: Expr, look: Look): string | undefined {
  if (typeof e === "number" || e.op !== "mask" || typeof e.a === "number" || e.a.op !== "field")
    return undefined;
  const type = look(e.a.name)?.type;
  const flags = type?.kind === "uint" ? type.flags : undefined;
  const name = Object.entries(flags ?? {}).find(([, mask]) => mask === e.b)?.[0];
  return name === undefined ? undefined : `${e.a.name}.${name}`;
}

/** The name of a field's value, if it has one. */
function valueName(of: Expr, n: number, look: Look): string {
  const type = typeof of === "object" && of.op === "field" ? look(of.name)?.type : undefined;
  const names = type?.kind === "uint" ? type.names : undefined;
  return Object.entries(names ?? {}).find(([, value]) => value === n)?.[0] ?? figure(n);
}

/** `a is x or y`, `a is neither x nor y`: one field compared with several constants. */
function alternatives(e: Expr, look: Look): string | undefined {
  if (typeof e === "number" || (e.op !== "or" && e.op !== "and")) return undefined;
  const leaf = e.op === "or" ? "eq" : "ne";
  const names: string[] = [];
  let field: string | undefined;
  const collect = (x: Expr): boolean => {
    if (typeof x === "number") return false;
    if (x.op === e.op) return collect(x.a) && collect(x.b);
    if (x.op !== leaf || typeof x.b !== "number" || typeof x.a === "number" || x.a.op !== "field")
      return false;
    if (field !== undefined && field !== x.a.name) return false;
    field = x.a.name;
    names.push(valueName(x.a, x.b, look));
    return true;
  };
  if (!collect(e) || field === undefined) return undefined;
  const last = names.pop() ?? "";
  const before = names.join(", ");
  return e.op === "or"
    ? `${field} is ${before} or ${last}`
    : `${field} is neither ${before} nor ${last}`;
}

/** A type in few words: `u16`, `3 bits`, `4 octets`, `1 to 16 × u32`. `look`: fields around it. */
export function typeWords(t: TypeModel, look: Look): string {
  switch (t.kind) {
    case "uint":
      return uintWords(t.bits, t.signed);
    case "bytes":
      return octets(t.length, t.max, look);
    case "text":
      return `text, ${octets(t.length, t.max, look)}`;
    case "escape":
      return `${uintWords(t.bits, false)}, ${escapeWords(t)}`;
    case "varint":
      return `1 to ${Math.ceil(t.bits / 7)} octets of 7 bits each`;
    case "nested":
      return `(${fieldsWords(t.fields, look)})`;
    case "choose":
      return `by ${phrase(t.on, look)}`;
    case "pad":
      return `zero up to a multiple of ${t.to}`;
    case "repeat": {
      const each = typeWords(t.of.type, look);
      if (t.until !== undefined)
        return `1 to ${t.max} × ${each}, the last ${phrase(t.until, look, "").trim()}`;
      if (t.count !== undefined) return `${phrase(t.count, look)} × ${each}`;
      if (t.fill === "rest") return `up to ${t.max} × ${each}`;
      return `${each} each, in ${phrase(t.fill ?? 0, look)} octets`;
    }
    case "tlv": {
      const item = `type ${uintWords(8 * t.type, false)}, length ${uintWords(8 * t.length, false)}, value`;
      return `${item}, …; ${octets(t.fill, t.max, look)} in all`;
    }
  }
}

/** What an escape's wider forms are: `u16 if 126, u64 if 127`. */
export const escapeWords = (t: Extract<TypeModel, { kind: "escape" }>): string =>
  t.tiers.map((tier) => `${uintWords(tier.bits, false)} if ${tier.at}`).join(", ");

/** Several fields on one line: `id u16, sequence u16`. */
export const fieldsWords = (fields: readonly FieldModel[], look: Look): string =>
  fields.length === 0
    ? "nothing"
    : fields.map((f) => `${f.name} ${typeWords(f.type, look)}${whenWords(f, look)}`).join(", ");

/** `, if masked`, or nothing. */
export const whenWords = (f: FieldModel, look: Look): string =>
  f.when === undefined ? "" : `, if ${phrase(f.when, look)}`;

function uintWords(bits: number, signed: boolean): string {
  if (bits === 1) return "1 bit";
  if (bits % 8 !== 0) return `${bits} bits`;
  return `${signed ? "i" : "u"}${bits}`;
}

function octets(length: Expr | "rest", max: number | undefined, look: Look): string {
  if (length === "rest") return max === undefined ? "the rest" : `up to ${max} octets`;
  return length === 1 ? "1 octet" : `${phrase(length, look)} octets`;
}
