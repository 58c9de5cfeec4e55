/**
 * In which order computed fields can be computed, if in any. Whether a field is there is known by its value:
 * octets and elements of one that is not given are none. So a length may decide whether what it counts is
 * there; what has no value, and what chooses between forms, waits for the number that decides it.
 */
import type { Expr } from "../spec/lang.js";
import { type FieldModel, isParam, parts, reads } from "./model.js";

/** The computed fields of a list in such an order; a ring of them throws what `ring` makes of it. */
export function sequence(
  fields: readonly FieldModel[],
  ring: (names: readonly FieldModel[]) => never = unchecked,
): FieldModel[] {
  const computed = fields.filter(({ auto }) => typeof auto === "object");
  const done = new Set<FieldModel>();
  const visit = (f: FieldModel, path: readonly FieldModel[]): void => {
    if (path.includes(f)) return ring(path.slice(path.indexOf(f)));
    if (done.has(f)) return;
    const needs = new Set(needed(f.auto as Expr, fields));
    for (const g of computed) if (needs.has(g.name)) visit(g, [...path, f]);
    done.add(f);
  };
  for (const f of computed) visit(f, []);
  return [...done];
}

/** The fields that must be known before the expression can be computed. */
function needed(e: Expr, fields: readonly FieldModel[]): string[] {
  return [...parts(e)].flatMap((p) => {
    if (p.op === "field") return [p.name];
    if (p.op === "head") return fields.flatMap((f) => [...presence(f), ...shape(f)]);
    if (p.op !== "octets") return [];
    const of = fields.find((f) => f.name === p.of);
    if (of === undefined) return [];
    return isParam(of) ? shape(of) : [...presence(of), ...shape(of)];
  });
}

/** What decides whether a field is there. */
const presence = ({ when }: FieldModel): string[] => (when === undefined ? [] : reads(when));

/** Fields outside of it that decide which form it has: its arm, and what is there in the arm. */
function shape({ type: t }: FieldModel): string[] {
  if (t.kind === "repeat") return shape(t.of);
  if (t.kind !== "choose") return [];
  const arms = [...t.arms.map((a) => a.fields), t.otherwise ?? []];
  const outer = arms.flatMap((arm) => {
    const own = new Set(arm.map((f) => f.name));
    return deciders(arm).filter((name) => !own.has(name));
  });
  return [...reads(t.on), ...outer];
}

/** Fields that decide how many octets the list takes, beside the values that take them. */
export const deciders = (fields: readonly FieldModel[]): string[] =>
  fields.flatMap((f) => [...presence(f), ...shape(f)]);

/** The computed fields that must be known to tell that, each with those that it needs itself. */
export function deciding(fields: readonly FieldModel[]): FieldModel[] {
  const names = new Set(deciders(fields));
  const order = sequence(fields);
  for (const f of order.toReversed()) {
    if (!names.has(f.name)) continue;
    for (const name of needed(f.auto as Expr, fields)) names.add(name);
  }
  return order.filter((f) => names.has(f.name));
}

/** The fields whose values, octets, or elements a computed one is made from. */
export const sources = (f: FieldModel): string[] =>
  typeof f.auto !== "object"
    ? []
    : [...parts(f.auto)].flatMap((p) =>
        p.op === "field" ? [p.name] : p.op === "octets" || p.op === "count" ? [p.of] : [],
      );

function unchecked([f]: readonly FieldModel[]): never {
  throw new Error(`unchecked model: '${f?.path}' is computed from itself`);
}
