/** Specs to model: names resolved, faults numbered, bounds walked, and every mistake refused. */
import type {
  Action,
  Expr,
  FieldSpec,
  Fields,
  Format,
  Header,
  HeaderOptions,
  NamedField,
  Next,
  Opener,
  StackSpec,
  Type,
} from "../spec/lang.js";
import { bounds, domain, evaluate, type Findings, type Interval, span } from "./bounds.js";
import { nearest, type Position, SpecError } from "./error.js";
import { bitWidth, layout } from "./layout.js";
import {
  expressions,
  type FaultKind,
  type FaultModel,
  type FieldModel,
  type HeaderModel,
  type Model,
  type OpenerModel,
  parts,
  type StackModel,
  type TypeModel,
} from "./model.js";
import type { Exported, Place } from "./read.js";

type AnyHeader = Header<Fields, Fields>;
export const isHeader = (v: unknown): v is AnyHeader =>
  typeof v === "object" && v !== null && "head" in v && "options" in v && "name" in v;
export const isOpener = (v: unknown): v is Opener =>
  typeof v === "object" && v !== null && "opener" in v;
export const isStack = (v: unknown): v is StackSpec =>
  typeof v === "object" && v !== null && "stack" in v;

/** What other registries offer: headers to name, tables to claim. */
export interface Known {
  readonly headers: ReadonlySet<string>;
  readonly tables: ReadonlySet<string>;
}

/** Builds the model. `known`: what a folder of one's own may refer to besides itself. */
export function resolve(
  exports: readonly Exported[],
  known: Known = { headers: new Set(), tables: new Set() },
): Model {
  const headers: HeaderModel[] = [];
  const openers: OpenerModel[] = [];
  const stacks: [StackModel, Exported][] = [];
  const byFile = new Map<string, Exported>();
  const byName = new Map<string, Exported>();
  for (const e of exports) {
    if (isHeader(e.value)) {
      const other = byFile.get(e.file);
      if (other !== undefined) {
        throw new SpecError(
          e.at,
          `'${e.id}' is the second header of this file, after '${other.id}'`,
          "give each header a file of its own",
        );
      }
      const twin = byName.get(e.value.name);
      if (twin !== undefined) {
        throw new SpecError(
          e.at,
          `the name '${e.value.name}' is taken by ${twin.at.file}:${twin.at.line}`,
          "choose another",
        );
      }
      byFile.set(e.file, e);
      byName.set(e.value.name, e);
      headers.push(new Resolver(e, e.value).header());
    } else if (isOpener(e.value)) {
      const { opener, op, ref, on, sets, next } = e.value;
      openers.push({ name: opener, id: e.id, file: e.file, doc: e.doc, ref, op, on, sets, next });
    } else if (isStack(e.value)) {
      stacks.push([
        { name: e.value.stack, id: e.id, doc: e.doc, headers: e.value.headers.map((h) => h.name) },
        e,
      ]);
    }
  }
  const places = new Map<string, Exported>(exports.map((e) => [`${e.file}#${e.id}`, e]));
  edges(headers, openers, places, known);
  for (const [stack, e] of stacks) {
    for (const name of stack.headers) {
      if (!byName.has(name))
        throw new SpecError(
          e.at,
          `the stack names '${name}', which no spec file exports`,
          "export it",
        );
    }
  }
  return {
    version: 1,
    headers: headers.sort((a, b) => (a.file < b.file ? -1 : 1)),
    openers: openers.sort((a, b) => (a.file < b.file ? -1 : 1)),
    stacks: stacks.map(([s]) => s),
  };
}

/** Tables that some header or opener dispatches by. */
export function tablesOf(model: Pick<Model, "headers" | "openers">): Set<string> {
  const nexts = [
    ...model.headers.map((h) => h.payload?.next ?? []),
    ...model.openers.map((o) => o.next),
  ].flat();
  return new Set(nexts.flatMap((n) => ("table" in n ? [n.table] : [])));
}

/** Checks claims and what they lead to. */
function edges(
  headers: readonly HeaderModel[],
  openers: readonly OpenerModel[],
  places: ReadonlyMap<string, Exported>,
  known: Known,
): void {
  const tables = new Set([...tablesOf({ headers, openers }), ...known.tables]);
  const names = new Set([...headers.map((h) => h.name), ...known.headers]);
  const claimed = new Map<string, string>();
  for (const owner of [...headers, ...openers]) {
    const e = places.get(`${owner.file}#${owner.id}`) as Exported;
    for (const [table, value] of Object.entries(owner.on)) {
      const at =
        e.places.get(`@options.on.${table}`)?.at ?? e.places.get("@options.on")?.at ?? e.at;
      if (!tables.has(table) && table !== ROOT) {
        throw new SpecError(
          at,
          `no header looks anything up in '${table}'`,
          hint(table, tables, "tables"),
        );
      }
      for (const v of value === true ? [] : [value].flat()) {
        const key = `${table}=${v}`;
        const other = claimed.get(key);
        if (other !== undefined) {
          throw new SpecError(
            at,
            `${v} in '${table}' is claimed by '${other}' already`,
            "only one header can follow; take one claim away",
          );
        }
        claimed.set(key, owner.name);
      }
    }
    const next: readonly Next[] = "next" in owner ? owner.next : (owner.payload?.next ?? []);
    for (const n of next) {
      if (n.by === "name" && !names.has(n.header)) {
        const at = e.places.get("@payload.next")?.at ?? e.at;
        throw new SpecError(
          at,
          `no header is called '${n.header}'`,
          hint(n.header, names, "headers"),
        );
      }
    }
  }
}

/** The table by which a capture's packets begin: pcap's link type. */
const ROOT = "linktype";

function hint(name: string, names: ReadonlySet<string>, what: string): string {
  const near = nearest(name, names);
  return near === undefined
    ? `${what} are: ${[...names].sort().join(", ") || "none"}`
    : `did you mean '${near}'?`;
}

const UNSAFE = new Set([
  "__proto__",
  "constructor",
  "prototype",
  "then",
  ...Object.getOwnPropertyNames(Object.prototype),
]);
const FIELD_NAME = /^[a-z][A-Za-z0-9]*$/;
const HEADER_NAME = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$/;

/** Names that fields may read, with what they are. */
type Scope = ReadonlyMap<string, FieldModel>;

class Resolver {
  readonly #faults: FaultModel[] = [];
  readonly #options: HeaderOptions;
  readonly #reached = new Set<string>();

  constructor(
    readonly e: Exported,
    readonly spec: AnyHeader,
  ) {
    this.#options = spec.options;
  }

  #place(path: string): Place {
    return this.e.places.get(path) ?? { doc: "", at: this.e.at };
  }

  #fail(at: Position, problem: string, mend: string): never {
    throw new SpecError(at, problem, mend);
  }

  header(): HeaderModel {
    const { e, spec } = this;
    const { more } = spec;
    const options = this.#options;
    const named = options.protocol ?? spec.name;
    if (!HEADER_NAME.test(spec.name)) {
      this.#fail(
        e.at,
        `'${spec.name}' is no name for a header`,
        "write lower-case words, joined by dots: acme.trace",
      );
    }
    if (!options.ref)
      this.#fail(
        e.at,
        `'${spec.name}' does not say where its layout is defined`,
        'add { ref: "RFC …" } as third argument',
      );
    for (const path of e.places.keys()) {
      const name = path.split(".").at(-1) ?? "";
      if (!path.startsWith("@") && UNSAFE.has(name)) this.#unsafe(path, name);
    }
    const outer = new Map<string, FieldModel>();
    const head = this.#fields(spec.head, "", outer, named);
    const last = this.#fields(more.last ?? [], "", outer, named);
    const front = this.#fields(more.front ?? [], "", outer, named);
    for (const list of [head, last, front]) this.#layout(list);

    const sizes: { env: ReadonlyMap<string, Interval>; octets: Interval }[] = [];
    const size = this.#bounds(head, { end: (env, octets) => sizes.push({ env, octets }) });
    const tail = this.#tail(head, last, front);
    if (size.hi >= 2 ** 24) {
      this.#fail(
        e.at,
        `'${spec.name}' takes up to ${size.hi} octets`,
        `a head has less than 2^24; what is longer belongs into the payload`,
      );
    }
    const done = head.map((f) =>
      this.#implied(f, head, sizes) ? { ...f, implied: true as const } : f,
    );
    this.#autos([...head, ...last, ...front]);

    const payload = more.payload;
    if (payload?.length !== undefined) this.#payload(payload.length, payload.told, head);
    if (more.little !== undefined)
      this.#expr(more.little.when, scope(head.slice(0, more.little.from)), e.at, "the byte order");
    for (const [name, expr] of Object.entries(more.shows ?? {})) {
      const { at } = this.#place(`@shows.${name}`);
      this.#expr(expr, scope(head), at, `'${name}'`);
      for (const p of parts(expr)) {
        if (p.op !== "last" || scope(head).get(p.of)?.type.kind === "repeat") continue;
        this.#fail(at, `'${name}' shows the last of '${p.of}', which is no repetition`, "name one");
      }
    }
    for (const end of more.ends ?? []) {
      if (!outer.has(end))
        this.#fail(e.at, `'${end}' is no field`, hint(end, new Set(outer.keys()), "fields"));
    }
    const title =
      options.title ??
      (e.doc
        .split(/\.(?:\s|$)/)[0]
        ?.replace(/\s+/g, " ")
        .trim() ||
        spec.name);
    return {
      name: spec.name,
      id: e.id,
      type: e.id.charAt(0).toUpperCase() + e.id.slice(1),
      file: e.file,
      position: e.at,
      doc: e.doc,
      title,
      ref: options.ref,
      protocol: named,
      order: options.order ?? "big",
      ...(more.little === undefined ? {} : { little: more.little }),
      head: done,
      front,
      last,
      min: size.lo,
      max: size.hi,
      tailMin: tail.lo,
      tailMax: tail.hi,
      tailNeeds: tail.needs,
      ...(payload === undefined ? {} : { payload }),
      on: options.on ?? {},
      sets: more.sets ?? {},
      shows: more.shows ?? {},
      ...(more.ends === undefined ? {} : { ends: more.ends }),
      onFault: options.onFault ?? "close",
      faults: this.#faults,
    };
  }

  #unsafe(path: string, name: string): never {
    this.#fail(
      this.#place(path).at,
      `'${name}' is not safe as a field's name`,
      "every object has it, or gives it a meaning; choose another",
    );
  }

  /** Resolves a list of fields; each sees those before it, and those of the lists around it. */
  #fields(
    list: readonly NamedField[],
    prefix: string,
    seen: Map<string, FieldModel>,
    shown: string,
  ): FieldModel[] {
    const own = new Set<string>();
    return list.map(({ name, spec }) => {
      const path = prefix + name;
      const { at } = this.#place(path);
      if (UNSAFE.has(name)) this.#unsafe(path, name);
      if (!FIELD_NAME.test(name))
        this.#fail(
          at,
          `'${name}' is no name for a field`,
          "write one word in camelCase: sourcePort",
        );
      if (own.has(name) || seen.has(name))
        this.#fail(at, `the name '${name}' is taken by an earlier field`, "choose another");
      own.add(name);
      const field = this.#field(name, path, spec, seen, shown);
      seen.set(name, field);
      return field;
    });
  }

  #field(
    name: string,
    path: string,
    spec: FieldSpec,
    seen: ReadonlyMap<string, FieldModel>,
    shown: string,
  ): FieldModel {
    const { doc, at } = this.#place(path);
    const action = spec.onFault ?? this.#options.onFault ?? "close";
    const faults: Partial<Record<FaultKind, number>> = {};
    const fault = (kind: FaultKind, text: string): number => {
      const n = this.#faults.push({ path, kind, text, action }) - 1;
      if (kind !== "must") faults[kind] = n;
      return n;
    };
    if (spec.when !== undefined) this.#expr(spec.when, seen, at, "the condition", true);
    const snake = name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
    const label = `${shown}.${spec.shown ?? snake}`;
    const type = this.#type(name, path, spec, seen, at, fault, label, action);
    const musts: FieldModel["musts"][number][] = [];
    const shoulds: FieldModel["shoulds"][number][] = [];
    for (const rule of spec.rules ?? []) {
      if (
        type.kind !== "uint" && type.kind !== "escape" && type.kind !== "varint"
          ? true
          : type.kind === "uint" && type.as === "bigint"
      ) {
        this.#fail(
          at,
          `'${path}' has a rule, but is no number`,
          "rules are about numbers; take must() away",
        );
      }
      this.#expr(rule.expr, seen, at, "the rule", true);
      const text = rule.why ?? `must hold: ${print(rule.expr)}`;
      if (rule.strict) musts.push({ expr: rule.expr, text, fault: fault("must", text) });
      else shoulds.push({ expr: rule.expr, text: rule.why ?? `should hold: ${print(rule.expr)}` });
    }
    if (spec.auto !== undefined) {
      fault(
        "auto",
        spec.auto === "internet" ? "the checksum is wrong" : `is not ${print(spec.auto)}`,
      );
      if (type.kind !== "uint" || type.as !== "number" || type.konst !== undefined) {
        this.#fail(
          at,
          `'${path}' is computed, but is no whole number`,
          "give it a type such as u8 or u16",
        );
      }
      if (
        path.includes(".") &&
        (typeof spec.auto === "string" || [...parts(spec.auto)].some((p) => p.op === "head"))
      ) {
        this.#fail(
          at,
          `'${path}' is computed from the whole head, but stands inside a part of it`,
          "move it out of nested() or choose()",
        );
      }
      if (spec.auto === "internet" && type.bits !== 16) {
        this.#fail(
          at,
          `'${path}' is an internet checksum, but not 16 bits of the head`,
          "make it u16",
        );
      }
    }
    if (spec.check !== undefined && (type.kind !== "uint" || type.bits !== 16)) {
      this.#fail(at, `'${path}' is an internet checksum, but not 16 bits`, "make it u16");
    }
    const field: FieldModel = {
      name,
      path,
      doc,
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
    this.#rules(field);
    if (bitWidth(field) !== undefined && type.kind === "uint")
      return { ...field, min: type.bits / 8, max: type.bits / 8 };
    const octets = span(field);
    return {
      ...field,
      min: Math.max(0, octets.lo),
      max: octets.hi === Number.POSITIVE_INFINITY ? -1 : octets.hi,
    };
  }

  /** A field's rules must leave it some value, and be about what it can be. */
  #rules(field: FieldModel): void {
    for (const d of domain(field)) {
      for (const m of field.musts) {
        if (evaluate(m.expr, new Map(), { self: d }).hi < 1) {
          this.#fail(
            field.position,
            `no value of '${field.path}' keeps to its rule (${m.text})`,
            "mend the rule, or widen the field",
          );
        }
      }
    }
  }

  #type(
    name: string,
    path: string,
    spec: FieldSpec,
    seen: ReadonlyMap<string, FieldModel>,
    at: Position,
    fault: (kind: FaultKind, text: string) => number,
    shown: string,
    action: Action,
  ): TypeModel {
    const t: Type = spec.type;
    void action;
    switch (t.kind) {
      case "uint": {
        const span = 2 ** t.bits;
        const fits = (n: number) =>
          Number.isInteger(n) &&
          n >= (t.signed ? -span / 2 : 0) &&
          n < (t.signed ? span / 2 : span);
        if (
          !Number.isInteger(t.bits) ||
          t.bits < 1 ||
          t.bits > 64 ||
          (t.bits > 32 && t.bits !== 64)
        ) {
          this.#fail(at, `'${path}' has ${t.bits} bits`, "a field has 1 to 32 bits, or 64");
        }
        if (t.konst !== undefined) {
          if (!fits(t.konst))
            this.#fail(
              at,
              `the constant ${t.konst} of '${path}' does not fit ${t.bits} bits`,
              "widen the field, or mend the constant",
            );
          if (spec.lint !== true)
            fault("konst", t.reserved === true ? "reserved bits are set" : `is not ${t.konst}`);
        }
        if (t.names !== undefined) this.#names(t.names, fits, t.bits, path, at);
        if (t.names !== undefined && t.open !== true && spec.lint !== true)
          fault("names", `is none of ${Object.keys(t.names).join(", ")}`);
        if (t.flags !== undefined) this.#masks(t.flags, t.bits, path, at);
        if (t.bits === 64 && t.as === "number") fault("range", "is 2^53 or more");
        const { order, ...plain } = t;
        return { ...plain, order: order ?? this.#order() };
      }
      case "bytes":
        if (t.konst !== undefined) {
          if (t.length !== t.konst.length)
            this.#fail(
              at,
              `the constant of '${path}' has ${t.konst.length} octets, its type another number`,
              "make them equal",
            );
          if (spec.lint !== true)
            fault(
              "konst",
              `is not ${t.konst.map((n) => n.toString(16).padStart(2, "0")).join(" ")}`,
            );
        }
        this.#length(t.length, seen, at, path, fault);
        return t;
      case "text":
        fault("text", t.encoding === "ascii" ? "is not ASCII" : "is not UTF-8");
        this.#length(t.length, seen, at, path, fault);
        if (t.max !== undefined && t.length !== "rest")
          fault("max", `takes more than ${t.max} octets`);
        return t;
      case "escape": {
        const tiers = [...t.tiers].sort((a, b) => a.at - b.at);
        const top = 2 ** t.bits;
        tiers.forEach((tier, i) => {
          if (tier.at !== top - tiers.length + i) {
            this.#fail(
              at,
              `'${path}' escapes at ${tier.at}, but its greatest values are ${top - tiers.length} to ${top - 1}`,
              "let the tiers take the greatest values, without a gap",
            );
          }
          const before = i === 0 ? t.bits : (tiers[i - 1]?.bits ?? 0);
          if (tier.bits % 8 !== 0 || tier.bits <= before) {
            this.#fail(
              at,
              `tier ${tier.at} of '${path}' has ${tier.bits} bits, and the one before ${before}: it can hold nothing that the other cannot`,
              "let each tier be wider than the one before, in whole octets",
            );
          }
        });
        if (tiers.length === 0) this.#fail(at, `'${path}' has no tiers`, "use bits() instead");
        fault("shortest", "is not in its shortest form");
        if (tiers.some((tier) => tier.bits === 64)) fault("range", "is 2^53 or more");
        return {
          kind: "escape",
          bits: t.bits,
          tiers: tiers.map((tier) => ({
            at: tier.at,
            bits: tier.bits,
            order: tier.order ?? this.#order(),
          })),
        };
      }
      case "varint":
        fault("shortest", "is not in its shortest form");
        fault("range", `does not fit ${t.bits} bits`);
        return t;
      case "repeat": {
        this.#max(t.max, path, at, "an element count");
        const of = this.#field(name, path, t.of, seen, shown.slice(0, shown.lastIndexOf(".")));
        const element = { ...of, shown, format: spec.format ?? of.format };
        if (of.min === 0 && t.fill !== undefined) {
          this.#fail(
            at,
            `elements of '${path}' can be empty, so they never fill anything`,
            "give them at least one octet, or a count",
          );
        }
        const alone = of.type.kind !== "uint" || of.type.bits % 8 === 0;
        if (!alone || t.of.when !== undefined)
          this.#fail(
            at,
            `elements of '${path}' do not stand on octets by themselves`,
            "put bits and conditions into nested({ … })",
          );
        if (t.until !== undefined) {
          if (of.type.kind !== "uint" || of.type.as !== "number")
            this.#fail(
              at,
              `'${path}' ends by its element's value, but the element is no number`,
              "repeat a number, or give a count",
            );
          this.#expr(t.until, seen, at, "the end", true);
        }
        if (t.count !== undefined) this.#expr(t.count, seen, at, "the count");
        if (t.fill !== undefined && t.fill !== "rest") this.#expr(t.fill, seen, at, "the extent");
        const atMost =
          t.count === undefined ? Number.POSITIVE_INFINITY : evaluate(t.count, domains(seen)).hi;
        if (atMost > t.max) fault("max", `has more than ${t.max} elements`);
        if (t.fill !== undefined) fault("fill", "its elements do not fill its octets");
        return {
          kind: "repeat",
          of: element,
          max: t.max,
          ...optional("until", t.until),
          ...optional("count", t.count),
          ...optional("fill", t.fill),
        };
      }
      case "nested": {
        const fields = this.#fields(t.fields, `${path}.`, new Map(), shown);
        this.#layout(fields);
        return { kind: "nested", fields };
      }
      case "choose": {
        this.#expr(t.on, seen, at, "the choice");
        const taken = new Map<number, string>();
        for (const arm of t.arms) {
          for (const is of arm.is) {
            const other = taken.get(is);
            if (other !== undefined)
              this.#fail(
                this.#place(`${path}.${arm.name}`).at,
                `the arms '${other}' and '${arm.name}' of '${path}' overlap: both are for ${is}`,
                "let each value have one arm",
              );
            taken.set(is, arm.name);
          }
        }
        const inArm = (fields: readonly NamedField[], arm: string) => {
          const made = this.#fields(fields, `${path}.${arm}.`, new Map(seen), shown);
          this.#layout(made);
          return made;
        };
        const arms = t.arms.map((a) => ({
          name: a.name,
          is: a.is,
          fields: inArm(a.fields, a.name),
        }));
        if (t.otherwise === undefined) fault("arm", "has no form for this value");
        return {
          kind: "choose",
          on: t.on,
          arms,
          ...(t.otherwise === undefined ? {} : { otherwise: inArm(t.otherwise, "otherwise") }),
        };
      }
      case "tlv": {
        this.#max(t.max, path, at, "a length");
        if (t.fill !== "rest") this.#expr(t.fill, seen, at, "the extent");
        const codes = Object.values(t.names);
        this.#names(
          t.names,
          (n) => Number.isInteger(n) && n >= 0 && n < 2 ** (8 * t.type),
          8 * t.type,
          path,
          at,
        );
        void codes;
        fault("fill", "an option does not fit its list");
        if (t.fill === "rest" || evaluate(t.fill, domains(seen)).hi > t.max)
          fault("max", `takes more than ${t.max} octets`);
        if (t.align > 1) fault("pad", "its padding is not zero");
        if (t.end !== undefined) fault("end", "something follows the end of the list");
        return t;
      }
      case "pad":
        if (spec.lint === true)
          this.#fail(at, `'${path}' is padding, and linted`, "make it bytes() to keep its octets");
        fault("pad", "padding is not zero");
        return t;
    }
  }

  #order(): "big" | "little" | "header" {
    const { order } = this.#options;
    return this.spec.more.little !== undefined || order === "caller" ? "header" : (order ?? "big");
  }

  #max(max: number, path: string, at: Position, what: string): void {
    if (!Number.isInteger(max) || max < 1 || max > 2 ** 24 - 1) {
      this.#fail(
        at,
        `'${path}' repeats without a bound`,
        `give ${what} as max, from 1 to ${2 ** 24 - 1}`,
      );
    }
  }

  #names(
    names: Readonly<Record<string, number>>,
    fits: (n: number) => boolean,
    bits: number,
    path: string,
    at: Position,
  ): void {
    const seen = new Map<number, string>();
    for (const [name, n] of Object.entries(names)) {
      if (UNSAFE.has(name))
        this.#fail(at, `'${name}' is not safe as a value's name`, "choose another");
      if (!fits(n))
        this.#fail(
          at,
          `'${name}' is ${n}, which does not fit the ${bits} bits of '${path}'`,
          "widen the field, or mend the value",
        );
      const other = seen.get(n);
      if (other !== undefined)
        this.#fail(
          at,
          `'${other}' and '${name}' of '${path}' are two spellings of ${n}`,
          "let each value have one name",
        );
      seen.set(n, name);
    }
  }

  #masks(flags: Readonly<Record<string, number>>, bits: number, path: string, at: Position): void {
    let taken = 0;
    for (const [name, mask] of Object.entries(flags)) {
      if (!Number.isInteger(mask) || mask <= 0 || mask >= 2 ** bits)
        this.#fail(at, `flag '${name}' of '${path}' does not fit ${bits} bits`, "mend its mask");
      if ((taken & mask) !== 0)
        this.#fail(
          at,
          `flag '${name}' of '${path}' overlaps another`,
          "let each bit have one name",
        );
      taken |= mask;
    }
  }

  #length(
    length: Expr | "rest",
    seen: Scope,
    at: Position,
    path: string,
    fault: (kind: FaultKind, text: string) => number,
  ): void {
    if (length === "rest") {
      const max = "the rest";
      fault("max", `takes more than ${max} may`);
      return;
    }
    this.#expr(length, seen, at, `the length of '${path}'`);
  }

  /** The expression reads only what is known, and is of its kind. */
  #expr(e: Expr, seen: Scope, at: Position, what: string, condition = false): void {
    for (const p of parts(e)) {
      if (p.op === "pick") this.#entries(p, seen, at, what);
      if (p.op !== "field") continue;
      const field = seen.get(p.name);
      if (field === undefined) {
        this.#fail(
          at,
          `${what} refers to '${p.name}', which is no earlier field`,
          hint(p.name, new Set(seen.keys()), "earlier fields"),
        );
      }
      const k = field.type.kind;
      if (
        (k !== "uint" && k !== "escape" && k !== "varint") ||
        (field.type.kind === "uint" && field.type.as === "bigint")
      ) {
        this.#fail(
          at,
          `${what} refers to '${p.name}', which is no number`,
          "only numbers up to 2^53 can decide something",
        );
      }
      if (field.when !== undefined && !condition) {
        this.#fail(
          at,
          `${what} refers to '${p.name}', which may be absent`,
          "refer to the field that its presence depends on",
        );
      }
      if (field.type.kind === "uint" && field.type.konst !== undefined && !field.lint) {
        this.#fail(at, `${what} refers to '${p.name}', which is constant`, "write the number");
      }
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
        this.#fail(
          at,
          `${what} has no entry for ${n}`,
          "add one, give a second argument for all others, or restrict the field with oneOf()",
        );
      }
    }
  }

  #layout(fields: readonly FieldModel[]): void {
    layout(fields, ({ field, bits, problem }) => {
      const lack = 8 - (bits % 8);
      const mend =
        problem === "ends inside an octet"
          ? `${bits} bits so far: add reserved(${lack}) or name the ${lack} ${lack === 1 ? "bit" : "bits"} that follow`
          : problem === "is wider than 32 bits"
            ? "let fields end on an octet within 32 bits"
            : "give all fields that share an octet the same when()";
      this.#fail(field.position, `the group of bits at '${field.path}' ${problem}`, mend);
    });
    if (this.#order() !== "big") {
      let bits = 0;
      for (const f of fields) {
        const width = bitWidth(f);
        if (width === undefined || (bits === 0 && f.type.kind === "uint" && width % 8 === 0))
          continue;
        if (width > 8 - bits) {
          this.#fail(
            f.position,
            `'${f.path}' crosses an octet in a header that is not big-endian`,
            "split it, or use a whole u16 or u32",
          );
        }
        bits = (bits + width) % 8;
      }
    }
  }

  #bounds(
    fields: readonly FieldModel[],
    more: Pick<Findings, "end"> = {},
    known?: ReadonlyMap<string, Interval>,
  ): Interval {
    const reached = this.#reached;
    const findings: Findings = {
      negative: (f, least) => this.#negative(f, least),
      unbounded: (f) => this.#unbounded(f),
      present: (f, arm) => void reached.add(arm === undefined ? f.path : `${f.path}#${arm}`),
      ...more,
    };
    const octets = bounds(fields, findings, known);
    this.#reach(fields);
    if (octets.hi === Number.POSITIVE_INFINITY) this.#unbounded(fields.at(-1) as FieldModel);
    return octets;
  }

  #negative(f: FieldModel, least: number): never {
    return this.#fail(
      f.position,
      `the length of '${f.path}' can be negative, down to ${least}`,
      "add a must() to the field that it is computed from: .must(x => x.ge(…))",
    );
  }

  #unbounded(f: FieldModel): never {
    return this.#fail(
      f.position,
      `'${f.path}' has no greatest length, so neither has the header`,
      "bound it: rest(max), { max }, or a must() on the length",
    );
  }

  /** Fields and arms that no path takes. */
  #reach(fields: readonly FieldModel[]): void {
    for (const f of fields) {
      if (!this.#reached.has(f.path))
        this.#fail(
          f.position,
          `'${f.path}' can never be present`,
          "its condition contradicts what earlier fields allow; mend it",
        );
      const t = f.type;
      if (t.kind === "nested") this.#reach(t.fields);
      if (t.kind !== "choose") continue;
      for (const arm of [
        ...t.arms,
        ...(t.otherwise === undefined ? [] : [{ name: "otherwise", fields: t.otherwise }]),
      ]) {
        if (!this.#reached.has(`${f.path}#${arm.name}`)) {
          this.#fail(
            this.#place(`${f.path}.${arm.name}`).at,
            `the arm '${arm.name}' of '${f.path}' can never be taken`,
            "no value that the earlier field may have leads there; take it away",
          );
        }
        this.#reach(arm.fields);
      }
    }
  }

  /** The trailer's octets; head fields that decide them are arguments. */
  #tail(
    head: readonly FieldModel[],
    last: readonly FieldModel[],
    front: readonly FieldModel[],
  ): Interval & { needs: string[] } {
    for (const f of last) {
      if (f.min !== f.max || f.when !== undefined) {
        this.#fail(
          f.position,
          `the trailer's last field '${f.path}' has no fixed size, so decoding from the end cannot find it`,
          "put it into before(…), with a size that the last fields or the head decide",
        );
      }
    }
    for (const f of front) {
      const t = f.type;
      const self =
        t.kind === "escape" ||
        t.kind === "varint" ||
        t.kind === "choose" ||
        t.kind === "pad" ||
        t.kind === "nested";
      const open =
        (t.kind === "repeat" && t.count === undefined) ||
        t.kind === "tlv" ||
        ("length" in t && t.length === "rest");
      const own = new Set(front.map((x) => x.name));
      const length =
        t.kind === "bytes" || t.kind === "text"
          ? t.length
          : t.kind === "repeat"
            ? t.count
            : undefined;
      const inside = [length, f.when].some(
        (x) =>
          x !== undefined &&
          x !== "rest" &&
          [...parts(x)].some((p) => p.op === "field" && own.has(p.name)),
      );
      if ((self && f.min !== f.max) || open || inside) {
        this.#fail(
          f.position,
          `neither the trailer's last octets nor the head decide the size of '${f.path}'`,
          "let a fixed field at the very end, or in the head, say it",
        );
      }
    }
    if (last.length + front.length === 0) return { lo: 0, hi: 0, needs: [] };
    const all = [...last, ...front];
    const known = new Map(head.map((f) => [f.name, whole(domain(f))]));
    const octets = this.#bounds(all, {}, known);
    const tail = new Set(all.map((f) => f.name));
    const used = all.flatMap((f) =>
      [...expressions(f)].flatMap((x) =>
        [...parts(x)].flatMap((p) => (p.op === "field" ? [p.name] : [])),
      ),
    );
    const needs = [...new Set(used)].filter((n) => !tail.has(n));
    return { ...octets, needs: head.map((f) => f.name).filter((n) => needs.includes(n)) };
  }

  /** Whether the computed field always is what it is computed to: its value decides the size itself. */
  #implied(
    f: FieldModel,
    head: readonly FieldModel[],
    sizes: readonly { env: ReadonlyMap<string, Interval>; octets: Interval }[],
  ): boolean {
    if (f.auto === undefined || typeof f.auto !== "object") return false;
    const { auto } = f;
    const of =
      "of" in auto && typeof auto.of === "string"
        ? head.find((x) => x.name === auto.of)
        : undefined;
    const isSelf = (e: Expr | "rest" | undefined) =>
      typeof e === "object" && e.op === "field" && e.name === f.name;
    if (auto.op === "octets" && of !== undefined) {
      const t = of.type;
      return (t.kind === "bytes" || t.kind === "text") && isSelf(t.length) && of.when === undefined;
    }
    if (auto.op === "count" && of?.type.kind === "repeat")
      return isSelf(of.type.count) && of.when === undefined;
    if ([...parts(auto)].some((p) => p.op === "octets" || p.op === "count" || p.op === "payload"))
      return false;
    return sizes.every(({ env, octets }) => {
      const value = env.get(f.name);
      if (value === undefined || value.lo !== value.hi || octets.lo !== octets.hi) return false;
      const made = evaluate(auto, env, { head: octets });
      return made.lo === value.lo && made.hi === value.lo;
    });
  }

  /** `auto` may look forward, but only at what is there, and not at what it decides by itself. */
  #autos(fields: readonly FieldModel[]): void {
    const seen = scope(fields);
    for (const f of fields) {
      if (f.auto === undefined || typeof f.auto === "string") continue;
      for (const p of parts(f.auto)) {
        if (p.op === "payload")
          this.#fail(
            f.position,
            `'${f.path}' is computed from octets that are not the header's`,
            "leave it a plain field; the caller knows the payload",
          );
        if (p.op !== "octets" && p.op !== "count") continue;
        const of = seen.get(p.of);
        if (of === undefined)
          this.#fail(
            f.position,
            `'${f.path}' is computed from '${p.of}', which is no field`,
            hint(p.of, new Set(seen.keys()), "fields"),
          );
        if (p.op === "count" && of.type.kind !== "repeat")
          this.#fail(
            f.position,
            `'${f.path}' counts '${p.of}', which is no repetition`,
            "use octetsOf()",
          );
      }
    }
  }

  #payload(length: Expr, told: Expr | undefined, head: readonly FieldModel[]): void {
    const at = this.#place("@payload.length").at;
    this.#expr(length, scope(head), at, "the payload's length");
    if (told !== undefined)
      this.#expr(told, scope(head), this.#place("@payload.told").at, "the condition", true);
    if (head.length === 0) return;
    // The payload is walked as if it were one more field.
    const { when, ...first } = head[0] as FieldModel;
    const probe = {
      ...first,
      ...optional("when", told),
      name: "",
      path: "",
      type: { kind: "bytes", length } as const,
      musts: [],
    };
    bounds([...head, probe], {
      negative: (_, least) =>
        this.#fail(
          at,
          `the payload's length can be negative, down to ${least}`,
          "add a must() to the field that it is computed from",
        ),
      unbounded() {},
      present() {},
    });
  }
}

const scope = (fields: readonly FieldModel[]): Scope => new Map(fields.map((f) => [f.name, f]));
const whole = (all: readonly Interval[]): Interval => ({
  lo: Math.min(...all.map((d) => d.lo)),
  hi: Math.max(...all.map((d) => d.hi)),
});
const domains = (seen: Scope) => new Map([...seen].map(([name, f]) => [name, whole(domain(f))]));
const optional = <K extends string, V>(key: K, value: V | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };

function natural(t: TypeModel): Format {
  if (t.kind === "uint") return t.as === "boolean" ? "bool" : "dec";
  if (t.kind === "text") return "text";
  if (t.kind === "escape" || t.kind === "varint") return "dec";
  if (t.kind === "repeat") return t.of.format;
  return "hex";
}

const SIGN: Readonly<Record<string, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  mod: "%",
  shl: "<<",
  shr: ">>",
  mask: "&",
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
  and: "and",
  or: "or",
};

/** An expression in words for people: `(ihl - 5) * 4`. */
export function print(e: Expr, inner = false): string {
  if (typeof e === "number") return e >= 4096 ? `0x${e.toString(16)}` : String(e);
  switch (e.op) {
    case "field":
      return e.name;
    case "self":
      return "value";
    case "head":
      return "octets of the header";
    case "payload":
      return "octets of the payload";
    case "octets":
      return `octets of ${e.of}`;
    case "count":
      return `elements of ${e.of}`;
    case "last":
      return `last of ${e.of}`;
    case "not":
      return `not ${print(e.a, true)}`;
    case "pick":
      return `${print(e.of, true)} → {${Object.entries(e.map)
        .map(([k, v]) => `${k}: ${v}`)
        .join(", ")}}`;
    default: {
      const text = `${print(e.a, true)} ${SIGN[e.op]} ${print(e.b, true)}`;
      return inner ? `(${text})` : text;
    }
  }
}
