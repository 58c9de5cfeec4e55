/** How fields share octets: which stand alone, and which are groups of bits. */
import type { Expr } from "../spec/lang.js";
import type { FieldModel } from "./model.js";

export type Segment =
  | { readonly kind: "field"; readonly field: FieldModel; readonly when?: Expr }
  | Group;

export interface Group {
  readonly kind: "bits";
  readonly fields: readonly FieldModel[];
  /** Bits from the group's first to the field's first, for each field. */
  readonly offsets: readonly number[];
  /** Octets of the group: 1 to 4. An escape's wider form comes after them. */
  readonly octets: number;
  readonly when?: Expr;
}

/** Bits that a field has in a group: those of its first part if it is an escape. */
export function bitWidth(f: FieldModel): number | undefined {
  if (f.type.kind === "escape") return f.type.bits;
  if (f.type.kind === "uint") return f.type.bits;
  return undefined;
}

/** Where a group of bits goes wrong. */
export interface Ragged {
  readonly field: FieldModel;
  readonly bits: number;
  readonly problem:
    | "ends inside an octet"
    | "is wider than 32 bits"
    | "has fields with different conditions";
}

const same = (a: Expr | undefined, b: Expr | undefined) => JSON.stringify(a) === JSON.stringify(b);

/** Splits fields into segments; a group of bits runs from one octet boundary to the next. */
export function layout(
  fields: readonly FieldModel[],
  bad: (r: Ragged) => never = raise,
): Segment[] {
  const segments: Segment[] = [];
  let group: FieldModel[] = [];
  let offsets: number[] = [];
  let bits = 0;
  for (const field of fields) {
    const width = bitWidth(field);
    if (
      group.length === 0 &&
      (width === undefined || (field.type.kind === "uint" && width % 8 === 0))
    ) {
      segments.push({
        kind: "field",
        field,
        ...(field.when === undefined ? {} : { when: field.when }),
      });
      continue;
    }
    if (width === undefined) return bad(ragged(group, offsets, bits));
    const first = group[0] ?? field;
    if (!same(first.when, field.when))
      return bad({ field, bits, problem: "has fields with different conditions" });
    offsets.push(bits);
    group.push(field);
    bits += width;
    if (bits > 32) return bad({ field, bits, problem: "is wider than 32 bits" });
    if (bits % 8 === 0) {
      const when = first.when === undefined ? {} : { when: first.when };
      segments.push({ kind: "bits", fields: group, offsets, octets: bits / 8, ...when });
      [group, offsets, bits] = [[], [], 0];
    } else if (field.type.kind === "escape") return bad(ragged(group, offsets, bits));
  }
  if (group.length > 0) return bad(ragged(group, offsets, bits));
  return segments;
}

/** A group that ends inside an octet: where bits are missing, most likely before whole octets. */
function ragged(group: readonly FieldModel[], offsets: readonly number[], bits: number): Ragged {
  const whole = group.findIndex((f, i) => i > 0 && f.type.kind === "uint" && f.type.bits % 8 === 0);
  const at = whole < 0 ? group.length : whole;
  const problem = "ends inside an octet";
  return { field: group[at - 1] as FieldModel, bits: offsets[at] ?? bits, problem };
}

/** The same segments, but neighbours that one load or store of 2 or 4 octets can move are one group. */
export function joined(segments: readonly Segment[]): Segment[] {
  const out: Segment[] = [];
  for (let i = 0; i < segments.length; ) {
    const run = longest(segments.slice(i, i + 4));
    out.push(run.length > 1 ? together(run) : (segments[i] as Segment));
    i += Math.max(run.length, 1);
  }
  return out;
}

/** As many of the first segments as make up 2 or 4 octets. */
function longest(segments: readonly Segment[]): Group[] {
  const run: Group[] = [];
  let fitting = 0;
  let octets = 0;
  for (const s of segments) {
    const next = group(s);
    if (next === undefined || ends(run.at(-1)) || !same(next.when, segments[0]?.when)) break;
    octets += next.octets;
    run.push(next);
    if (octets === 2 || octets === 4) fitting = run.length;
  }
  return run.slice(0, fitting);
}

function together(run: readonly Group[]): Group {
  let before = 0;
  const offsets = run.flatMap((g) => {
    const moved = g.offsets.map((n) => n + before);
    before += g.octets * 8;
    return moved;
  });
  return {
    ...(run[0] as Group),
    fields: run.flatMap((g) => g.fields),
    offsets,
    octets: before / 8,
  };
}

/** A segment as bits of a word, the highest first, if it can be. */
function group(s: Segment): Group | undefined {
  if (s.kind === "bits") return s;
  const t = s.field.type;
  if (t.kind !== "uint" || t.signed || t.bits > 24 || (t.bits > 8 && t.order !== "big")) return;
  const when = s.when === undefined ? {} : { when: s.when };
  return { kind: "bits", fields: [s.field], offsets: [0], octets: t.bits / 8, ...when };
}

function raise(r: Ragged): never {
  throw new Error(`unchecked model: the group of bits at ${r.field.path} ${r.problem}`);
}

/** The fields of a segment. */
export const fieldsOf = (s: Segment): readonly FieldModel[] =>
  s.kind === "bits" ? s.fields : [s.field];

/** Whether what follows cannot be known to stand at a fixed distance. */
export function ends(s: Segment | undefined): boolean {
  if (s === undefined) return false;
  return s.kind === "bits" && s.fields.at(-1)?.type.kind === "escape";
}

/** Octets of a segment, if always the same and tested together with its neighbours. */
export function fixedSize(s: Segment): number | undefined {
  if (s.kind === "bits") return s.octets;
  const t = s.field.type;
  if (t.kind === "uint") return t.bits / 8;
  if ((t.kind === "bytes" || t.kind === "text") && typeof t.length === "number") return t.length;
  return undefined;
}

/** Offset of a field from the head's first octet, if it is fixed. */
export function offsetOf(f: FieldModel, fields: readonly FieldModel[]): number | undefined {
  let at = 0;
  for (const s of layout(fields)) {
    if (fieldsOf(s).includes(f)) return s.when === undefined ? at : undefined;
    const n = fixedSize(s);
    if (n === undefined || s.when !== undefined || ends(s)) return undefined;
    at += n;
  }
  return undefined;
}
