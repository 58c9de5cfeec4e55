/**
 * Target: for each declared stack one function that takes its whole header apart, in straight lines.
 *
 * The walker reads tables; this is printed from the model by itself, so each can judge the other.
 */
import type { Expr } from "../../spec/lang.js";
import {
  expressions,
  type FieldModel,
  type HeaderModel,
  type Model,
  reads,
  type StackModel,
  type TlvModel,
  type UintModel,
} from "../model.js";
import { Code, cond, hex, local, type Names, num } from "./code.js";

const quote = JSON.stringify;
const snake = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
const isBit = (f: FieldModel) => f.type.kind === "uint" && f.type.as === "boolean";

/** The file's text; undefined if no stack is declared. */
export function emitStacks(model: Model): string | undefined {
  if (model.stacks.length === 0) return undefined;
  const byName = new Map(model.headers.map((h) => [h.name, h]));
  const headersOf = (s: StackModel) => s.headers.map((name) => byName.get(name) as HeaderModel);
  const used = [...new Set(model.stacks.flatMap(headersOf))];
  const code = new Code();
  const options = used.some((h) => everyField(h).some((f) => f.type.kind === "tlv"));
  code.line(`import { Finder, type Found${options ? ", type Options" : ""} } from "./found.js";`);
  for (const h of used) {
    const trailing = h.last.length > 0 ? ["measureEnd"] : [];
    const called = ["measure", ...trailing, ...(h.tailNeeds.length > 0 ? ["read"] : [])];
    const names = called.map((name) => `${name} as ${name}${h.type}`);
    code.line(`import { ${names.join(", ")} } from "../${h.file}.js";`);
  }
  code.line();
  code.line('export type { Found } from "./found.js";');
  for (const s of model.stacks) printStack(code, s, headersOf(s));
  for (const h of used) {
    new Printer(code, h, h.head).print();
    if (h.last.length > 0) new Printer(code, h, h.last, h.front, h.tailNeeds).print();
  }
  return code.toString();
}

const everyField = (h: HeaderModel): FieldModel[] => {
  const within = (f: FieldModel): FieldModel[] => {
    const { type: t } = f;
    if (t.kind === "nested") return t.fields.flatMap(within);
    if (t.kind === "repeat") return within(t.of);
    if (t.kind !== "choose") return [f];
    return [...t.arms.flatMap((a) => a.fields), ...(t.otherwise ?? [])].flatMap(within);
  };
  return [...h.head, ...h.front, ...h.last].flatMap(within);
};

function printStack(code: Code, stack: StackModel, headers: readonly HeaderModel[]): void {
  const { id, doc } = stack;
  const sum = (bound: "min" | "max" | "tailMin" | "tailMax") =>
    `${bound}: ${headers.reduce((n, h) => n + h[bound], 0)}`;
  const masks = headers.some((h) => h.payload?.via?.some(({ op }) => op === "unmask"));
  const bounds = [sum("min"), sum("max"), sum("tailMin"), sum("tailMax")].join(", ");
  code.line();
  code.doc(`Octets of the heads of \`${stack.name}\`, and of its trailers.`);
  code.line(`export const ${id}Bounds = { ${bounds} } as const;`);
  code.line();
  code.doc(
    ...(doc === "" ? [] : [doc, ""]),
    `The fields of ${stack.headers.join(", ")} in the message at \`o\`, which ends at \`end\`; undefined if`,
    `a header is not whole or not right.${masks ? " The payload's mask must have been taken off." : ""}`,
  );
  const caller = headers.some((h) => h.order === "caller");
  const params = `v: DataView, o: number, end: number${caller ? ", little: boolean" : ""}`;
  code.block(`export function ${id}(${params}): Found[] | undefined`, () => {
    code.line("const into = new Finder(v, o, end);");
    headers.forEach((h, i) => {
      printStep(code, h, `known${i}`);
    });
    code.line("return into.found;");
  });
}

/** The lines that find one header's head, and its trailer. */
function printStep(code: Code, h: HeaderModel, known: string): void {
  const little = h.order === "caller" ? ["little"] : [];
  const step = (end: "" | "End", needs: readonly string[]) => {
    const [measure, take] = [`measure${end}${h.type}`, `take${h.type}${end}`];
    const more = [...little, ...needs].map((x) => `, ${x}`).join("");
    const called =
      more === ""
        ? `${measure}, ${take}`
        : `(v, o, end) => ${measure}(v, o, end${more}), (x) => ${take}(x${more})`;
    code.line(`if (!into.${end === "" ? "head" : "tail"}(${called})) return undefined;`);
  };
  step("", []);
  if (h.last.length === 0) return;
  const needs = h.tailNeeds.map((name) => `${known}.${name}`);
  if (needs.length > 0) {
    const args = ["v", "into.start", "into.end", ...little].join(", ");
    code.line(`const ${known} = read${h.type}(${args});`);
  }
  step("End", needs);
}

/** Prints the function that finds the fields of one head, or of a trailer, which is whole and right. */
class Printer {
  readonly #seen = new Map<string, FieldModel>();
  /** Fields that others read. */
  readonly #read: ReadonlySet<string>;
  readonly #forms: string[] = [];

  constructor(
    readonly code: Code,
    readonly header: HeaderModel,
    readonly list: readonly FieldModel[],
    /** Of a trailer: what stands in front of the list, and depends on it. */
    readonly front: readonly FieldModel[] = [],
    /** Of a trailer: what it is told of its head. */
    readonly needs: readonly string[] = [],
  ) {
    const rulesApart = [...list, ...front].flatMap((f) => [...expressions(f, false)]);
    const order = header.little === undefined ? [] : [header.little.when];
    this.#read = new Set([...rulesApart, ...order].flatMap(reads));
  }

  print(): void {
    const { code, header, list } = this;
    const end = list === header.head ? "" : "End";
    const params = ["into: Finder"];
    if (header.order === "caller") params.push("little: boolean");
    for (const name of this.needs) {
      const f = header.head.find((g) => g.name === name) as FieldModel;
      this.#seen.set(name, f);
      const absent = f.when === undefined ? "" : " | undefined";
      params.push(`${own(name)}: ${isBit(f) ? "boolean" : "number"}${absent}`);
    }
    code.line();
    if (list.length === 0) return code.line(`function take${header.type}${end}(): void {}`);
    code.block(`function take${header.type}${end}(${params.join(", ")}): void`, () => {
      if (this.front.length > 0) code.line(`into.last(${this.#octets(list)});`);
      this.#fields(list);
      if (this.front.length === 0) return;
      code.line("into.front();");
      this.#fields(this.front);
    });
    for (const form of this.#forms) {
      code.line();
      this.#print(form);
    }
  }

  /** Octets of fields whose size what is known decides. */
  #octets(fields: readonly FieldModel[]): string {
    const names = this.#names();
    const bits = ({ type: t }: FieldModel): string => {
      if (t.kind === "uint") return String(t.bits);
      if (t.kind === "nested") return `(${t.fields.map(bits).join(" + ")})`;
      if (t.kind === "repeat") return `(${num(t.count ?? 0, names)}) * ${bits(t.of)}`;
      if ((t.kind === "bytes" || t.kind === "text") && t.length !== "rest")
        return `8 * (${num(t.length, names)})`;
      throw new Error(`unchecked model: ${t.kind} among a trailer's last fields`);
    };
    const sizes = fields.map((f) =>
      f.when === undefined ? bits(f) : `(${cond(f.when, names)} ? ${bits(f)} : 0)`,
    );
    if (sizes.every((n) => /^\d+$/.test(n))) {
      return String(sizes.reduce((sum, n) => sum + Number(n), 0) / 8);
    }
    return `(${sizes.join(" + ")}) / 8`;
  }

  #print(text: string): void {
    for (const l of text.split("\n")) this.code.line(l);
  }

  #names(self?: string): Names {
    return {
      field: (name) => {
        const f = this.#seen.get(name);
        const boolean = f !== undefined && isBit(f);
        if (f?.when === undefined) return { text: own(name), boolean };
        return { text: `(${own(name)} ?? ${boolean ? "false" : "0"})`, boolean };
      },
      ...(self === undefined ? {} : { self }),
    };
  }

  /** Fields of a block of their own. */
  #inner(fields: readonly FieldModel[]): void {
    const outer = new Map(this.#seen);
    this.#fields(fields);
    this.#seen.clear();
    for (const [name, f] of outer) this.#seen.set(name, f);
  }

  #fields(fields: readonly FieldModel[]): void {
    const { code, header } = this;
    fields.forEach((f, i) => {
      if (header.little?.from === i && fields === header.head) {
        code.line(`const little = ${cond(header.little.when, this.#names())};`);
      }
      this.#field(f);
      this.#seen.set(f.name, f);
    });
  }

  #field(f: FieldModel): void {
    const { code } = this;
    const call = this.#call(f);
    const when = f.when === undefined ? undefined : cond(f.when, this.#names());
    if (call !== undefined && this.#read.has(f.name)) {
      const value = when === undefined ? call : `${when} ? ${call} : undefined`;
      this.#print(`const ${own(f.name)} = ${value};`);
    } else if (call !== undefined) {
      this.#print(when === undefined ? `${call};` : `if (${when}) ${call};`);
    } else if (when === undefined) this.#lines(f);
    else code.block(`if (${when})`, () => this.#lines(f));
  }

  /** The call that finds a field; undefined for one that takes more lines. */
  #call(f: FieldModel): string | undefined {
    const { type: t } = f;
    const name = quote(f.shown);
    const octets = (length: Expr | "rest") =>
      length === "rest" ? "into.rest" : num(length, this.#names());
    switch (t.kind) {
      case "uint":
        return this.#uint(f, t);
      case "bytes":
      case "text":
        return `into.${t.kind}(${name}, ${octets(t.length)})`;
      case "escape": {
        const tiers = t.tiers.map(
          ({ at, bits, order }) => `[${at}, ${bits}${bits === 8 ? "" : swapped(order)}]`,
        );
        return `into.escape(${name}, ${t.bits}, [${tiers.join(", ")}])`;
      }
      case "varint":
        return `into.varint(${name})`;
      case "pad":
        return `into.pad(${name}, ${t.to})`;
      case "tlv":
        return `into.options(${name}, ${octets(t.fill)}, ${this.#form(f, t)}${swapped(t.order)})`;
      default:
        return undefined;
    }
  }

  #uint(f: FieldModel, t: UintModel): string {
    const name = quote(f.shown);
    // Bits have no order.
    const little = t.bits % 8 === 0 && t.bits > 8 ? swapped(t.order) : "";
    if (t.as === "boolean") return `into.bit(${name})`;
    if (t.as === "bigint") return `into.big(${name}, ${t.signed}${little})`;
    if (t.signed) return `into.signed(${name}, ${t.bits}${little})`;
    if (t.flags === undefined) return `into.number(${name}, ${t.bits}${little})`;
    const flags = Object.entries(t.flags).map(([flag, mask]) => {
      const low = 31 - Math.clz32(mask & -mask);
      const width = 32 - Math.clz32(mask) - low;
      const at = t.bits - low - width;
      return `  [${quote(`${f.shown}.${snake(flag)}`)}, ${hex(mask >>> 0)}, ${at}, ${width}],`;
    });
    return [`into.flags(${name}, ${t.bits}, [`, ...flags, `]${little})`].join("\n");
  }

  #lines(f: FieldModel): void {
    const { code } = this;
    const { type: t } = f;
    switch (t.kind) {
      case "nested":
        code.line(`into.part(${quote(f.shown)}, () => {`);
        code.indented(() => this.#inner(t.fields));
        return code.line("});");
      case "choose":
        return code.block(`switch (${num(t.on, this.#names())})`, () => {
          const arm = (label: string, fields: readonly FieldModel[]) =>
            code.block(label, () => {
              this.#inner(fields);
              code.line("break;");
            });
          for (const { is, fields } of t.arms) {
            for (const n of is.slice(0, -1)) code.line(`case ${n}:`);
            arm(`case ${is.at(-1)}:`, fields);
          }
          if (t.otherwise !== undefined) arm("default:", t.otherwise);
        });
      case "repeat": {
        const element = { ...t.of, shown: f.shown };
        if (t.until !== undefined) {
          return code.block("for (;;)", () => {
            code.line(`const element = ${this.#call(element)};`);
            code.line(`if (${cond(t.until ?? 0, this.#names("element"))}) break;`);
          });
        }
        const octets = t.fill === "rest" ? "into.rest" : num(t.fill ?? 0, this.#names());
        if (t.count === undefined) code.line(`into.fill(${octets}, () => {`);
        else code.line(`for (let i = ${num(t.count, this.#names())}; i > 0; i--) {`);
        code.indented(() => this.#inner([element]));
        return code.line(t.count === undefined ? "});" : "}");
      }
      default:
        throw new Error(`${t.kind} is one call`);
    }
  }

  /** The constant that says what a list's options look like. */
  #form(f: FieldModel, t: TlvModel): string {
    const name = snake(`${this.header.id}_${f.path.replaceAll(".", "_")}`).toUpperCase();
    const names = Object.entries(t.names).map(
      ([option, n]) => `    ${n}: ${quote(`${f.shown}.${snake(option)}`)},`,
    );
    this.#forms.push(
      [
        `const ${name}: Options = {`,
        `  type: ${t.type},`,
        `  length: ${t.length},`,
        `  item: ${t.counts === "item"},`,
        `  unit: ${t.unit},`,
        `  align: ${t.align},`,
        `  single: [${t.single.join(", ")}],`,
        "  names: {",
        ...names,
        "  },",
        "};",
      ].join("\n"),
    );
    return name;
  }
}

/** A field's name as that of a variable. */
const own = (name: string) => (name === "element" ? "element_" : local(name));

/** The last argument: whether octets are swapped. */
const swapped = (order: "big" | "little" | "header"): string =>
  order === "big" ? "" : order === "little" ? ", true" : ", little";
