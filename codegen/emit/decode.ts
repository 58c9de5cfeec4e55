/**
 * Prints the bodies of functions that read octets. One walk over the fields serves four of them:
 * `measure` checks, `decode` checks and keeps, `read` only keeps, `explain` says where a check fails.
 */
import type { Expr } from "../../spec/lang.js";
import {
  bitWidth,
  ends,
  fieldsOf,
  fixedSize,
  type Group,
  joined,
  layout,
  offsetOf,
  type Segment,
} from "../layout.js";
import {
  type ChooseModel,
  type EscapeModel,
  expressions,
  type FieldModel,
  type HeaderModel,
  inValue,
  isKonst,
  parts,
  type RepeatModel,
  reads,
  type TlvModel,
  type UintModel,
} from "../model.js";
import {
  beside,
  type Code,
  closed,
  cond,
  dec,
  enumName,
  every,
  hex,
  local,
  type Names,
  negated,
  num,
  outside,
  typeOf,
} from "./code.js";
import { differs, konstTest, load, part, plus, scalar, wide } from "./load.js";
import { checkOptions, splitOptions } from "./options.js";
import { type Mode, Place } from "./place.js";
import { ownIn, Sum } from "./sum.js";
import type { Used } from "./support.js";

export class Decoder {
  readonly #seen = new Map<string, FieldModel>();
  /** Values that nothing but the result needs: expressions, put where the result is made. */
  readonly #values = new Map<FieldModel, string>();
  readonly #checksum: Sum | undefined;
  /** Expressions that an inner field may use for a value: path → variable. */
  readonly #check: boolean;
  /** Fields of which an arm knows which values they have. */
  #chosen: ReadonlySet<string> = new Set();
  readonly place: Place;
  readonly #keep: boolean;
  readonly #needed: ReadonlySet<string>;
  /** Fields whose octets, and repetitions whose elements, an expression speaks of. */
  readonly #measured: ReadonlySet<string>;
  readonly #counted: ReadonlySet<string>;

  constructor(
    readonly code: Code,
    readonly header: HeaderModel,
    readonly mode: Mode,
    readonly used: Used,
    readonly top: readonly FieldModel[],
  ) {
    this.place = new Place(code, header, mode, used);
    this.#check = this.place.checks;
    this.#keep = mode === "decode" || mode === "read";
    const summed = this.#check && top.some((f) => f.auto === "internet");
    this.#checksum = summed ? new Sum(code, used) : undefined;
    const all = top.flatMap((f) => [...expressions(f, mode !== "read")]);
    if (header.little !== undefined) all.push(header.little.when);
    const verified = this.#check
      ? [...every(top)].filter((f) => f.auto !== undefined && !f.implied)
      : [];
    this.#needed = new Set([...all.flatMap(reads), ...verified.map((f) => f.name)]);
    const ofAll = (op: "octets" | "count") =>
      all.flatMap((e) => [...parts(e)].flatMap((p) => (p.op === op ? [p.of] : [])));
    this.#measured = new Set(ofAll("octets"));
    this.#counted = new Set(ofAll("count"));
  }

  /** Fields known from elsewhere: arguments, or parts of a trailer read before. */
  know(fields: readonly FieldModel[]): void {
    for (const f of fields) this.#seen.set(f.name, f);
  }

  /** All fields, in order. */
  fields(fields: readonly FieldModel[]): void {
    const segments = layout(fields);
    const little = this.header.little;
    let i = 0;
    while (i < segments.length) {
      const first = segments[i] as Segment;
      let j = i + 1;
      // Neighbours of fixed size under one condition share a test of what is left.
      while (j < segments.length && same(first.when, segments[j]?.when) && !ends(segments[j - 1]))
        j++;
      if (little !== undefined && fields === this.header.head) {
        const start = segments.findIndex(
          (s) => fields.indexOf(fieldsOf(s)[0] as FieldModel) >= little.from,
        );
        if (start === i) {
          this.code.line(`const little = ${cond(little.when, this.names())};`);
        } else if (start > i && start < j) j = start;
      }
      const group = joined(segments.slice(i, j));
      if (first.when === undefined) this.#group(group);
      else this.#conditional(first.when, group);
      i = j;
    }
  }

  names(self?: string, head?: string): Names {
    return {
      field: (name) => {
        const f = this.#seen.get(name);
        const boolean = f?.type.kind === "uint" && f.type.as === "boolean";
        // One that may be absent is read only where it is there.
        const text = `${local(name)}${f?.when === undefined ? "" : "!"}`;
        return { text, boolean, values: this.#chosen.has(name) ? [] : closed(f) };
      },
      octets: (of) => {
        const f = this.#seen.get(of);
        const always = f !== undefined && f.when === undefined && isFixed(f);
        return always ? String(f.min) : beside(of, "octets");
      },
      count: (of) => beside(of, "count"),
      ...(self === undefined ? {} : { self }),
      ...(head === undefined ? {} : { head }),
    };
  }

  /** Adds to a variable the octets of a trailer's field, which fields already read decide. */
  addSize(f: FieldModel, total: string): void {
    const t = f.type;
    const length =
      t.kind === "repeat" && t.count !== undefined
        ? `(${num(t.count, this.names())}) * ${t.of.min}`
        : (t.kind === "bytes" || t.kind === "text") && t.length !== "rest"
          ? num(t.length, this.names())
          : String(f.min);
    const add = `${total} += ${length};`;
    this.code.line(f.when === undefined ? add : `if (${cond(f.when, this.names())}) ${add}`);
  }

  /** What follows the head: computed fields are what they are computed to. */
  autos(fields: readonly FieldModel[], top = true): void {
    if (!this.#check) return;
    for (const f of fields) {
      if (f.auto === undefined || f.implied === true) continue;
      const fixed = top ? offsetOf(f, fields) : undefined;
      const test =
        f.auto === "internet"
          ? `${this.#checksum?.of(this.place.at)} !== ${local(f.name)}`
          : negated(
              { op: "eq", a: { op: "self" }, b: f.auto },
              this.names(local(f.name), `(${this.place.taken})`),
            );
      const there = f.when === undefined ? "" : `${local(f.name)} !== undefined && `;
      this.place.refuse(
        there + test,
        f,
        "auto",
        fixed === undefined ? this.place.at : `o + ${fixed}`,
      );
    }
  }

  /** Leaves the checksum's own octets out, if they are not in one of its words. */
  #exclude(f: FieldModel, octets: number): void {
    if (f.auto !== "internet" || this.#checksum === undefined) return;
    const at = plus(this.place.at, octets);
    if (this.place.base === "o") {
      return this.#checksum.exclude(at, (this.place.plus + octets) % 2 === 0 ? "" : "true");
    }
    const name = beside(f.name, "at");
    this.code.line(`const ${name} = ${at};`);
    this.#checksum.exclude(name, `((${name} - o) & 1) === 1`);
  }

  /** Whether the next octets are a word of the checksum. */
  #sums(octets: number): boolean {
    return this.place.base === "o" && this.#checksum?.takes(octets, this.place.plus) === true;
  }

  #conditional(when: Expr, group: readonly Segment[]): void {
    const fields = group.flatMap(fieldsOf);
    for (const f of fields) {
      if (this.#wants(f)) this.code.line(`let ${this.#target(f)}: ${this.#type(f)} | undefined;`);
      if (this.#measured.has(f.name)) this.code.line(`let ${beside(f.name, "octets")} = 0;`);
      if (this.#counted.has(f.name)) this.code.line(`let ${beside(f.name, "count")} = 0;`);
      this.#seen.set(f.name, f);
    }
    this.place.cursor();
    this.code.block(`if (${cond(when, this.names())})`, () => {
      this.#group(group, true);
      this.place.cursor();
    });
  }

  #type(f: FieldModel): string {
    // Only a result has names for its values.
    if (!this.#keep && closed(f) !== undefined) return "number";
    return typeOf(f, this.header).replace(/ \| undefined$/, "");
  }

  #wants(f: FieldModel): boolean {
    return (this.#keep && inValue(f)) || this.#needed.has(f.name);
  }

  /** Segments under one condition; fixed sizes first share one test of what is left. */
  #group(group: readonly Segment[], assigned = false): void {
    let tested = 0;
    for (let i = 0; i < group.length; i++) {
      const segment = group[i] as Segment;
      const fixed = fixedSize(segment);
      if (fixed !== undefined && tested === 0) {
        let total = 0;
        for (let j = i; j < group.length; j++) {
          const n = fixedSize(group[j] as Segment);
          if (n === undefined) break;
          total += n;
          tested++;
          if (ends(group[j])) break;
        }
        this.place.left(String(total));
      }
      if (fixed !== undefined) tested--;
      if (segment.kind === "bits") this.#bits(segment, assigned);
      else this.#field(segment.field, assigned);
      for (const f of assigned ? fieldsOf(segment) : []) {
        if (!this.#measured.has(f.name) || !isFixed(f)) continue;
        this.code.line(`${beside(f.name, "octets")} = ${f.min};`);
      }
    }
  }

  /** The rules of a number, once it is in a variable. */
  #rules(f: FieldModel, at: string): void {
    if (!this.#check) return;
    const x = local(f.name);
    for (const m of f.musts) {
      const test = negated(m.expr, this.names(x));
      this.code.line(`if (${test}) return ${this.place.fault(m.fault, f.path, at)};`);
    }
  }

  #bits(group: Group, assigned: boolean): void {
    const { fields, offsets, octets } = group;
    const at = this.place.at;
    for (const f of fields) this.#seen.set(f.name, f);
    const wanted = fields.flatMap((f, i) => {
      const from = offsets[i] ?? 0;
      return this.#wants(f) || this.#checks(f) ? [{ f, from, to: from + (bitWidth(f) ?? 0) }] : [];
    });
    const summed = this.#sums(octets);
    if (wanted.length === 0 && !summed) {
      this.place.plus += octets;
      return;
    }
    const [skipped, loaded] = summed ? [0, octets] : shortest(wanted, octets);
    let word = load(loaded, plus(at, skipped));
    if (wanted.length > (summed ? 0 : 1)) {
      this.code.line(`const w${this.place.words || ""} = ${word};`);
      word = `w${this.place.words++ || ""}`;
    } else if (loaded === 3) word = `(${word})`;
    if (summed) this.#checksum?.add(octets, word, ownIn(group));
    else for (const [i, f] of fields.entries()) this.#exclude(f, (offsets[i] ?? 0) / 8);
    this.place.plus += octets;
    for (const { f, from, to } of wanted) {
      const shift = (skipped + loaded) * 8 - to;
      const value = part(word, loaded * 8, shift, to - from);
      const octet = plus(at, from >>> 3);
      if (f.type.kind === "escape") this.#escape(f, f.type, value, octet, assigned);
      else if (isKonst(f) && !f.lint) {
        const { konst = 0 } = f.type as UintModel;
        this.place.refuse(differs(word, loaded * 8, shift, to - from, konst), f, "konst", octet);
      } else {
        const bool = (f.type as UintModel).as === "boolean";
        this.#bind(f, bool ? `(${word} & ${hex(2 ** shift)}) !== 0` : value, assigned);
        this.#named(f, octet);
        this.#rules(f, octet);
      }
    }
  }

  /** Whether checking needs the field's value. */
  #checks(f: FieldModel): boolean {
    if (!this.#check) return f.type.kind === "escape";
    return (
      f.musts.length > 0 ||
      (f.auto !== undefined && f.implied !== true) ||
      Object.keys(f.faults).some((k) => k !== "auto") ||
      f.type.kind === "escape"
    );
  }

  #bind(f: FieldModel, value: string, assigned: boolean): void {
    const text = this.#cast(f, value);
    if (!assigned && this.#resultOnly(f)) this.#values.set(f, text);
    else this.code.line(`${assigned && this.#wants(f) ? "" : "const "}${local(f.name)} = ${text};`);
  }

  /** A number as one of its names, where the result has it. */
  #cast(f: FieldModel, value: string): string {
    const { type: t, lint } = f;
    if (!this.#keep || t.kind !== "uint" || t.names === undefined || t.open === true || lint)
      return value;
    return `${/^[\w.()]+$/.test(value) ? value : `(${value})`} as ${enumName(f, this.header)}`;
  }

  /** Whether only the result needs the value, and can fetch it: what `p` says will have changed by then. */
  #resultOnly(f: FieldModel): boolean {
    return (
      this.top.includes(f) &&
      this.place.base !== "p" &&
      !this.#needed.has(f.name) &&
      !this.#checks(f) &&
      this.#checksum === undefined
    );
  }

  /** The value of a field that has been read, as an expression. */
  value(f: FieldModel): string {
    return this.#values.get(f) ?? local(f.name);
  }

  /** Refuses a value that none of the field's names is. */
  #named(f: FieldModel, at: string): void {
    const t = f.type;
    if (t.kind !== "uint" || t.names === undefined || t.open === true || f.lint) return;
    this.place.refuse(outside(local(f.name), Object.values(t.names), t.bits), f, "names", at);
  }

  #escape(f: FieldModel, t: EscapeModel, first: string, at: string, assigned: boolean): void {
    const x = local(f.name);
    this.code.line(`${assigned && this.#wants(f) ? "" : "let "}${x} = ${first};`);
    this.place.cursor();
    const wider = () =>
      t.tiers.forEach((tier, i) => {
        const least = i === 0 ? tier.at : 2 ** (t.tiers[i - 1]?.bits ?? 0);
        const last = i > 0 && i === t.tiers.length - 1;
        const open = i === 0 ? "if" : "} else if";
        this.code.line(last ? "} else {" : `${open} (${x} === ${tier.at}) {`);
        this.code.indented(() => {
          this.place.left(String(tier.bits / 8));
          if (tier.bits === 64) this.#u53(f, x, "p", tier.order, "");
          else this.code.line(`${x} = ${scalar(tier.bits, false, "p", tier.order)};`);
          this.place.refuse(`${x} < ${dec(least)}`, f, "shortest", "p");
          this.code.line(`p += ${tier.bits / 8};`);
        });
        if (i === t.tiers.length - 1) this.code.line("}");
      });
    // One test, which mostly fails, before them all.
    if (t.tiers.length === 1) wider();
    else this.code.block(`if (${x} >= ${t.tiers[0]?.at})`, wider);
    this.#rules(f, at);
  }

  /** A 64-bit number as a Number, if it fits. */
  #u53(f: FieldModel, x: string, at: string, order: string, declare: string): void {
    const word = `w${this.place.words++ || ""}`;
    const low = at === "p" || !at.includes(" + ") ? `${at} + 4` : plus(at, 4);
    const [hi, lo] = order === "little" ? [low, at] : [at, low];
    const little = order === "big" ? "" : order === "little" ? ", true" : ", little";
    const [high, least] =
      order === "header" ? [`little ? ${low} : ${at}`, `little ? ${at} : ${low}`] : [hi, lo];
    this.code.line(`const ${word} = v.getUint32(${high}${little});`);
    this.place.refuse(`${word} > 0x1fffff`, f, "range", at);
    const value = `${word} * 0x1_0000_0000 + v.getUint32(${least}${little})`;
    this.code.line(`${declare}${x} = ${this.#cast(f, value)};`);
  }

  #field(f: FieldModel, assigned: boolean): void {
    const t = f.type;
    const at = this.place.at;
    const x = local(f.name);
    const konst = "konst" in t ? t.konst : undefined;
    const declare = assigned && this.#wants(f) ? "" : "const ";
    if (t.kind === "uint") {
      const konstant = konst !== undefined && !f.lint;
      if (t.bits === 64 && t.as === "number") {
        if (this.#wants(f) || this.#checks(f)) this.#u53(f, x, at, t.order, declare);
        if (konstant) this.place.refuse(`${x} !== ${hex(konst as number)}`, f, "konst", at);
      } else if (konstant) {
        this.place.refuse(
          `${scalar(t.bits, t.signed, at, t.order)} !== ${hex(konst as number)}`,
          f,
          "konst",
          at,
        );
      } else if (this.#wants(f) || this.#checks(f)) {
        this.#bind(
          f,
          t.as === "bigint" ? wide(t, at) : scalar(t.bits, t.signed, at, t.order),
          assigned,
        );
      }
      if (this.#sums(t.bits / 8)) {
        const known = this.#wants(f) && !konstant && t.order === "big" && !t.signed;
        const word = known ? x : load(t.bits / 8, at);
        this.#checksum?.add(t.bits / 8, word, f.auto === "internet" ? 0 : undefined);
      } else this.#exclude(f, 0);
      this.place.plus += t.bits / 8;
      this.#seen.set(f.name, f);
      if (!konstant) {
        this.#named(f, at);
        this.#rules(f, at);
      }
      return;
    }
    if (t.kind === "bytes" && Array.isArray(t.konst) && !f.lint) {
      const test = konstTest(t.konst, (n, d) => load(n, plus(at, d)));
      this.place.refuse(test, f, "konst", at);
      this.place.plus += t.konst.length;
      return;
    }
    switch (t.kind) {
      case "bytes":
      case "text": {
        if (typeof t.length === "number") {
          if (this.#keep) this.#octets(f, at, String(t.length), assigned);
          else if (t.kind === "text") this.#text(f, at, String(t.length));
          this.place.plus += t.length;
          break;
        }
        this.place.cursor();
        const n = beside(f.name, "octets");
        const known = assigned && this.#measured.has(f.name);
        const limit = this.place.limit?.name ?? "end";
        this.code.line(
          `${known ? "" : "const "}${n} = ${t.length === "rest" ? `${limit} - p` : num(t.length, this.names())};`,
        );
        if (t.max !== undefined) this.place.refuse(`${n} > ${t.max}`, f, "max", "p");
        if (t.length !== "rest") this.place.left(n);
        if (this.#keep) this.#octets(f, "p", n, assigned);
        else if (t.kind === "text") this.#text(f, "p", n);
        this.code.line(`p += ${n};`);
        break;
      }
      case "varint":
        this.#sized(f, assigned, () => this.#varint(f, t.bits, assigned));
        break;
      case "repeat":
        this.#sized(f, assigned, () => this.#repeat(f, t, assigned));
        break;
      case "tlv":
        this.#sized(f, assigned, () => this.#tlv(f, t, assigned));
        break;
      case "nested":
        this.#sized(f, assigned, () =>
          this.#scope(f, assigned, () => this.#inner(f, t.fields, this.#target(f))),
        );
        break;
      case "choose":
        this.#sized(f, assigned, () => this.#choose(f, t, assigned));
        break;
      case "pad": {
        this.place.cursor();
        this.code.line(`const ${x} = -(p - o) & ${t.to - 1};`);
        this.place.left(x);
        this.place.refuse(`!${this.used.get("blank")}(v, p, ${x})`, f, "pad", "p");
        this.code.line(`p += ${x};`);
        break;
      }
    }
    this.#seen.set(f.name, f);
  }

  /** Notes the octets that a field takes, if an expression speaks of them. */
  #sized(f: FieldModel, assigned: boolean, body: () => void): void {
    if (!this.#measured.has(f.name) || isFixed(f)) return body();
    this.place.cursor();
    this.code.line(`const ${beside(f.name, "from")} = p;`);
    body();
    this.place.cursor();
    const name = beside(f.name, "octets");
    this.code.line(`${assigned ? "" : "const "}${name} = p - ${beside(f.name, "from")};`);
  }

  /** The variable for a field that holds others: not one that they take away from it. */
  #target(f: FieldModel): string {
    const t = f.type.kind === "repeat" ? f.type.of.type : f.type;
    if (t.kind !== "nested" || t.fields.every((g) => g.name !== f.name)) return local(f.name);
    const name = beside(f.path.replaceAll(".", "_"), "value");
    this.#values.set(f, name);
    return name;
  }

  #octets(f: FieldModel, at: string, n: string, assigned: boolean): void {
    const view = `${this.used.get("octets")}(v, ${at}, ${n})`;
    if (f.type.kind === "bytes")
      return this.code.line(`${assigned ? "" : "const "}${local(f.name)} = ${view};`);
    this.#text(f, at, n);
    this.code.line(
      `${assigned ? "" : "const "}${local(f.name)} = ${this.used.get("textAt")}(v, ${at}, ${n});`,
    );
  }

  #text(f: FieldModel, at: string, n: string): void {
    const ascii = f.type.kind === "text" && f.type.encoding === "ascii";
    if (this.#check)
      this.place.refuse(
        `!${this.used.get(ascii ? "isAscii" : "isUtf8")}(v, ${at}, ${n})`,
        f,
        "text",
        at,
      );
  }

  #varint(f: FieldModel, bits: number, assigned: boolean): void {
    const x = local(f.name);
    this.place.cursor();
    this.code.line(`${assigned && this.#wants(f) ? "" : "let "}${x} = 0;`);
    this.code.block(`for (let scale = 1; ; scale *= 128)`, () => {
      this.place.left("1");
      this.code.line("const octet = v.getUint8(p++);");
      this.code.line(`${x} += (octet & 0x7f) * scale;`);
      this.place.refuse(`octet === 0 && scale > 1`, f, "shortest", "p - 1");
      this.place.refuse(
        `${x} >= ${hex(2 ** bits)} || (octet > 0x7f && scale >= ${hex(2 ** (7 * (Math.ceil(bits / 7) - 1)))})`,
        f,
        "range",
        "p - 1",
      );
      this.code.line("if (octet < 0x80) break;");
    });
    this.#rules(f, "p - 1");
  }

  /** A field whose parts have variables of their own. */
  #scope(f: FieldModel, assigned: boolean, body: () => void): void {
    const kept = this.#keep && inValue(f);
    if (kept && !assigned) this.code.line(`let ${this.#target(f)}: ${this.#type(f)};`);
    this.place.cursor();
    this.code.block("", () => {
      body();
      this.place.cursor();
    });
  }

  /** Inner fields, and the object that they make. */
  #inner(f: FieldModel, fields: readonly FieldModel[], into: string | undefined): void {
    const outer = new Map(this.#seen);
    this.fields(fields);
    this.autos(fields, false);
    if (into !== undefined && this.#keep && inValue(f))
      this.code.line(`${into} = ${this.#literal(fields)};`);
    this.#seen.clear();
    for (const [k, g] of outer) this.#seen.set(k, g);
  }

  /** The object of fields' values; names that are variables as they are. */
  #literal(fields: readonly FieldModel[]): string {
    const own = fields.filter(inValue).map((f) => {
      const value = this.value(f);
      return value === f.name ? value : `${f.name}: ${value}`;
    });
    return own.length === 0 ? "{}" : `{ ${own.join(", ")} }`;
  }

  #choose(f: FieldModel, t: ChooseModel, assigned: boolean): void {
    const x = local(f.name);
    const on = num(t.on, this.names());
    const kept = this.#keep && inValue(f);
    if (kept && !assigned) this.code.line(`let ${x}: ${this.#type(f)};`);
    this.place.cursor();
    const arm = (fields: readonly FieldModel[]) => {
      const outer = this.#chosen;
      this.#chosen = new Set([...outer, ...reads(t.on)]);
      this.#inner(f, fields, x);
      this.#chosen = outer;
      this.place.cursor();
      this.code.line("break;");
    };
    this.code.block(`switch (${on})`, () => {
      for (const a of t.arms) {
        for (const n of a.is.slice(0, -1)) this.code.line(`case ${n}:`);
        this.code.block(`case ${a.is.at(-1)}:`, () => arm(a.fields));
      }
      if (t.otherwise !== undefined) this.code.block("default:", () => arm(t.otherwise ?? []));
      else if (this.#check)
        this.code.line(`default: return ${this.place.fault(f.faults.arm ?? 0, f.path, "p")};`);
      else
        this.code.line(
          `default: throw new RangeError("${this.header.name}: measure before reading");`,
        );
    });
  }

  #repeat(f: FieldModel, t: RepeatModel, assigned: boolean): void {
    const x = this.#target(f);
    const kept = this.#keep && inValue(f);
    const counted = this.#counted.has(f.name);
    const fresh = (how: "let" | "const") => (counted && assigned ? "" : `${how} `);
    const of = t.of;
    const element = kept || this.#checksInside(of) || t.until !== undefined;
    this.place.cursor();
    if (kept)
      this.code.line(
        `${assigned ? "" : "const "}${x}: ${this.#type(f)} = [];`.replace(
          assigned ? `: ${this.#type(f)}` : "",
          "",
        ),
      );
    const item: FieldModel = { ...of, name: beside(f.name, "item") };
    const one = () => {
      const outer = new Map(this.#seen);
      const name = local(item.name);
      let value = name;
      if (item.type.kind === "nested") {
        this.fields(item.type.fields);
        this.autos(item.type.fields, false);
        value = this.#literal(item.type.fields);
      } else if (element) {
        this.#element(item, kept || t.until !== undefined);
      } else {
        this.place.left(String(of.min));
        this.place.plus += of.min;
      }
      this.place.cursor();
      if (kept) this.code.line(`${x}.push(${value});`);
      if (t.until !== undefined) this.code.line(`if (${cond(t.until, this.names(name))}) break;`);
      this.#seen.clear();
      for (const [k, g] of outer) this.#seen.set(k, g);
    };
    const n = counted ? beside(f.name, "count") : "i";
    if (t.fill !== undefined) {
      const stop = beside(f.name, "end");
      this.place.stop(f, this.#fill(t.fill), stop, t.max * of.max);
      if (counted) this.code.line(`${fresh("let")}${n} = 0;`);
      const outer = this.place.limit;
      if (f.faults.fill !== undefined)
        this.place.limit = { name: stop, fault: { n: f.faults.fill, path: f.path } };
      const plain = this.#check ? `for (let i = 0; p < ${stop}; i++)` : `while (p < ${stop})`;
      this.code.block(counted ? `for (; p < ${stop}; ${n}++)` : plain, () => {
        this.place.refuse(`${n} === ${t.max}`, f, "max", "p");
        one();
      });
      this.place.limit = outer;
    } else if (t.until !== undefined) {
      // Elements of one size need no counter: where they must end is known.
      const sized = !counted && of.min === of.max;
      const most = beside(f.name, "most");
      if (counted) this.code.line(`${fresh("let")}${n} = 0;`);
      else if (sized && this.#check) this.code.line(`const ${most} = p + ${t.max * of.min};`);
      const plain = this.#check && !sized ? "for (let i = 0; ; i++)" : "for (;;)";
      this.code.block(counted ? `for (; ; ${n}++)` : plain, () => {
        this.place.refuse(sized ? `p === ${most}` : `${n} === ${t.max}`, f, "max", "p");
        one();
      });
      if (counted) this.code.line(`${n}++;`);
    } else {
      const count = num(t.count ?? 0, this.names());
      const many = beside(f.name, "count");
      this.code.line(`${fresh("const")}${many} = ${count};`);
      this.place.refuse(`${many} > ${t.max}`, f, "max", "p");
      if (of.min === of.max && of.type.kind !== "pad") {
        this.place.left(`${many} * ${of.min}`);
        const outer = this.place.limit;
        this.place.limit = undefined;
        if (element) this.code.block(`for (let i = 0; i < ${many}; i++)`, one);
        else this.code.line(`p += ${many} * ${of.min};`);
        this.place.limit = outer;
      } else this.code.block(`for (let i = 0; i < ${many}; i++)`, one);
    }
  }

  /** One element, in a variable of its name if it is wanted. */
  #element(f: FieldModel, wanted: boolean): void {
    const fixed = fixedSize({ kind: "field", field: f });
    if (fixed !== undefined) this.place.left(String(fixed));
    if (!wanted) return this.#field(f, false);
    const { type } = f;
    if (type.kind === "uint" && (type.bits !== 64 || type.as !== "number")) {
      const at = this.place.at;
      this.#bind(
        f,
        type.as === "bigint" ? wide(type, at) : scalar(type.bits, type.signed, at, type.order),
        false,
      );
      this.place.plus += type.bits / 8;
      this.#named(f, at);
      return this.#rules(f, at);
    }
    if (type.kind === "uint") {
      this.#u53(f, local(f.name), this.place.at, type.order, "const ");
      this.#rules(f, this.place.at);
      this.place.plus += 8;
      return;
    }
    this.#field(f, false);
  }

  #checksInside(f: FieldModel): boolean {
    if (f.min !== f.max) return true;
    return (
      this.#check &&
      (f.musts.length > 0 ||
        Object.keys(f.faults).length > 0 ||
        !["uint", "bytes"].includes(f.type.kind))
    );
  }

  #tlv(f: FieldModel, t: TlvModel, assigned: boolean): void {
    const x = local(f.name);
    const stop = beside(f.name, "end");
    this.place.stop(f, this.#fill(t.fill), stop, t.max);
    checkOptions(this.place, f, t, stop);
    if (this.#keep && inValue(f))
      this.code.line(`${assigned ? "" : "const "}${x} = ${splitOptions(this.place, f, t, stop)};`);
    this.place.jump(stop);
  }

  /** Octets of a list, as an expression; or `rest`. */
  #fill(fill: Expr | "rest"): string {
    return fill === "rest" ? fill : num(fill, this.names());
  }
}

const same = (a: Expr | undefined, b: Expr | undefined) => JSON.stringify(a) === JSON.stringify(b);

/** The octets to skip, and to load, for all that is wanted of a group. */
function shortest(
  wanted: readonly { readonly from: number; readonly to: number }[],
  octets: number,
): readonly [skipped: number, loaded: number] {
  const skipped = Math.min(...wanted.map(({ from }) => from >>> 3));
  const loaded = Math.max(...wanted.map(({ to }) => (to + 7) >>> 3)) - skipped;
  return loaded === 3 && octets === 4 ? [0, 4] : [skipped, loaded];
}

const isFixed = (f: FieldModel): boolean => f.min === f.max && f.type.kind !== "pad";
