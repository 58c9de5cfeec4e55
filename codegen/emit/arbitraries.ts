/**
 * Target: test material. For each header a function that draws its value and its octets side by side,
 * field by field in wire order, with what makes each field wrong beside what makes it right.
 *
 * `generated/arbitraries/draw/` turns these into fast-check arbitraries; the vectors make every choice
 * once. The codec has no part in it, so both can judge the codec.
 */
import { readFileSync } from "node:fs";
import type { Expr } from "../../spec/lang.js";
import { layout } from "../layout.js";
import {
  expressions,
  type FieldModel,
  type HeaderModel,
  inValue,
  isKonst,
  type Model,
  parts,
  reads,
  type TlvModel,
  type UintModel,
} from "../model.js";
import { cond, dec, local, type Names, num } from "./code.js";
import { type Constraint, constraints, marks } from "./rules.js";
import { tidy } from "./tidy.js";

/** Files that are copied: what they say holds for every header. */
const COPIED = ["wire", "options", "draw", "arbitrary"] as const;

/** Path from the generated folder → text. */
export function emitArbitraries(model: Model): Map<string, string> {
  const files = drawFiles();
  for (const h of model.headers) files.set(`arbitraries/${h.file}.ts`, emitArbitrary(h));
  return files;
}

/** What the generated modules call. */
export function drawFiles(): Map<string, string> {
  return new Map(
    COPIED.map((name) => {
      const text = readFileSync(new URL(`../draw/${name}.mts`, import.meta.url), "utf8");
      return [`arbitraries/draw/${name}.ts`, text.replaceAll('.mjs"', '.js"')];
    }),
  );
}

export const emitArbitrary = (header: HeaderModel): string => new Printer(header).print();

/** What printed expressions can name. */
type Scope = ReadonlyMap<string, FieldModel>;

/** How a number is read whose order the header decides; and what is kept for computed fields. */
interface Place {
  readonly fields: readonly FieldModel[];
  readonly scope: Scope;
  readonly own: ReadonlyMap<string, readonly Constraint[]>;
  /** Fields in groups of bits, which have no byte order. */
  readonly grouped: ReadonlySet<FieldModel>;
}

class Printer {
  #lines: string[] = [];
  /** What lists of options look like: the constant's name → its text. */
  readonly #forms = new Map<string, string>();
  /** The byte order of fields that the header decides, as an expression. */
  #little = "false";

  constructor(readonly header: HeaderModel) {
    if (header.order === "caller") this.#little = "d.little";
  }

  print(): string {
    const { header } = this;
    const up = "../".repeat(header.file.split("/").length);
    const trailing = [...header.front, ...header.last];
    this.#lines.push(
      "",
      `/** Draws a header \`${header.name}\`. */`,
      `export function head(d: Draw): ${header.type} {`,
    );
    this.#fields(header.head, new Map());
    this.#lines.push(`return ${literal(header.head)};`, "}");
    if (trailing.length > 0) this.#tail();
    const body = [...this.#lines, ...[...this.#forms.values()].flatMap((form) => ["", form])].join(
      "\n",
    );

    const types = [header.type, ...(trailing.length > 0 ? [`${header.type}Tail`] : [])];
    const calls = (names: readonly string[]) =>
      names.filter((n) => new RegExp(`\\b${n}\\b`).test(body));
    const from = (folder: string, values: readonly string[], types: readonly string[]) => {
      if (values.length + types.length === 0) return [];
      const all = values.length === 0 ? types : [...types.map((t) => `type ${t}`), ...values];
      return [
        `import ${values.length === 0 ? "type " : ""}{ ${all.join(", ")} } from "${folder}.js";`,
      ];
    };
    const draw = up.replace("../", "./").replace("./../", "../");
    const imports = [
      ...from(`${up}${header.file}`, [], types),
      ...from(`${draw}draw/draw`, calls(["KEEP"]), ["Draw"]),
      ...from(`${draw}draw/options`, calls(["fits"]), calls(["Options"])),
    ];
    return tidy([...imports, body].join("\n"));
  }

  /** The trailer: its last fields decide the size of those in front of them. */
  #tail(): void {
    const { header } = this;
    const needs = header.tailNeeds.map((n) => header.head.find((f) => f.name === n) as FieldModel);
    const params = needs.map((f) => {
      const type = isBit(f) ? "boolean" : "number";
      return `, ${own(f.name)}: ${type}${f.when === undefined ? "" : " | undefined"}`;
    });
    const head = `export function tail(d: Draw${params.join("")}): ${header.type}Tail {`;
    this.#lines.push("", "/** Draws its trailer. */", head);
    const known = new Map(needs.map((f) => [f.name, f]));
    this.#fields(header.last, known);
    if (header.front.length > 0) {
      this.#lines.push("d.turn();");
      this.#fields(
        header.front,
        new Map([...known, ...header.last.map((f) => [f.name, f] as const)]),
      );
    }
    this.#lines.push(`return ${literal([...header.front, ...header.last])};`, "}");
  }

  #fields(fields: readonly FieldModel[], outer: Scope): void {
    const scope = new Map(outer);
    const grouped = layout(fields).flatMap((s) => (s.kind === "bits" ? s.fields : []));
    const place: Place = { fields, scope, own: constraints(fields), grouped: new Set(grouped) };
    const decides = new Set(
      fields.flatMap((f) => [...expressions({ ...f, ...plain })].flatMap(reads)),
    );
    const late = fields.filter((f) => f.auto !== undefined && f.implied !== true);
    const measured = new Set(
      late.flatMap((f) => (typeof f.auto === "object" ? octetsOf(f.auto) : [])),
    );
    const { little } = this.header;
    fields.forEach((f, i) => {
      if (fields === this.header.head && little?.from === i) {
        this.#lines.push(`const little = ${cond(little.when, this.#names(scope))};`);
        this.#little = "little";
      }
      if (measured.has(f.name)) this.#lines.push(`const ${f.name}_from = d.length;`);
      if (late.includes(f) && !decides.has(f.name)) {
        const when = f.when === undefined ? "" : `!(${cond(f.when, this.#names(scope))}) ? -1 : `;
        this.#lines.push(`const ${f.name}_place = ${when}d.hold(${(f.type as UintModel).bits});`);
      } else this.#field(f, place);
      if (measured.has(f.name))
        this.#lines.push(`const ${f.name}_octets = d.length - ${f.name}_from;`);
      scope.set(f.name, f);
    });
    // Checksums last: they cover the other computed fields.
    for (const f of [...late].sort(
      (a, b) => Number(a.auto === "internet") - Number(b.auto === "internet"),
    )) {
      const made = f.auto === "internet" ? "d.internet()" : num(f.auto ?? 0, this.#names(scope));
      if (decides.has(f.name)) {
        const when = f.when === undefined ? "" : `if (${own(f.name)} !== undefined) `;
        this.#lines.push(`${when}d.agree(${own(f.name)}, ${made});`);
      } else this.#settle(f, made, place);
    }
  }

  #settle(f: FieldModel, made: string, place: Place): void {
    const { bits } = f.type as UintModel;
    const little = this.#order(f, place);
    const args = [
      `${f.name}_place`,
      bits,
      made,
      f.faults.auto,
      ...(little === undefined ? [] : [little]),
    ];
    const when = f.when === undefined ? "" : `${f.name}_place < 0 ? undefined : `;
    this.#lines.push(`const ${own(f.name)} = ${when}d.settle(${args.join(", ")});`);
  }

  #field(f: FieldModel, place: Place): void {
    const when = f.when === undefined ? undefined : cond(f.when, this.#names(place.scope));
    const drawn = this.#drawn(f, place, []);
    if (!inValue(f)) {
      this.#lines.push(when === undefined ? `${drawn};` : `if (${when}) ${drawn};`);
    } else if (when === undefined) this.#lines.push(`const ${own(f.name)} = ${drawn};`);
    else this.#lines.push(`const ${own(f.name)} = ${when} ? ${drawn} : undefined;`);
  }

  /** The call that draws a field, as text; inner calls may take more lines. */
  #drawn(f: FieldModel, place: Place, more: readonly string[]): string {
    const { type: t, faults } = f;
    const name = JSON.stringify(f.path);
    const names = this.#names(place.scope);
    const whole = (extra: readonly string[] = []) => this.#whole(f, place, more, extra);
    switch (t.kind) {
      case "uint": {
        if (t.as === "boolean") {
          const rules = this.#rules(f, place, more);
          return `d.bit(${[name, ...(rules === "" ? [] : [`[${rules}]`])].join(", ")})`;
        }
        const little = this.#order(f, place);
        if (t.as === "bigint")
          return `d.big(${[name, t.signed, ...(little === undefined ? [] : [little])].join(", ")})`;
        if (isKonst(f) && !f.lint)
          return `d.konst(${name}, ${t.bits}, ${t.konst}, ${faults.konst}${whole()})`;
        if (t.names !== undefined && t.open !== true && !f.lint) {
          return `d.named(${name}, ${t.bits}, [${Object.values(t.names).map(dec).join(", ")}], ${faults.names}${whole()})`;
        }
        const range = faults.range === undefined ? [] : [`range: ${faults.range}`];
        return `d.number(${name}, ${t.bits}${whole(range)})`;
      }
      case "escape": {
        const tiers = t.tiers.map((tier) => {
          const little = this.#orderText(tier.order);
          return `[${tier.at}, ${tier.bits}${little === undefined ? "" : `, ${little}`}]`;
        });
        return `d.escape(${name}, ${t.bits}, [${tiers.join(", ")}]${whole(forms(f))})`;
      }
      case "varint":
        return `d.varint(${name}, ${t.bits}${whole(forms(f))})`;
      case "bytes": {
        if (t.konst !== undefined && !f.lint)
          return `d.fixed([${t.konst.join(", ")}], ${faults.konst})`;
        return `d.bytes(${this.#octets(f, t.length, t.max, names)})`;
      }
      case "text":
        return `d.text(${name}, ${this.#octets(f, t.length, t.max, names)}, "${t.encoding}", ${faults.text})`;
      case "pad":
        return `d.pad(${t.to}, ${faults.pad})`;
      case "tlv": {
        const little = this.#orderText(t.order);
        const form = [this.#form(f, t), ...(little === undefined ? [] : [little])].join(", ");
        return t.fill === "rest"
          ? `d.optionsRest(${name}, ${t.max}, ${faults.max}, ${form})`
          : `d.options(${name}, ${num(t.fill, names)}, ${form})`;
      }
      case "nested":
        return `d.part(() => {\n${this.#inner(t.fields, new Map())}\n})`;
      case "choose": {
        const block = (g: readonly FieldModel[]) => `{\n${this.#inner(g, place.scope)}\n}`;
        const arms = t.arms.map(
          (a) => `${a.is.map((n) => `case ${n}:`).join("\n")} ${block(a.fields)}`,
        );
        const other =
          t.otherwise === undefined ? `\nreturn d.nothing(${name});` : ` ${block(t.otherwise)}`;
        const body = [...arms, `default:${other}`].join("\n");
        return `d.part(() => {\nswitch (${num(t.on, names)}) {\n${body}\n}\n})`;
      }
      case "repeat": {
        const draw = `() => ${this.#drawn(t.of, { ...place, own: new Map() }, [])}`;
        if (t.count !== undefined) return `d.list(${num(t.count, names)}, ${draw})`;
        if (t.until !== undefined) {
          const ends = `(x) => ${cond(t.until, { ...names, self: "x" })}`;
          const element = this.#drawn(t.of, { ...place, own: new Map() }, ["rule"]);
          return `d.until(${name}, ${t.max}, ${faults.max}, ${ends}, (rule) => ${element})`;
        }
        if (t.fill !== "rest")
          return `d.fill(${name}, ${num(t.fill ?? 0, names)}, ${t.max}, ${draw})`;
        const octets = t.of.min === t.of.max ? t.of.min : undefined;
        return `d.fillRest(${name}, ${t.max}, { max: ${faults.max}, fill: ${faults.fill} }, ${octets}, ${draw})`;
      }
    }
  }

  #octets(f: FieldModel, length: Expr | "rest", max: number | undefined, names: Names): string {
    return length === "rest"
      ? `d.rest(${JSON.stringify(f.path)}, ${max}, ${f.faults.max})`
      : num(length, names);
  }

  /** The lines that draw fields of their own, and return them. */
  #inner(fields: readonly FieldModel[], outer: Scope): string {
    const lines = this.#lines;
    this.#lines = [];
    this.#fields(fields, outer);
    const inner = [...this.#lines, `return ${literal(fields)};`].join("\n");
    this.#lines = lines;
    return inner;
  }

  /** The constant that says what a list's options look like. */
  #form(f: FieldModel, t: TlvModel): string {
    const name = `${f.path
      .replace(/([A-Z])/g, "_$1")
      .replaceAll(".", "_")
      .toUpperCase()}_FORM`;
    const { fill, end, pad } = f.faults;
    const faults = Object.entries({ fill, end, pad }).filter(([, n]) => n !== undefined);
    const form = {
      type: t.type,
      length: t.length,
      item: t.counts === "item",
      unit: t.unit,
      align: t.align,
      single: `[${t.single.join(", ")}]`,
      ...(t.end === undefined ? {} : { end: t.end }),
      known: `[${Object.values(t.names).join(", ")}]`,
      faults: `{ ${faults.map(([k, n]) => `${k}: ${n}`).join(", ")} }`,
    };
    const entries = Object.entries(form).map(([k, v]) => `${k}: ${v},`);
    this.#forms.set(name, [`const ${name}: Options = {`, ...entries, "};"].join("\n"));
    return name;
  }

  /** What `number` and its like are told beside the width, with a comma in front. */
  #whole(f: FieldModel, place: Place, more: readonly string[], extra: readonly string[]): string {
    const { type: t } = f;
    const named = t.kind === "uint" && t.names !== undefined && t.open !== true && !f.lint;
    const tries =
      named || (isKonst(f) && !f.lint) ? [] : marks(f, place.fields, place.own.get(f.name) ?? []);
    const names: Names = { ...this.#names(place.scope, f.name), self: "x" };
    // What another field decides alone is not found by trying.
    const decided = f.musts.flatMap(({ expr: e }) => {
      if (typeof e === "number" || e.op !== "eq" || typeof e.a === "number" || e.a.op !== "self")
        return [];
      return typeof e.b === "number" ? [] : [num(e.b, names)];
    });
    const tried = [...tries.map(dec), ...decided];
    const rules = this.#rules(f, place, more);
    const little = t.kind === "uint" ? this.#order(f, place) : undefined;
    const entries = [
      ...(tried.length > 0 ? [`marks: [${tried.join(", ")}]`] : []),
      ...(rules === "" ? [] : [`rules: [${rules}]`]),
      ...(t.kind === "uint" && t.signed ? ["signed: true"] : []),
      ...(little === undefined ? [] : [`little: ${little}`]),
      ...extra,
    ];
    return entries.length === 0 ? "" : `, { ${entries.join(", ")} }`;
  }

  #rules(f: FieldModel, place: Place, more: readonly string[]): string {
    const names: Names = { ...this.#names(place.scope, f.name), self: "x" };
    const musts = f.musts.map((m) => `[${m.fault}, (x) => ${cond(m.expr, names)}]`);
    const laid = (place.own.get(f.name) ?? []).map((c) => {
      const form = c.fits?.type.kind === "tlv" ? this.#form(c.fits, c.fits.type) : undefined;
      const test =
        form === undefined ? cond(c.expr, names) : `fits(${num(c.expr, names)}, ${form})`;
      return `[${c.fault ?? "KEEP"}, (x) => ${test}]`;
    });
    return [...musts, ...laid, ...more].join(", ");
  }

  #names(scope: Scope, self?: string): Names {
    return {
      field: (name) => {
        if (name === self) return { text: "x", boolean: false };
        const f = scope.get(name);
        if (f === undefined)
          throw new Error(`unchecked model: '${name}' is read before it is there`);
        const boolean = isBit(f);
        if (f.when === undefined) return { text: own(name), boolean };
        return { text: `(${own(name)} ?? ${boolean ? "false" : "0"})`, boolean };
      },
      head: "d.length",
      octets: (name) => `${name}_octets`,
      count: (name) =>
        scope.get(name)?.when === undefined ? `${own(name)}.length` : `(${own(name)}?.length ?? 0)`,
    };
  }

  /** Whether the number's octets are swapped, as an expression; unset: no. */
  #order(f: FieldModel, place: Place): string | undefined {
    const { type: t } = f;
    if (t.kind !== "uint" || t.bits === 8 || t.bits % 8 !== 0 || place.grouped.has(f))
      return undefined;
    return this.#orderText(t.order);
  }

  #orderText(order: "big" | "little" | "header"): string | undefined {
    if (order === "header" && this.#little !== "false") return this.#little;
    return order === "little" ? "true" : undefined;
  }
}

/** A field without what does not decide its own or another's octets. */
const plain = { musts: [], implied: true } as const;

const isBit = (f: FieldModel) => f.type.kind === "uint" && f.type.as === "boolean";
/** What the printed text itself calls something. */
const TAKEN = new Set(["d", "x", "rule", "fits"]);
const own = (name: string) => (TAKEN.has(name) ? `${name}_` : local(name));
const literal = (fields: readonly FieldModel[]): string => {
  const entries = fields
    .filter(inValue)
    .map((f) => (own(f.name) === f.name ? f.name : `${f.name}: ${own(f.name)}`));
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
};
const octetsOf = (e: Expr) => [...parts(e)].flatMap((p) => (p.op === "octets" ? [p.of] : []));
const forms = ({ faults: { range, shortest } }: FieldModel) => [
  ...(range === undefined ? [] : [`range: ${range}`]),
  ...(shortest === undefined ? [] : [`shortest: ${shortest}`]),
];
