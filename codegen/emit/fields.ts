/**
 * Target: the dissector. One walker for all headers, and a table for each: field by field, with
 * expressions as functions, what it claims, and what follows it. No protocol has code of its own.
 */
import { readFileSync } from "node:fs";
import type { Claims, Expr, Fact, Next, Via } from "../../spec/lang.js";
import {
  type FieldModel,
  type HeaderModel,
  type Model,
  type OpenerModel,
  parts,
  type TypeModel,
} from "../model.js";
import { Code, cond, every, type Names, num } from "./code.js";
import { emitStacks } from "./stacks.js";

/** The walker's own files. They are copied: what they say holds for every registry. */
const WALKER = ["tables", "octets", "nodes", "cursor", "walk"];
/** What the functions of stacks call; copied if there is a stack. */
const FINDER = "found";
export const COPIED = [...WALKER, FINDER];

/** Slots that each header has, before its fields'; as in the walker's tables. */
const SELF = 0;
const HEAD = 1;
const PAYLOAD = 2;

/** The dissector's files: path from the generated folder → text. */
export function emitDissect(model: Model): Map<string, string> {
  const files = new Map<string, string>();
  const stacks = emitStacks(model);
  for (const name of stacks === undefined ? WALKER : COPIED) {
    const text = readFileSync(new URL(`../walker/${name}.mts`, import.meta.url), "utf8");
    files.set(`dissect/${name}.ts`, text.replaceAll('.mjs"', '.js"'));
  }
  if (stacks !== undefined) files.set("dissect/stacks.ts", stacks);
  files.set("dissect.ts", registry(model));
  return files;
}

function registry(model: Model): string {
  const code = new Code();
  const types = [
    ...(JSON.stringify(model).includes('"kind":"choose"') ? ["FieldTable"] : []),
    "HeaderTable",
  ];
  if (model.openers.length > 0) types.push("OpenerTable");
  code.line(`import type { ${[...types, "Registry"].join(", ")} } from "./dissect/tables.js";`);
  const trials = model.headers.filter(isTried);
  for (const h of trials) {
    // What has a trailer alone is known by that.
    const measure = h.max === 0 && h.last.length > 0 ? "measureEnd" : "measure";
    code.line(`import { ${measure} as ${measureOf(h)} } from "./${h.file}.js";`);
  }
  code.line();
  if (model.stacks.length > 0) code.line('export * from "./dissect/stacks.js";');
  code.line('export * from "./dissect/tables.js";');
  code.line('export * from "./dissect/walk.js";');
  for (const h of model.headers) {
    code.line();
    new Tables(h, code).print();
  }
  for (const o of model.openers) {
    code.line();
    opener(o, code);
  }
  code.line();
  code.doc("All headers, and what their flow facts' values are called.");
  code.block(
    "export const registry: Registry =",
    () => {
      code.line(`headers: [${model.headers.map((h) => h.id).join(", ")}],`);
      code.line(`openers: [${model.openers.map((o) => o.id).join(", ")}],`);
      code.block(
        "facts:",
        () => {
          for (const [fact, names] of factNames(model))
            code.line(`${quote(fact)}: ${mapOf(names)},`);
        },
        "},",
      );
    },
    "};",
  );
  return code.toString();
}

/** Headers that are recognised by their octets alone. */
const isTried = (h: HeaderModel): boolean =>
  h.order !== "caller" && Object.values(h.on).includes(true);
const measureOf = (h: HeaderModel): string => `measure${h.type}`;

const quote = (text: string): string => JSON.stringify(text);
const key = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? name : quote(name));
const snake = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

/** Value → name, as a map. */
function mapOf(names: ReadonlyMap<number, string> | Readonly<Record<string, number>>): string {
  const entries: [number, string][] =
    names instanceof Map
      ? [...names]
      : Object.entries(names as Record<string, number>).map(([name, n]) => [n, name]);
  return `new Map([${entries.map(([n, name]) => `[${n}, ${quote(name)}]`).join(", ")}])`;
}

/** Properties, those without a value left out: `{ a: 1, b }`. */
function object(properties: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(properties).filter(([, v]) => v !== undefined);
  return given.length === 0 ? "{}" : `{ ${given.map(([k, v]) => `${key(k)}: ${v}`).join(", ")} }`;
}

function list(code: Code, name: string, items: readonly string[]): void {
  if (items.length === 0) return;
  code.line(`${name}: [`);
  code.indented(() => {
    for (const item of items) code.line(`${item},`);
  });
  code.line("],");
}

const claims = (on: Claims): string =>
  object(
    Object.fromEntries(
      Object.entries(on).map(([table, v]) => [
        table,
        v === true ? "true" : JSON.stringify([v].flat()),
      ]),
    ),
  );

/** Names of a fact's values: those of the fields that set it. */
function factNames(model: Model): Map<string, Map<number, string>> {
  const all = new Map<string, Map<number, string>>();
  for (const h of model.headers) {
    for (const [fact, { ...from }] of Object.entries(h.sets)) {
      if (from.from !== "expr" || typeof from.expr === "number" || from.expr.op !== "field")
        continue;
      const { name } = from.expr;
      const type = h.head.find((f) => f.name === name)?.type;
      if (type?.kind !== "uint" || type.names === undefined) continue;
      const names = all.get(fact) ?? new Map<number, string>();
      for (const [value, n] of Object.entries(type.names)) names.set(n, value);
      all.set(fact, names);
    }
  }
  return all;
}

function opener(o: OpenerModel, code: Code): void {
  code.block(
    `const ${o.id}: OpenerTable =`,
    () => {
      code.line(`name: ${quote(o.name)},`);
      code.line(`op: ${quote(o.op)},`);
      code.line(`ref: ${quote(o.ref)},`);
      code.line(`on: ${claims(o.on)},`);
      code.line(
        `sets: ${object(Object.fromEntries(Object.entries(o.sets).map(([k, v]) => [k, quote(v)])))},`,
      );
      const none = () => "NaN";
      list(
        code,
        "next",
        o.next.map((n) => nextOf(n, none, none)),
      );
    },
    "};",
  );
}

type Print = (e: Expr) => string;

function nextOf(n: Next, sum: Print, test: Print): string {
  return object({
    by: quote(n.by),
    of: quote(n.by === "name" ? n.header : n.by === "above" ? "" : n.table),
    fact: n.by === "list" ? quote(n.fact) : undefined,
    when: n.when === undefined ? undefined : test(n.when),
    value: n.by === "value" ? sum(n.value) : undefined,
    listed: n.by === "value" && n.listed ? "true" : undefined,
    again: n.by === "trial" && n.again ? "true" : undefined,
    quoted: n.by === "trial" && n.quoted ? "true" : undefined,
    message: n.by === "fact" && n.message ? "true" : undefined,
    within: n.by === "fact" && n.within !== undefined ? quote(n.within) : undefined,
    bare: n.by === "fact" && n.bare ? "true" : undefined,
  });
}

/** Fields in sight, by name. */
type Scope = Map<string, FieldModel>;

/** Prints one header's table. */
class Tables {
  #next = PAYLOAD + 1;
  /** Field → slot of its value. */
  readonly #slots = new Map<FieldModel, number>();
  /** Slots of octets and counts that expressions look forward to, by field name. */
  readonly #octets = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  /** Slots of a repetition's element, by the repetition's name. */
  readonly #elements = new Map<string, number>();

  constructor(
    readonly header: HeaderModel,
    readonly code: Code,
  ) {
    for (const f of every(header.head)) {
      if (typeof f.auto === "object") this.#measured(beside(f.auto, f));
    }
    for (const e of Object.values(header.shows)) this.#measured(e);
  }

  #measured(e: Expr): void {
    for (const p of parts(e)) {
      if (p.op === "octets") this.#octets.set(p.of, this.#octets.get(p.of) ?? this.#next++);
      if (p.op === "count") this.#counts.set(p.of, this.#counts.get(p.of) ?? this.#next++);
    }
  }

  print(): void {
    const { header: h, code } = this;
    const scope: Scope = new Map();
    const head = h.head.map((f) => this.#field(f, scope));
    const tail = new Map(scope);
    const last = h.last.map((f) => this.#field(f, tail));
    const front = h.front.map((f) => this.#field(f, tail));
    const sum: Print = (e) => this.#sum(e, scope);
    const test: Print = (e) => this.#test(e, scope);
    code.block(
      `const ${h.id}: HeaderTable =`,
      () => {
        code.line(`name: ${quote(h.name)},`);
        code.line(`title: ${quote(h.title)},`);
        code.line(`ref: ${quote(h.ref)},`);
        code.line(`protocol: ${quote(h.protocol)},`);
        code.line(`on: ${claims(h.on)},`);
        code.line(`slots: ${this.#next},`);
        code.line(`min: ${h.min},`);
        if (head.length === 0) code.line("fields: [],");
        list(code, "fields", head);
        if (h.little !== undefined) {
          code.line(`little: { from: ${h.little.from}, when: ${test(h.little.when)} },`);
        }
        list(code, "front", front);
        list(code, "last", last);
        list(
          code,
          "shows",
          Object.entries(h.shows).map(([name, e]) => this.#shown(name, e, sum)),
        );
        if (h.ends !== undefined) code.line("ends: true,");
        const sets = Object.entries(h.sets).map(([fact, f]) => [fact, this.#fact(f, sum)] as const);
        if (sets.length > 0) code.line(`sets: ${object(Object.fromEntries(sets))},`);
        this.#payload(sum, test);
        if (isTried(h)) this.#tried();
      },
      "};",
    );
  }

  #tried(): void {
    const { header: h, code } = this;
    code.line(`measure: ${measureOf(h)},`);
    const computed = h.faults.flatMap((f, i) => (f.kind === "auto" ? [i] : []));
    if (computed.length > 0) code.line(`computed: ${JSON.stringify(computed)},`);
  }

  #payload(sum: Print, test: Print): void {
    const { payload } = this.header;
    const { code } = this;
    if (payload === undefined) return;
    if (payload.length === undefined && payload.via === undefined && payload.next === undefined) {
      code.line("payload: {},");
      return;
    }
    code.block(
      "payload:",
      () => {
        if (payload.length !== undefined) code.line(`length: ${sum(payload.length)},`);
        if (payload.told !== undefined) code.line(`told: ${test(payload.told)},`);
        list(
          code,
          "via",
          (payload.via ?? []).map((v) => this.#via(v, sum, test)),
        );
        const next = payload.next?.map((n) => nextOf(n, sum, test));
        // None at all says that nobody else can read it.
        if (next?.length === 0) code.line("next: [],");
        list(code, "next", next ?? []);
      },
      "},",
    );
  }

  #via({ op, when, ...values }: Via, sum: Print, test: Print): string {
    if ("sender" in values) {
      return object({ op: quote(op), sender: quote(values.sender as string), with: "{}" });
    }
    const given = Object.entries(values as Record<string, Expr>).map(([k, e]) => [k, sum(e)]);
    return object({
      op: quote(op),
      when: when === undefined ? undefined : test(when),
      with: object(Object.fromEntries(given)),
    });
  }

  #fact(fact: Fact, sum: Print): string {
    if (fact.from === "expr") return sum(fact.expr);
    if (fact.from === "text") {
      return object({ text: quote(this.#named(fact.field)?.shown ?? "") });
    }
    const inner = Object.entries(fact.map).map(([k, f]) => [k, this.#fact(f, sum)]);
    return object({ by: quote(fact.fact), map: object(Object.fromEntries(inner)) });
  }

  #shown(name: string, e: Expr, sum: Print): string {
    const field = typeof e === "object" && e.op === "last" ? this.#named(e.of) : undefined;
    return object({
      name: quote(`${this.header.protocol}.${snake(name)}`),
      format: quote(field?.format ?? "dec"),
      value: sum(e),
    });
  }

  #named(name: string): FieldModel | undefined {
    return this.header.head.find((f) => f.name === name);
  }

  #sum(e: Expr, scope: Scope): string {
    return arrow(num(plain(e), this.#names(scope)));
  }

  #test(e: Expr, scope: Scope): string {
    return arrow(cond(plain(e), this.#names(scope)));
  }

  #names(scope: Scope): Names {
    return {
      field: (name) => {
        if (name === PAYLOAD_NAME) return { text: `n[${PAYLOAD}]!`, boolean: false };
        if (name.startsWith(LAST)) {
          const of = this.#elements.get(name.slice(LAST.length));
          return { text: `n[${of}]!`, boolean: false };
        }
        const f = scope.get(name);
        const boolean = f?.type.kind === "uint" && f.type.as === "boolean";
        const slot = `n[${f === undefined ? -1 : this.#slots.get(f)}]!`;
        return { text: boolean ? `${slot} === 1` : slot, boolean };
      },
      self: `n[${SELF}]!`,
      head: `n[${HEAD}]!`,
      octets: (name) => `n[${this.#octets.get(name)}]!`,
      count: (name) => `n[${this.#counts.get(name)}]!`,
    };
  }

  /** One field, in one line. */
  #field(f: FieldModel, scope: Scope): string {
    // What the condition and the type read stands before the field; its rules read itself, too.
    const when = f.when === undefined ? undefined : this.#test(f.when, scope);
    const type = this.#type(f, scope);
    const slot = this.#next++;
    this.#slots.set(f, slot);
    scope.set(f.name, f);
    const rule = (r: { expr: Expr; text: string }, strict: boolean) =>
      object({
        test: this.#test(r.expr, scope),
        text: quote(r.text),
        strict: String(strict),
        late: [...parts(r.expr)].some((p) => p.op === "payload") ? "true" : undefined,
      });
    const rules = [...f.musts.map((r) => rule(r, true)), ...f.shoulds.map((r) => rule(r, false))];
    const auto = f.auto === undefined || typeof f.auto === "string" ? undefined : f.auto;
    const side = this.header.ends?.indexOf(f.name) ?? -1;
    return object({
      kind: quote(f.type.kind),
      name: quote(f.shown),
      doc: quote(
        f.doc
          .split(/\.(?:\s|$)/)[0]
          ?.replace(/\s+/g, " ")
          .trim() ?? "",
      ),
      format: quote(f.format),
      slot,
      octets: this.#octets.get(f.path),
      count: this.#counts.get(f.path),
      when,
      ...type,
      rules: rules.length === 0 ? undefined : `[${rules.join(", ")}]`,
      auto:
        auto !== undefined
          ? this.#sum(beside(auto, f), scope)
          : f.auto === undefined
            ? undefined
            : quote(f.auto as string),
      check: f.check === undefined ? undefined : quote(f.check),
      side: side === -1 ? undefined : side,
      fault: this.#fault(f),
    });
  }

  /** What is wrong if the type's own rule is broken; of a linted field, the same, but no error. */
  #fault(f: FieldModel): string | undefined {
    const number = f.faults.konst ?? f.faults.names ?? f.faults.arm;
    if (number !== undefined) {
      return object({ text: quote(this.header.faults[number]?.text ?? ""), strict: "true" });
    }
    const t = f.type;
    if (!f.lint || t.kind !== "uint") return undefined;
    const text =
      t.konst === undefined
        ? "has no name"
        : t.reserved === true
          ? "reserved bits are set"
          : `is not ${t.konst}`;
    return object({ text: quote(text), strict: "false" });
  }

  #type(f: FieldModel, scope: Scope): Readonly<Record<string, string | number | undefined>> {
    const t: TypeModel = f.type;
    const extent = (e: Expr | "rest") => (e === "rest" ? quote(e) : this.#sum(e, scope));
    switch (t.kind) {
      case "uint":
        return {
          bits: t.bits,
          order: quote(t.order),
          signed: t.signed ? "true" : undefined,
          wide: t.as === "bigint" ? "true" : undefined,
          bool: t.as === "boolean" ? "true" : undefined,
          konst: t.konst,
          names: t.names === undefined ? undefined : mapOf(t.names),
          open: t.open === true ? "true" : undefined,
          flags: t.flags === undefined ? undefined : flagsOf(f.shown, t.flags),
        };
      case "bytes":
      case "text":
        return {
          length: typeof t.length === "number" ? t.length : extent(t.length),
          max: t.max,
          konst: t.kind === "bytes" && t.konst !== undefined ? JSON.stringify(t.konst) : undefined,
        };
      case "escape": {
        const tiers = t.tiers.map((x) => object({ at: x.at, bits: x.bits, order: quote(x.order) }));
        return { bits: t.bits, tiers: `[${tiers.join(", ")}]` };
      }
      case "varint":
        return { bits: t.bits };
      case "repeat": {
        const of = this.#field(t.of, new Map(scope));
        this.#elements.set(f.name, this.#slots.get(t.of) ?? 0);
        return {
          of,
          until: t.until === undefined ? undefined : this.#test(t.until, scope),
          size: t.count === undefined ? undefined : this.#sum(t.count, scope),
          fill: t.fill === undefined ? undefined : extent(t.fill),
          max: t.max,
        };
      }
      case "nested":
        return { fields: this.#fields(t.fields, new Map()) };
      case "choose": {
        const arms = t.arms.flatMap((a) => {
          const fields = this.#fields(a.fields, new Map(scope));
          return a.is.map((n) => `[${n}, ${fields}]`);
        });
        return {
          on: this.#sum(t.on, scope),
          arms: `new Map<number, readonly FieldTable[]>([${arms.join(", ")}])`,
          otherwise:
            t.otherwise === undefined ? undefined : this.#fields(t.otherwise, new Map(scope)),
        };
      }
      case "tlv": {
        const names = Object.entries(t.names).map(([name, n]): [number, string] => [
          n,
          `${f.shown}.${snake(name)}`,
        ]);
        return {
          type: t.type,
          length: t.length,
          counts: quote(t.counts),
          unit: t.unit,
          single: JSON.stringify(t.single),
          end: t.end,
          align: t.align,
          names: mapOf(new Map(names)),
          fill: extent(t.fill),
          order: quote(t.order),
        };
      }
      case "pad":
        return { to: t.to };
    }
  }

  #fields(fields: readonly FieldModel[], scope: Scope): string {
    return `[${fields.map((f) => this.#field(f, scope)).join(", ")}]`;
  }
}

function flagsOf(shown: string, flags: Readonly<Record<string, number>>): string {
  const all = Object.entries(flags).map(([name, mask]) =>
    object({ name: quote(`${shown}.${snake(name)}`), mask }),
  );
  return `[${all.join(", ")}]`;
}

/** A slot alone needs no parentheses, and a constant no argument. */
function arrow(text: string): string {
  const body = text.replace(/(?<!\w)\((n\[\d+\]!)\)/g, "$1");
  return `${body.includes("n[") ? "(n)" : "()"} => ${body}`;
}

/** Names that no field has. */
const PAYLOAD_NAME = "\0payload";
const LAST = "\0last ";

/** What codecs never evaluate, in terms of what they do; a value without an entry is no number. */
function plain(e: Expr): Expr {
  if (typeof e === "number") return e;
  if (e.op === "payload") return { op: "field", name: PAYLOAD_NAME };
  if (e.op === "last") return { op: "field", name: LAST + e.of };
  if (e.op === "not") return { ...e, a: plain(e.a) };
  if (e.op === "pick") return { ...e, of: plain(e.of), otherwise: e.otherwise ?? Number.NaN };
  return "a" in e ? { ...e, a: plain(e.a), b: plain(e.b) } : e;
}

/** What a computed field speaks of stands beside it: by paths, as names may come again in other parts. */
function beside(e: Expr, f: FieldModel): Expr {
  if (typeof e === "number") return e;
  if (e.op === "octets" || e.op === "count")
    return { ...e, of: f.path.slice(0, f.path.length - f.name.length) + e.of };
  if (e.op === "pick") return { ...e, of: beside(e.of, f) };
  if (e.op === "not") return { ...e, a: beside(e.a, f) };
  return "b" in e ? { ...e, a: beside(e.a, f), b: beside(e.b, f) } : e;
}
