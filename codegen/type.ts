/** The type of a field: from the vocabulary to the model, with the faults that it can raise. */
import type { Expr, FieldSpec, NamedField, Type } from "../spec/lang.js";
import { evaluate } from "./bounds.js";
import { type Position, refuse } from "./error.js";
import { domains, type FieldResolver, type Scope } from "./field.js";
import type { ChooseModel, FaultKind, FieldModel, TypeModel, UintModel } from "./model.js";
import { isFieldName, isUnsafe } from "./names.js";

/** A field whose type is to be resolved. */
export interface Site {
  readonly resolver: FieldResolver;
  readonly name: string;
  readonly path: string;
  readonly spec: FieldSpec;
  /** What it may refer to. */
  readonly seen: Scope;
  readonly at: Position;
  /** Its full name in the dissector. */
  readonly label: string;
  /** Notes a fault; returns its number. */
  fault(kind: FaultKind, text: string): number;
}

type Of<K extends Type["kind"]> = Extract<Type, { kind: K }>;

export function resolveType(site: Site): TypeModel {
  const t = site.spec.type;
  switch (t.kind) {
    case "uint":
      return uint(t, site);
    case "bytes":
      return bytes(t, site);
    case "text":
      site.fault("text", t.encoding === "ascii" ? "is not ASCII" : "is not UTF-8");
      length(t.length, site);
      if (t.max !== undefined && t.length !== "rest") bounded(t.length, t.max, "octets", site);
      return t;
    case "escape":
      return escape(t, site);
    case "varint":
      site.fault("shortest", "is not in its shortest form");
      site.fault("range", `does not fit ${t.bits} bits`);
      return t;
    case "repeat":
      return repeat(t, site);
    case "nested":
      return { kind: "nested", fields: inner(t.fields, site, `${site.path}.`, new Map()) };
    case "choose":
      return choose(t, site);
    case "tlv":
      return tlv(t, site);
    case "pad":
      if (site.path.includes(".")) {
        const problem = `'${site.path}' is padding inside a part, but counts from the head's first octet`;
        refuse(site.at, problem, "move it out of nested() or choose(), or make it reserved bits");
      }
      if (site.spec.lint === true) {
        const problem = `'${site.path}' is padding, and linted`;
        refuse(site.at, problem, "make it bytes() to keep its octets");
      }
      site.fault("pad", "padding is not zero");
      return t;
  }
}

function uint(t: Of<"uint">, { resolver, path, at, spec, fault }: Site): UintModel {
  if (!Number.isInteger(t.bits) || t.bits < 1 || (t.bits > 32 && t.bits !== 64)) {
    refuse(at, `'${path}' has ${t.bits} bits`, "a field has 1 to 32 bits, or 64");
  }
  const [lo, hi] = t.signed ? [-(2 ** (t.bits - 1)), 2 ** (t.bits - 1)] : [0, 2 ** t.bits];
  const fits = (n: number) => Number.isInteger(n) && n >= lo && n < hi;
  if (t.konst !== undefined) {
    if (!fits(t.konst)) {
      const problem = `the constant ${t.konst} of '${path}' does not fit ${t.bits} bits`;
      refuse(at, problem, "widen the field, or mend the constant");
    }
    if (spec.lint !== true)
      fault("konst", t.reserved === true ? "reserved bits are set" : `is not ${t.konst}`);
  }
  if (t.names !== undefined) {
    checkNames(t.names, fits, t.bits, path, at);
    const names = Object.keys(t.names);
    if (t.open !== true && names.length === 0)
      refuse(at, `'${path}' can have no value`, "name one, or add { open: true }");
    if (t.open !== true && spec.lint !== true) fault("names", `is none of ${names.join(", ")}`);
  }
  if (t.flags !== undefined) checkFlags(t.flags, t.bits, path, at);
  if (t.bits === 64 && t.as === "number") fault("range", "is 2^53 or more");
  const { order, ...plain } = t;
  return { ...plain, order: order ?? resolver.order };
}

function bytes(t: Of<"bytes">, site: Site): TypeModel {
  const { path, at, spec, fault } = site;
  if (t.konst !== undefined) {
    if (t.length !== t.konst.length) {
      const problem = `the constant of '${path}' has ${t.konst.length} octets, its type another number`;
      refuse(at, problem, "make them equal");
    }
    const wrong = t.konst.find((n) => !Number.isInteger(n) || n < 0 || n > 255);
    if (wrong !== undefined)
      refuse(at, `the constant of '${path}' has ${wrong}, which is no octet`, "write 0 to 255");
    const octets = t.konst.map((n) => n.toString(16).padStart(2, "0")).join(" ");
    if (spec.lint !== true) fault("konst", `is not ${octets}`);
  }
  length(t.length, site);
  return t;
}

function length(length: Expr | "rest", { resolver, seen, at, path, fault }: Site): void {
  if (length === "rest") fault("max", "takes more than the rest may");
  else resolver.expr(length, seen, at, `the length of '${path}'`);
}

function escape(t: Of<"escape">, { resolver, path, at, fault }: Site): TypeModel {
  const tiers = [...t.tiers].sort((a, b) => a.at - b.at);
  if (tiers.length === 0) refuse(at, `'${path}' has no tiers`, "use bits() instead");
  const top = 2 ** t.bits;
  tiers.forEach((tier, i) => {
    if (tier.at !== top - tiers.length + i) {
      refuse(
        at,
        `'${path}' escapes at ${tier.at}, but its greatest values are ${top - tiers.length} to ${top - 1}`,
        "let the tiers take the greatest values, without a gap",
      );
    }
    const before = tiers[i - 1]?.bits ?? t.bits;
    if (tier.bits % 8 !== 0 || tier.bits <= before) {
      refuse(
        at,
        `tier ${tier.at} of '${path}' has ${tier.bits} bits, and the one before ${before}: it can hold nothing that the other cannot`,
        "let each tier be wider than the one before, in whole octets",
      );
    }
  });
  fault("shortest", "is not in its shortest form");
  if (tiers.some((tier) => tier.bits === 64)) fault("range", "is 2^53 or more");
  return {
    kind: "escape",
    bits: t.bits,
    tiers: tiers.map((tier) => ({
      at: tier.at,
      bits: tier.bits,
      order: tier.order ?? resolver.order,
    })),
  };
}

function repeat(t: Of<"repeat">, site: Site): TypeModel {
  const { resolver, name, path, spec, seen, at, label, fault } = site;
  checkMax(t.max, path, at, "an element count");
  const of = resolver.field(name, path, t.of, seen, label.slice(0, label.lastIndexOf(".")));
  if (of.min === 0 && t.fill !== undefined) {
    const problem = `elements of '${path}' can be empty, so they never fill anything`;
    refuse(at, problem, "give them at least one octet, or a count");
  }
  if ((of.type.kind === "uint" && of.type.bits % 8 !== 0) || t.of.when !== undefined) {
    const problem = `elements of '${path}' do not stand on octets by themselves`;
    refuse(at, problem, "put bits and conditions into nested({ … })");
  }
  if (t.of.auto !== undefined) {
    const problem = `elements of '${path}' are computed, each from what is beside it`;
    refuse(at, problem, "put it into nested({ … }), with what it is computed from");
  }
  if (isOpen(of)) {
    const problem = `the first element of '${path}' takes all that is left`;
    refuse(at, problem, "give the element a length");
  }
  if (t.until !== undefined) {
    if (of.type.kind !== "uint" || of.type.as !== "number") {
      const problem = `'${path}' ends by its element's value, but the element is no number`;
      refuse(at, problem, "repeat a number, or give a count");
    }
    resolver.condition(t.until, seen, at, "the end");
  }
  if (t.count !== undefined) resolver.expr(t.count, seen, at, "the count");
  if (t.fill !== undefined && t.fill !== "rest") resolver.expr(t.fill, seen, at, "the extent");
  if (t.count === undefined) fault("max", `has more than ${t.max} elements`);
  else bounded(t.count, t.max, "elements", site);
  if (t.fill !== undefined) fault("fill", "its elements do not fill its octets");
  return { ...t, of: { ...of, shown: label, format: spec.format ?? of.format } };
}

function choose(t: Of<"choose">, site: Site): ChooseModel {
  const { resolver, path, seen, at, fault } = site;
  resolver.expr(t.on, seen, at, "the choice");
  if (t.arms.length === 0)
    refuse(at, `'${path}' has no arms`, "write one, or take the choice away");
  const taken = new Map<number, string>();
  for (const arm of t.arms) {
    const there = resolver.at(`${path}.${arm.name}`);
    if (!isFieldName(arm.name)) refuse(there, `'${arm.name}' is no name for an arm`, CAMEL);
    for (const is of arm.is) {
      const other = taken.get(is);
      if (other !== undefined) {
        const problem = `the arms '${other}' and '${arm.name}' of '${path}' overlap: both are for ${is}`;
        refuse(there, problem, "let each value have one arm");
      }
      taken.set(is, arm.name);
    }
  }
  const arm = (name: string, fields: readonly NamedField[]) => {
    // Its fields stand among those around it, so they cannot be called as it is.
    if (fields.some((f) => f.name === site.name)) {
      const problem = `the name '${site.name}' is taken by the field around it`;
      refuse(resolver.at(`${path}.${name}.${site.name}`), problem, "choose another");
    }
    return inner(fields, site, `${path}.${name}.`, new Map(seen));
  };
  const arms = t.arms.map(({ name, is, fields }) => ({ name, is, fields: arm(name, fields) }));
  if (t.otherwise !== undefined) return { ...t, arms, otherwise: arm("otherwise", t.otherwise) };
  fault("arm", "has no form for this value");
  return { kind: "choose", on: t.on, arms };
}

function tlv(t: Of<"tlv">, site: Site): TypeModel {
  const { resolver, path, seen, at, fault } = site;
  checkMax(t.max, path, at, "a length");
  if (t.fill !== "rest") resolver.expr(t.fill, seen, at, "the extent");
  const bits = 8 * t.type;
  checkNames(t.names, (n) => Number.isInteger(n) && n >= 0 && n < 2 ** bits, bits, path, at);
  fault("fill", "an option does not fit its list");
  if (t.fill === "rest") fault("max", `takes more than ${t.max} octets`);
  else bounded(t.fill, t.max, "octets", site);
  if (t.align > 1) fault("pad", "its padding is not zero");
  if (t.end !== undefined) fault("end", "something follows the end of the list");
  return { ...t, order: resolver.order };
}

/** An extent that can be more than its maximum is a fault; one that always is, a mistake. */
function bounded(extent: Expr, max: number, unit: string, { seen, at, path, fault }: Site): void {
  const { lo, hi } = evaluate(extent, domains(seen));
  if (lo > max) refuse(at, `'${path}' always has more than ${max} ${unit}`, "raise its max");
  if (hi > max) fault("max", `${unit === "octets" ? "takes" : "has"} more than ${max} ${unit}`);
}

/** Fields inside a field, which share octets only among themselves. */
function inner(
  list: readonly NamedField[],
  { resolver, label }: Site,
  prefix: string,
  seen: Map<string, FieldModel>,
): FieldModel[] {
  const fields = resolver.list(list, prefix, seen, label);
  resolver.layout(fields);
  return fields;
}

/** Whether the field takes all octets that are left, however many. */
export function isOpen({ type: t }: FieldModel): boolean {
  if (t.kind === "bytes" || t.kind === "text") return t.length === "rest";
  if (t.kind === "repeat" || t.kind === "tlv") return t.fill === "rest";
  if (t.kind === "nested") return t.fields.some(isOpen);
  if (t.kind !== "choose") return false;
  return [...t.arms.map((a) => a.fields), t.otherwise ?? []].some((arm) => arm.some(isOpen));
}

export const CAMEL = "write one word in camelCase: sourcePort";

function checkMax(max: number, path: string, at: Position, what: string): void {
  if (Number.isInteger(max) && max >= 1 && max < 2 ** 24) return;
  const mend = `give ${what} as max, from 1 to ${2 ** 24 - 1}`;
  refuse(at, `'${path}' repeats without a bound`, mend);
}

function checkNames(
  names: Readonly<Record<string, number>>,
  fits: (n: number) => boolean,
  bits: number,
  path: string,
  at: Position,
): void {
  const seen = new Map<number, string>();
  for (const [name, n] of Object.entries(names)) {
    if (isUnsafe(name)) refuse(at, `'${name}' is not safe as a value's name`, "choose another");
    if (!fits(n)) {
      const problem = `'${name}' is ${n}, which does not fit the ${bits} bits of '${path}'`;
      refuse(at, problem, "widen the field, or mend the value");
    }
    const other = seen.get(n);
    if (other !== undefined) {
      const problem = `'${other}' and '${name}' of '${path}' are two spellings of ${n}`;
      refuse(at, problem, "let each value have one name");
    }
    seen.set(n, name);
  }
}

function checkFlags(
  flags: Readonly<Record<string, number>>,
  bits: number,
  path: string,
  at: Position,
): void {
  let taken = 0;
  for (const [name, mask] of Object.entries(flags)) {
    if (isUnsafe(name)) refuse(at, `'${name}' is not safe as a flag's name`, "choose another");
    if (!Number.isInteger(mask) || mask <= 0 || mask >= 2 ** bits)
      refuse(at, `flag '${name}' of '${path}' does not fit ${bits} bits`, "mend its mask");
    if ((taken & mask) !== 0)
      refuse(at, `flag '${name}' of '${path}' overlaps another`, "let each bit have one name");
    taken |= mask;
  }
}
