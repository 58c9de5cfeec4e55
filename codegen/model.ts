/**
 * The model: what every target is made from. Plain JSON, checked, with documentation and positions.
 *
 * It is committed as `generated/model.json`, the contract for tools outside this repository.
 */
import type {
  Action,
  Checksum,
  Claims,
  Expr,
  Fact,
  Format,
  Next,
  Order,
  PayloadSpec,
} from "../spec/lang.js";
import type { Position } from "./error.js";

export interface Model {
  readonly version: 1;
  readonly headers: readonly HeaderModel[];
  readonly openers: readonly OpenerModel[];
  readonly stacks: readonly StackModel[];
}

export interface HeaderModel {
  /** Dotted: `ws.frame`. */
  readonly name: string;
  /** Of the exported constant: `wsFrame`. */
  readonly id: string;
  /** Of the generated interface: `WsFrame`. */
  readonly type: string;
  /** Path without extension, from the spec folder: `ws/frame`. */
  readonly file: string;
  readonly position: Position;
  /** The doc comment, whole; first sentence as `title`, without full stop. */
  readonly doc: string;
  readonly title: string;
  readonly ref: string;
  /** In the list of protocols, and before the names of fields: `tcp`, `sp`. */
  readonly protocol: string;
  readonly order: Order | "caller";
  /** Head fields from index `from` on without an order of their own are little-endian if `when`. */
  readonly little?: { readonly from: number; readonly when: Expr };
  readonly head: readonly FieldModel[];
  /** The trailer: `front` comes first on the wire, `last` has a fixed size and decides front's. */
  readonly front: readonly FieldModel[];
  readonly last: readonly FieldModel[];
  /** Octets of the head, least and most; both are attained. */
  readonly min: number;
  readonly max: number;
  readonly tailMin: number;
  readonly tailMax: number;
  /** Names of head fields that the trailer's size or rules need; arguments of the `…End` functions. */
  readonly tailNeeds: readonly string[];
  readonly payload?: PayloadSpec;
  readonly on: Claims;
  readonly sets: Readonly<Record<string, Fact>>;
  readonly shows: Readonly<Record<string, Expr>>;
  readonly ends?: readonly [string, string];
  readonly onFault: Action;
  /** What decoding refuses. A fault's number is the index here. */
  readonly faults: readonly FaultModel[];
}

export type FaultKind =
  /** Not the constant; reserved bits set. */
  | "konst"
  /** Not one of the names. */
  | "names"
  | "must"
  /** A 64-bit number of 2^53 or more. */
  | "range"
  /** Not the shortest form of escape or varint. */
  | "shortest"
  /** More elements, or octets, than the maximum. */
  | "max"
  /** Elements do not fill their octets exactly; an item overruns its list. */
  | "fill"
  /** Not UTF-8, or not ASCII. */
  | "text"
  /** Padding is not zero. */
  | "pad"
  /** A computed value that is not what was computed. */
  | "auto"
  /** No arm, or no entry of a `pick`, for this value. */
  | "arm"
  /** Something follows the list's end. */
  | "end";

export interface FaultModel {
  /** Of the field, from the header: `options.type`. */
  readonly path: string;
  readonly kind: FaultKind;
  /** What is wrong, to follow "path: ". */
  readonly text: string;
  readonly action: Action;
}

export interface FieldModel {
  readonly name: string;
  /** From the header: `length`, `options.type`; elements of a repetition share their field's path. */
  readonly path: string;
  readonly doc: string;
  readonly position: Position;
  /** Full name in the dissector: `tcp.seq_raw`. */
  readonly shown: string;
  readonly format: Format;
  readonly type: TypeModel;
  readonly when?: Expr;
  /** `must`s, each with its fault. */
  readonly musts: readonly { readonly expr: Expr; readonly fault: number; readonly text: string }[];
  /** `should`s: the dissector's. */
  readonly shoulds: readonly { readonly expr: Expr; readonly text: string }[];
  readonly auto?: Expr | "internet";
  /** The computed value always holds, by how lengths follow from it: decoding need not verify. */
  readonly implied?: true;
  readonly check?: Checksum;
  readonly lint: boolean;
  /** Numbers of the faults that this field's type can raise. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** Octets, least and most, when present; for parts of a bit group 0. */
  readonly min: number;
  readonly max: number;
}

export interface UintModel {
  readonly kind: "uint";
  readonly bits: number;
  readonly signed: boolean;
  readonly as: "number" | "bigint" | "boolean";
  /** `header`: decided by the header's order (caller, or `little`). */
  readonly order: Order | "header";
  readonly konst?: number;
  readonly reserved?: true;
  readonly names?: Readonly<Record<string, number>>;
  readonly open?: boolean;
  readonly flags?: Readonly<Record<string, number>>;
}
export interface BytesModel {
  readonly kind: "bytes";
  readonly length: Expr | "rest";
  readonly max?: number;
  readonly konst?: readonly number[];
}
export interface TextModel {
  readonly kind: "text";
  readonly length: Expr | "rest";
  readonly max?: number;
  readonly encoding: "utf8" | "ascii";
}
export interface EscapeModel {
  readonly kind: "escape";
  readonly bits: number;
  readonly tiers: readonly {
    readonly at: number;
    readonly bits: number;
    readonly order: Order | "header";
  }[];
}
export interface VarintModel {
  readonly kind: "varint";
  readonly bits: number;
}
export interface RepeatModel {
  readonly kind: "repeat";
  /** The element; its name is the field's. */
  readonly of: FieldModel;
  readonly until?: Expr;
  readonly count?: Expr;
  readonly fill?: Expr | "rest";
  readonly max: number;
}
export interface NestedModel {
  readonly kind: "nested";
  readonly fields: readonly FieldModel[];
}
export interface ChooseModel {
  readonly kind: "choose";
  readonly on: Expr;
  readonly arms: readonly {
    readonly name: string;
    readonly is: readonly number[];
    readonly fields: readonly FieldModel[];
  }[];
  readonly otherwise?: readonly FieldModel[];
}
export interface TlvModel {
  readonly kind: "tlv";
  /** Octets of an item's type and length. */
  readonly type: number;
  readonly length: number;
  readonly counts: "value" | "item";
  readonly unit: number;
  readonly single: readonly number[];
  readonly end?: number;
  readonly align: number;
  readonly names: Readonly<Record<string, number>>;
  readonly fill: Expr | "rest";
  readonly max: number;
  /** Of types and lengths. */
  readonly order: Order | "header";
}
export interface PadModel {
  readonly kind: "pad";
  readonly to: number;
}
export type TypeModel =
  | UintModel
  | BytesModel
  | TextModel
  | EscapeModel
  | VarintModel
  | RepeatModel
  | NestedModel
  | ChooseModel
  | TlvModel
  | PadModel;

export interface OpenerModel {
  readonly name: string;
  readonly id: string;
  readonly file: string;
  readonly doc: string;
  readonly ref: string;
  readonly op: "http-upgrade";
  readonly on: Claims;
  readonly sets: Readonly<Record<string, string>>;
  readonly next: readonly Next[];
}

export interface StackModel {
  readonly name: string;
  readonly id: string;
  readonly doc: string;
  /** Names of headers, outermost first. */
  readonly headers: readonly string[];
}

/** Lists of fields that a type holds. */
export function innerOf(t: TypeModel): readonly (readonly FieldModel[])[] {
  if (t.kind === "nested") return [t.fields];
  if (t.kind === "repeat") return innerOf(t.of.type);
  if (t.kind !== "choose") return [];
  return [...t.arms.map((a) => a.fields), ...(t.otherwise === undefined ? [] : [t.otherwise])];
}

/** Whether a field is part of the decoded value. */
export const inValue = (f: FieldModel): boolean =>
  f.type.kind !== "pad" && !(isKonst(f) && !f.lint);

/** Whether a field is an argument of `write`: part of the value, and not computed. */
export const isParam = (f: FieldModel): boolean => inValue(f) && f.auto === undefined;

/** Whether the field has one allowed value (also reserved bits). */
export const isKonst = (f: FieldModel): boolean =>
  (f.type.kind === "uint" || f.type.kind === "bytes") && f.type.konst !== undefined;

/** Whether values are numbers that expressions can reckon with. */
export const isNumber = (t: TypeModel): boolean =>
  t.kind === "escape" || t.kind === "varint" || (t.kind === "uint" && t.as !== "bigint");

/** The parts of an expression, itself first. */
export function* parts(e: Expr): Generator<Exclude<Expr, number>> {
  if (typeof e === "number") return;
  yield e;
  if ("a" in e) yield* parts(e.a);
  if ("b" in e) yield* parts(e.b);
  if (e.op === "pick") yield* parts(e.of);
}

/** Names of the fields that an expression reads. */
export const reads = (e: Expr): string[] =>
  [...parts(e)].flatMap((p) => (p.op === "field" ? [p.name] : []));

/** The expressions that decoding a field evaluates; with `rules` also those that only check. */
export function* expressions(f: FieldModel, rules = true): Generator<Expr> {
  if (f.when !== undefined) yield f.when;
  if (rules) {
    for (const m of f.musts) yield m.expr;
    if (f.auto !== undefined && f.auto !== "internet" && f.implied !== true) yield f.auto;
  }
  const t = f.type;
  if ((t.kind === "bytes" || t.kind === "text") && t.length !== "rest") yield t.length;
  if (t.kind === "choose") {
    yield t.on;
    for (const a of [...t.arms.map((x) => x.fields), t.otherwise ?? []])
      for (const g of a) yield* expressions(g, rules);
  }
  if (t.kind === "nested") for (const g of t.fields) yield* expressions(g, rules);
  if (t.kind === "tlv" && t.fill !== "rest") yield t.fill;
  if (t.kind === "repeat") {
    if (t.count !== undefined) yield t.count;
    if (t.fill !== undefined && t.fill !== "rest") yield t.fill;
    if (t.until !== undefined) yield t.until;
    yield* expressions(t.of, rules);
  }
}
