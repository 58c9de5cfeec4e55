/**
 * The third opinion: a header's model as a parser of the package binary-parser.
 *
 * It shares no line with the emitters nor with the interpreter: what an octet means is the package's to
 * say. It cuts lists of octets short without a word, so nothing it says of a cut header counts.
 */
import type { FieldModel, HeaderModel } from "../../codegen/model.js";
import type { Binary, Expr } from "../../spec/lang.js";
import type { Value } from "./interpreter.js";

/** Its declarations are found only as a CommonJS module's. */
type Package = typeof import("binary-parser", { with: { "resolution-mode": "require" }});
type Parser = InstanceType<Package["Parser"]>;
const name: string = "binary-parser";
const { Parser } = (await import(name)) as Package;

/** What the package has no word for; all of it. */
export const REASONS = {
  u24le: "a number of three octets, the least first: it has one, two, four and eight",
  backwards: "a trailer that is decided by its last octets: it reads forwards only",
} as const;

export class Inexpressible extends Error {
  constructor(readonly reason: keyof typeof REASONS) {
    super(REASONS[reason]);
  }
}

/** Kinds of faults for which it refuses too. For the others it has no rule: it reads on. */
export const REFUSED: readonly string[] = [
  "konst",
  "names",
  "must",
  "range",
  "shortest",
  "text",
  "arm",
];

/** Fields read so far, as the package keeps them; its own names begin with `$`. */
interface Scope {
  readonly [field: string]: unknown;
  readonly $parent?: Scope | null;
}

interface Whole {
  readonly bits: number;
  readonly little: boolean;
  readonly signed?: boolean;
  readonly as?: "number" | "bigint" | "boolean";
}

/** Reads a head, or a trailer from its first octet; all octets there are. */
export class ForeignParser {
  readonly #parser: Parser;
  #little: boolean;
  #needs: Value = {};

  constructor(
    readonly header: HeaderModel,
    tail: boolean,
    little: boolean,
  ) {
    this.#little = header.order === "caller" ? little : header.order === "little";
    const all = new Parser().useContextVars();
    if (tail && header.front.length > 0) throw new Inexpressible("backwards");
    this.#parser = (tail ? this.#fields(header.last, all) : this.#head(all)).saveOffset("$end");
  }

  /** Throws on what it refuses. `needs`: for a trailer, fields of the head. */
  parse(octets: Uint8Array, needs: Value): { readonly value: Value; readonly octets: number } {
    this.#needs = needs;
    const value = this.#parser.parse(octets) as Value;
    return { value, octets: Number(value.$end) };
  }

  #head(into: Parser): Parser {
    const { head, little } = this.header;
    if (little === undefined) return this.#fields(head, into);
    const ordered = (swapped: boolean) => {
      this.#little = swapped;
      return this.#fields(head.slice(little.from), new Parser());
    };
    return this.#fields(head.slice(0, little.from), into).choice({
      tag: this.#told(little.when),
      choices: { 1: ordered(true) },
      defaultChoice: ordered(false),
    });
  }

  #fields(list: readonly FieldModel[], into: Parser): Parser {
    for (const group of groups(list)) {
      const when = group[0]?.when;
      if (when === undefined) this.#group(group, into);
      else {
        into.choice({
          tag: this.#told(when),
          choices: { 1: this.#group(group, new Parser()) },
          defaultChoice: new Parser(),
        });
      }
    }
    return into;
  }

  /** Fields that share octets. Their rules are looked at behind them: bits end where other things begin. */
  #group(group: readonly FieldModel[], into: Parser): Parser {
    for (const field of group) this.#field(field, into, group.length > 1);
    return into.seek(
      step((scope) => {
        for (const field of group) this.#judge(field, scope);
      }),
    );
  }

  #field(field: FieldModel, into: Parser, packed: boolean): void {
    const { name, type } = field;
    switch (type.kind) {
      case "uint":
        if (packed) bitsOf(into, name, type.bits, type.as === "boolean");
        else this.#number(into, name, { ...type, little: this.#isLittle(type.order) });
        return;
      case "escape": {
        bitsOf(into, name, type.bits);
        const wider = type.tiers.map(({ at, bits, order }, i) => {
          const least = i === 0 ? at : 2 ** (type.tiers[i - 1]?.bits ?? 0);
          const tier = new Parser();
          this.#number(tier, name, { bits, little: this.#isLittle(order) });
          const shortest = (scope: Scope) => refuseIf(Number(scope[name]) < least);
          return [at, tier.seek(step(shortest))] as const;
        });
        into.choice({
          tag: told((scope) => Number(scope[name])),
          choices: Object.fromEntries(wider),
          defaultChoice: new Parser(),
        });
        return;
      }
      case "varint":
        into.array(name, {
          type: "uint8",
          readUntil: (octet) => octet < 0x80,
          formatter: (octets: number[]) => leb128(octets, type.bits),
        });
        return;
      case "bytes":
        into.buffer(name, this.#extent(type.length));
        return;
      case "text": {
        // Its own strings lose U+FEFF at their beginning, and mend what is ill-formed.
        const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
        into.buffer(name, {
          ...this.#extent(type.length),
          formatter: (octets: Uint8Array) => {
            refuseIf(type.encoding === "ascii" && octets.some((n) => n > 0x7f));
            return decoder.decode(octets);
          },
        });
        return;
      }
      case "nested":
        into.nest(name, { type: this.#fields(type.fields, new Parser()) });
        return;
      case "choose": {
        const { otherwise } = type;
        const arms = type.arms.flatMap(({ is, fields }) =>
          is.map((n) => [n, this.#fields(fields, new Parser())] as const),
        );
        into.choice(name, {
          tag: this.#told(type.on),
          choices: Object.fromEntries(arms),
          ...(otherwise && { defaultChoice: this.#fields(otherwise, new Parser()) }),
        });
        return;
      }
      case "repeat": {
        const { of, until, count, fill } = type;
        const whole = of.type.kind === "nested" ? of.type.fields : [{ ...of, name: "item" }];
        const kept = (element: Scope) => (of.type.kind === "nested" ? element : element.item);
        const ends = (scope: Scope, element: Scope) =>
          this.#value(until ?? 0, scope, Number(kept(element))) !== 0;
        into.array(name, {
          type: this.#fields(whole, new Parser()),
          ...(until !== undefined
            ? { readUntil: told(ends) }
            : count !== undefined
              ? { length: this.#told(count) }
              : this.#filling(fill ?? "rest")),
          formatter: (list: Scope[]) => list.map(kept),
        });
        return;
      }
      case "tlv": {
        const little = this.#isLittle(type.order);
        const head = type.type + type.length;
        const counted = type.counts === "item" ? head : 0;
        const valued = new Parser();
        this.#number(valued, "length", { bits: type.length * 8, little });
        valued.buffer("value", {
          length: told(({ length }) => {
            const octets = Number(length) * type.unit - counted;
            refuseIf(octets < 0);
            return octets;
          }),
        });
        const item = new Parser();
        this.#number(item, "type", { bits: type.type * 8, little });
        item.choice({
          tag: told((scope) => Number(type.single.includes(Number(scope.type)))),
          choices: { 1: new Parser() },
          defaultChoice: valued,
        });
        item.seek(
          told(({ value }) => {
            const octets = value instanceof Uint8Array ? head + value.length : type.type;
            return Math.ceil(octets / type.align) * type.align - octets;
          }),
        );
        into.array(name, {
          type: item,
          ...this.#filling(type.fill),
          formatter: (list: Scope[]) => list.map(({ type, value }) => ({ type, value })),
        });
        return;
      }
      case "pad":
        into.saveOffset("$at");
        into.seek(told(({ $at }) => Math.ceil(Number($at) / type.to) * type.to - Number($at)));
    }
  }

  #isLittle = (order: "big" | "little" | "header"): boolean =>
    order === "header" ? this.#little : order === "little";

  #number(into: Parser, name: string, { bits, little, signed, as = "number" }: Whole): void {
    if (bits === 24 && little) throw new Inexpressible("u24le");
    if (bits === 24) return bitsOf(into, name, 24);
    const order = bits === 8 ? "" : little ? "le" : "be";
    const method = `${signed ? "int" : "uint"}${bits}${order}` as "uint8" | "int8";
    into[method](name, bits === 64 && as === "number" ? { formatter: Number } : {});
  }

  /** A run of octets. */
  #extent(length: Expr | "rest") {
    if (length === "rest") return { readUntil: "eof" } as const;
    return { length: this.#told(length) };
  }

  /** A list by its octets. */
  #filling(fill: Expr | "rest") {
    if (fill === "rest") return { readUntil: "eof" } as const;
    return { lengthInBytes: this.#told(fill) };
  }

  #judge({ name, type, lint, musts }: FieldModel, scope: Scope): void {
    const x = scope[name];
    if (type.kind === "uint" && type.as === "number") refuseIf(Number(x) > Number.MAX_SAFE_INTEGER);
    if (type.kind === "escape") refuseIf(Number(x) > Number.MAX_SAFE_INTEGER);
    if (type.kind === "uint" && !lint) {
      refuseIf(type.konst !== undefined && type.konst !== Number(x));
      const closed = type.names !== undefined && type.open !== true;
      refuseIf(closed && !Object.values(type.names).includes(Number(x)));
    }
    if (type.kind === "bytes" && !lint && type.konst !== undefined) {
      refuseIf(Buffer.compare(x as Uint8Array, Uint8Array.from(type.konst)) !== 0);
    }
    for (const { expr } of musts) refuseIf(this.#value(expr, scope, Number(x)) === 0);
  }

  /** An expression for the package to evaluate when it gets there. */
  #told(e: Expr) {
    return told((scope) => this.#value(e, scope));
  }

  #value(e: Expr, scope: Scope, self = Number.NaN): number {
    if (typeof e === "number") return e;
    const of = (x: Expr) => this.#value(x, scope, self);
    switch (e.op) {
      case "field":
        return this.#look(e.name, scope);
      case "self":
        return self;
      case "not":
        return 1 - of(e.a);
      case "pick":
        return e.map[of(e.of)] ?? e.otherwise ?? Number.NaN;
      case "head":
      case "payload":
      case "octets":
      case "count":
      case "last":
        throw new Error(`${e.op} decides nothing that is read`);
      default:
        return Number(BINARY[e.op](of(e.a), of(e.b)));
    }
  }

  #look(name: string, from: Scope): number {
    for (let scope: Scope | null | undefined = from; scope; scope = scope.$parent) {
      if (Object.hasOwn(scope, name)) return Number(scope[name]);
    }
    return Number(this.#needs[name] ?? 0);
  }
}

const BINARY: Readonly<Record<Binary, (a: number, b: number) => number | bigint | boolean>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => Math.floor(a / b),
  mod: (a, b) => a % b,
  shl: (a, b) => a * 2 ** b,
  shr: (a, b) => Math.floor(a / 2 ** b),
  mask: (a, b) => BigInt(a) & BigInt(b),
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
  and: (a, b) => a !== 0 && b !== 0,
  or: (a, b) => a !== 0 || b !== 0,
};

/** The package calls what it is given on the scope where it stands: that becomes the first argument. */
function told<A extends unknown[], R>(of: (scope: Scope, ...args: A) => R) {
  return function (this: Scope, ...args: A) {
    return of(this, ...args);
  } as (...args: A) => R;
}

/** A step of no octets. */
const step = (look: (scope: Scope) => void) =>
  told((scope) => {
    look(scope);
    return 0;
  });

function refuseIf(bad: boolean): void {
  if (bad) throw new RangeError("refused");
}

function bitsOf(into: Parser, name: string, bits: number, boolean = false): void {
  into[`bit${bits}` as "bit1"](name, boolean ? { formatter: (n) => n === 1 } : {});
}

function leb128(octets: readonly number[], bits: number): number {
  const value = octets.reduceRight((n, octet) => n * 128 + (octet & 0x7f), 0);
  refuseIf(value >= 2 ** bits || octets.length > Math.ceil(bits / 7));
  refuseIf(octets.length > 1 && octets.at(-1) === 0);
  return value;
}

/** Fields up to where an octet ends, again and again. */
function* groups(fields: readonly FieldModel[]): Generator<readonly FieldModel[]> {
  let group: FieldModel[] = [];
  let bits = 0;
  for (const field of fields) {
    const { type } = field;
    group.push(field);
    if (type.kind === "uint" || type.kind === "escape") bits += type.bits;
    if (bits % 8 !== 0) continue;
    yield group;
    group = [];
  }
}
