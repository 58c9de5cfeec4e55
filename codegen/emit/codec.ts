/**
 * Target: packed encoders and decoders in TypeScript, one file a header.
 *
 * Plain functions over `(DataView, offset, end)`: no imports, no classes, nothing allocated but what
 * `read` returns, nothing compiled at run time.
 */
import type { Fact } from "../../spec/lang.js";
import { deciding, sequence } from "../computed.js";
import { layout } from "../layout.js";
import { type FieldModel, type HeaderModel, inValue, isKonst, isParam } from "../model.js";
import { Code, enumName, every, local, pascal, typeOf } from "./code.js";
import { Decoder } from "./decode.js";
import { diagram } from "./diagram.js";
import { Encoder } from "./encode.js";
import { scalar } from "./load.js";
import type { Mode } from "./place.js";
import { Sizes, sizeParams } from "./sizes.js";
import { Used } from "./support.js";
import { Values } from "./values.js";

export function emitCodec(header: HeaderModel): string {
  return new Codec(header).print();
}

/** One of the two runs of fields that a header has, with the names of its functions. */
interface Part {
  readonly fields: readonly FieldModel[];
  readonly type: string;
  /** After the functions' names: `measure`, `measureEnd`. */
  readonly suffix: string;
  readonly needs: readonly FieldModel[];
}

class Codec {
  readonly #code = new Code();
  readonly #used = new Used();
  readonly #caller: boolean;

  constructor(readonly header: HeaderModel) {
    this.#caller = header.order === "caller";
  }

  print(): string {
    const { header } = this;
    const code = this.#code;
    const head: Part = { fields: header.head, type: header.type, suffix: "", needs: [] };
    this.#interface(head, [
      ...this.#intro(),
      "",
      ...diagram(header).map((l) => `    ${l}`.trimEnd()),
    ]);
    const trailing = [...header.front, ...header.last];
    const needs = header.tailNeeds.map((n) => header.head.find((f) => f.name === n) as FieldModel);
    const tail: Part = { fields: trailing, type: `${header.type}Tail`, suffix: "End", needs };
    if (trailing.length > 0) this.#interface(tail, [`The trailer of ${header.name}.`]);
    this.#enums([...header.head, ...trailing]);

    code.line();
    code.doc("Octets of the head, least and most.");
    code.line(`export const MIN = ${header.min};`);
    code.line(`export const MAX = ${header.max};`);
    if (trailing.length > 0) {
      code.doc("Octets of the trailer, least and most.");
      code.line(`export const TAIL_MIN = ${header.tailMin};`);
      code.line(`export const TAIL_MAX = ${header.tailMax};`);
    }
    code.line();
    code.doc(
      "What a layer that writes this header declares: octets at most before a body, and behind it.",
    );
    const tailMax = trailing.length > 0 ? "TAIL_MAX" : "0";
    code.line(
      `export const HEADER = { name: ${JSON.stringify(header.name)}, head: MAX, tail: ${tailMax} } as const;`,
    );
    this.#known();
    if (header.faults.length > 0) {
      code.line();
      code.line("// Faults are BAD, BAD - 1, …: below any count of octets that may be missing.");
      code.line("const BAD = -0x1000000;");
    }
    this.#size(head);
    for (const mode of ["measure", "explain", "decode", "read"] as const) this.#reader(head, mode);
    this.#writer(head);
    this.#prepend();
    this.#valueForms(head);
    this.#accessors();
    if (trailing.length > 0) {
      this.#size(tail);
      for (const mode of ["measure", "explain", "read"] as const) this.#tailReader(tail, mode);
      this.#writer(tail);
      this.#valueForms(tail);
    }
    this.#used.print(code);
    return code.toString();
  }

  /** Facts that it tells of a flow without looking at an octet: who opens one needs them before there are any. */
  #known(): void {
    const known = Object.entries(this.header.sets).flatMap(([name, fact]) => {
      const table = constant(fact);
      return table === undefined ? [] : [[name, table] as const];
    });
    if (known.length === 0) return;
    const code = this.#code;
    code.line();
    code.doc("What is known of a flow that this header is in, by what was known of it before.");
    const text = JSON.stringify(Object.fromEntries(known), null, 2);
    for (const l of `export const KNOWN = ${text} as const;`.split("\n")) code.line(l);
  }

  #intro(): string[] {
    const { header } = this;
    const octets = header.min === header.max ? `${header.min}` : `${header.min} to ${header.max}`;
    const doc = header.doc === "" ? [`${header.title}.`] : header.doc.split("\n");
    return [...doc, "", `${octets} octet${octets === "1" ? "" : "s"}. ${header.ref}.`];
  }

  #interface({ fields, type }: Part, doc: readonly string[]): void {
    const code = this.#code;
    const own = fields.filter(inValue);
    if (type.endsWith("Tail") && fields !== this.header.head) code.line();
    code.doc(...doc);
    if (own.length === 0) return code.line(`export type ${type} = Record<string, never>;`);
    code.block(`export interface ${type}`, () => {
      for (const f of own) {
        code.doc(...f.doc.split("\n"));
        code.line(`${f.name}: ${typeOf(f, this.header)};`);
      }
    });
  }

  #enums(fields: readonly FieldModel[]): void {
    const code = this.#code;
    for (const f of every(fields)) {
      const t = f.type;
      const names =
        t.kind === "uint" ? (t.names ?? t.flags) : t.kind === "tlv" ? t.names : undefined;
      if (names === undefined || Object.keys(names).length === 0) continue;
      const name = enumName(f, this.header);
      const what =
        t.kind === "tlv"
          ? "Types of options in"
          : t.kind === "uint" && t.flags !== undefined
            ? "Bits of"
            : "Values of";
      code.line();
      code.doc(`${what} \`${f.path}\`.`);
      code.block(
        `export const ${name} =`,
        () => {
          for (const [k, n] of Object.entries(names))
            code.line(
              `${/^[A-Za-z_$][\w$]*$/.test(k) ? k : JSON.stringify(k)}: ${n < 10 ? n : `0x${n.toString(16)}`},`,
            );
        },
        "} as const;",
      );
      if (t.kind === "uint" && t.names !== undefined && t.open !== true && !f.lint) {
        code.line(`export type ${name} = (typeof ${name})[keyof typeof ${name}];`);
      }
    }
  }

  #params(fields: readonly FieldModel[]): string[] {
    return fields.map((f) => {
      const base = typeOf(f, this.header);
      const type =
        f.check === undefined
          ? base
          : `${base} | ((v: DataView, o: number, end: number) => number)`;
      return `${local(f.name)}: ${type}`;
    });
  }

  /** Prints a function's head, over several lines if one is too long. */
  #function(name: string, params: readonly string[], result: string, body: () => void): void {
    const one = `export function ${name}(${params.join(", ")}): ${result}`;
    if (one.length < 98) return this.#code.block(one, body);
    this.#code.line(`export function ${name}(`);
    this.#code.indented(() => {
      for (const p of params) this.#code.line(`${p},`);
    });
    this.#code.block(`): ${result}`, body);
  }

  #little(): string[] {
    return this.#caller ? ["little: boolean"] : [];
  }

  #size({ fields, suffix }: Part): void {
    const code = this.#code;
    const params = sizeParams(fields);
    const { min, max } =
      suffix === "" ? this.header : { min: this.header.tailMin, max: this.header.tailMax };
    code.line();
    code.doc(
      suffix === "" ? "Octets that the head will take." : "Octets that the trailer will take.",
    );
    this.#function(`size${suffix}`, this.#params(params), "number", () => {
      if (min === max) return code.line(`return ${suffix === "" ? "MIN" : "TAIL_MIN"};`);
      const values = new Values(code, this.header, this.#used);
      values.know(fields);
      const sizes = new Sizes(values);
      sizes.autos(fields, deciding(fields));
      sizes.add(fields, "n", true);
      code.line("return n;");
    });
  }

  #reader({ fields, type }: Part, mode: Mode): void {
    const code = this.#code;
    const { header } = this;
    code.line();
    const extra = this.#little();
    const base = ["v: DataView", "o: number", "end: number", ...extra];
    const decoder = new Decoder(code, header, mode, this.#used, fields);
    if (mode === "measure") {
      code.doc(
        "Octets that the header at `o` takes if it is whole and right; −k if at least k more are needed;",
        "a fault, −2^24 or less, if it is wrong (`explain` says how). Reads nothing at or past `end`.",
      );
      this.#function("measure", base, "number", () => {
        if (this.#plain(fields)) {
          const left =
            header.max === 0 ? "" : `end - o < ${header.max} ? end - o - ${header.max} : `;
          return code.line(`return ${left}${header.max};`);
        }
        decoder.fields(fields);
        decoder.autos(fields);
        code.line(`return ${decoder.place.taken};`);
      });
    } else if (mode === "explain") {
      code.doc(
        "What a negative answer of `measure` means, in a sentence: field, octet from `o`, and what is wrong.",
      );
      this.#function("explain", ["n: number", ...base], "string", () => {
        code.line(`if (n >= 0) return ${JSON.stringify(`${header.name}: is whole and right`)};`);
        decoder.fields(fields);
        decoder.autos(fields);
        code.line(`return ${JSON.stringify(`${header.name}: is whole and right`)};`);
      });
    } else if (mode === "decode") {
      code.doc("As `measure`; if the header is whole and right, its fields are in `into`.");
      this.#function("decode", [...base, `into: ${type}`], "number", () => {
        decoder.fields(fields);
        decoder.autos(fields);
        for (const f of fields.filter(inValue)) code.line(`into.${f.name} = ${decoder.value(f)};`);
        code.line(`return ${decoder.place.taken};`);
      });
    } else {
      code.doc("The header at `o`, which `measure` has found whole and right.");
      this.#function("read", base, type, () => {
        decoder.fields(fields);
        this.#return(fields, decoder);
      });
    }
  }

  #return(fields: readonly FieldModel[], decoder: Decoder): void {
    const own = fields.filter(inValue).map((f) => {
      const value = decoder.value(f);
      return value === f.name ? value : `${f.name}: ${value}`;
    });
    const one = own.length === 0 ? "return {};" : `return { ${own.join(", ")} };`;
    if (one.length < 96) return this.#code.line(one);
    this.#code.block(
      "return",
      () => {
        for (const property of own) this.#code.line(`${property},`);
      },
      "};",
    );
  }

  /** Whether there is nothing to check. */
  #plain(fields: readonly FieldModel[]): boolean {
    return (
      this.header.faults.length === 0 &&
      this.header.min === this.header.max &&
      fields === this.header.head
    );
  }

  #tailReader({ fields, type, needs }: Part, mode: Mode): void {
    const code = this.#code;
    const { header } = this;
    const { front, last } = header;
    const fixed = last.reduce((n, f) => n + f.min, 0);
    const base = [
      "v: DataView",
      "o: number",
      "end: number",
      ...this.#little(),
      ...this.#params(needs),
    ];
    const name = { measure: "measureEnd", explain: "explainEnd", read: "readEnd", decode: "" }[
      mode
    ];
    const params = mode === "explain" ? ["n: number", ...base] : base;
    const result = { measure: "number", explain: "string", read: type, decode: "" }[mode];
    code.line();
    if (mode === "measure")
      code.doc("Octets that the trailer takes which ends at `end`; answers as `measure` does.");
    if (mode === "explain")
      code.doc("What a negative answer of `measureEnd` means, in a sentence.");
    if (mode === "read")
      code.doc("The trailer that ends at `end`, which `measureEnd` has found whole and right.");
    const right = JSON.stringify(`${header.name}: the trailer is whole and right`);
    const short = (need: string) => {
      if (mode === "read") return;
      const answer =
        mode === "explain"
          ? `${this.#used.get("short")}(${JSON.stringify(header.name)}, ${need} - (end - o))`
          : `end - o - ${need}`;
      code.line(`if (end - o < ${need}) return ${answer};`);
    };
    this.#function(name, params, result, () => {
      if (mode === "explain") code.line(`if (n >= 0) return ${right};`);
      short(String(fixed));
      code.line(`const q = end - ${fixed};`);
      const decoder = new Decoder(code, header, mode, this.#used, [...last, ...front]);
      decoder.know(needs);
      decoder.place.startAt("q");
      decoder.fields(last);
      if (front.length > 0) {
        const open = front.filter((f) => f.min !== f.max || f.when !== undefined);
        const known = front.reduce((n, f) => n + (open.includes(f) ? 0 : f.min), fixed);
        code.line(`${open.length > 0 ? "let" : "const"} total = ${known};`);
        for (const f of open) decoder.addSize(f, "total");
        short("total");
        if (
          mode === "read" ||
          front.some((f) => f.musts.length > 0 || Object.keys(f.faults).length > 0)
        ) {
          code.line("let p = end - total;");
          decoder.place.startAt("p");
          decoder.fields(front);
        }
      }
      if (mode === "measure") code.line(`return ${front.length > 0 ? "total" : fixed};`);
      else if (mode === "explain") code.line(`return ${right};`);
      else this.#return(fields, decoder);
    });
  }

  #writer({ fields, suffix, needs }: Part): void {
    const code = this.#code;
    const { header } = this;
    const own = fields.filter(isParam);
    const params = [
      "v: DataView",
      "o: number",
      ...this.#little(),
      ...this.#params(needs),
      ...this.#params(own),
    ];
    const what = suffix === "" ? "head" : "trailer";
    code.line();
    code.doc(
      `Writes the ${what} at \`o\`; returns where it ends. Throws RangeError for what \`measure${suffix}\` would refuse.`,
    );
    this.#function(`write${suffix}`, params, "number", () => {
      const encoder = new Encoder(code, header, this.#used);
      encoder.values.know([...needs, ...fields]);
      const usesHead = fields.some(
        (f) => f.auto !== undefined && JSON.stringify(f.auto).includes('"head"'),
      );
      const arguments_ = sizeParams(fields)
        .map((f) => local(f.name))
        .join(", ");
      if (usesHead) code.line(`const head = size${suffix}(${arguments_});`);
      encoder.sizes.autos(fields, sequence(fields), "head");
      encoder.fields(fields);
      encoder.checksums(fields);
      code.line(`return ${encoder.stores.at};`);
    });
  }

  #prepend(): void {
    const code = this.#code;
    const fields = this.header.head;
    const own = fields.filter(isParam);
    const params = ["v: DataView", "end: number", ...this.#little(), ...this.#params(own)];
    code.line();
    code.doc("Writes the head so that it ends at `end`; returns where it begins.");
    this.#function("prepend", params, "number", () => {
      const size =
        this.header.min === this.header.max
          ? "MIN"
          : `size(${sizeParams(fields)
              .map((f) => local(f.name))
              .join(", ")})`;
      code.line(`const o = end - ${size};`);
      const all = ["v", "o", ...(this.#caller ? ["little"] : []), ...own.map((f) => local(f.name))];
      code.line(`write(${all.join(", ")});`);
      code.line("return o;");
    });
  }

  /** The same with the value as an object. */
  #valueForms({ fields, type, suffix, needs }: Part): void {
    const code = this.#code;
    const own = fields.filter(isParam);
    const omitted = fields
      .filter((f) => inValue(f) && !isParam(f))
      .map((f) => JSON.stringify(f.name));
    const value = omitted.length === 0 ? type : `Omit<${type}, ${omitted.join(" | ")}>`;
    const little = this.#caller ? ["little"] : [];
    const h = (f: FieldModel) => `h.${f.name}`;
    const call = (name: string, first: readonly string[], list: readonly FieldModel[]) =>
      code.line(`return ${name}(${[...first, ...list.map(h)].join(", ")});`);
    const given = needs.map((f) => local(f.name));
    code.line();
    code.doc(`\`size${suffix}\` of a value.`);
    this.#function(`size${suffix}Value`, [`h: ${value}`], "number", () => {
      const list = sizeParams(fields);
      if (list.length === 0) code.line("void h;");
      call(`size${suffix}`, [], list);
    });
    code.line();
    code.doc(
      `\`write${suffix}\` of a value. Build it as one literal: objects made by spread are many times slower.`,
    );
    this.#function(
      `write${suffix}Value`,
      ["v: DataView", "o: number", ...this.#little(), ...this.#params(needs), `h: ${value}`],
      "number",
      () => {
        if (own.length === 0) code.line("void h;");
        call(`write${suffix}`, ["v", "o", ...little, ...given], own);
      },
    );
    if (suffix !== "") return;
    code.line();
    code.doc("`prepend` of a value.");
    this.#function(
      "prependValue",
      ["v: DataView", "end: number", ...this.#little(), `h: ${value}`],
      "number",
      () => {
        if (own.length === 0) code.line("void h;");
        call("prepend", ["v", "end", ...little], own);
      },
    );
  }

  /** Fields at fixed offsets, read in place. */
  #accessors(): void {
    const code = this.#code;
    const { head } = this.header;
    let at = 0;
    for (const s of layout(head)) {
      if (s.when !== undefined) return;
      const fields = s.kind === "bits" ? s.fields : [s.field];
      fields.forEach((f, i) => {
        const t = f.type;
        if (t.kind !== "uint" || (isKonst(f) && !f.lint)) return;
        if (t.bits === 64 || (t.order === "header" && !this.#caller && t.bits > 8)) return;
        code.line();
        code.doc(`\`${f.path}\` of the header at \`o\`, in place.`);
        const params = [
          "v: DataView",
          "o: number",
          ...(t.order === "header" && t.bits > 8 ? this.#little() : []),
        ];
        this.#function(`get${pascal(f.name)}`, params, typeOf(f, this.header), () => {
          const where = at === 0 ? "o" : `o + ${at}`;
          const value =
            s.kind === "bits"
              ? bitsAt(
                  s.octets,
                  where,
                  s.octets * 8 - (s.offsets[i] ?? 0) - t.bits,
                  t.bits,
                  t.as === "boolean",
                )
              : scalar(t.bits, t.signed, where, t.order);
          const cast =
            t.names !== undefined && t.open !== true && !f.lint
              ? ` as ${enumName(f, this.header)}`
              : "";
          code.line(`return ${cast === "" ? value : `(${value})${cast}`};`);
        });
      });
      const last = fields.at(-1) as FieldModel;
      if (s.kind === "bits") {
        if (last.type.kind === "escape") return;
        at += s.octets;
      } else if (last.min === last.max && last.type.kind !== "pad") at += last.min;
      else return;
    }
  }
}

function bitsAt(
  octets: number,
  at: string,
  shift: number,
  width: number,
  boolean: boolean,
): string {
  const next = at === "o" ? "o + 2" : `o + ${Number(at.slice(4)) + 2}`;
  const word =
    octets === 3
      ? `((v.getUint16(${at}) << 8) | v.getUint8(${next}))`
      : `v.getUint${octets * 8}(${at})`;
  if (boolean) return `(${word} & 0x${(2 ** shift).toString(16)}) !== 0`;
  if (shift + width === octets * 8) return shift === 0 ? word : `${word} >>> ${shift}`;
  const down = shift === 0 ? word : `(${word} >>> ${shift})`;
  return width === 32 ? `${down} >>> 0` : `${down} & 0x${(2 ** width - 1).toString(16)}`;
}

type Known = number | { readonly [fact: string]: Known };

/** A fact as a table of numbers, if it is one. */
function constant(fact: Fact): Known | undefined {
  if (fact.from === "expr") return typeof fact.expr === "number" ? fact.expr : undefined;
  if (fact.from !== "fact") return undefined;
  const entries = Object.entries(fact.map).map(([k, f]) => [k, constant(f)] as const);
  if (entries.some(([, value]) => value === undefined)) return undefined;
  return Object.fromEntries(entries) as Known;
}
