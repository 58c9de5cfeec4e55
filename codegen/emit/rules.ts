/**
 * What a number must keep to for the sake of others: that it has an arm, that a count is within its
 * maximum, that elements fill what a length says. Such a rule belongs to the last field it reads.
 */
import type { Expr } from "../../spec/lang.js";
import { evaluate } from "../bounds.js";
import { expressions, type FieldModel, parts, reads } from "../model.js";

export interface Constraint {
  /** The rule. */
  readonly expr: Expr;
  /** The octets of these options must be filled exactly, if `expr` says so many. */
  readonly fits?: FieldModel;
  /** Unset: not to be broken, as the fault would not be certain. */
  readonly fault: number | undefined;
}

const all = (op: "and" | "or", list: readonly Expr[]): Expr =>
  list.reduce((a, b) => ({ op, a, b }));
const le = (a: Expr, b: Expr): Expr => ({ op: "le", a, b });
const eq = (a: Expr, b: Expr): Expr => ({ op: "eq", a, b });

/** The constraints that a field's type lays on others, as far as `conditions` hold. */
function* constraintsOf(f: FieldModel, conditions: readonly Expr[]): Generator<Constraint> {
  const { type: t, faults } = f;
  const given = f.when === undefined ? conditions : [...conditions, f.when];
  const rule = (expr: Expr, fault: number | undefined): Constraint => ({
    expr: given.length === 0 ? expr : { op: "or", a: { op: "not", a: all("and", given) }, b: expr },
    fault,
  });
  switch (t.kind) {
    case "choose": {
      const arms = t.arms.map((a) =>
        all(
          "or",
          a.is.map((is) => eq(t.on, is)),
        ),
      );
      if (t.otherwise === undefined) yield rule(all("or", arms), faults.arm);
      for (const [i, arm] of t.arms.entries()) {
        for (const g of arm.fields) yield* constraintsOf(g, [...given, arms[i] ?? 0]);
      }
      const other: Expr = { op: "not", a: all("or", arms) };
      for (const g of t.otherwise ?? []) yield* constraintsOf(g, [...given, other]);
      return;
    }
    case "repeat": {
      if (t.count !== undefined && faults.max !== undefined)
        yield rule(le(t.count, t.max), faults.max);
      const octets = t.of.min === t.of.max ? t.of.min : undefined;
      if (t.fill !== undefined && t.fill !== "rest" && octets !== undefined) {
        yield rule(le(t.fill, t.max * octets), faults.max);
        if (octets > 1) yield rule(eq({ op: "mod", a: t.fill, b: octets }, 0), faults.fill);
      }
      for (const c of constraintsOf(t.of, given)) yield { ...c, fault: undefined };
      return;
    }
    case "text":
      if (t.length !== "rest" && t.max !== undefined) yield rule(le(t.length, t.max), faults.max);
      return;
    case "tlv":
      if (t.fill === "rest") return;
      if (faults.max !== undefined) yield rule(le(t.fill, t.max), faults.max);
      yield { expr: t.fill, fits: f, fault: undefined };
      return;
    default:
  }
}

/** A computed number is 0 where what it measures is absent. */
function* none({ name, auto, when }: FieldModel, fields: readonly FieldModel[]) {
  if (typeof auto !== "object" || (auto.op !== "octets" && auto.op !== "count")) return;
  const there = fields.find((f) => f.name === auto.of)?.when;
  if (there === undefined || when !== undefined) return;
  const zero = eq({ op: "field", name }, 0);
  yield { expr: { op: "or", a: there, b: zero } as Expr, fault: undefined };
}

/** The constraints on each field of a list, by name. */
export function constraints(fields: readonly FieldModel[]): Map<string, Constraint[]> {
  const found = new Map<string, Constraint[]>();
  const names = fields.map((f) => f.name);
  for (const c of fields.flatMap((f) => [...constraintsOf(f, []), ...none(f, fields)])) {
    const read = reads(c.expr);
    if (!read.every((name) => names.includes(name))) continue;
    const last = names[Math.max(-1, ...read.map((name) => names.indexOf(name)))];
    if (last !== undefined) found.set(last, [...(found.get(last) ?? []), c]);
  }
  return found;
}

/** Values of a field at which something that reads it may change, beside its least and greatest. */
export function marks(
  f: FieldModel,
  fields: readonly FieldModel[],
  own: readonly Constraint[],
): number[] {
  const { type: t } = f;
  const found = new Set<number>();
  if (t.kind === "uint") {
    for (const n of [...Object.values(t.names ?? {}), ...Object.values(t.flags ?? {})])
      found.add(n);
    if (t.konst !== undefined) found.add(t.konst);
  }
  // Where a list has room for a few options: enough for what they can do to one another.
  const few = own
    .filter((c) => c.fits !== undefined)
    .map((c): Expr => ({ op: "ge", a: c.expr, b: 24 }));
  const exprs = [...fields.flatMap((g) => [...expressions(g)]), ...own.map((c) => c.expr), ...few];
  const rules = f.musts.map((m) => m.expr);
  for (const e of [...exprs.filter((e) => reads(e).includes(f.name)), ...rules]) {
    const numbers = [...parts(e)].flatMap((p) => [
      ...("a" in p ? [p.a] : []),
      ...("b" in p ? [p.b] : []),
      ...(p.op === "pick" ? Object.keys(p.map).map(Number) : []),
    ]);
    for (const n of numbers) {
      if (typeof n === "number") for (const m of [n - 1, n, n + 1]) found.add(m);
    }
    for (const m of turns(f.name, range(f), e)) found.add(m);
  }
  const [lo, hi] = range(f);
  return [...found].filter((n) => n > lo && n < hi && Number.isInteger(n)).sort((a, b) => a - b);
}

function range({ type: t }: FieldModel): [number, number] {
  if (t.kind === "uint" && t.signed) return [-(2 ** (t.bits - 1)), 2 ** (t.bits - 1) - 1];
  const bits = t.kind === "uint" || t.kind === "varint" ? t.bits : 64;
  return [0, Math.min(2 ** bits - 1, Number.MAX_SAFE_INTEGER)];
}

/** Places where the truth of `e` changes, as far as a coarse search sees them. */
function turns(name: string, [lo, hi]: readonly [number, number], e: Expr): number[] {
  const holds = (x: number): boolean | undefined => {
    const self = { lo: x, hi: x };
    const truth = evaluate(e, new Map([[name, self]]), { self });
    return truth.lo === truth.hi ? truth.lo !== 0 : undefined;
  };
  const steps = Array.from({ length: 54 }, (_, i) => lo + 2 ** i - 1).filter((x) => x < hi);
  const found: number[] = [];
  [...steps, hi].reduce((from, to) => {
    let [a, b] = [from, to];
    const before = holds(a);
    if (before === undefined || holds(b) === before) return to;
    while (b - a > 1) {
      const middle = Math.floor((a + b) / 2);
      if (holds(middle) === before) a = middle;
      else b = middle;
    }
    found.push(a, b);
    return to;
  });
  return found;
}
