/** Prints how many octets values will take, and what is computed from that. */
import type { Expr } from "../../spec/lang.js";
import { deciders, deciding, sources } from "../computed.js";
import { layout, type Segment } from "../layout.js";
import {
  type ChooseModel,
  type EscapeModel,
  type FieldModel,
  isParam,
  parts,
  reads,
  type TlvModel,
} from "../model.js";
import { beside, type Code, cond, dec, local, num, objectType } from "./code.js";
import type { Used } from "./support.js";
import type { Values } from "./values.js";

export class Sizes {
  readonly code: Code;
  readonly used: Used;

  constructor(readonly values: Values) {
    this.code = values.code;
    this.used = values.used;
  }

  /** Variables for fields that are computed; `head`: what the whole takes, if one needs it. */
  autos(fields: readonly FieldModel[], computed: readonly FieldModel[], head?: string): void {
    for (const f of computed) {
      for (const p of parts(f.auto as Expr)) {
        const of = p.op === "octets" ? fields.find((g) => g.name === p.of) : undefined;
        if (of !== undefined) this.#octetsOf(of);
      }
      const name = this.values.free(local(f.name)) ? local(f.name) : beside(f.name, "value");
      this.code.line(`const ${name} = ${num(f.auto as Expr, this.values.names(undefined, head))};`);
      this.values.know([f], name);
    }
  }

  /** A variable with the octets that the field will take; none if it has a value, and none is given. */
  #octetsOf(f: FieldModel): void {
    const name = beside(f.name, "octets");
    if (this.values.octets(f) !== undefined) return;
    const x = this.values.text(f.name);
    const { when, ...there } = f;
    if (when === undefined) {
      if (f.min === f.max) return;
      if (f.type.kind === "bytes") this.code.line(`const ${name} = ${x}.length;`);
      else if (f.type.kind === "text") this.code.line(`const ${name} = ${this.text(f)};`);
      else this.add([f], name, true);
    } else {
      const given = isParam(f) ? `${x} !== undefined` : cond(when, this.values.names());
      this.code.line(`let ${name} = 0;`);
      this.code.block(`if (${given})`, () => this.add([there], name));
    }
    this.values.measure(f);
  }

  /** The octets of a text, as an expression. */
  text(f: FieldModel): string {
    const x = this.values.text(f.name);
    const ascii = f.type.kind === "text" && f.type.encoding === "ascii";
    return `${this.used.get(ascii ? "asciiSize" : "textSize")}(${this.values.path(f)}, ${x})`;
  }

  /** Adds what fields take to the variable `n`; `fresh`: it is declared here. */
  add(fields: readonly FieldModel[], n: string, fresh = false): void {
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
          this.code.line(`${n} += ${escapeSize(last.type, this.values.text(last.name))};`);
        } else if (s.field.min === s.field.max) fixed += s.field.min;
        else {
          flush();
          this.#size(s.field, n);
        }
      };
      if (s.when === undefined) add();
      else {
        flush();
        this.code.block(`if (${cond(s.when, this.values.names())})`, () => {
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
    this.values.needed(f);
  }

  #size(f: FieldModel, n: string): void {
    const t = f.type;
    const x = this.values.text(f.name);
    switch (t.kind) {
      case "bytes":
        return this.code.line(`${n} += ${x}.length;`);
      case "text":
        return this.code.line(`${n} += ${this.values.octets(f) ?? this.text(f)};`);
      case "varint":
        return this.code.line(`${n} += ${this.used.get("varintSize")}(${x});`);
      case "escape":
        return this.code.line(`${n} += ${escapeSize(t, x)};`);
      case "pad":
        return this.code.line(`${n} += -${n} & ${t.to - 1};`);
      case "repeat": {
        const { of } = t;
        if (of.min === of.max) return this.code.line(`${n} += ${x}.length * ${of.min};`);
        const item = beside(f.name, "item");
        const one = { ...of, name: item };
        return this.values.each(x, item, `i < ${x}.length`, () => {
          this.values.inside(
            [one],
            () => item,
            () => this.#size(one, n),
          );
        });
      }
      case "nested":
        return this.values.inside(
          t.fields,
          (g) => `${x}.${g.name}`,
          () => {
            const computed = deciding(t.fields);
            if (computed.length === 0) return this.add(t.fields, n);
            this.code.block("", () => {
              this.autos(t.fields, computed);
              this.add(t.fields, n);
            });
          },
        );
      case "choose":
        return this.arms(f, t, deciding, (fields) => this.add(fields, n));
      case "tlv":
        return this.values.each(
          x,
          `{ value: ${beside(f.name, "value")} }`,
          `i < ${x}.length`,
          () => {
            this.code.line(`${n} += ${itemSize(t, beside(f.name, "value"))};`);
          },
        );
      case "uint":
        return;
    }
  }

  /** One of several forms; `computed`: the fields of one that are computed before `body` prints it. */
  arms(
    f: FieldModel,
    t: ChooseModel,
    computed: (fields: readonly FieldModel[]) => readonly FieldModel[],
    body: (fields: readonly FieldModel[]) => void,
  ): void {
    const x = this.values.text(f.name);
    const arm = (fields: readonly FieldModel[]) => {
      const value = beside(f.name, "arm");
      if (fields.some((g) => isParam(g)))
        this.code.line(`const ${value} = ${x} as ${objectType(fields, this.values.header)};`);
      this.values.inside(
        fields,
        (g) => `${value}.${g.name}`,
        () => {
          this.values.chosen(reads(t.on), () => {
            this.autos(fields, computed(fields));
            body(fields);
          });
        },
      );
      this.code.line("break;");
    };
    this.code.block(`switch (${num(t.on, this.values.names())})`, () => {
      for (const a of t.arms) {
        for (const n of a.is.slice(0, -1)) this.code.line(`case ${n}:`);
        this.code.block(`case ${a.is.at(-1)}:`, () => arm(a.fields));
      }
      if (t.otherwise !== undefined) this.code.block("default:", () => arm(t.otherwise ?? []));
      else
        this.code.line(
          `default: ${this.used.get("refuse")}(${this.values.path(f)}, ${num(t.on, this.values.names())}, "has no form");`,
        );
    });
  }
}

/** Fields that decide how many octets a header takes, of those that are arguments. */
export function sizeParams(fields: readonly FieldModel[]): FieldModel[] {
  const names = new Set([...deciders(fields), ...deciding(fields).flatMap(sources)]);
  return fields.filter((f) => isParam(f) && (f.min !== f.max || names.has(f.name)));
}

const alone = (field: FieldModel): Segment => ({
  kind: "field",
  field,
  ...(field.when === undefined ? {} : { when: field.when }),
});

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
