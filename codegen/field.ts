/** Fields of one header: from what its author wrote to the model, each with its place and faults. */
import type {
  Expr,
  FieldSpec,
  Fields,
  Format,
  Header,
  NamedField,
  Order,
  Rule,
} from "../spec/lang.js";
import { domain, evaluate, type Interval, leaves, span } from "./bounds.js";
import { hint, type Position, refuse } from "./error.js";
import { bitWidth, layout } from "./layout.js";
import {
  type FaultKind,
  type FaultModel,
  type FieldModel,
  isNumber,
  parts,
  type TypeModel,
} from "./model.js";
import { isFieldName, isUnsafe } from "./names.js";
import { print } from "./print.js";
import type { Exported } from "./read.js";
import { CAMEL, isOpen, resolveType } from "./type.js";

/** Names that an expression may read, with what they are. */
export type Scope = ReadonlyMap<string, FieldModel>;

export const scope = (fields: readonly FieldModel[]): Scope =>
  new Map(fields.map((f) => [f.name, f]));

/** What every field of a scope can be, without regard to the others. */
export const domains = (seen: Scope): Map<string, Interval> =>
  new Map([...seen].map(([name, f]) => [name, whole(domain(f))]));

const whole = (all: readonly Interval[]): Interval => ({
  lo: Math.min(...all.map((d) => d.lo)),
  hi: Math.max(...all.map((d) => d.hi)),
});

/** What an expression may do besides reading fields that are always there. */
export interface Leave {
  /** Read fields that may be absent. */
  readonly absent?: boolean;
  /** Speak of what is known only when the header, or more, has been read. */
  readonly later?: readonly ("head" | "payload" | "octets" | "count" | "last")[];
}

const LATER = {
  head: "the header's own length",
  payload: "the payload's length",
  octets: "the octets of a field",
  count: "the number of elements",
  last: "the last element",
} as const;

export class FieldResolver {
  readonly faults: FaultModel[] = [];
  /** The fields resolved so far tell the byte order of those to come. */
  told = false;

  constructor(
    readonly e: Exported,
    readonly header: Header<Fields, Fields>,
  ) {}

  /** Where a path stands, or the nearest thing around it. */
  at(path: string): Position {
    for (let part = path; part !== ""; part = part.slice(0, Math.max(0, part.lastIndexOf(".")))) {
      const place = this.e.places.get(part);
      if (place !== undefined) return place.at;
    }
    return this.e.at;
  }

  /** Byte order of fields that do not say. */
  get order(): Order | "header" {
    const { options, more } = this.header;
    if (options.order === "caller") return "header";
    // What comes before the fields that tell the order has none to wait for.
    if (more.little !== undefined) return this.told ? "header" : "big";
    return options.order ?? "big";
  }

  /** Resolves a list of fields; each sees those before it, and those of the lists around it. */
  list(
    list: readonly NamedField[],
    prefix: string,
    seen: Map<string, FieldModel>,
    shown: string,
  ): FieldModel[] {
    return list.map(({ name, spec }) => {
      const path = prefix + name;
      const at = this.at(path);
      if (isUnsafe(name)) this.unsafe(at, name);
      if (!isFieldName(name)) refuse(at, `'${name}' is no name for a field`, CAMEL);
      if (seen.has(name)) {
        const again = this.e.places.get(path)?.again ?? at;
        refuse(again, `the name '${name}' is taken by an earlier field`, "choose another");
      }
      if (spec?.type?.kind === undefined) {
        refuse(at, `'${path}' is no field`, "write a type of the vocabulary, such as u16");
      }
      const field = this.field(name, path, spec, seen, shown);
      seen.set(name, field);
      return field;
    });
  }

  unsafe(at: Position, name: string): never {
    const mend = "every object has it, or gives it a meaning; choose another";
    return refuse(at, `'${name}' is not safe as a name`, mend);
  }

  field(name: string, path: string, spec: FieldSpec, around: Scope, shown: string): FieldModel {
    const at = this.at(path);
    const action = spec.onFault ?? this.header.options.onFault ?? "close";
    const faults: Partial<Record<FaultKind, number>> = {};
    const fault = (kind: FaultKind, text: string): number => {
      const n = this.faults.push({ path, kind, text, action }) - 1;
      if (kind !== "must") faults[kind] = n;
      return n;
    };
    if (spec.when !== undefined) this.condition(spec.when, around, at, "the condition");
    const seen = spec.when === undefined ? around : present(around, spec.when);
    const snake = name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
    // A choice has no octets of its own: its fields are shown as the header's, unless it has a name.
    const choice = spec.type.kind === "choose" && spec.shown === undefined;
    const label = choice ? shown : `${shown}.${spec.shown ?? snake}`;
    const type = resolveType({ resolver: this, name, path, spec, seen, at, label, fault });
    const musts: FieldModel["musts"][number][] = [];
    const shoulds: FieldModel["shoulds"][number][] = [];
    for (const { expr, strict, why } of this.#rules(spec.rules ?? [], path, type, seen, at)) {
      const text = why ?? `${strict ? "must" : "should"} hold: ${print(expr)}`;
      if (strict) musts.push({ expr, text, fault: fault("must", text) });
      else shoulds.push({ expr, text });
    }
    if (spec.auto !== undefined) {
      const text =
        spec.auto === "internet" ? "the checksum is wrong" : `is not ${print(spec.auto)}`;
      fault("auto", text);
      this.#auto(spec, path, type, at);
      const what = `what '${path}' is computed from`;
      const later = ["head", "payload", "octets", "count"] as const;
      if (typeof spec.auto === "object") this.expr(spec.auto, seen, at, what, { later });
    }
    if (spec.check !== undefined && (type.kind !== "uint" || type.bits !== 16)) {
      refuse(at, `'${path}' is an internet checksum, but not 16 bits`, "make it u16");
    }
    const field: FieldModel = {
      name,
      path,
      doc: this.e.places.get(path)?.doc ?? "",
      position: at,
      shown: label,
      format: spec.format ?? natural(type),
      type,
      ...(spec.when === undefined ? {} : { when: spec.when }),
      musts,
      shoulds,
      ...(spec.auto === undefined ? {} : { auto: spec.auto }),
      ...(spec.check === undefined ? {} : { check: spec.check }),
      lint: spec.lint === true,
      faults,
      min: 0,
      max: 0,
    };
    if (!domain(field).some((d) => leaves(field, d))) {
      const rules = musts.map((m) => m.text).join("; ");
      const problem = `no value of '${path}' keeps to its rules (${rules})`;
      refuse(at, problem, "mend the rules, or widen the field");
    }
    if (type.kind === "uint") return { ...field, min: type.bits / 8, max: type.bits / 8 };
    const octets = span(field);
    return {
      ...field,
      min: Math.max(0, octets.lo),
      max: octets.hi === Number.POSITIVE_INFINITY ? -1 : octets.hi,
    };
  }

  /** Rules are about numbers, and what is only shown may be known later. */
  #rules(
    rules: readonly Rule[],
    path: string,
    type: TypeModel,
    seen: Scope,
    at: Position,
  ): readonly Rule[] {
    for (const { expr, strict } of rules) {
      if (!isNumber(type)) {
        const mend = "rules are about numbers; take must() away";
        refuse(at, `'${path}' has a rule, but is no number`, mend);
      }
      const later = strict ? [] : (["head", "payload"] as const);
      const self = type.kind === "uint" && type.as === "boolean";
      this.condition(expr, seen, at, "the rule", { later }, self);
    }
    return rules;
  }

  #auto({ auto = 0, rules }: FieldSpec, path: string, type: TypeModel, at: Position): void {
    if (type.kind !== "uint" || type.as !== "number" || type.konst !== undefined) {
      const mend = "give it a type such as u8 or u16";
      return refuse(at, `'${path}' is computed, but is no whole number`, mend);
    }
    const overHead = typeof auto === "string" || [...parts(auto)].some((p) => p.op === "head");
    if (overHead && path.includes(".")) {
      const problem = `'${path}' is computed from the whole head, but stands inside a part of it`;
      refuse(at, problem, "move it out of nested() or choose()");
    }
    if (auto === "internet" && type.bits !== 16) {
      const problem = `'${path}' is an internet checksum, but not 16 bits of the head`;
      refuse(at, problem, "make it u16");
    }
    if (auto === "internet" && rules?.some(({ strict }) => strict) === true) {
      const problem = `'${path}' is a checksum of all octets, and has a rule`;
      refuse(at, problem, "take must() away");
    }
  }

  /** An expression that holds or does not; `self`: what a rule is about does. */
  condition(e: Expr, seen: Scope, at: Position, what: string, leave?: Leave, self = false): void {
    this.expr(e, seen, at, what, leave);
    const number = amount(e, seen, self);
    if (number === undefined) return;
    const name = number === "value" ? "x" : `h.${number}`;
    const mend = /^\w+$/.test(number) ? `write ${name}.ne(0)` : "compare it: .ne(0)";
    refuse(at, `${what} is a number: ${number}`, mend);
  }

  /** The expression reads only what is known, and is of its kind. */
  expr(e: Expr, seen: Scope, at: Position, what: string, leave: Leave = {}): void {
    for (const p of parts(e)) {
      if (p.op === "pick") this.#entries(p, seen, at, what);
      else if (p.op === "div" || p.op === "mod") this.#divisor(p.b, seen, at, what);
      else if (p.op === "field") this.#read(p.name, seen, at, what, leave);
      else if (p.op in LATER) {
        const op = p.op as keyof typeof LATER;
        if (leave.later?.includes(op) === true) continue;
        const problem = `${what} refers to ${LATER[op]}, which is not known yet`;
        refuse(at, problem, "refer to earlier fields");
      }
    }
  }

  #read(name: string, seen: Scope, at: Position, what: string, { absent }: Leave): void {
    const field = seen.get(name);
    if (field === undefined) {
      const mend = hint(name, new Set(seen.keys()), "earlier fields");
      return refuse(at, `${what} refers to '${name}', which is no earlier field`, mend);
    }
    if (!isNumber(field.type)) {
      const mend = "only numbers up to 2^53 can decide something";
      refuse(at, `${what} refers to '${name}', which is no number`, mend);
    }
    if (field.when !== undefined && absent !== true) {
      const mend = `give both the same when(), or group them: nested({ … }).when(…)`;
      refuse(at, `${what} refers to '${name}', which may be absent`, mend);
    }
    if (field.auto === "internet" && absent !== true) {
      refuse(at, `${what} refers to '${name}', which is a checksum`, "refer to another field");
    }
    if (field.type.kind === "uint" && field.type.konst !== undefined && !field.lint) {
      refuse(at, `${what} refers to '${name}', which is constant`, "write the number");
    }
  }

  /** A look-up knows every value that it may be asked for. */
  #entries(pick: Extract<Expr, { op: "pick" }>, seen: Scope, at: Position, what: string): void {
    if (pick.otherwise !== undefined) return;
    const field =
      typeof pick.of === "object" && pick.of.op === "field" ? seen.get(pick.of.name) : undefined;
    const spans = field === undefined ? [evaluate(pick.of, domains(seen))] : domain(field);
    for (const { lo, hi } of spans) {
      for (let n = lo; n <= hi; n++) {
        if (n in pick.map) continue;
        const mend =
          "add one, give a second argument for all others, or restrict the field with oneOf()";
        refuse(at, `${what} has no entry for ${n}`, mend);
      }
    }
  }

  #divisor(by: Expr, seen: Scope, at: Position, what: string): void {
    const known = new Map([...seen].map(([name, f]) => [name, whole(kept(f))]));
    if (evaluate(by, known).lo > 0) return;
    const mend = "add a must() to the field: .must((x) => x.ge(1))";
    refuse(at, `${what} divides by ${print(by)}, which can be 0`, mend);
  }

  /** Refuses groups of bits that share octets in no order, and what stands behind the rest. */
  layout(fields: readonly FieldModel[]): void {
    fields.slice(0, -1).forEach((f, i) => {
      if (!isOpen(f)) return;
      const problem = `'${f.path}' takes all that is left, so '${fields[i + 1]?.name}' can never follow`;
      refuse(f.position, problem, "give it a length, or put it last");
    });
    layout(fields, ({ field, bits, problem }) => {
      const lack = 8 - (bits % 8);
      const mend = {
        "ends inside an octet": `${bits} ${bits === 1 ? "bit" : "bits"} so far: add reserved(${lack}) or name ${lack === 1 ? "the bit that follows" : `the ${lack} bits that follow`}`,
        "is wider than 32 bits": "let fields end on an octet within 32 bits",
        "has fields with different conditions":
          "give all fields that share an octet the same when()",
      };
      return refuse(
        field.position,
        `the group of bits at '${field.path}' ${problem}`,
        mend[problem],
      );
    });
    if (this.order === "big") return;
    let bits = 0;
    for (const f of fields) {
      const width = bitWidth(f);
      if (width === undefined || (bits === 0 && f.type.kind === "uint" && width % 8 === 0))
        continue;
      if (width > 8 - bits) {
        const problem = `'${f.path}' crosses an octet in a header that is not big-endian`;
        refuse(f.position, problem, "split it, or use a whole u16 or u32");
      }
      bits = (bits + width) % 8;
    }
  }
}

/** What is there where the condition holds: fields of the same condition are not absent then. */
function present(seen: Scope, when: Expr): Scope {
  return new Map(
    [...seen].map(([name, f]) => {
      if (f.when === undefined || !implies(when, f.when)) return [name, f];
      const { when: _, ...there } = f;
      return [name, there];
    }),
  );
}

/** Whether one condition says the other, too: they are one, or it is a part. */
function implies(when: Expr, other: Expr): boolean {
  if (JSON.stringify(when) === JSON.stringify(other)) return true;
  if (typeof when === "number" || when.op !== "and") return false;
  return implies(when.a, other) || implies(when.b, other);
}

const LOGIC = new Set(["eq", "ne", "lt", "le", "gt", "ge"]);

/** What of a condition is a number instead, in words. */
function amount(e: Expr, seen: Scope, self: boolean): string | undefined {
  if (typeof e === "number") return e === 0 || e === 1 ? undefined : String(e);
  if (LOGIC.has(e.op)) return undefined;
  if (e.op === "and" || e.op === "or") return amount(e.a, seen, self) ?? amount(e.b, seen, self);
  if (e.op === "not") return amount(e.a, seen, self);
  const type = e.op === "field" ? seen.get(e.name)?.type : undefined;
  const bit = e.op === "self" ? self : type?.kind === "uint" && type.as === "boolean";
  return bit ? undefined : print(e);
}

/** What a field can be by its type and rules. */
function kept(f: FieldModel): Interval[] {
  return domain(f).flatMap((d) => leaves(f, d) ?? []);
}

function natural(t: TypeModel): Format {
  if (t.kind === "uint") return t.as === "boolean" ? "bool" : "dec";
  if (t.kind === "text") return "text";
  if (t.kind === "escape" || t.kind === "varint") return "dec";
  if (t.kind === "repeat") return t.of.format;
  return "hex";
}
