/**
 * Target: for each declared stack one function that takes its whole header apart, in straight lines.
 *
 * The walker reads tables; this is printed from the model by itself, so each can judge the other.
 */
import type { Expr } from "../../spec/lang.js";
import type { FieldModel, HeaderModel, Model, StackModel } from "../model.js";
import { Code, cond, local, type Names, num } from "./code.js";

const quote = JSON.stringify;
const snake = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

/** The file's text; undefined if no stack is declared. */
export function emitStacks(model: Model): string | undefined {
  if (model.stacks.length === 0) return undefined;
  const code = new Code();
  const byName = new Map(model.headers.map((h) => [h.name, h]));
  const headersOf = (s: StackModel) => s.headers.map((name) => byName.get(name) as HeaderModel);
  const used = new Set(model.stacks.flatMap(headersOf));
  code.line('import { bitsAt, octetsAt, wholeAt } from "./octets.js";');
  for (const h of used) {
    const names = h.last.length > 0 ? "measure, measureEnd" : "measure";
    const renamed = names.replace(/(\w+)/g, (n) => `${n} as ${n}${h.type}`);
    code.line(`import { ${renamed} } from "../${h.file}.js";`);
  }
  code.line();
  code.doc(
    "A field that was found: bits from the view's first. Fields inside a field are one deeper.",
  );
  code.block("export interface Found", () => {
    code.line("readonly name: string;");
    code.line("readonly value: number | bigint | boolean | string | Uint8Array | undefined;");
    code.line("readonly bit: number;");
    code.line("readonly bits: number;");
    code.line("readonly depth: number;");
  });
  for (const s of model.stacks) stack(code, s, headersOf(s));
  for (const h of used) {
    new Taker(code, h, h.head, "").print();
    if (h.last.length > 0) new Taker(code, h, [...h.front, ...h.last], "End").print();
  }
  code.line();
  for (const l of HELPERS.split("\n")) code.line(l);
  return code.toString();
}

function stack(code: Code, { id, doc, headers }: StackModel, list: readonly HeaderModel[]): void {
  const sum = (of: (h: HeaderModel) => number) => list.reduce((n, h) => n + of(h), 0);
  const bounds = [
    sum((h) => h.min),
    sum((h) => h.max),
    sum((h) => h.tailMin),
    sum((h) => h.tailMax),
  ];
  code.line();
  code.doc(`Octets of ${id}'s heads, and of its trailers.`);
  const [min, max, tailMin, tailMax] = bounds;
  code.line(
    `export const ${id}Bounds = { min: ${min}, max: ${max}, tailMin: ${tailMin}, tailMax: ${tailMax} } as const;`,
  );
  code.line();
  code.doc(
    ...(doc === "" ? [] : [doc, ""]),
    `The fields of ${headers.join(", ")} in the message at \`o\`, which ends at \`end\`; undefined if a header is`,
    "not whole or not right. A payload that is masked on the wire is given with its mask taken off.",
  );
  code.block(
    `export function ${id}(v: DataView, o: number, end: number): Found[] | undefined`,
    () => {
      code.line("const out: Found[] = [];");
      code.line("let p = o;");
      if (list.some((h) => h.last.length > 0)) code.line("let q = end;");
      for (const h of list) {
        code.block("", () => {
          code.line(`const n = measure${h.type}(v, p, end);`);
          code.line("if (n < 0) return undefined;");
          code.line(`take${h.type}(v, p, end, out);`);
          code.line("p += n;");
          if (h.last.length === 0) return;
          code.line(`const m = measureEnd${h.type}(v, p, q);`);
          code.line("if (m < 0) return undefined;");
          code.line("q -= m;");
          code.line(`take${h.type}End(v, q, q + m, out);`);
        });
      }
      code.line("return out;");
    },
  );
}

/** Prints the function that reads the fields of one header, which is whole and right. */
class Taker {
  readonly #seen = new Map<string, FieldModel>();

  constructor(
    readonly code: Code,
    readonly header: HeaderModel,
    readonly list: readonly FieldModel[],
    readonly suffix: string,
  ) {}

  print(): void {
    const { code, header } = this;
    code.line();
    const name = `take${header.type}${this.suffix}`;
    code.block(`function ${name}(v: DataView, o: number, end: number, out: Found[]): void`, () => {
      if (this.list.length === 0) return code.line("void [v, o, end, out];");
      code.line("let b = o * 8;");
      this.#fields(this.list, "0");
    });
  }

  #names(self?: string): Names {
    return {
      field: (name) => {
        const f = this.#seen.get(name);
        return { text: local(name), boolean: f?.type.kind === "uint" && f.type.as === "boolean" };
      },
      ...(self === undefined ? {} : { self }),
    };
  }

  #fields(fields: readonly FieldModel[], depth: string): void {
    fields.forEach((f, i) => {
      const { little } = this.header;
      if (little?.from === i && fields === this.header.head) {
        this.code.line(`const little = ${cond(little.when, this.#names())};`);
      }
      this.#seen.set(f.name, f);
      const print = () => this.#field(f, depth, local(f.name));
      if (f.when === undefined) print();
      else this.code.block(`if (${cond(f.when, this.#names())})`, print);
    });
  }

  /** Notes a value of `bits` bits, and passes over them. */
  #push(name: string, value: string, bits: string, depth: string): void {
    this.code.line(
      `out.push({ name: ${name}, value: ${value}, bit: b, bits: ${bits}, depth: ${depth} });`,
    );
    this.code.line(`b += ${bits};`);
  }

  #field(f: FieldModel, depth: string, x: string): void {
    const { code } = this;
    const t = f.type;
    const name = quote(f.shown);
    const deeper = /^\d+$/.test(depth) ? String(Number(depth) + 1) : `${depth} + 1`;
    switch (t.kind) {
      case "uint": {
        code.line(`const ${x} = ${whole(t.bits, t.order, t.as, t.signed)};`);
        if (t.flags !== undefined) code.line(`const ${x}At = b;`);
        this.#push(name, x, String(t.bits), depth);
        for (const [flag, mask] of Object.entries(t.flags ?? {})) {
          const low = 31 - Math.clz32(mask & -mask);
          const width = 32 - Math.clz32(mask) - low;
          const bit = `${x}At + ${t.bits - low - width}`;
          const shown = quote(`${f.shown}.${snake(flag)}`);
          code.line(
            `out.push({ name: ${shown}, value: (${x} & ${mask}) !== 0, bit: ${bit}, bits: ${width}, depth: ${deeper} });`,
          );
        }
        return;
      }
      case "bytes":
      case "text": {
        const n = t.length === "rest" ? "end - b / 8" : num(t.length, this.#names());
        code.line(`const ${x}Octets = octetsAt(v, b / 8, ${n});`);
        const value = t.kind === "bytes" ? `${x}Octets` : `new TextDecoder().decode(${x}Octets)`;
        return this.#push(name, value, `${x}Octets.length * 8`, depth);
      }
      case "escape": {
        code.line(`let ${x} = bitsAt(v, b, ${t.bits});`);
        code.line(`let ${x}Bits = ${t.bits};`);
        t.tiers.forEach((tier, i) => {
          const open = i === 0 ? "if" : "} else if";
          code.line(`${open} (${x} === ${tier.at}) {`);
          code.indented(() => {
            code.line(`${x} = ${whole(tier.bits, tier.order, "number", false, `b + ${t.bits}`)};`);
            code.line(`${x}Bits += ${tier.bits};`);
          });
        });
        code.line("}");
        return this.#push(name, x, `${x}Bits`, depth);
      }
      case "varint": {
        code.line(`let ${x} = 0;`);
        code.line(`let ${x}Bits = 0;`);
        code.block(`for (let scale = 1, more = true; more; scale *= 128, ${x}Bits += 8)`, () => {
          code.line(`const octet = v.getUint8((b + ${x}Bits) / 8);`);
          code.line(`${x} += (octet & 0x7f) * scale;`);
          code.line("more = octet > 0x7f;");
        });
        return this.#push(name, x, `${x}Bits`, depth);
      }
      case "pad": {
        code.line(`const ${x} = -(b / 8 - o) & ${t.to - 1};`);
        return code.line(
          `if (${x} > 0) { out.push({ name: ${name}, value: octetsAt(v, b / 8, ${x}), bit: b, bits: ${x} * 8, depth: ${depth} }); b += ${x} * 8; }`,
        );
      }
      case "nested":
        return code.block("", () => {
          code.line("const at = out.length;");
          code.line("const from = b;");
          const outer = new Map(this.#seen);
          this.#fields(t.fields, deeper);
          this.#restore(outer);
          code.line(
            `out.splice(at, 0, { name: ${name}, value: undefined, bit: from, bits: b - from, depth: ${depth} });`,
          );
        });
      case "choose": {
        const arm = (fields: readonly FieldModel[]) => {
          const outer = new Map(this.#seen);
          this.#fields(fields, depth);
          this.#restore(outer);
          code.line("break;");
        };
        return code.block(`switch (${num(t.on, this.#names())})`, () => {
          for (const a of t.arms) {
            for (const n of a.is.slice(0, -1)) code.line(`case ${n}:`);
            code.block(`case ${a.is.at(-1)}:`, () => arm(a.fields));
          }
          if (t.otherwise !== undefined) code.block("default:", () => arm(t.otherwise ?? []));
        });
      }
      case "repeat": {
        const item = `${local(f.name)}Item`;
        const one = () => {
          const outer = new Map(this.#seen);
          this.#seen.set(item, t.of);
          this.#field({ ...t.of, shown: f.shown }, depth, item);
          if (t.until !== undefined) code.line(`if (${cond(t.until, this.#names(item))}) break;`);
          this.#restore(outer);
        };
        if (t.until !== undefined) return code.block("for (;;)", one);
        if (t.count !== undefined) {
          return code.block(`for (let i = ${this.#sum(t.count)}; i > 0; i--)`, one);
        }
        const fill = t.fill === "rest" ? "end" : `b / 8 + ${this.#sum(t.fill ?? 0)}`;
        return code.block(`for (const stop = ${fill}; b < stop * 8; )`, one);
      }
      case "tlv": {
        const fill = t.fill === "rest" ? "end - b / 8" : num(t.fill, this.#names());
        const names = Object.entries(t.names).map(
          ([k, n]) => `${n}: ${quote(`${f.shown}.${snake(k)}`)}`,
        );
        const form = [
          `type: ${t.type}`,
          `length: ${t.length}`,
          `item: ${t.counts === "item"}`,
          `unit: ${t.unit}`,
          `align: ${t.align}`,
          `single: [${t.single.join(", ")}]`,
          `little: ${t.order === "header" ? "little" : t.order === "little"}`,
          `names: { ${names.join(", ")} } as Readonly<Record<number, string>>`,
        ];
        return code.line(
          `b = options(v, b, ${fill}, ${name}, ${depth}, out, { ${form.join(", ")} });`,
        );
      }
    }
  }

  #sum(e: Expr): string {
    const text = num(e, this.#names());
    return /^[\w.]+$/.test(text) ? text : `(${text})`;
  }

  #restore(outer: ReadonlyMap<string, FieldModel>): void {
    this.#seen.clear();
    for (const [k, f] of outer) this.#seen.set(k, f);
  }
}

/** A number at the bit `at`. */
function whole(bits: number, order: string, as: string, signed: boolean, at = "b"): string {
  const little = order === "header" ? "little" : String(order === "little");
  if (as === "boolean") return `bitsAt(v, ${at}, 1) === 1`;
  const o = at === "b" ? "b / 8" : `(${at}) / 8`;
  if (bits === 64) {
    const big = `v.getBig${signed ? "Int" : "Uint"}64(${o}, ${little})`;
    return as === "bigint" ? big : `Number(${big})`;
  }
  if (signed) return `v.getInt${bits}(${o}${bits === 8 ? "" : `, ${little}`})`;
  if (bits % 8 !== 0) return `bitsAt(v, ${at}, ${bits})`;
  // Eight bits in a group need not begin an octet; then they are in no order but the network's.
  return `(${at}) % 8 === 0 ? wholeAt(v, ${o}, ${bits}, ${little}) : bitsAt(v, ${at}, ${bits})`;
}

const HELPERS = `interface Options {
  readonly type: number;
  readonly length: number;
  /** The length counts the whole item. */
  readonly item: boolean;
  readonly unit: number;
  readonly align: number;
  readonly single: readonly number[];
  readonly little: boolean;
  readonly names: Readonly<Record<number, string>>;
}

/** A list of options; returns the bit behind it. */
function options(
  v: DataView,
  from: number,
  octets: number,
  name: string,
  depth: number,
  out: Found[],
  form: Options,
): number {
  const stop = from + octets * 8;
  out.push({ name, value: octetsAt(v, from / 8, octets), bit: from, bits: octets * 8, depth });
  for (let b = from; b < stop; ) {
    const type = wholeAt(v, b / 8, form.type * 8, form.little);
    const alone = form.single.includes(type);
    const head = alone ? form.type : form.type + form.length;
    const said = alone ? 0 : wholeAt(v, b / 8 + form.type, form.length * 8, form.little) * form.unit;
    const n = alone ? head : form.item ? said : said + head;
    const shown = form.names[type] ?? \`\${name}.type_\${type}\`;
    out.push({
      name: shown,
      value: octetsAt(v, b / 8 + head, n - head),
      bit: b,
      bits: n * 8,
      depth: depth + 1,
    });
    b += Math.ceil(n / form.align) * form.align * 8;
  }
  return stop;
}`;
