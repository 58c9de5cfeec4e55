/**
 * The second opinion: a header's model, interpreted. Slow, and written to be obviously right.
 *
 * It shares no line with the emitters: octets are read bit by bit, fields one after another, and a
 * verdict is thrown where it is found. The order of verdicts is the wire's: for each field what its
 * type refuses, then its rules; computed values when the head is whole, or the part that they stand in.
 */
import type { FieldModel, HeaderModel, TlvModel, UintModel } from "../../codegen/model.js";
import { inValue } from "../../codegen/model.js";
import type { Expr } from "../../spec/lang.js";

/** What `measure` says, in words. Octets, or the fault's number. */
export type Verdict =
  | { readonly kind: "whole"; readonly octets: number }
  /** At least so many more. Generated code may ask for more at once, never for more than is missing. */
  | { readonly kind: "need"; readonly octets: number }
  | { readonly kind: "fault"; readonly fault: number };

export type Value = { readonly [field: string]: unknown };

/** A verdict, and the value if it is `whole`. */
export interface Reading {
  readonly verdict: Verdict;
  readonly value: Value | undefined;
}

class Need {
  constructor(readonly octets: number) {}
}
class Fault {
  constructor(readonly fault: number | undefined) {}
}

/** Reads a head from the first octet; the last one given is the last there is. */
export function readHead(header: HeaderModel, octets: Uint8Array, little = false): Reading {
  return judge(() => {
    const reader = new Reader(header, octets, little);
    const value = reader.fields(header.head, reader.scope);
    reader.settle();
    return { value, octets: reader.at / 8 };
  });
}

/** Reads a trailer that ends with the last octet. `needs`: the head's fields that it depends on. */
export function readTail(
  header: HeaderModel,
  octets: Uint8Array,
  needs: Readonly<Record<string, number>> = {},
  little = false,
): Reading {
  return judge(() => {
    const reader = new Reader(header, octets, little);
    for (const [name, n] of Object.entries(needs)) reader.scope.numbers.set(name, n);
    const last = reader.sizeOf(header.last, reader.scope);
    reader.back(octets.length, last);
    const values = reader.fields(header.last, reader.scope);
    const front = reader.sizeOf(header.front, reader.scope);
    reader.back(octets.length - last, front);
    const value = { ...reader.fields(header.front, reader.scope), ...values };
    reader.settle();
    return { value, octets: last + front };
  });
}

function judge(read: () => { value: Value; octets: number }): Reading {
  try {
    const { value, octets } = read();
    return { verdict: { kind: "whole", octets }, value };
  } catch (e) {
    if (e instanceof Need) return { verdict: { kind: "need", octets: e.octets }, value: undefined };
    if (!(e instanceof Fault)) throw e;
    if (e.fault === undefined) throw new Error("the model has no number for a fault");
    return { verdict: { kind: "fault", fault: e.fault }, value: undefined };
  }
}

/** What expressions read. Names of fields after the present one are not in it. */
interface Scope {
  readonly numbers: Map<string, number>;
  readonly octets: Map<string, number>;
  readonly counts: Map<string, number>;
}
const scopeLike = (s?: Scope): Scope => ({
  numbers: new Map(s?.numbers),
  octets: new Map(s?.octets),
  counts: new Map(s?.counts),
});

class Reader {
  readonly scope = scopeLike();
  /** Position and end, in bits. */
  at = 0;
  #end: number;
  readonly #computed: { readonly field: FieldModel; readonly at: number; readonly scope: Scope }[] =
    [];
  #order: "big" | "little";

  constructor(
    readonly header: HeaderModel,
    readonly octets: Uint8Array,
    little: boolean,
  ) {
    this.#end = octets.length * 8;
    this.#order = header.order === "caller" ? (little ? "little" : "big") : header.order;
  }

  /** Goes to where `octets` octets begin that end at octet `end`. */
  back(end: number, octets: number): void {
    if (octets > end) throw new Need(octets - end);
    this.at = (end - octets) * 8;
  }

  fields(list: readonly FieldModel[], scope: Scope): Value {
    const value: Record<string, unknown> = {};
    const { little, head, front, last } = this.header;
    const outer = this.#computed.length;
    list.forEach((field, i) => {
      if (list === head && little !== undefined) {
        const swapped = i >= little.from && evaluate(little.when, scope) !== 0;
        this.#order = swapped ? "little" : "big";
      }
      if (field.when !== undefined && evaluate(field.when, scope) === 0) {
        value[field.name] = undefined;
        return;
      }
      const from = this.at;
      const got = this.#field(field, scope);
      scope.octets.set(field.name, (this.at - from) / 8);
      if (field.auto !== undefined) this.#computed.push({ field, at: from, scope });
      if (inValue(field)) value[field.name] = got;
    });
    if (list !== head && list !== front && list !== last) this.settle(outer);
    return value;
  }

  #field(field: FieldModel, scope: Scope): unknown {
    const value = this.#typed(field, scope);
    if (typeof value === "number" || typeof value === "boolean") {
      const self = Number(value);
      scope.numbers.set(field.name, self);
      for (const must of field.musts) {
        if (evaluate(must.expr, scope, self) === 0) throw new Fault(must.fault);
      }
    }
    if (Array.isArray(value)) scope.counts.set(field.name, value.length);
    return value;
  }

  #typed(field: FieldModel, scope: Scope): unknown {
    const { type, faults } = field;
    switch (type.kind) {
      case "uint":
        return this.#uint(field, type);
      case "escape": {
        const first = this.#bits(type.bits);
        const i = type.tiers.findIndex((tier) => tier.at === first);
        const tier = type.tiers[i];
        if (tier === undefined) return first;
        const wide = this.#number(tier.bits, tier.order);
        if (wide > Number.MAX_SAFE_INTEGER) throw new Fault(faults.range);
        const before = type.tiers[i - 1];
        const least = before === undefined ? tier.at : 2 ** before.bits;
        if (wide < least) throw new Fault(faults.shortest);
        return Number(wide);
      }
      case "varint": {
        let value = 0;
        for (let shift = 0; ; shift += 7) {
          const octet = this.#bits(8);
          const more = octet >= 0x80;
          value += (octet % 0x80) * 2 ** shift;
          if (value >= 2 ** type.bits) throw new Fault(faults.range);
          if (more && shift + 7 >= type.bits) throw new Fault(faults.range);
          if (more) continue;
          if (octet === 0 && shift > 0) throw new Fault(faults.shortest);
          return value;
        }
      }
      case "bytes": {
        const octets = this.#run(field, type.length, type.max, scope);
        if (type.konst === undefined || field.lint) return octets;
        if (type.konst.some((n, i) => n !== octets[i])) throw new Fault(faults.konst);
        return octets;
      }
      case "text": {
        const octets = this.#run(field, type.length, type.max, scope);
        const points = type.encoding === "ascii" ? ascii(octets) : utf8(octets);
        if (points === undefined) throw new Fault(faults.text);
        return points.map((p) => String.fromCodePoint(p)).join("");
      }
      case "nested":
        return this.fields(type.fields, scopeLike());
      case "choose": {
        const on = evaluate(type.on, scope);
        const arm = type.arms.find((a) => a.is.includes(on))?.fields ?? type.otherwise;
        if (arm === undefined) throw new Fault(faults.arm);
        return this.fields(arm, scopeLike(scope));
      }
      case "repeat": {
        const list: unknown[] = [];
        const element = () => void list.push(this.#field(type.of, scopeLike(scope)));
        if (type.count !== undefined) {
          const count = evaluate(type.count, scope);
          if (count > type.max) throw new Fault(faults.max);
          while (list.length < count) element();
        } else if (type.until !== undefined) {
          do {
            if (list.length === type.max) throw new Fault(faults.max);
            element();
          } while (evaluate(type.until, scope, Number(list.at(-1))) === 0);
        } else {
          this.#within(field, this.#extent(type.fill ?? "rest", scope), () => {
            if (list.length === type.max) throw new Fault(faults.max);
            element();
          });
        }
        return list;
      }
      case "tlv": {
        const list: { type: number; value: Uint8Array | undefined }[] = [];
        const octets = this.#extent(type.fill, scope);
        if (octets > type.max) throw new Fault(faults.max);
        this.#within(field, octets, () => void list.push(this.#item(field, type, list)));
        return list;
      }
      case "pad": {
        while ((this.at / 8) % type.to !== 0) {
          if (this.#bits(8) !== 0) throw new Fault(faults.pad);
        }
        return undefined;
      }
    }
  }

  #uint(field: FieldModel, type: UintModel): number | bigint | boolean {
    const raw = this.#number(type.bits, type.order);
    const wide = type.signed ? BigInt.asIntN(type.bits, raw) : raw;
    if (type.as === "bigint") return wide;
    if (wide > Number.MAX_SAFE_INTEGER) throw new Fault(field.faults.range);
    const n = Number(wide);
    if (!field.lint) {
      if (type.konst !== undefined && n !== type.konst) throw new Fault(field.faults.konst);
      const closed = type.names !== undefined && type.open !== true;
      if (closed && !Object.values(type.names).includes(n)) throw new Fault(field.faults.names);
    }
    return type.as === "boolean" ? n === 1 : n;
  }

  #item(field: FieldModel, type: TlvModel, before: readonly { type: number }[]) {
    const start = this.at;
    const code = Number(this.#number(type.type * 8, "header"));
    if (type.end !== undefined && before.at(-1)?.type === type.end && code !== type.end) {
      throw new Fault(field.faults.end);
    }
    let value: Uint8Array | undefined;
    if (!type.single.includes(code)) {
      const said = Number(this.#number(type.length * 8, "header")) * type.unit;
      const octets = type.counts === "item" ? said - type.type - type.length : said;
      if (octets < 0) throw new Fault(field.faults.fill);
      value = this.#take(octets);
    }
    // Padding that does not fit is no padding, whatever is there.
    const taken = (this.at - start) / 8;
    const padding = this.#take(Math.ceil(taken / type.align) * type.align - taken);
    if (padding.some((octet) => octet !== 0)) throw new Fault(field.faults.pad);
    return { type: code, value };
  }

  /** Reads until `octets` are used up; whatever reads past them does not fit. */
  #within(field: FieldModel, octets: number, read: () => void): void {
    const [outer, inner] = [this.#end, this.at + octets * 8];
    if (inner > outer) throw new Need((inner - outer) / 8);
    this.#end = inner;
    try {
      while (this.at < inner) read();
    } catch (e) {
      throw e instanceof Need ? new Fault(field.faults.fill) : e;
    }
    this.#end = outer;
  }

  /** Octets that a length means. */
  #extent(length: Expr | "rest", scope: Scope): number {
    return length === "rest" ? (this.#end - this.at) / 8 : evaluate(length, scope);
  }

  #run(
    field: FieldModel,
    length: Expr | "rest",
    max: number | undefined,
    scope: Scope,
  ): Uint8Array {
    const octets = this.#extent(length, scope);
    if (max !== undefined && octets > max) throw new Fault(field.faults.max);
    return this.#take(octets);
  }

  #take(octets: number): Uint8Array {
    const missing = this.at / 8 + octets - this.#end / 8;
    if (missing > 0) throw new Need(missing);
    const from = this.at / 8;
    this.at += octets * 8;
    return this.octets.slice(from, from + octets);
  }

  /** A whole number of octets in its order; or bits, greatest first. */
  #number(bits: number, order: "big" | "little" | "header"): bigint {
    const little = (order === "header" ? this.#order : order) === "little";
    if (bits % 8 !== 0 || this.at % 8 !== 0) return BigInt(this.#bits(bits));
    const octets = [...this.#take(bits / 8)];
    if (little) octets.reverse();
    return octets.reduce((n, octet) => n * 256n + BigInt(octet), 0n);
  }

  /** Up to 32 bits. */
  #bits(n: number): number {
    const missing = this.at + n - this.#end;
    if (missing > 0) throw new Need(Math.ceil(missing / 8));
    let value = 0;
    for (let i = 0; i < n; i++, this.at++) {
      const octet = this.octets[Math.floor(this.at / 8)] ?? 0;
      value = value * 2 + ((octet >> (7 - (this.at % 8))) & 1);
    }
    return value;
  }

  /** Octets of fields whose size is decided before they are read. */
  sizeOf(list: readonly FieldModel[], scope: Scope): number {
    return list.reduce((sum, { type, when, min }) => {
      if (when !== undefined && evaluate(when, scope) === 0) return sum;
      if ((type.kind === "bytes" || type.kind === "text") && type.length !== "rest") {
        return sum + evaluate(type.length, scope);
      }
      if (type.kind === "repeat" && type.count !== undefined) {
        return sum + evaluate(type.count, scope) * type.of.min;
      }
      return sum + min;
    }, 0);
  }

  /** Verifies what the writer computes: what was met since, and is not yet verified. */
  settle(since = 0): void {
    for (const { field, at, scope } of this.#computed.splice(since)) {
      const value = scope.numbers.get(field.name);
      const made =
        field.auto === "internet"
          ? internet(this.octets.subarray(0, this.at / 8), at / 8)
          : evaluate(field.auto ?? 0, scope, undefined, this.at / 8);
      if (value !== made) throw new Fault(field.faults.auto);
    }
  }
}

/** RFC 1071: the complement of the sum of all 16-bit words, with ends around, the field being 0. */
function internet(octets: Uint8Array, field: number): number {
  let sum = 0;
  octets.forEach((octet, i) => {
    if (i === field || i === field + 1) return;
    sum += i % 2 === 0 ? octet * 256 : octet;
  });
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return 0xffff - sum;
}

const ascii = (octets: Uint8Array): number[] | undefined =>
  octets.some((n) => n > 0x7f) ? undefined : [...octets];

/** Code points, by the table of RFC 3629 §4; undefined if ill-formed. */
function utf8(octets: Uint8Array): number[] | undefined {
  const points: number[] = [];
  for (let i = 0; i < octets.length; ) {
    const lead = octets[i++] ?? 0;
    const more = lead < 0x80 ? 0 : lead < 0xc0 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (more < 0 || lead > 0xf4) return undefined;
    let point = more === 0 ? lead : lead % 2 ** (6 - more);
    for (let k = 0; k < more; k++) {
      const octet = octets[i++] ?? 0;
      if (octet < 0x80 || octet > 0xbf) return undefined;
      point = point * 64 + (octet - 0x80);
    }
    const least = [0, 0x80, 0x800, 0x10000][more] ?? 0;
    const surrogate = point >= 0xd800 && point <= 0xdfff;
    if (point < least || point > 0x10ffff || surrogate) return undefined;
    points.push(point);
  }
  return points;
}

/** An expression's value; true is 1, false 0. */
export function evaluate(e: Expr, scope: Scope, self = Number.NaN, head = Number.NaN): number {
  if (typeof e === "number") return e;
  const value = (x: Expr) => evaluate(x, scope, self, head);
  switch (e.op) {
    case "field":
      return scope.numbers.get(e.name) ?? 0;
    case "self":
      return self;
    case "head":
      return head;
    case "payload":
    case "last":
      throw new Error("only a dissector knows that");
    case "octets":
      return scope.octets.get(e.of) ?? 0;
    case "count":
      return scope.counts.get(e.of) ?? 0;
    case "not":
      return value(e.a) === 0 ? 1 : 0;
    case "pick": {
      const made = e.map[String(value(e.of))] ?? e.otherwise;
      if (made === undefined) throw new Error("a pick has no entry, and the spec was accepted");
      return made;
    }
  }
  const [a, b] = [value(e.a), value(e.b)];
  switch (e.op) {
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return a * b;
    case "div":
      return Math.floor(a / b);
    case "mod":
      return a % b;
    case "shl":
      return a * 2 ** b;
    case "shr":
      return Math.floor(a / 2 ** b);
    case "mask":
      return Number(BigInt(a) & BigInt(b));
    case "eq":
      return Number(a === b);
    case "ne":
      return Number(a !== b);
    case "lt":
      return Number(a < b);
    case "le":
      return Number(a <= b);
    case "gt":
      return Number(a > b);
    case "ge":
      return Number(a >= b);
    case "and":
      return Number(a !== 0 && b !== 0);
    case "or":
      return Number(a !== 0 || b !== 0);
  }
}
