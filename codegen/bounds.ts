/**
 * How many octets fields take, least and most, by walking their paths.
 *
 * Not a sum: WebSocket's two longer lengths exclude one another, so its header's maximum is 14, not 16.
 * Values are intervals. Where a condition is open the walk goes both ways, each with what the condition
 * says about the field. An interval forgets that one field decides two things: such fields are tried
 * value by value if they have few values, else cut where expressions compare them; as long as that
 * makes no more than so many paths.
 */
import type { Expr } from "../spec/lang.js";
import { type FieldModel, isKonst, parts, reads, type TypeModel } from "./model.js";

/** Least and most; both attained as far as the walk can tell. */
export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

type Env = ReadonlyMap<string, Interval>;
const point = (n: number): Interval => ({ lo: n, hi: n });
const UNKNOWN: Interval = { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
const truth = (yes: boolean, no: boolean): Interval =>
  yes ? point(1) : no ? point(0) : { lo: 0, hi: 1 };

/** What an expression can yield. `self` and `head` where they mean something. */
export function evaluate(
  e: Expr,
  env: Env,
  at: { self?: Interval; head?: Interval } = {},
): Interval {
  if (typeof e === "number") return point(e);
  switch (e.op) {
    case "field":
      return env.get(e.name) ?? UNKNOWN;
    case "self":
      return at.self ?? UNKNOWN;
    case "head":
      return at.head ?? UNKNOWN;
    case "payload":
    case "octets":
    case "count":
    case "last":
      return { lo: 0, hi: Number.POSITIVE_INFINITY };
    case "not": {
      const a = evaluate(e.a, env, at);
      return { lo: 1 - a.hi, hi: 1 - a.lo };
    }
    case "pick": {
      const of = evaluate(e.of, env, at);
      const hit = Object.entries(e.map)
        .filter(([k]) => Number(k) >= of.lo && Number(k) <= of.hi)
        .map(([, v]) => v);
      if (e.otherwise !== undefined && !(of.lo === of.hi && hit.length > 0)) hit.push(e.otherwise);
      return hit.length === 0 ? UNKNOWN : { lo: Math.min(...hit), hi: Math.max(...hit) };
    }
  }
  const a = evaluate(e.a, env, at);
  const b = evaluate(e.b, env, at);
  const corners = (f: (x: number, y: number) => number): Interval => {
    const all = [f(a.lo, b.lo), f(a.lo, b.hi), f(a.hi, b.lo), f(a.hi, b.hi)].map((n) =>
      Number.isNaN(n) ? 0 : n,
    );
    return { lo: Math.min(...all), hi: Math.max(...all) };
  };
  switch (e.op) {
    case "add":
      return { lo: a.lo + b.lo, hi: a.hi + b.hi };
    case "sub":
      return { lo: a.lo - b.hi, hi: a.hi - b.lo };
    case "mul":
      return corners((x, y) => x * y);
    case "div":
      return b.lo > 0 ? corners((x, y) => Math.floor(x / y)) : UNKNOWN;
    case "mod":
      if (a.lo === a.hi && b.lo === b.hi) return point(a.lo % b.lo);
      return { lo: 0, hi: Math.max(0, b.hi - 1) };
    case "shl":
      return corners((x, y) => x * 2 ** y);
    case "shr":
      return corners((x, y) => Math.floor(x / 2 ** y));
    case "mask":
      if (a.lo === a.hi && b.lo === b.hi) return point((a.lo & b.lo) >>> 0);
      return { lo: 0, hi: Math.min(a.hi, b.hi) };
    case "eq":
      return truth(a.lo === a.hi && b.lo === b.hi && a.lo === b.lo, a.hi < b.lo || a.lo > b.hi);
    case "ne":
      return truth(a.hi < b.lo || a.lo > b.hi, a.lo === a.hi && b.lo === b.hi && a.lo === b.lo);
    case "lt":
      return truth(a.hi < b.lo, a.lo >= b.hi);
    case "le":
      return truth(a.hi <= b.lo, a.lo > b.hi);
    case "gt":
      return truth(a.lo > b.hi, a.hi <= b.lo);
    case "ge":
      return truth(a.lo >= b.hi, a.hi < b.lo);
    case "and":
      return truth(a.lo === 1 && b.lo === 1, a.hi === 0 || b.hi === 0);
    case "or":
      return truth(a.lo === 1 || b.lo === 1, a.hi === 0 && b.hi === 0);
  }
}

const OPPOSITE = { eq: "ne", ne: "eq", lt: "ge", le: "gt", gt: "le", ge: "lt" } as const;
const MIRROR = { eq: "eq", ne: "ne", lt: "gt", le: "ge", gt: "lt", ge: "le" } as const;

/** `env` with what it means that `e` is `holds`; undefined if it cannot be. */
function assume(env: Env, e: Expr, holds: boolean): Env | undefined {
  const now = evaluate(e, env);
  if (holds ? now.hi < 1 : now.lo > 0) return undefined;
  if (typeof e === "number") return env;
  if (e.op === "field") return new Map(env).set(e.name, point(holds ? 1 : 0));
  if (e.op === "not") return assume(env, e.a, !holds);
  if ((e.op === "and" && holds) || (e.op === "or" && !holds)) {
    const a = assume(env, e.a, holds);
    return a === undefined ? undefined : assume(a, e.b, holds);
  }
  if (!("b" in e) || !(e.op in OPPOSITE)) return env;
  let op = e.op as keyof typeof OPPOSITE;
  let [x, y] = [e.a, e.b];
  if (typeof x === "number") [x, y, op] = [y, x, MIRROR[op]];
  if (typeof x === "number" || x.op !== "field") return env;
  const was = env.get(x.name) ?? UNKNOWN;
  const narrowed = narrow(was, holds ? op : OPPOSITE[op], evaluate(y, env));
  return narrowed === undefined ? undefined : new Map(env).set(x.name, narrowed);
}

/** What is left of `was` where it compares so with some value of `than`. */
function narrow(was: Interval, op: keyof typeof OPPOSITE, than: Interval): Interval | undefined {
  let { lo, hi } = was;
  if (op === "eq" || op === "ge") lo = Math.max(lo, Math.ceil(than.lo));
  if (op === "eq" || op === "le") hi = Math.min(hi, Math.floor(than.hi));
  if (op === "gt") lo = Math.max(lo, Math.floor(than.lo) + 1);
  if (op === "lt") hi = Math.min(hi, Math.ceil(than.hi) - 1);
  if (op === "ne" && than.lo === than.hi) {
    if (lo === than.lo) lo++;
    if (hi === than.hi) hi--;
  }
  return lo > hi ? undefined : { lo, hi };
}

/** What the walk finds wrong, or worth telling. */
export interface Findings {
  /** A length that can be negative: what it can come to. */
  negative(field: FieldModel, least: number): void;
  /** A length without a finite bound. */
  unbounded(field: FieldModel): void;
  /** The field is present on some path (or one of its arms is taken). */
  present(field: FieldModel, arm?: string): void;
  /** A path's end: what the fields are, and the octets they take. */
  end?(env: Env, octets: Interval): void;
}

/** A path through fields: what is known, and octets so far. */
interface Path {
  readonly env: Env;
  readonly octets: Interval;
}

const plus = (a: Interval, b: Interval): Interval => ({ lo: a.lo + b.lo, hi: a.hi + b.hi });

/** Octets that `fields` take, with what earlier fields are known to be. */
export function bounds(
  fields: readonly FieldModel[],
  findings: Findings,
  known: Env = new Map(),
): Interval {
  const decided = fields.flatMap(decides);
  const deciding = new Set(decided);
  const shared = decided.filter((name, i) => decided.indexOf(name) !== i);
  const closely = new Set([...fields.flatMap(weighs), ...shared]);
  let paths: Path[] = [{ env: known, octets: point(0) }];
  for (const [i, field] of fields.entries()) {
    const next: Path[] = [];
    const ways = closely.has(field.name) ? PATHS / paths.length : 1;
    const split = deciding.has(field.name) || ways > 1 ? splitter(field, fields, ways) : undefined;
    for (const path of paths) {
      const envs: Env[] = [];
      if (field.when === undefined) envs.push(path.env);
      else {
        // What was assumed of it before holds on: fields of one condition refer to each other.
        const parts = conjuncts(field.when);
        const was = (part: Expr) => path.env.get(keyOf(part))?.lo;
        const absent = was(field.when) === 1 ? undefined : assume(path.env, field.when, false);
        if (absent !== undefined) {
          const env = new Map(absent).set(keyOf(field.when), point(0));
          next.push({ env, octets: path.octets });
        }
        const never = parts.some((part) => was(part) === 0);
        const present = never ? undefined : assume(path.env, field.when, true);
        if (present !== undefined) {
          envs.push(
            new Map([...present, ...parts.map((part) => [keyOf(part), point(1)] as const)]),
          );
        }
      }
      for (const env of envs) {
        for (const way of take(field, env, path.octets, findings, split)) {
          findings.present(field);
          next.push({ env: way.env, octets: plus(path.octets, way.octets) });
        }
      }
    }
    // What nothing later reads need not be told apart; computed fields are compared at the end.
    const later = new Set([
      ...fields.slice(i + 1).flatMap((f) => [...decides(f), ...weighs(f), ...conditions(f)]),
      ...known.keys(),
    ]);
    if (findings.end !== undefined)
      for (const f of fields) if (f.auto !== undefined) later.add(f.name);
    paths = merge(next, later);
  }
  if (findings.end !== undefined) for (const p of paths) findings.end(p.env, p.octets);
  if (paths.length === 0) return point(0);
  return {
    lo: Math.min(...paths.map((p) => p.octets.lo)),
    hi: Math.max(...paths.map((p) => p.octets.hi)),
  };
}

/** Conditions of which it must be remembered whether they hold: the field reads others, so they may be theirs. */
function conditions({ when, ...f }: FieldModel): string[] {
  if (when === undefined) return [];
  const own = reads(when);
  return decides(f).every((name) => own.includes(name)) ? [] : conjuncts(when).map(keyOf);
}

/** A condition, and those that it is made of by `and`. */
const conjuncts = (e: Expr): Expr[] =>
  typeof e === "object" && e.op === "and" ? [e, ...conjuncts(e.a), ...conjuncts(e.b)] : [e];

const keyOf = (when: Expr): string => JSON.stringify(when);

/** Paths that know the same of what matters later are one. */
function merge(paths: readonly Path[], later: ReadonlySet<string>): Path[] {
  const seen = new Map<string, Path>();
  for (const { env, octets } of paths) {
    const kept = new Map([...env].filter(([name]) => later.has(name)));
    const key = JSON.stringify([...kept].map(([k, v]) => [k, v.lo, v.hi]));
    const other = seen.get(key)?.octets ?? octets;
    const hull = { lo: Math.min(octets.lo, other.lo), hi: Math.max(octets.hi, other.hi) };
    seen.set(key, { env: kept, octets: hull });
  }
  return [...seen.values()];
}

/** Fields that are tried value by value: an interval would not tell enough. */
function weighs(f: FieldModel): string[] {
  const own = decisions(f).flatMap((e) =>
    [...parts(e)].flatMap((p) =>
      p.op === "pick" || p.op === "mask" || p.op === "mod" ? reads(p) : [],
    ),
  );
  if (f.type.kind === "choose") own.push(...reads(f.type.on));
  if ("max" in f.type) own.push(...lengths(f.type).flatMap(reads));
  const head = typeof f.auto === "object" && [...parts(f.auto)].some((p) => p.op === "head");
  return [...own, ...(head ? [f.name] : []), ...inner(f.type).flatMap((g) => g.flatMap(weighs))];
}

/** Fields whose value decides what follows, of those that `f` reads. */
function decides(f: FieldModel): string[] {
  return [...decisions(f).flatMap(reads), ...inner(f.type).flatMap((g) => g.flatMap(decides))];
}

/** Expressions that say whether, or how long, a field is. */
function decisions(f: FieldModel): Expr[] {
  const own = lengths(f.type);
  if (f.when !== undefined) own.push(f.when);
  if (f.type.kind === "choose") own.push(f.type.on);
  return own;
}

/** Expressions that say how many octets, or elements, there are. */
function lengths(t: TypeModel): Expr[] {
  const own: (Expr | "rest" | undefined)[] = [];
  if (t.kind === "bytes" || t.kind === "text") own.push(t.length);
  if (t.kind === "repeat") own.push(t.count, t.fill);
  if (t.kind === "tlv") own.push(t.fill);
  return own.filter((e) => e !== undefined && e !== "rest");
}

function inner(t: TypeModel): readonly (readonly FieldModel[])[] {
  if (t.kind === "nested") return [t.fields];
  if (t.kind === "choose")
    return [...t.arms.map((a) => a.fields), ...(t.otherwise === undefined ? [] : [t.otherwise])];
  if (t.kind === "repeat") return [[t.of]];
  return [];
}

/** Values tried one by one rather than as an interval. */
const FEW = 256;
/** Paths at most that trying value by value may lead to; from there on values are intervals. */
const PATHS = 4096;

/** Splits values of a field into at most so many pieces, if that is possible: all alone, or some. */
function splitter(field: FieldModel, fields: readonly FieldModel[], ways: number) {
  const marks = fields.flatMap((f) => compared(f, field.name));
  return (all: Interval): readonly Interval[] => {
    const few = all.hi - all.lo < FEW;
    const pieces = few ? each(all) : cut(all, marks);
    return pieces.length <= ways ? pieces : [all];
  };
}

const each = ({ lo, hi }: Interval) => Array.from({ length: hi - lo + 1 }, (_, i) => point(lo + i));

/** `marks` alone, and what lies between them. */
function cut({ lo, hi }: Interval, marks: readonly number[]): Interval[] {
  const pieces: Interval[] = [];
  for (const mark of [...new Set(marks)].sort((a, b) => a - b)) {
    if (mark < lo || mark > hi) continue;
    if (mark > lo) pieces.push({ lo, hi: mark - 1 });
    pieces.push(point(mark));
    lo = mark + 1;
  }
  return lo > hi ? pieces : [...pieces, { lo, hi }];
}

/** Numbers that the decisions of `f` compare the field `name` with. */
function compared(f: FieldModel, name: string): number[] {
  const own = decisions(f)
    .filter((e) => reads(e).includes(name))
    .flatMap((e) => [...parts(e)].flatMap((p) => ("b" in p ? [p.a, p.b] : [])))
    .filter((x) => typeof x === "number" && Number.isInteger(x));
  const arms = f.type.kind === "choose" && reads(f.type.on).includes(name) ? f.type.arms : [];
  const deeper = inner(f.type).flatMap((g) => g.flatMap((h) => compared(h, name)));
  return [...(own as number[]), ...arms.flatMap((a) => a.is), ...deeper];
}

/** The values a number can have by its own type and rules. */
export function domain(f: FieldModel): Interval[] {
  if (f.type.kind === "escape" || f.type.kind === "varint") {
    const bits =
      f.type.kind === "varint" ? f.type.bits : Math.max(...f.type.tiers.map((t) => t.bits));
    return [{ lo: 0, hi: Math.min(2 ** bits - 1, Number.MAX_SAFE_INTEGER) }];
  }
  if (f.type.kind !== "uint" || f.type.as === "bigint") return [UNKNOWN];
  const { bits, signed, konst, names, open } = f.type;
  if (konst !== undefined && !f.lint) return [point(konst)];
  if (names !== undefined && open !== true && !f.lint) return Object.values(names).map(point);
  const span = Math.min(2 ** bits, Number.MAX_SAFE_INTEGER + 1);
  return [signed ? { lo: -span / 2, hi: span / 2 - 1 } : { lo: 0, hi: span - 1 }];
}

function* take(
  field: FieldModel,
  env: Env,
  before: Interval,
  findings: Findings,
  split: ((values: Interval) => readonly Interval[]) | undefined,
): Generator<Path> {
  const t = field.type;
  const octetsOf = (e: Expr | "rest", max: number | undefined): Interval => {
    if (e === "rest") {
      if (max === undefined) findings.unbounded(field);
      return { lo: 0, hi: max ?? 0 };
    }
    const n = evaluate(e, env);
    if (n.lo < 0) findings.negative(field, n.lo);
    if (n.hi === Number.POSITIVE_INFINITY && max === undefined) findings.unbounded(field);
    return { lo: Math.max(0, n.lo), hi: Math.min(n.hi, max ?? n.hi) };
  };
  /** The ways to have one of the values `all`, in so many octets. */
  function* values(all: Interval, octets: Interval): Generator<Path> {
    for (const value of split?.(all) ?? [all]) {
      const kept = leaves(field, value, env);
      if (kept === undefined) continue;
      yield { env: split === undefined ? env : new Map(env).set(field.name, kept), octets };
    }
  }
  switch (t.kind) {
    case "uint": {
      // A group's bits count where they complete an octet; a field alone counts its own.
      const octets = point(t.bits / 8);
      if (split === undefined) return yield { env, octets };
      for (const d of domain(field)) yield* values(d, octets);
      return;
    }
    case "escape": {
      const low = (t.tiers[0]?.at ?? 2 ** t.bits) - 1;
      let from = 0;
      for (const [i, hi] of [
        low,
        ...t.tiers.map((x) => Math.min(2 ** x.bits - 1, Number.MAX_SAFE_INTEGER)),
      ].entries()) {
        const octets = point(t.bits / 8 + (i === 0 ? 0 : (t.tiers[i - 1]?.bits ?? 0) / 8));
        yield* values({ lo: from, hi }, octets);
        from = hi + 1;
      }
      return;
    }
    case "varint": {
      const most = Math.ceil(t.bits / 7);
      for (let n = 1; n <= most; n++) {
        const lo = n === 1 ? 0 : 2 ** (7 * (n - 1));
        yield* values({ lo, hi: Math.min(2 ** (7 * n), 2 ** t.bits) - 1 }, point(n));
      }
      return;
    }
    case "bytes":
    case "text": {
      const octets = octetsOf(t.length, t.max);
      if (octets.lo <= octets.hi) yield { env, octets };
      return;
    }
    case "nested":
      return yield { env, octets: bounds(t.fields, within(findings), env) };
    case "choose": {
      const arms = [
        ...t.arms.flatMap((a) => a.is.map((is) => ({ name: a.name, is, fields: a.fields }))),
        ...(t.otherwise === undefined
          ? []
          : [{ name: "otherwise", is: undefined, fields: t.otherwise }]),
      ];
      const on = evaluate(t.on, env);
      for (const arm of arms) {
        let way: Env | undefined = env;
        if (arm.is === undefined) {
          for (const a of t.arms) {
            for (const is of a.is) way = way && assume(way, { op: "eq", a: t.on, b: is }, false);
          }
        } else if (arm.is < on.lo || arm.is > on.hi) continue;
        else way = assume(env, { op: "eq", a: t.on, b: arm.is }, true);
        if (way === undefined) continue;
        findings.present(field, arm.name);
        yield { env: way, octets: bounds(arm.fields, within(findings), way) };
      }
      return;
    }
    case "repeat": {
      const each = bounds([t.of], within(findings), env);
      if (t.fill !== undefined) {
        const step = each.lo === each.hi ? each.lo : 1;
        const octets = filled(octetsOf(t.fill, t.max * each.hi), step, each.lo);
        if (octets.lo <= octets.hi) yield { env, octets };
        return;
      }
      const count = t.count === undefined ? { lo: 1, hi: t.max } : evaluate(t.count, env);
      if (count.lo < 0) findings.negative(field, count.lo);
      const most = Math.min(count.hi, t.max);
      if (count.lo > most) return;
      return yield { env, octets: { lo: Math.max(0, count.lo) * each.lo, hi: most * each.hi } };
    }
    case "tlv": {
      const up = (n: number) => Math.ceil(n / t.align) * t.align;
      const alone = t.single.length > 0;
      const step = alone ? up(t.type) : Math.max(t.align, t.counts === "item" ? t.unit : 1);
      const octets = filled(
        octetsOf(t.fill, t.max),
        step,
        alone ? up(t.type) : up(t.type + t.length),
      );
      if (octets.lo <= octets.hi) yield { env, octets };
      return;
    }
    case "pad": {
      const up = (n: number) => Math.ceil(n / t.to) * t.to - n;
      // Only the ends matter; both stay attained when rounded up.
      const from = Math.round(before.lo);
      const till = Math.round(before.hi);
      return yield { env, octets: { lo: up(from), hi: up(till) } };
    }
  }
}

/** What of so many octets elements can fill that take multiples of `step`, and `least` or none. */
function filled({ lo, hi }: Interval, step: number, least: number): Interval {
  const from = Math.ceil(lo / step) * step;
  const till = Math.floor(hi / step) * step;
  return { lo: from > 0 ? Math.max(from, least) : from, hi: till < least ? 0 : till };
}

/** Inner fields are walked for their own findings; path ends are the header's alone. */
function within(f: Findings): Findings {
  return { negative: f.negative, unbounded: f.unbounded, present: f.present };
}

/** What a field's rules leave of `value`, with what earlier fields are known to be. */
export function leaves(
  field: FieldModel,
  value: Interval,
  known: Env = new Map(),
): Interval | undefined {
  if (field.musts.length === 0) return value;
  let env: Env | undefined = new Map(known).set("", value);
  for (const { expr } of field.musts) env = env && assume(env, onSelf(expr), true);
  return env?.get("");
}

/** The rule with the value as a field of no name, so that it can narrow it. */
function onSelf(e: Expr): Expr {
  if (typeof e === "number") return e;
  if (e.op === "self") return { op: "field", name: "" };
  if (e.op === "pick") return { ...e, of: onSelf(e.of) };
  if (e.op === "not") return { ...e, a: onSelf(e.a) };
  if ("a" in e) return { ...e, a: onSelf(e.a), b: onSelf(e.b) };
  return e;
}

/** Octets that one field takes when present, apart from what other fields decide. */
export const span = (f: FieldModel): Interval => {
  if (isKonst(f) && f.type.kind === "bytes") return point(f.type.konst?.length ?? 0);
  if (f.type.kind === "pad") return { lo: 0, hi: f.type.to - 1 };
  const quiet: Findings = { negative() {}, unbounded() {}, present() {} };
  const { when, ...always } = f;
  return bounds([always as FieldModel], quiet);
};
