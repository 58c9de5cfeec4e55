/** Prints how many octets values will take, and what is computed from that. */
import type { Expr } from "../../spec/lang.js";
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
import { type Code, cond, dec, local, num, objectType } from "./code.js";
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
  autos(fields: readonly FieldModel[], head?: string): void {
    for (const f of fields) {
      if (f.auto === undefined || f.auto === "internet") continue;
      for (const p of parts(f.auto)) {
        if (p.op !== "octets") continue;
        const of = fields.find((g) => g.name === p.of);
        if (of !== undefined) this.#octetsOf(of);
      }
      this.code.line(
        `const ${local(f.name)} = ${num(f.auto, this.values.names(undefined, head))};`,
      );
      this.values.know([f]);
    }
  }

  /** A variable with the octets that the field will take. */
  #octetsOf(f: FieldModel): void {
    const name = `${local(f.name)}Octets`;
    const x = this.values.text(f.name);
    if (f.type.kind === "bytes" && f.when === undefined)
      return this.code.line(`const ${name} = ${x}.length;`);
    this.add([f], name, true);
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
    this.code.line(
      `if (${this.values.text(f.name)} === undefined) refuse(${this.values.path(f)}, "nothing", "is given, but it is present");`,
    );
    this.used.get("refuse");
  }

  #size(f: FieldModel, n: string): void {
    const t = f.type;
    const x = this.values.text(f.name);
    switch (t.kind) {
      case "bytes":
        return this.code.line(`${n} += ${x}.length;`);
      case "text":
        return this.code.line(
          `${n} += ${this.used.get("textOctets")}(${this.values.path(f)}, ${x}).length;`,
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
        return this.values.each(x, item, `i < ${x}.length`, () => {
          this.values.inside(
            [{ ...of, name: `${f.name}Item` }],
            () => item,
            () => this.#size({ ...of, name: `${f.name}Item` }, n),
          );
        });
      }
      case "nested":
        return this.values.inside(
          t.fields,
          (g) => `${x}.${g.name}`,
          () => this.add(t.fields, n),
        );
      case "choose":
        return this.arms(f, t, (fields) => this.add(fields, n));
      case "tlv":
        return this.values.each(x, `{ value: ${local(f.name)}Value }`, `i < ${x}.length`, () => {
          this.code.line(`${n} += ${itemSize(t, `${local(f.name)}Value`)};`);
        });
      case "uint":
        return;
    }
  }

  arms(f: FieldModel, t: ChooseModel, body: (fields: readonly FieldModel[]) => void): void {
    const x = this.values.text(f.name);
    const arm = (fields: readonly FieldModel[]) => {
      const value = `${local(f.name)}Arm`;
      if (fields.some((g) => isParam(g)))
        this.code.line(`const ${value} = ${x} as ${objectType(fields, this.values.header)};`);
      this.values.inside(
        fields,
        (g) => `${value}.${g.name}`,
        () => {
          this.autos(fields);
          body(fields);
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
