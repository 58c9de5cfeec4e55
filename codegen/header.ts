/** One header: from what its author wrote to the model. What cannot be generated is refused. */
import type { Expr, Fact, Fields, Header, Next, PayloadSpec, Via } from "../spec/lang.js";
import { bounds, evaluate, type Findings, type Interval } from "./bounds.js";
import { sequence } from "./computed.js";
import { hint, refuse } from "./error.js";
import { domains, FieldResolver, type Leave, type Scope, scope } from "./field.js";
import { expressions, type FieldModel, type HeaderModel, innerOf, parts } from "./model.js";
import { isHeaderName, isUnsafe } from "./names.js";
import type { Exported } from "./read.js";
import { isOpen } from "./type.js";

/** What the fields of a path are, and the octets they take. */
interface Size {
  readonly env: ReadonlyMap<string, Interval>;
  readonly octets: Interval;
}

const OPTIONS = new Set(["ref", "title", "order", "on", "onFault", "protocol"]);
const ORDERS: readonly string[] = ["big", "little", "caller"];

export class HeaderResolver {
  readonly #fields: FieldResolver;
  readonly #reached = new Set<string>();

  constructor(
    readonly e: Exported,
    readonly spec: Header<Fields, Fields>,
  ) {
    this.#fields = new FieldResolver(e, spec);
  }

  header(): HeaderModel {
    const { e, spec } = this;
    const { more, options } = spec;
    this.#names();
    const protocol = options.protocol ?? spec.name;
    const outer = new Map<string, FieldModel>();
    const from = more.little?.from ?? 0;
    const before = this.#fields.list(spec.head.slice(0, from), "", outer, protocol);
    this.#fields.told = true;
    const head = [...before, ...this.#fields.list(spec.head.slice(from), "", outer, protocol)];
    const last = this.#fields.list(more.last ?? [], "", outer, protocol);
    const front = this.#fields.list(more.front ?? [], "", outer, protocol);
    for (const list of [head, last, front]) this.#fields.layout(list);

    const sizes: Size[] = [];
    const size = this.#bounds(head, { end: (env, octets) => sizes.push({ env, octets }) });
    const tail = this.#tail(head, last, front);
    if (size.hi >= 2 ** 24) {
      const longest = head.find((f) => f.max < 0 || f.max >= 2 ** 24);
      const problem = `'${spec.name}' takes up to ${size.hi} octets`;
      const mend = "a head has less than 2^24; what is longer belongs into the payload";
      refuse(longest?.position ?? e.at, problem, mend);
    }
    const all = [...head, ...last, ...front];
    this.#autos(all, head);
    this.#references(head, scope(all));
    return {
      name: spec.name,
      id: e.id,
      type: e.id.charAt(0).toUpperCase() + e.id.slice(1),
      file: e.file,
      position: e.at,
      doc: e.doc,
      title: options.title ?? (sentence(e.doc) || spec.name),
      ref: options.ref,
      protocol,
      order: options.order ?? "big",
      ...(more.little === undefined ? {} : { little: more.little }),
      head: head.map((f) => (isImplied(f, head, sizes) ? { ...f, implied: true } : f)),
      front,
      last,
      min: size.lo,
      max: size.hi,
      tailMin: tail.lo,
      tailMax: tail.hi,
      tailNeeds: tail.needs,
      ...(more.payload === undefined ? {} : { payload: more.payload }),
      on: options.on ?? {},
      sets: more.sets ?? {},
      shows: more.shows ?? {},
      ...(more.ends === undefined ? {} : { ends: more.ends }),
      onFault: options.onFault ?? "close",
      faults: this.#fields.faults,
    };
  }

  /** Names that can be seen in the text alone: what a value has lost, or what would harm it. */
  #names(): void {
    const { e, spec } = this;
    if (!isHeaderName(spec.name)) {
      const mend = "write lower-case words, joined by dots: acme.trace";
      refuse(e.at, `'${spec.name}' is no name for a header`, mend);
    }
    if (!spec.options?.ref) {
      const problem = `'${spec.name}' does not say where its layout is defined`;
      refuse(e.at, problem, 'add { ref: "RFC …" } as third argument');
    }
    for (const name of Object.keys(spec.options)) {
      if (OPTIONS.has(name)) continue;
      const at = this.#fields.at(`@options.${name}`);
      refuse(at, `'${name}' is no option of a header`, hint(name, OPTIONS, "options"));
    }
    const { order = "big" } = spec.options;
    if (!ORDERS.includes(order)) {
      const at = this.#fields.at("@options.order");
      refuse(at, `'${order}' is no byte order`, `write one of ${ORDERS.join(", ")}`);
    }
    for (const [path, { at, again, twice }] of e.places) {
      const name = path.slice(path.lastIndexOf(".") + 1);
      if (!path.startsWith("@") && isUnsafe(name)) this.#fields.unsafe(at, name);
      if (twice === true && again !== undefined)
        refuse(again, `the name '${name}' is taken by an earlier field`, "choose another");
    }
  }

  #bounds(
    fields: readonly FieldModel[],
    more: Pick<Findings, "end"> = {},
    known?: ReadonlyMap<string, Interval>,
  ): Interval {
    const octets = bounds(
      fields,
      {
        negative: (f, least) => {
          const problem = `the length of '${f.path}' can be negative, down to ${least}`;
          const mend = "add a must() to the field that it is computed from: .must(x => x.ge(…))";
          refuse(f.position, problem, mend);
        },
        unbounded: (f) => this.#unbounded(f),
        present: (f, arm) =>
          void this.#reached.add(arm === undefined ? f.path : `${f.path}#${arm}`),
        ...more,
      },
      known,
    );
    this.#reach(fields);
    const last = fields.at(-1);
    if (octets.hi === Number.POSITIVE_INFINITY && last !== undefined) this.#unbounded(last);
    return octets;
  }

  #unbounded(f: FieldModel): never {
    const problem = `'${f.path}' has no greatest length, so neither has the header`;
    return refuse(f.position, problem, "bound it: rest(max), { max }, or a must() on the length");
  }

  /** Fields and arms that no path takes. */
  #reach(fields: readonly FieldModel[]): void {
    for (const f of fields) {
      // Of a choice that cannot be made, the arms tell more.
      const choice = f.type.kind === "choose" && f.when === undefined;
      if (!choice && !this.#reached.has(f.path)) {
        const mend =
          f.when === undefined
            ? "no length that earlier fields allow suits it; mend them"
            : "its condition contradicts what earlier fields allow; mend it";
        refuse(f.position, `'${f.path}' can never be present`, mend);
      }
      const t = f.type;
      if (t.kind === "nested") this.#reach(t.fields);
      if (t.kind !== "choose") continue;
      const other = t.otherwise === undefined ? [] : [{ name: "otherwise", fields: t.otherwise }];
      for (const { name, fields } of [...t.arms, ...other]) {
        if (!this.#reached.has(`${f.path}#${name}`)) {
          const problem = `the arm '${name}' of '${f.path}' can never be taken`;
          const mend = "no value that the earlier field may have leads there; take it away";
          refuse(this.#fields.at(`${f.path}.${name}`), problem, mend);
        }
        this.#reach(fields);
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
      if (f.min === f.max && f.when === undefined) continue;
      const problem = `the trailer's last field '${f.path}' has no fixed size, so decoding from the end cannot find it`;
      const mend = "put it into before(…), with a size that the last fields or the head decide";
      refuse(f.position, problem, mend);
    }
    const own = new Set(front.map((f) => f.name));
    for (const f of front) {
      if (isDecided(f, own)) continue;
      const problem = `neither the trailer's last octets nor the head decide the size of '${f.path}'`;
      refuse(f.position, problem, "let a fixed field at the very end, or in the head, say it");
    }
    const all = [...last, ...front];
    if (all.length === 0) return { lo: 0, hi: 0, needs: [] };
    const octets = this.#bounds(all, {}, domains(scope(head)));
    const tail = new Set(all.map((f) => f.name));
    const used = new Set(
      all.flatMap((f) => [...expressions(f)].flatMap((x) => [...parts(x)].flatMap(fieldOf))),
    );
    const needs = head.map((f) => f.name).filter((n) => used.has(n) && !tail.has(n));
    return { ...octets, needs };
  }

  /** `auto` may look forward, but only at what is there, and not at what it decides itself. */
  #autos(fields: readonly FieldModel[], head: readonly FieldModel[]): void {
    const [, second] = fields.filter((f) => f.auto === "internet");
    if (second !== undefined) {
      const problem = `'${second.path}' is the second checksum over the header, and each would cover the other`;
      refuse(second.position, problem, "make one of them a plain field");
    }
    const behind = fields.find((f) => f.auto !== undefined && !head.includes(f));
    if (behind !== undefined) {
      const problem = `'${behind.path}' is computed, but stands in the trailer`;
      refuse(behind.position, problem, "leave it a plain field, which the caller gives");
    }
    this.#computed(head);
  }

  /** The computed fields of a list, and of the lists in it. */
  #computed(fields: readonly FieldModel[]): void {
    const seen = scope(fields);
    for (const f of fields) {
      for (const inner of innerOf(f.type)) this.#computed(inner);
      if (f.auto === undefined || typeof f.auto === "string") continue;
      for (const p of parts(f.auto)) {
        if (p.op === "payload") {
          const problem = `'${f.path}' is computed from octets that are not the header's`;
          refuse(f.position, problem, "leave it a plain field; the caller knows the payload");
        }
        if (p.op !== "octets" && p.op !== "count") continue;
        const of = seen.get(p.of);
        if (of === undefined) {
          const mend = hint(p.of, new Set(seen.keys()), "fields");
          const beside = f.path === f.name ? "" : " beside it";
          const problem = `'${f.path}' is computed from '${p.of}', which is no field${beside}`;
          return refuse(f.position, problem, mend);
        }
        if (p.op === "count" && of.type.kind !== "repeat") {
          const problem = `'${f.path}' counts '${p.of}', which is no repetition`;
          refuse(f.position, problem, "use octetsOf()");
        }
        if (p.op === "octets" && (of.type.kind === "pad" || !Number.isInteger(of.min))) {
          const what = of.type.kind === "pad" ? "is padding" : "shares octets with others";
          const problem = `'${f.path}' is computed from the octets of '${p.of}', which ${what}`;
          refuse(f.position, problem, "name a field that has octets of its own");
        }
      }
    }
    sequence(fields, ([f, other]) => {
      const { path, position } = f as FieldModel;
      if (other !== undefined) {
        const problem = `'${path}' and '${other.path}' are computed from one another`;
        return refuse(position, problem, "let one of them be given");
      }
      const problem = `'${path}' is computed from what it decides itself`;
      return refuse(position, problem, "let a field that is given decide what is there");
    });
  }

  /** What is said about the header as a whole names fields that it has. */
  #references(head: readonly FieldModel[], all: Scope): void {
    const { more } = this.spec;
    const seen = scope(head);
    const say = (e: Expr | undefined, path: string, what: string, leave?: Leave) => {
      if (e !== undefined) this.#fields.expr(e, seen, this.#fields.at(path), what, leave);
    };
    const any: Leave = { absent: true, later: ["head", "payload", "octets", "count", "last"] };
    const { little, payload } = more;
    if (little !== undefined) {
      const before = scope(head.slice(0, little.from));
      const at = this.#fields.at("@little");
      this.#fields.condition(little.when, before, at, "the byte order");
      if (little.from >= head.length) {
        refuse(
          at,
          "no field follows little()",
          "put it in front of the fields whose order it tells",
        );
      }
    }
    if (payload !== undefined) this.#payload(payload, head);
    for (const [name, fact] of Object.entries(more.sets ?? {})) {
      for (const e of factExprs(fact)) say(e, `@sets.${name}`, `'${name}'`, any);
      if (fact.from !== "text") continue;
      const kind = seen.get(fact.field)?.type.kind;
      if (kind === "text" || kind === "bytes") continue;
      const problem = `'${name}' is the text of '${fact.field}', which is no field of text or octets`;
      const texts = [...seen].filter(([, f]) => f.type.kind === "text" || f.type.kind === "bytes");
      const mend = hint(fact.field, new Set(texts.map(([n]) => n)), "fields of text or octets");
      refuse(this.#fields.at(`@sets.${name}`), problem, mend);
    }
    for (const [name, e] of Object.entries(more.shows ?? {})) {
      say(e, `@shows.${name}`, `'${name}'`, any);
      for (const p of parts(e)) {
        if (p.op !== "last" || seen.get(p.of)?.type.kind === "repeat") continue;
        const problem = `'${name}' shows the last of '${p.of}', which is no repetition`;
        refuse(this.#fields.at(`@shows.${name}`), problem, "name one");
      }
    }
    for (const end of more.ends ?? []) {
      if (!all.has(end))
        refuse(this.e.at, `'${end}' is no field`, hint(end, new Set(all.keys()), "fields"));
    }
  }

  #payload({ length, told, via, next }: PayloadSpec, head: readonly FieldModel[]): void {
    const open = head.find(isOpen);
    if (open !== undefined) {
      const problem = `'${open.path}' takes all that is left, so there is no payload`;
      refuse(open.position, problem, "give it a length, or take payload() away");
    }
    const seen = scope(head);
    const say = (e: Expr, part: string, what: string, leave: Leave) =>
      this.#fields.expr(e, seen, this.#fields.at(`@payload.${part}`), what, leave);
    const absent: Leave = { absent: true, later: ["head", "payload"] };
    if (told !== undefined)
      this.#fields.condition(told, seen, this.#fields.at("@payload.told"), "the condition", absent);
    for (const v of via ?? []) {
      for (const e of exprsOf(v)) say(e, "via", "what happens to the payload", absent);
    }
    for (const n of next ?? []) {
      for (const e of exprsOf(n)) say(e, "next", "what follows", absent);
    }
    if (length === undefined) return;
    say(length, "length", "the payload's length", { later: ["head"] });
    const [first] = head;
    if (first === undefined) return;
    // The payload is walked as if it were one more field.
    const { when: _, ...plain } = first;
    const probe: FieldModel = {
      ...plain,
      ...(told === undefined ? {} : { when: told }),
      name: "",
      path: "",
      type: { kind: "bytes", length },
      musts: [],
    };
    bounds([...head, probe], {
      negative: (_, least) => {
        const problem = `the payload's length can be negative, down to ${least}`;
        const mend = "add a must() to the field that it is computed from";
        refuse(this.#fields.at("@payload.length"), problem, mend);
      },
      unbounded() {},
      present() {},
    });
  }
}

const sentence = (doc: string): string =>
  (doc.split(/\.(?:\s|$)/)[0] ?? "").replace(/\s+/g, " ").trim();

const fieldOf = (e: Exclude<Expr, number>): string[] => (e.op === "field" ? [e.name] : []);

/** Expressions of a step or an alternative: those of its properties that are some. */
const exprsOf = (step: Via | Next): Expr[] =>
  Object.values(step).filter((v): v is Expr => typeof v === "object" && "op" in v);

const factExprs = (fact: Fact): Expr[] => {
  if (fact.from === "text") return [];
  return fact.from === "expr" ? [fact.expr] : Object.values(fact.map).flatMap(factExprs);
};

/** Whether a trailer's field has a size that is known before it is read. */
function isDecided(f: FieldModel, own: ReadonlySet<string>): boolean {
  const t = f.type;
  const alone = (e: Expr | undefined) =>
    e === undefined || ![...parts(e)].some((p) => p.op === "field" && own.has(p.name));
  if (!alone(f.when)) return false;
  if (t.kind === "bytes" || t.kind === "text") return t.length !== "rest" && alone(t.length);
  if (t.kind === "repeat") return t.count !== undefined && alone(t.count);
  return t.kind !== "tlv" && f.min === f.max;
}

/** Whether the computed field always is what it is computed to: its value decides the size itself. */
function isImplied(f: FieldModel, head: readonly FieldModel[], sizes: readonly Size[]): boolean {
  const { auto } = f;
  if (typeof auto !== "object") return false;
  const isSelf = (e: Expr | "rest" | undefined) =>
    typeof e === "object" && e.op === "field" && e.name === f.name;
  if (auto.op === "octets" || auto.op === "count") {
    const of = head.find((x) => x.name === auto.of);
    if (of === undefined || JSON.stringify(of.when) !== JSON.stringify(f.when)) return false;
    const t = of.type;
    if (auto.op === "count") return t.kind === "repeat" && isSelf(t.count);
    return (t.kind === "bytes" || t.kind === "text") && isSelf(t.length);
  }
  if ([...parts(auto)].some((p) => p.op === "octets" || p.op === "count")) return false;
  return sizes.every(({ env, octets }) => {
    const value = env.get(f.name);
    if (value === undefined || value.lo !== value.hi || octets.lo !== octets.hi) return false;
    const made = evaluate(auto, env, { head: octets });
    return made.lo === value.lo && made.hi === value.lo;
  });
}
