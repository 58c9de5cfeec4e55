/** Prints the bodies of functions that write octets, and that say how many they would be. */
import type { Expr } from "../../spec/lang.js";
import { bitWidth, fieldsOf, type Group, joined, layout, type Segment } from "../layout.js";
import {
  type ChooseModel,
  type EscapeModel,
  type FieldModel,
  type HeaderModel,
  isKonst,
  isParam,
  parts,
  type RepeatModel,
  reads,
  type TlvModel,
  type UintModel,
} from "../model.js";
import {
  type Code,
  cond,
  dec,
  hex,
  local,
  type Names,
  negated,
  num,
  objectType,
  outside,
} from "./code.js";
import { ownIn, Sum } from "./sum.js";
import type { Used } from "./support.js";

/** How a field's value is reached: a variable, or a property of one. */
type Scope = ReadonlyMap<string, { readonly text: string; readonly field: FieldModel }>;

export class Encoder {
  #base = "o";
  #plus = 0;
  #cursor = false;
  #scope: Scope = new Map();
  #words = 0;
  #checksum: Sum | undefined;
  readonly #places = new Map<string, string>();

  constructor(
    readonly code: Code,
    readonly header: HeaderModel,
    readonly used: Used,
  ) {}

  get at(): string {
    return this.#plus === 0 ? this.#base : `${this.#base} + ${this.#plus}`;
  }

  /** Fields whose values are arguments. */
  know(fields: readonly FieldModel[]): void {
    this.#enter(fields, (f) => local(f.name));
  }

  #enter(fields: readonly FieldModel[], reach: (f: FieldModel) => string): void {
    const scope = new Map(this.#scope);
    for (const f of fields) scope.set(f.name, { text: reach(f), field: f });
    this.#scope = scope;
  }

  #names(self?: string, head?: string): Names {
    return {
      field: (name) => {
        const known = this.#scope.get(name);
        const boolean = known?.field.type.kind === "uint" && known.field.type.as === "boolean";
        return { text: known?.text ?? local(name), boolean };
      },
      octets: (of) => `${local(of)}Octets`,
      count: (of) => `${this.#text(of)}.length`,
      ...(self === undefined ? {} : { self }),
      ...(head === undefined ? {} : { head }),
    };
  }

  #text(name: string): string {
    return this.#scope.get(name)?.text ?? local(name);
  }

  #path(f: FieldModel): string {
    return JSON.stringify(`${this.header.name}.${f.path}`);
  }

  /** Variables for fields that are computed; `head`: what the whole takes, if one needs it. */
  autos(fields: readonly FieldModel[], head?: string): void {
    for (const f of fields) {
      if (f.auto === undefined || f.auto === "internet") continue;
      for (const p of parts(f.auto)) {
        if (p.op !== "octets") continue;
        const of = fields.find((g) => g.name === p.of);
        if (of !== undefined) this.#octetsOf(of);
      }
      this.code.line(`const ${local(f.name)} = ${num(f.auto, this.#names(undefined, head))};`);
      this.#scope = new Map(this.#scope).set(f.name, { text: local(f.name), field: f });
    }
  }

  /** A variable with the octets that the field will take. */
  #octetsOf(f: FieldModel): void {
    const name = `${local(f.name)}Octets`;
    const x = this.#text(f.name);
    if (f.type.kind === "bytes" && f.when === undefined)
      return this.code.line(`const ${name} = ${x}.length;`);
    this.sizes([f], name, true);
  }

  // -------------------------------------------------------------------------------- sizes

  /** Adds what fields take to the variable `n`; `fresh`: it is declared here. */
  sizes(fields: readonly FieldModel[], n: string, fresh = false): void {
    let fixed = 0;
    let declared = !fresh;
    const flush = () => {
      if (!declared) this.code.line(`let ${n} = ${fixed};`);
      else if (fixed > 0) this.code.line(`${n} += ${fixed};`);
      declared = true;
      fixed = 0;
    };
    for (const s of fields.length === 1 && fields[0]?.type.kind !== "escape"
      ? [alone(fields[0] as FieldModel)]
      : layout(fields)) {
      const add = () => {
        if (s.kind === "bits") {
          fixed += s.octets;
          const last = s.fields.at(-1) as FieldModel;
          if (last.type.kind !== "escape") return;
          flush();
          this.code.line(`${n} += ${escapeSize(last.type, this.#text(last.name))};`);
        } else if (s.field.min === s.field.max) fixed += s.field.min;
        else {
          flush();
          this.#size(s.field, n);
        }
      };
      if (s.when === undefined) add();
      else {
        flush();
        this.code.block(`if (${cond(s.when, this.#names())})`, () => {
          for (const f of s.kind === "bits" ? s.fields : [s.field]) this.#present(f);
          add();
          flush();
        });
      }
    }
    flush();
  }

  /** Refuses if a conditional field's value is missing. */
  #present(f: FieldModel): void {
    if (!isParam(f) || f.min === f.max) return;
    this.code.line(
      `if (${this.#text(f.name)} === undefined) refuse(${this.#path(f)}, "nothing", "is given, but it is present");`,
    );
    this.used.get("refuse");
  }

  #size(f: FieldModel, n: string): void {
    const t = f.type;
    const x = this.#text(f.name);
    switch (t.kind) {
      case "bytes":
        return this.code.line(`${n} += ${x}.length;`);
      case "text":
        return this.code.line(
          `${n} += ${this.used.get("textOctets")}(${this.#path(f)}, ${x}).length;`,
        );
      case "varint":
        return this.code.line(`${n} += ${this.used.get("varintSize")}(${x});`);
      case "escape":
        return this.code.line(`${n} += ${escapeSize(t, x)};`);
      case "pad":
        return this.code.line(`${n} += -${n} & ${t.to - 1};`);
      case "repeat": {
        const { of } = t;
        if (of.min === of.max) return this.code.line(`${n} += ${x}.length * ${of.min};`);
        const item = `${local(f.name)}Item`;
        return this.#each(x, item, `i < ${x}.length`, () => {
          this.#inside(
            [{ ...of, name: `${f.name}Item` }],
            () => item,
            () => this.#size({ ...of, name: `${f.name}Item` }, n),
          );
        });
      }
      case "nested":
        return this.#inside(
          t.fields,
          (g) => `${x}.${g.name}`,
          () => this.sizes(t.fields, n),
        );
      case "choose":
        return this.#arms(f, t, (fields) => this.sizes(fields, n));
      case "tlv":
        return this.#each(x, `{ value: ${local(f.name)}Value }`, `i < ${x}.length`, () => {
          this.code.line(`${n} += ${itemSize(t, `${local(f.name)}Value`)};`);
        });
      case "uint":
        return;
    }
  }

  /** A loop over an array; `for … of` takes several times as long. */
  #each(x: string, item: string, more: string, body: () => void): void {
    this.code.block(`for (let i = 0; ${more}; i++)`, () => {
      this.code.line(`const ${item} = ${x}[i]!;`);
      body();
    });
  }

  #inside(fields: readonly FieldModel[], reach: (f: FieldModel) => string, body: () => void): void {
    const outer = this.#scope;
    this.#enter(fields, reach);
    body();
    this.#scope = outer;
  }

  #arms(f: FieldModel, t: ChooseModel, body: (fields: readonly FieldModel[]) => void): void {
    const x = this.#text(f.name);
    const arm = (fields: readonly FieldModel[]) => {
      const value = `${local(f.name)}Arm`;
      if (fields.some((g) => isParam(g)))
        this.code.line(`const ${value} = ${x} as ${objectType(fields, this.header)};`);
      this.#inside(
        fields,
        (g) => `${value}.${g.name}`,
        () => {
          this.autos(fields);
          body(fields);
        },
      );
      this.code.line("break;");
    };
    this.code.block(`switch (${num(t.on, this.#names())})`, () => {
      for (const a of t.arms) {
        for (const n of a.is.slice(0, -1)) this.code.line(`case ${n}:`);
        this.code.block(`case ${a.is.at(-1)}:`, () => arm(a.fields));
      }
      if (t.otherwise !== undefined) this.code.block("default:", () => arm(t.otherwise ?? []));
      else
        this.code.line(
          `default: ${this.used.get("refuse")}(${this.#path(f)}, ${num(t.on, this.#names())}, "has no form");`,
        );
    });
  }

  // ------------------------------------------------------------------------------- writing

  cursor(): void {
    if (this.#base === "p") {
      if (this.#plus > 0) this.code.line(`p += ${this.#plus};`);
    } else this.code.line(this.#cursor ? `p = ${this.at};` : `let p = ${this.at};`);
    this.#cursor = true;
    this.#base = "p";
    this.#plus = 0;
  }

  /** Writes the fields, each checked before it is stored. */
  fields(fields: readonly FieldModel[]): void {
    if (fields.some((f) => f.auto === "internet")) this.#checksum = new Sum(this.code, this.used);
    const segments = layout(fields);
    const { little } = this.header;
    const from =
      fields === this.header.head && little !== undefined ? fields[little.from] : undefined;
    const start = from === undefined ? -1 : segments.findIndex((s) => fieldsOf(s)[0] === from);
    if (little === undefined || start < 0) return this.#segments(segments);
    this.#segments(segments.slice(0, start));
    this.code.line(`const little = ${cond(little.when, this.#names())};`);
    this.#segments(segments.slice(start));
  }

  #segments(segments: readonly Segment[]): void {
    for (const s of joined(segments)) {
      if (s.when === undefined) {
        this.#segment(s);
        continue;
      }
      const given = fieldsOf(s).filter(isParam);
      const path = (f: FieldModel) => `${this.used.get("refuse")}(${this.#path(f)}`;
      this.cursor();
      this.code.line(`if (${cond(s.when, this.#names())}) {`);
      this.code.indented(() => {
        for (const f of given) {
          this.code.line(
            `if (${this.#text(f.name)} === undefined) ${path(f)}, "nothing", "is given, but it is present");`,
          );
        }
        this.#segment(s);
        this.#advance();
      });
      for (const f of given) {
        this.code.line(`} else if (${this.#text(f.name)} !== undefined) {`);
        this.code.indented(() =>
          this.code.line(`${path(f)}, ${this.#text(f.name)}, "is given, but it is absent");`),
        );
      }
      this.code.line("}");
    }
  }

  #segment(s: Segment): void {
    if (s.kind === "bits") this.#bits(s);
    else this.#field(s.field);
  }

  #refuseIf(test: string, f: FieldModel, why: string, value = this.#text(f.name)): void {
    this.code.line(
      `if (${test}) ${this.used.get("refuse")}(${this.#path(f)}, ${value}, ${JSON.stringify(why)});`,
    );
  }

  /** A number is what its type and rules allow. */
  #check(f: FieldModel, x: string): void {
    const t = f.type;
    if (t.kind === "uint" && t.as !== "boolean") {
      const closed = t.names !== undefined && t.open !== true && !f.lint;
      const range = t.as === "bigint" ? bigRange(t, x) : numberRange(t, x);
      this.#refuseIf(range, f, `does not fit ${t.bits} bits`, x);
      if (closed)
        this.#refuseIf(
          outside(x, Object.values(t.names ?? {}), t.bits),
          f,
          `is none of ${Object.keys(t.names ?? {}).join(", ")}`,
          x,
        );
    } else if (t.kind === "escape" || t.kind === "varint") {
      const bits = t.kind === "varint" ? t.bits : Math.max(...t.tiers.map((y) => y.bits));
      const most = bits >= 53 ? "" : ` || ${x} > ${hex(2 ** bits - 1)}`;
      this.#refuseIf(
        `!Number.isSafeInteger(${x}) || ${x} < 0${most}`,
        f,
        `does not fit ${Math.min(bits, 53)} bits`,
        x,
      );
    }
    for (const m of f.musts) this.#refuseIf(negated(m.expr, this.#names(x)), f, m.text, x);
  }

  #bits(group: Group): void {
    const { fields, offsets, octets } = group;
    const terms: string[] = [];
    let konst = 0;
    fields.forEach((f, i) => {
      const x = this.#text(f.name);
      const from = offsets[i] ?? 0;
      const shift = octets * 8 - from - (bitWidth(f) ?? 0);
      if (isKonst(f) && !f.lint) {
        konst += ((f.type as UintModel).konst ?? 0) * 2 ** shift;
      } else if (f.type.kind === "escape") {
        this.#check(f, x);
      } else if (f.check !== undefined) {
        terms.push(shifted(`(${this.#checked(f, x, from / 8)})`, shift));
      } else if (f.auto === "internet") {
        this.#place(f, from / 8);
      } else {
        this.#check(f, x);
        const bool = (f.type as UintModel).as === "boolean";
        terms.push(bool ? `(${x} ? ${hex(2 ** shift)} : 0)` : shifted(x, shift));
      }
    });
    if (konst !== 0) terms.unshift(hex(konst));
    const last = fields.at(-1);
    if (last?.type.kind === "escape") return this.#escape(last, last.type, octets, terms);
    const summed = this.#sums(octets);
    let word = terms.join(" | ") || "0";
    if (summed || octets === 3) word = this.#word(word);
    this.#store(octets, word);
    if (summed) this.#checksum?.add(octets, word, ownIn(group));
    this.#plus += octets;
  }

  /** A variable for a word. */
  #word(text: string): string {
    const name = `w${this.#words++ || ""}`;
    this.code.line(`const ${name} = ${text};`);
    return name;
  }

  /** Stores 1 to 4 octets of bits. */
  #store(octets: number, word: string): void {
    if (octets === 3) this.#three("big", word);
    else this.code.line(`v.setUint${octets * 8}(${this.at}, ${word});`);
  }

  /** Stores a group that ends in an escape, of which its last bits are the first part. */
  #escape(f: FieldModel, t: EscapeModel, octets: number, terms: readonly string[]): void {
    const x = this.#text(f.name);
    const before = terms.length > 1 ? this.#word(terms.join(" | ")) : terms[0];
    this.cursor();
    const form = (first: string, tier?: EscapeModel["tiers"][number]) => {
      const word = before === undefined ? first : `${before} | ${first}`;
      this.#store(octets, octets === 3 ? `(${word})` : word);
      this.#plus = octets;
      if (tier !== undefined) this.#number(tier.bits, false, tier.order, x);
      this.#plus += (tier?.bits ?? 0) / 8;
      this.#advance();
    };
    this.code.line(`if (${x} < ${dec(t.tiers[0]?.at ?? 0)}) {`);
    this.code.indented(() => form(x));
    t.tiers.forEach((tier, i) => {
      const last = i === t.tiers.length - 1;
      this.code.line(last ? "} else {" : `} else if (${x} < ${dec(2 ** tier.bits)}) {`);
      this.code.indented(() => form(String(tier.at), tier));
    });
    this.code.line("}");
  }

  /** Whether the next octets are a word of the checksum. */
  #sums(octets: number): boolean {
    return this.#base === "o" && this.#checksum?.takes(octets, this.#plus) === true;
  }

  #sum(n: number): string {
    return this.#plus + n === 0 ? this.#base : `${this.#base} + ${this.#plus + n}`;
  }

  /** Stores a number of whole octets at the next offset. */
  #number(
    bits: number,
    signed: boolean,
    order: "big" | "little" | "header",
    x: string,
    big = false,
  ): void {
    const little = order === "big" || bits === 8 ? "" : order === "little" ? ", true" : ", little";
    if (big)
      return this.code.line(`v.setBig${signed ? "Int" : "Uint"}64(${this.at}, ${x}${little});`);
    if (bits === 64) {
      const [first, second] = [this.at, this.#sum(4)];
      const hi =
        order === "header" ? `little ? ${second} : ${first}` : order === "little" ? second : first;
      const lo =
        order === "header" ? `little ? ${first} : ${second}` : order === "little" ? first : second;
      this.code.line(`v.setUint32(${hi}, ${x} / 0x1_0000_0000${little});`);
      return this.code.line(`v.setUint32(${lo}, ${x}${little});`);
    }
    if (bits === 24) return this.#three(order, x);
    this.code.line(`v.set${signed ? "Int" : "Uint"}${bits}(${this.at}, ${x}${little});`);
  }

  /** Stores three octets; no single store can. */
  #three(order: "big" | "little" | "header", x: string): void {
    const two = (at: number, little: string) =>
      this.code.line(`v.setUint16(${this.#sum(at)}, ${x} >>> 8${little});`);
    const one = (at: number) => this.code.line(`v.setUint8(${this.#sum(at)}, ${x});`);
    const big = () => {
      two(0, "");
      one(2);
    };
    const little = () => {
      one(0);
      two(1, ", true");
    };
    if (order === "big") return big();
    if (order === "little") return little();
    this.code.line("if (little) {");
    this.code.indented(little);
    this.code.line("} else {");
    this.code.indented(big);
    this.code.line("}");
  }

  #field(f: FieldModel): void {
    const t = f.type;
    const x = this.#text(f.name);
    switch (t.kind) {
      case "uint":
        if (isKonst(f) && !f.lint) this.#number(t.bits, t.signed, t.order, hex(t.konst ?? 0));
        else if (f.auto === "internet") {
          this.#place(f, 0);
          this.#number(16, false, t.order, "0");
          if (this.#sums(2)) this.#checksum?.add(2, "0", 0);
        } else if (f.check !== undefined)
          this.#number(t.bits, t.signed, t.order, this.#checked(f, x));
        else {
          this.#check(f, x);
          this.#number(t.bits, t.signed, t.order, x, t.as === "bigint");
          const word = t.order === "big" && !t.signed;
          if (word && this.#sums(t.bits / 8)) this.#checksum?.add(t.bits / 8, x);
        }
        this.#plus += t.bits / 8;
        return;
      case "bytes":
        if (t.konst !== undefined && !f.lint) {
          for (const [i, n] of t.konst.entries())
            this.code.line(`v.setUint8(${this.#sum(i)}, ${hex(n)});`);
          this.#plus += t.konst.length;
          return;
        }
        return this.#run(f, x, t.length, t.max);
      case "text": {
        const made = `${local(f.name)}Text`;
        this.code.line(`const ${made} = ${this.used.get("textOctets")}(${this.#path(f)}, ${x});`);
        if (t.encoding === "ascii")
          this.#refuseIf(`${made}.length !== ${x}.length`, f, "is not ASCII");
        return this.#run(f, made, t.length, t.max);
      }
      case "varint": {
        this.#check(f, x);
        this.cursor();
        const rest = `${local(f.name)}Rest`;
        this.code.line(`let ${rest} = ${x};`);
        this.code.line(
          `for (; ${rest} >= 0x80; ${rest} = Math.floor(${rest} / 0x80)) v.setUint8(p++, ${rest} % 0x80 | 0x80);`,
        );
        return this.code.line(`v.setUint8(p++, ${rest});`);
      }
      case "pad": {
        this.cursor();
        const n = local(f.name);
        this.code.line(`const ${n} = -(p - o) & ${t.to - 1};`);
        this.code.line(`${this.used.get("clear")}(v, p, ${n});`);
        return this.code.line(`p += ${n};`);
      }
      case "nested":
        this.cursor();
        return this.code.block("", () => {
          this.#inside(
            t.fields,
            (g) => `${x}.${g.name}`,
            () => {
              this.autos(t.fields);
              this.fields(t.fields);
            },
          );
          this.#advance();
        });
      case "choose":
        this.cursor();
        return this.#arms(f, t, (fields) => {
          this.fields(fields);
          this.#advance();
        });
      case "repeat":
        return this.#repeat(f, t, x);
      case "tlv":
        return this.#tlv(f, t, x);
      case "escape":
        return;
    }
  }

  #advance(): void {
    if (this.#plus > 0) this.code.line(`p += ${this.#plus};`);
    this.#plus = 0;
  }

  /**
   * A checksum over foreign octets, `octets` from here: a number, or a function that is called when
   * the rest is written. Until then it is zero.
   */
  #checked(f: FieldModel, x: string, octets = 0): string {
    const t = f.type as UintModel;
    const given = `typeof ${x} === "number"`;
    this.#refuseIf(`${given} && (${numberRange(t, x)})`, f, `does not fit ${t.bits} bits`);
    this.#place(f, octets);
    return `${given} ? ${x} : 0`;
  }

  /** Octets of a length that another field says, or that is open. */
  #run(f: FieldModel, x: string, length: Expr | "rest", max: number | undefined): void {
    const given = `${x}.length`;
    if (length !== "rest") {
      const own =
        typeof length === "object" && length.op === "field"
          ? this.#scope.get(length.name)?.field.auto
          : undefined;
      const itself = typeof own === "object" && own.op === "octets" && own.of === f.name;
      const n = num(length, this.#names());
      if (!itself)
        this.#refuseIf(
          `${x}.length !== ${/^[\w.]+$/.test(n) ? n : `(${n})`}`,
          f,
          `octets are given, not ${typeof length === "number" ? length : "as many as its length says"}`,
          given,
        );
    }
    if (max !== undefined)
      this.#refuseIf(`${given} > ${max}`, f, `octets are more than ${max}`, given);
    if (typeof length === "number") {
      this.code.line(`${this.used.get("put")}(v, ${this.at}, ${x});`);
      this.#plus += length;
      return;
    }
    this.cursor();
    this.code.line(`${this.used.get("put")}(v, p, ${x});`);
    this.code.line(`p += ${x}.length;`);
  }

  #repeat(f: FieldModel, t: RepeatModel, x: string): void {
    const given = `${x}.length`;
    if (t.count !== undefined) {
      const own =
        typeof t.count === "object" && t.count.op === "field"
          ? this.#scope.get(t.count.name)?.field.auto
          : undefined;
      const itself = typeof own === "object" && own.op === "count" && own.of === f.name;
      if (!itself)
        this.#refuseIf(
          `${x}.length !== ${num(t.count, this.#names())}`,
          f,
          "elements are given, not as many as its count says",
          given,
        );
    }
    if (t.until !== undefined)
      this.#refuseIf(`${given} === 0`, f, "elements cannot end a repetition", given);
    this.#refuseIf(`${given} > ${t.max}`, f, `elements are more than ${t.max}`, given);
    const item = `${local(f.name)}Item`;
    const of: FieldModel = { ...t.of, name: `${f.name}Item` };
    this.cursor();
    if (t.fill !== undefined && t.fill !== "rest")
      this.code.line(`const ${local(f.name)}From = p;`);
    const last = `${local(f.name)}Last`;
    if (t.until !== undefined) this.code.line(`const ${last} = ${given} - 1;`);
    this.#each(x, item, t.until === undefined ? `i < ${given}` : `i <= ${last}`, () => {
      this.#inside(
        [of],
        () => item,
        () => {
          if (t.until !== undefined) {
            this.#refuseIf(
              `(${cond(t.until, this.#names(item))}) !== (i === ${last})`,
              f,
              "ends the repetition at the wrong place",
              item,
            );
          }
          this.#field(of);
          this.#advance();
        },
      );
    });
    if (t.fill !== undefined && t.fill !== "rest") this.#filled(f, t.fill);
  }

  #filled(f: FieldModel, fill: Expr): void {
    const taken = `p - ${local(f.name)}From`;
    this.#refuseIf(
      `${taken} !== ${num(fill, this.#names())}`,
      f,
      "octets are not what its length says",
      taken,
    );
  }

  /** Passes over octets, and makes those zero that fill up to a multiple. */
  #skip(octets: string, align: number): void {
    this.code.line(`p += ${octets};`);
    if (align === 1) return;
    const clear = this.used.get("clear");
    if (/^\d+$/.test(octets)) {
      const filled = -Number(octets) & (align - 1);
      if (filled === 0) return;
      this.code.line(`${clear}(v, p, ${filled});`);
      return this.code.line(`p += ${filled};`);
    }
    this.code.line(`const filled = -(${octets}) & ${align - 1};`);
    this.code.line(`${clear}(v, p, filled);`);
    this.code.line("p += filled;");
  }

  #tlv(f: FieldModel, t: TlvModel, x: string): void {
    const head = t.type + t.length;
    const [type, value] = [`${local(f.name)}Type`, `${local(f.name)}Value`];
    const option = `\`option \${${type}}\``;
    this.cursor();
    const from = `${local(f.name)}From`;
    this.code.line(`const ${from} = p;`);
    if (t.end !== undefined) this.code.line(`let ${local(f.name)}Ended = false;`);
    this.#each(x, `{ type: ${type}, value: ${value} }`, `i < ${x}.length`, () => {
      this.#refuseIf(range32(t.type * 8, type), f, `does not fit ${t.type * 8} bits`, type);
      if (t.end !== undefined) {
        this.#refuseIf(
          `${local(f.name)}Ended && ${type} !== ${t.end}`,
          f,
          "follows the end",
          option,
        );
        this.code.line(`if (${type} === ${t.end}) ${local(f.name)}Ended = true;`);
      }
      this.#number(t.type * 8, false, t.order, type);
      if (t.single.length > 0) {
        this.code.line(`if (${t.single.map((s) => `${type} === ${s}`).join(" || ")}) {`);
        this.code.indented(() => {
          this.#refuseIf(`${value} !== undefined`, f, "stands alone, without a value", option);
          this.#skip(String(t.type), t.align);
          this.code.line("continue;");
        });
        this.code.line("}");
      }
      this.#refuseIf(`${value} === undefined`, f, "needs a value", option);
      const counted = t.counts === "item" ? `${value}.length + ${head}` : `${value}.length`;
      const most = 2 ** (t.length * 8) - 1;
      if (t.unit > 1)
        this.#refuseIf(
          `(${counted}) % ${t.unit} !== 0`,
          f,
          `is no multiple of ${t.unit} octets`,
          option,
        );
      const scaled = t.unit > 1 ? `(${counted}) / ${t.unit}` : counted;
      this.#refuseIf(`${scaled} > ${most}`, f, "is too long", option);
      this.#plus = t.type;
      this.#number(t.length * 8, false, t.order, scaled);
      this.#plus = 0;
      this.code.line(`${this.used.get("put")}(v, p + ${head}, ${value});`);
      this.#skip(`${value}.length + ${head}`, t.align);
    });
    this.#refuseIf(`p - ${from} > ${t.max}`, f, `octets are more than ${t.max}`, `p - ${from}`);
    if (t.fill !== "rest") this.#filled(f, t.fill);
  }

  /** What is computed from the octets written: checksums. */
  checksums(fields: readonly FieldModel[]): void {
    for (const f of fields) {
      const at = this.#places.get(f.name);
      if (at === undefined || f.type.kind !== "uint") continue;
      const x = local(f.name);
      const { order } = f.type;
      const little = order === "big" ? "" : order === "little" ? ", true" : ", little";
      if (f.check === undefined) {
        this.code.line(`v.setUint16(${at}, ${this.#checksum?.of(this.at)}${little});`);
      } else {
        const made = `${x}(v, o, ${this.at})`;
        this.code.line(`if (typeof ${x} === "function") v.setUint16(${at}, ${made}${little});`);
      }
    }
  }

  /** Remembers where a field stands that is written when the rest is: so many octets from here. */
  #place(f: FieldModel, octets: number): void {
    const at = this.#sum(octets);
    if (this.#base !== "o") this.code.line(`const ${local(f.name)}At = ${at};`);
    this.#places.set(f.name, this.#base === "o" ? at : `${local(f.name)}At`);
  }
}

/** Fields that decide how many octets a header takes, of those that are arguments. */
export function sizeParams(fields: readonly FieldModel[]): FieldModel[] {
  const conditions = fields.flatMap((f) => deciders(f).flatMap(reads));
  const inner = fields.flatMap((f) => outerReads(f));
  const deciding = new Set([...conditions, ...inner]);
  for (const f of fields) {
    if (!deciding.has(f.name) || f.auto === undefined || typeof f.auto === "string") continue;
    for (const p of parts(f.auto)) {
      if (p.op === "octets" || p.op === "count") deciding.add(p.of);
      if (p.op === "field") deciding.add(p.name);
    }
  }
  return fields.filter((f) => isParam(f) && (f.min !== f.max || deciding.has(f.name)));
}

/** Whether a computed field is needed to know the size. */
export function decidesSize(f: FieldModel, fields: readonly FieldModel[]): boolean {
  return fields.some((g) => {
    const own = [g.when, g.type.kind === "choose" ? g.type.on : undefined];
    return (
      own.some((e) => e !== undefined && reads(e).includes(f.name)) ||
      outerReads(g).includes(f.name)
    );
  });
}

/** Outer fields that conditions and choices inside an arm read. */
function outerReads(f: FieldModel): string[] {
  if (f.type.kind !== "choose") return [];
  const arms = [...f.type.arms.map((a) => a.fields), f.type.otherwise ?? []];
  return arms.flat().flatMap((g) => [...deciders(g).flatMap(reads), ...outerReads(g)]);
}

/** What decides whether a field is there, and in which form. */
function deciders({ when, type }: FieldModel): Expr[] {
  return [...(when === undefined ? [] : [when]), ...(type.kind === "choose" ? [type.on] : [])];
}

const alone = (field: FieldModel): Segment => ({
  kind: "field",
  field,
  ...(field.when === undefined ? {} : { when: field.when }),
});

const shifted = (x: string, shift: number): string => (shift === 0 ? x : `(${x} << ${shift})`);

function escapeSize(t: EscapeModel, x: string): string {
  return t.tiers.reduceRight((rest, tier, i) => {
    const least = i === 0 ? tier.at : 2 ** (t.tiers[i - 1]?.bits ?? 0);
    const below = i === 0 ? 0 : (t.tiers[i - 1]?.bits ?? 0) / 8;
    return `${x} < ${dec(least)} ? ${below} : ${rest === "" ? tier.bits / 8 : rest}`;
  }, "");
}

function itemSize(t: TlvModel, value: string): string {
  const octets = `${t.type + t.length} + ${value}.length`;
  const full = t.align === 1 ? octets : `${octets} + (-(${octets}) & ${t.align - 1})`;
  return `${value} === undefined ? ${Math.ceil(t.type / t.align) * t.align} : ${full}`;
}

/** A test that is true if a number of up to 32 bits does not fit. */
function range32(bits: number, x: string): string {
  return bits === 32 ? `${x} >>> 0 !== ${x}` : `(${x} & ${hex(2 ** bits - 1)}) !== ${x}`;
}

function numberRange(t: UintModel, x: string): string {
  if (t.bits === 64) return `!Number.isSafeInteger(${x}) || ${x} < 0`;
  if (!t.signed) return range32(t.bits, x);
  return t.bits === 32
    ? `(${x} | 0) !== ${x}`
    : `(${x} << ${32 - t.bits}) >> ${32 - t.bits} !== ${x}`;
}

const bigRange = (t: UintModel, x: string): string =>
  `typeof ${x} !== "bigint" || BigInt.as${t.signed ? "Int" : "Uint"}N(64, ${x}) !== ${x}`;
