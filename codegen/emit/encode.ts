/** Prints the bodies of functions that write octets. */
import { sequence } from "../computed.js";
import { bitWidth, fieldsOf, type Group, joined, layout, type Segment } from "../layout.js";
import {
  type BytesModel,
  type EscapeModel,
  type FieldModel,
  type HeaderModel,
  isKonst,
  isParam,
  type RepeatModel,
  type TextModel,
  type UintModel,
} from "../model.js";
import { beside, type Code, cond, dec, hex, local, num } from "./code.js";
import { writeOptions } from "./options.js";
import { Sizes } from "./sizes.js";
import { Stores } from "./stores.js";
import { ownIn, Sum } from "./sum.js";
import type { Used } from "./support.js";
import { numberRange, Values } from "./values.js";

export class Encoder {
  readonly values: Values;
  readonly sizes: Sizes;
  readonly stores: Stores;
  #words = 0;
  #checksum: Sum | undefined;
  readonly #places = new Map<string, string>();

  constructor(
    readonly code: Code,
    readonly header: HeaderModel,
    readonly used: Used,
  ) {
    this.values = new Values(code, header, used);
    this.sizes = new Sizes(this.values);
    this.stores = new Stores(code, used);
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
    this.code.line(`const little = ${cond(little.when, this.values.names())};`);
    this.#segments(segments.slice(start));
  }

  #segments(segments: readonly Segment[]): void {
    for (const s of joined(segments)) {
      if (s.when === undefined) {
        this.#segment(s);
        continue;
      }
      const given = fieldsOf(s).filter(isParam);
      this.stores.cursor();
      this.code.line(`if (${cond(s.when, this.values.names())}) {`);
      this.code.indented(() => {
        for (const f of given) this.values.needed(f);
        this.#segment(s);
        this.stores.advance();
      });
      for (const f of given) {
        this.code.line(`} else if (${this.values.text(f.name)} !== undefined) {`);
        this.code.indented(() => this.code.line(this.values.surplus(f)));
      }
      this.code.line("}");
    }
  }

  #segment(s: Segment): void {
    if (s.kind === "bits") this.#bits(s);
    else this.#field(s.field);
  }

  #bits(group: Group): void {
    const { fields, offsets, octets } = group;
    const terms: string[] = [];
    let konst = 0;
    fields.forEach((f, i) => {
      const x = this.values.text(f.name);
      const from = offsets[i] ?? 0;
      const shift = octets * 8 - from - (bitWidth(f) ?? 0);
      if (isKonst(f) && !f.lint) {
        konst += ((f.type as UintModel).konst ?? 0) * 2 ** shift;
      } else if (f.type.kind === "escape") {
        this.values.check(f, x);
      } else if (f.check !== undefined) {
        terms.push(shifted(`(${this.#checked(f, x, from / 8)})`, shift));
      } else if (f.auto === "internet") {
        this.#place(f, from / 8);
      } else {
        this.values.check(f, x);
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
    this.stores.bits(octets, word);
    if (summed) this.#checksum?.add(octets, word, ownIn(group));
    this.stores.plus += octets;
  }

  /** A variable for a word. */
  #word(text: string): string {
    const name = `w${this.#words++ || ""}`;
    this.code.line(`const ${name} = ${text};`);
    return name;
  }

  /** Stores a group that ends in an escape, of which its last bits are the first part. */
  #escape(f: FieldModel, t: EscapeModel, octets: number, terms: readonly string[]): void {
    const x = this.values.text(f.name);
    const before = terms.length > 1 ? this.#word(terms.join(" | ")) : terms[0];
    this.stores.cursor();
    const form = (first: string, tier?: EscapeModel["tiers"][number]) => {
      const word = before === undefined ? first : `${before} | ${first}`;
      this.stores.bits(octets, octets === 3 ? `(${word})` : word);
      this.stores.plus = octets;
      if (tier !== undefined) this.stores.number(tier.bits, false, tier.order, x);
      this.stores.plus += (tier?.bits ?? 0) / 8;
      this.stores.advance();
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
    return this.stores.base === "o" && this.#checksum?.takes(octets, this.stores.plus) === true;
  }

  #field(f: FieldModel): void {
    const t = f.type;
    const x = this.values.text(f.name);
    switch (t.kind) {
      case "uint":
        if (isKonst(f) && !f.lint) this.stores.number(t.bits, t.signed, t.order, hex(t.konst ?? 0));
        else if (f.auto === "internet") {
          this.#place(f, 0);
          this.stores.number(16, false, t.order, "0");
          if (this.#sums(2)) this.#checksum?.add(2, "0", 0);
        } else if (f.check !== undefined)
          this.stores.number(t.bits, t.signed, t.order, this.#checked(f, x));
        else {
          this.values.check(f, x);
          this.stores.number(t.bits, t.signed, t.order, x, t.as === "bigint");
          const word = t.order === "big" && !t.signed;
          if (word && this.#sums(t.bits / 8)) this.#checksum?.add(t.bits / 8, x);
        }
        this.stores.plus += t.bits / 8;
        return;
      case "bytes":
        if (t.konst !== undefined && !f.lint) {
          for (const [i, n] of t.konst.entries())
            this.code.line(`v.setUint8(${this.stores.from(i)}, ${hex(n)});`);
          this.stores.plus += t.konst.length;
          return;
        }
        return this.#run(f, `${x}.length`, t, (at) => `${this.used.get("put")}(v, ${at}, ${x})`);
      case "text": {
        const known = this.values.octets(f);
        const n = known ?? beside(f.name, "octets");
        if (known === undefined) this.code.line(`const ${n} = ${this.sizes.text(f)};`);
        return this.#run(f, n, t, (at) =>
          t.encoding === "ascii"
            ? `${this.used.get("putAscii")}(v, ${at}, ${x})`
            : `${this.used.get("putText")}(v, ${at}, ${x}, ${n})`,
        );
      }
      case "varint": {
        this.values.check(f, x);
        this.stores.cursor();
        const rest = beside(f.name, "rest");
        this.code.line(`let ${rest} = ${x};`);
        this.code.line(
          `for (; ${rest} >= 0x80; ${rest} = Math.floor(${rest} / 0x80)) v.setUint8(p++, ${rest} % 0x80 | 0x80);`,
        );
        return this.code.line(`v.setUint8(p++, ${rest});`);
      }
      case "pad": {
        this.stores.cursor();
        const n = local(f.name);
        this.code.line(`const ${n} = -(p - o) & ${t.to - 1};`);
        this.code.line(`${this.used.get("clear")}(v, p, ${n});`);
        return this.code.line(`p += ${n};`);
      }
      case "nested":
        this.stores.cursor();
        return this.code.block("", () => {
          this.values.inside(
            t.fields,
            (g) => `${x}.${g.name}`,
            () => {
              this.sizes.autos(t.fields, sequence(t.fields));
              this.fields(t.fields);
            },
          );
          this.stores.advance();
        });
      case "choose":
        this.stores.cursor();
        return this.sizes.arms(f, t, sequence, (fields) => {
          this.fields(fields);
          this.stores.advance();
        });
      case "repeat":
        return this.#repeat(f, t, x);
      case "tlv":
        return writeOptions(this.values, this.stores, f, t, x);
      case "escape":
        return;
    }
  }

  /**
   * A checksum over foreign octets, `octets` from here: a number, or a function that is called when
   * the rest is written. Until then it is zero.
   */
  #checked(f: FieldModel, x: string, octets = 0): string {
    const t = f.type as UintModel;
    const given = `typeof ${x} === "number"`;
    this.values.refuseIf(`${given} && (${numberRange(t, x)})`, f, `does not fit ${t.bits} bits`);
    this.#place(f, octets);
    return `${given} ? ${x} : 0`;
  }

  /** Octets, `given` of them, of a length that another field says, or that is open. */
  #run(
    f: FieldModel,
    given: string,
    { length, max }: BytesModel | TextModel,
    put: (at: string) => string,
  ): void {
    if (length !== "rest") {
      const own =
        typeof length === "object" && length.op === "field"
          ? this.values.auto(length.name)
          : undefined;
      const itself = typeof own === "object" && own.op === "octets" && own.of === f.name;
      const n = num(length, this.values.names());
      if (!itself)
        this.values.refuseIf(
          `${given} !== ${/^[\w.]+$/.test(n) ? n : `(${n})`}`,
          f,
          `octets are given, not ${typeof length === "number" ? length : "as many as its length says"}`,
          given,
        );
    }
    if (max !== undefined)
      this.values.refuseIf(`${given} > ${max}`, f, `octets are more than ${max}`, given);
    if (typeof length === "number") {
      this.code.line(`${put(this.stores.at)};`);
      this.stores.plus += length;
      return;
    }
    this.stores.cursor();
    this.code.line(`${put("p")};`);
    this.code.line(`p += ${given};`);
  }

  #repeat(f: FieldModel, t: RepeatModel, x: string): void {
    const given = `${x}.length`;
    if (t.count !== undefined) {
      const own =
        typeof t.count === "object" && t.count.op === "field"
          ? this.values.auto(t.count.name)
          : undefined;
      const itself = typeof own === "object" && own.op === "count" && own.of === f.name;
      if (!itself)
        this.values.refuseIf(
          `${x}.length !== ${num(t.count, this.values.names())}`,
          f,
          "elements are given, not as many as its count says",
          given,
        );
    }
    if (t.until !== undefined)
      this.values.refuseIf(`${given} === 0`, f, "elements cannot end a repetition", given);
    this.values.refuseIf(`${given} > ${t.max}`, f, `elements are more than ${t.max}`, given);
    const item = beside(f.name, "item");
    const of: FieldModel = { ...t.of, name: item };
    this.stores.cursor();
    if (t.fill !== undefined && t.fill !== "rest")
      this.code.line(`const ${beside(f.name, "from")} = p;`);
    const last = beside(f.name, "last");
    if (t.until !== undefined) this.code.line(`const ${last} = ${given} - 1;`);
    this.values.each(x, item, t.until === undefined ? `i < ${given}` : `i <= ${last}`, () => {
      this.values.inside(
        [of],
        () => item,
        () => {
          if (t.until !== undefined) {
            this.values.refuseIf(
              `(${cond(t.until, this.values.names(item))}) !== (i === ${last})`,
              f,
              "ends the repetition at the wrong place",
              item,
            );
          }
          this.#field(of);
          this.stores.advance();
        },
      );
    });
    if (t.fill !== undefined && t.fill !== "rest") this.values.filled(f, t.fill);
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
        this.code.line(`v.setUint16(${at}, ${this.#checksum?.of(this.stores.at)}${little});`);
      } else {
        const made = `${x}(v, o, ${this.stores.at})`;
        this.code.line(`if (typeof ${x} === "function") v.setUint16(${at}, ${made}${little});`);
      }
    }
  }

  /** Remembers where a field stands that is written when the rest is: so many octets from here. */
  #place(f: FieldModel, octets: number): void {
    const at = this.stores.from(octets);
    const name = beside(f.name, "at");
    if (this.stores.base !== "o") this.code.line(`const ${name} = ${at};`);
    this.#places.set(f.name, this.stores.base === "o" ? at : name);
  }
}

const shifted = (x: string, shift: number): string => (shift === 0 ? x : `(${x} << ${shift})`);
