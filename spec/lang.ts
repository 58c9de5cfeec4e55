/**
 * The words headers are written in.
 *
 * A spec is an ordinary typed value. It is data: no codec, no I/O, nothing that runs later. A header
 * is built in stages, and a stage can refer only to fields of earlier stages, so a forward reference
 * does not compile. Mistakes that types cannot see are refused by the generator, with file and line.
 *
 * Units: lengths are octets unless a name says bits. Numbers are big-endian unless said otherwise.
 */

// ------------------------------------------------------------------------------------- mistakes

/** What types refuse, where nobody has asked them. The generator says where it stands. */
class Mistake extends Error {
  override readonly name = "Mistake";
  constructor(
    problem: string,
    readonly mend: string,
  ) {
    super(problem);
  }
}

/** The expression of `e`; what JavaScript's own operators make of one has lost it. */
function exprOf(e: unknown, what: string, mend: string): Expr {
  if (e instanceof E) return e.expr;
  throw new Mistake(
    `${what} is ${typeof e === "function" ? "a function" : e}, not an expression`,
    mend,
  );
}

const COMPARE = "write h.n.gt(4) for h.n > 4";
const RECKON = "write h.n.mul(4) for h.n * 4";

/** Refuses options that nobody reads. */
function only(options: object, names: readonly string[], what: string): void {
  const odd = Object.keys(options).find((name) => !names.includes(name));
  if (odd !== undefined)
    throw new Mistake(`'${odd}' is no option of ${what}`, `options are: ${names.join(", ")}`);
}

// ---------------------------------------------------------------------------------- expressions

/** An expression, as data: every target can print it. */
export type Expr =
  | number
  | { readonly op: "field"; readonly name: string }
  /** The value that a rule, or the end of a repetition, is about. */
  | { readonly op: "self" }
  /** Octets of the header's head, all fields included. */
  | { readonly op: "head" }
  /** Octets of payload that follow the head. */
  | { readonly op: "payload" }
  /** Octets that a field of this header takes. */
  | { readonly op: "octets"; readonly of: string }
  /** Elements of a repetition of this header. */
  | { readonly op: "count"; readonly of: string }
  /** Last element of a repetition of this header; only for what the dissector shows. */
  | { readonly op: "last"; readonly of: string }
  | { readonly op: Binary; readonly a: Expr; readonly b: Expr }
  | { readonly op: "not"; readonly a: Expr }
  | {
      readonly op: "pick";
      readonly of: Expr;
      readonly map: Readonly<Record<string, number>>;
      readonly otherwise?: number;
    };

export type Binary =
  | "add"
  | "sub"
  | "mul"
  /** Whole part of the quotient. */
  | "div"
  | "mod"
  | "shl"
  | "shr"
  /** Bitwise and. */
  | "mask"
  | "eq"
  | "ne"
  | "lt"
  | "le"
  | "gt"
  | "ge"
  | "and"
  | "or";

/** An expression over fields of earlier stages; `T` is what it yields. */
export class E<T extends number | boolean = number> {
  declare readonly yields: T;
  constructor(readonly expr: Expr) {}
  #with<R extends number | boolean>(op: Binary, b: Operand): E<R> {
    return new E<R>({ op, a: this.expr, b: operand(b) });
  }
  eq(b: Operand): E<boolean> {
    return this.#with("eq", b);
  }
  ne(b: Operand): E<boolean> {
    return this.#with("ne", b);
  }
  lt(b: Operand): E<boolean> {
    return this.#with("lt", b);
  }
  le(b: Operand): E<boolean> {
    return this.#with("le", b);
  }
  gt(b: Operand): E<boolean> {
    return this.#with("gt", b);
  }
  ge(b: Operand): E<boolean> {
    return this.#with("ge", b);
  }
  add(b: Operand): E {
    return this.#with("add", b);
  }
  sub(b: Operand): E {
    return this.#with("sub", b);
  }
  mul(b: Operand): E {
    return this.#with("mul", b);
  }
  /** Whole part of the quotient. */
  div(b: Operand): E {
    return this.#with("div", b);
  }
  mod(b: Operand): E {
    return this.#with("mod", b);
  }
  shl(b: Operand): E {
    return this.#with("shl", b);
  }
  shr(b: Operand): E {
    return this.#with("shr", b);
  }
  /** Bitwise and; up to 32 bits. */
  mask(b: Operand): E {
    return this.#with("mask", b);
  }
  and(this: E<boolean>, b: E<boolean>): E<boolean> {
    return new E({ op: "and", a: this.expr, b: exprOf(b, "the condition", COMPARE) });
  }
  or(this: E<boolean>, b: E<boolean>): E<boolean> {
    return new E({ op: "or", a: this.expr, b: exprOf(b, "the condition", COMPARE) });
  }
  not(this: E<boolean>): E<boolean> {
    return new E({ op: "not", a: this.expr });
  }
  /** Looks the value up: `alg.pick({ 1: 32, 2: 64 })`. Values without an entry are refused. */
  pick(map: Readonly<Record<number, number>>, otherwise?: number): E {
    return new E({
      op: "pick",
      of: this.expr,
      map,
      ...(otherwise === undefined ? {} : { otherwise }),
    });
  }
}

type Operand = E<number> | number;
const operand = (b: Operand, what = "the operand"): Expr =>
  typeof b === "number" && !Number.isNaN(b) ? b : exprOf(b, what, RECKON);

/** Octets of the header's own head. */
export const headLength: E = new E({ op: "head" });
/** Octets of payload, as far as the layer below has told where it ends. */
export const payloadLength: E = new E({ op: "payload" });
/** Octets that the field takes; for `auto`, which looks forward. */
export const octetsOf = (field: string): E => new E({ op: "octets", of: field });
/** Elements that the repetition has; for `auto`, which looks forward. */
export const countOf = (field: string): E => new E({ op: "count", of: field });
/** The last element of the repetition; for `shows`. */
export const lastOf = (field: string): E => new E({ op: "last", of: field });

// --------------------------------------------------------------------------------------- fields

/** What a receiver does on bad input: forget the message, or close the connection (with a code). */
export type Action = "drop" | "close" | { readonly close: number };

/** How a value is printed: as Wireshark does, so that outputs compare. */
export type Format = "dec" | "hex" | "ipv4" | "ipv6" | "mac" | "text" | "bool";

/**
 * Checksums by name. `internet` is RFC 1071. `pseudo` is the same with RFC 8200 §8.1's pseudo-header in
 * front, made from the ends of the layer below.
 */
export type Checksum = "internet" | "pseudo";

export type Order = "big" | "little";

/** A type on the wire, as data. */
export type Type =
  | {
      readonly kind: "uint";
      readonly bits: number;
      readonly signed: boolean;
      readonly as: "number" | "bigint" | "boolean";
      /** Unset: the header's order. */
      readonly order?: Order;
      /** The one value allowed. */
      readonly konst?: number;
      /** Bits that must be zero and mean nothing. */
      readonly reserved?: true;
      /** What values mean; `open`: others are allowed. */
      readonly names?: Readonly<Record<string, number>>;
      readonly open?: boolean;
      /** What bits mean; bits without a name are kept. */
      readonly flags?: Readonly<Record<string, number>>;
    }
  | {
      readonly kind: "bytes";
      readonly length: Expr | "rest";
      readonly max?: number;
      readonly konst?: readonly number[];
    }
  | {
      readonly kind: "text";
      readonly length: Expr | "rest";
      readonly max?: number;
      readonly encoding: "utf8" | "ascii";
    }
  | {
      readonly kind: "escape";
      /** Bits of the first part; values below the lowest tier stand for themselves. */
      readonly bits: number;
      /** Value of the first part → the type that holds the value instead. */
      readonly tiers: readonly {
        readonly at: number;
        readonly bits: number;
        readonly order?: Order;
      }[];
    }
  /** Seven bits an octet, lowest first, high bit: more follow (LEB128); shortest form only. */
  | { readonly kind: "varint"; readonly bits: number }
  | {
      readonly kind: "repeat";
      readonly of: FieldSpec;
      readonly until?: Expr;
      readonly count?: Expr;
      /** Octets that all elements fill exactly, or all that are left. */
      readonly fill?: Expr | "rest";
      readonly max: number;
    }
  | { readonly kind: "nested"; readonly fields: readonly NamedField[] }
  | {
      readonly kind: "choose";
      readonly on: Expr;
      readonly arms: readonly {
        readonly name: string;
        readonly is: readonly number[];
        readonly fields: readonly NamedField[];
      }[];
      readonly otherwise?: readonly NamedField[];
    }
  | {
      readonly kind: "tlv";
      readonly type: number;
      readonly length: number;
      /** What the length counts: the value, or the whole item with type and length. */
      readonly counts: "value" | "item";
      /** Octets that one of the length stands for. */
      readonly unit: number;
      /** Types that are one type field and nothing else. */
      readonly single: readonly number[];
      /** The type that ends the list; after it only itself may follow. */
      readonly end?: number;
      /** Items are filled up with zero octets to a multiple of this. */
      readonly align: number;
      readonly names: Readonly<Record<string, number>>;
      /** Octets of the list. */
      readonly fill: Expr | "rest";
      readonly max: number;
    }
  /** Zero octets up to a multiple of `to` from the head's first octet. */
  | { readonly kind: "pad"; readonly to: number };

export interface Rule {
  readonly expr: Expr;
  /** `must` is refused, `should` is kept and linted. */
  readonly strict: boolean;
  readonly why?: string;
}

/** A field, as data. */
export interface FieldSpec {
  readonly type: Type;
  readonly when?: Expr;
  readonly rules?: readonly Rule[];
  readonly auto?: Expr | "internet";
  readonly check?: Checksum;
  /** The type's own rule (constant, reserved, names, padding) is only linted; the value is kept. */
  readonly lint?: true;
  readonly format?: Format;
  /** Name in the dissector, after the header's: `seq_raw` for `tcp.seq_raw`. */
  readonly shown?: string;
  readonly onFault?: Action;
}

export interface NamedField {
  readonly name: string;
  readonly spec: FieldSpec;
}

/** `given` when encoding · `maybe` absent (a condition) or computed · `never` part of the value. */
export type Presence = "given" | "maybe" | "never";

/** A field; `T` is its decoded value. */
export class Field<T, P extends Presence = "given"> {
  declare readonly value: T;
  declare readonly presence: P;
  constructor(readonly spec: FieldSpec) {}
  #with<R, Q extends Presence>(more: Partial<FieldSpec>): Field<R, Q> {
    return new Field<R, Q>({ ...this.spec, ...more });
  }
  /** Present only if `condition` holds. */
  when(condition: E<boolean>): Field<T, P extends "never" ? "never" : "maybe"> {
    return this.#with({ when: exprOf(condition, "the condition", COMPARE) });
  }
  /** A value for which `rule` does not hold is refused, when decoding and when encoding. */
  must(rule: (self: E) => E<boolean>, why?: string): Field<T, P> {
    return this.#rule(rule, true, why);
  }
  /** A value for which `rule` does not hold is kept, and marked by the dissector. */
  should(rule: (self: E) => E<boolean>, why?: string): Field<T, P> {
    return this.#rule(rule, false, why);
  }
  #rule(rule: (self: E) => E<boolean>, strict: boolean, why?: string): Field<T, P> {
    const made: Rule = {
      expr: exprOf(rule(new E({ op: "self" })), "the rule", "write (x) => x.lt(5) for x < 5"),
      strict,
      ...(why === undefined ? {} : { why }),
    };
    return this.#with({ rules: [...(this.spec.rules ?? []), made] });
  }
  /** Computed when encoding, verified when decoding; only from the header's own octets. */
  auto(from: E | "internet"): Field<T, "maybe"> {
    return this.#with({
      auto: from === "internet" ? from : exprOf(from, "what it is computed from", RECKON),
    });
  }
  /** A checksum over octets that are not the header's: the dissector evaluates it, the codec does not. */
  check(by: Checksum): Field<T, P> {
    return this.#with({ check: by });
  }
  /** A constant, name or zero that is not kept to is no error: the value is kept and linted. */
  lint(): Field<T extends number ? number : T, P extends "never" ? "given" : P> {
    return this.#with({ lint: true });
  }
  /** How the dissector prints it. */
  as(format: Format): Field<T, P> {
    return this.#with({ format });
  }
  /** Its name in the dissector, after the header's name and a dot. */
  named(shown: string): Field<T, P> {
    return this.#with({ shown });
  }
  /** What a receiver does when this field is bad; else the header's `onFault`. */
  onFault(action: Action): Field<T, P> {
    return this.#with({ onFault: action });
  }
}

type Any = Field<unknown, Presence>;
export type Fields = Readonly<Record<string, Field<any, any>>>;

/** A whole number of one to eight octets, with its byte orders. */
export class Uint<T = number> extends Field<T> {
  #order(order: Order): Field<T> {
    return new Field<T>({ ...this.spec, type: { ...this.spec.type, order } as Type });
  }
  /** Least octet first. */
  get le(): Field<T> {
    return this.#order("little");
  }
  /** Greatest octet first, whatever the header's order. */
  get be(): Field<T> {
    return this.#order("big");
  }
}

const uint = (bits: number, as: "number" | "bigint" = "number", signed = false) =>
  ({ type: { kind: "uint", bits, signed, as } }) as const;

export const u8: Uint = new Uint(uint(8));
export const u16: Uint = new Uint(uint(16));
export const u24: Uint = new Uint(uint(24));
export const u32: Uint = new Uint(uint(32));
/** 64 bits on the wire as a number: 2^53 and above are refused. */
export const u53: Uint = new Uint({
  type: { kind: "uint", bits: 64, signed: false, as: "number" },
});
/** 64 bits as a bigint; slower than `u53`. */
export const u64: Uint<bigint> = new Uint<bigint>(uint(64, "bigint"));
export const i8: Uint = new Uint(uint(8, "number", true));
export const i16: Uint = new Uint(uint(16, "number", true));
export const i32: Uint = new Uint(uint(32, "number", true));
export const i64: Uint<bigint> = new Uint<bigint>(uint(64, "bigint", true));

/** One bit, as a boolean. */
export const bit: Field<boolean> = new Field({
  type: { kind: "uint", bits: 1, signed: false, as: "boolean" },
});

type Width =
  | 1
  | 2
  | 3
  | 4
  | 5
  | 6
  | 7
  | 8
  | 9
  | 10
  | 11
  | 12
  | 13
  | 14
  | 15
  | 16
  | 17
  | 18
  | 19
  | 20
  | 21
  | 22
  | 23
  | 24
  | 25
  | 26
  | 27
  | 28
  | 29
  | 30
  | 31
  | 32;

/** `n` bits, greatest first; runs of bits end on an octet. */
export const bits = (n: Width): Field<number> => new Field(uint(n));

/** Bits that must be zero and mean nothing; they are no part of the value. */
export const reserved = (n: Width): Field<0, "never"> =>
  new Field({
    type: { kind: "uint", bits: n, signed: false, as: "number", konst: 0, reserved: true },
  });

/** The one value that `type` may have; it is no part of the value. */
export function konst<const V extends number | readonly number[]>(
  type: V extends number ? Field<number> : Field<Uint8Array>,
  value: V,
): Field<V, "never"> {
  return new Field({ ...type.spec, type: { ...type.spec.type, konst: value } as Type });
}

/** A number whose values have names; others are refused unless `open`. */
export function oneOf<const M extends Readonly<Record<string, number>>>(
  type: Field<number>,
  names: M,
): Field<M[keyof M]>;
export function oneOf<const M extends Readonly<Record<string, number>>>(
  type: Field<number>,
  names: M,
  options: { open: true },
): Field<number>;
export function oneOf(
  type: Field<number>,
  names: Readonly<Record<string, number>>,
  options: { open?: boolean } = {},
): Field<number> {
  only(options, ["open"], "oneOf()");
  return new Field({
    ...type.spec,
    type: { ...type.spec.type, names, open: options.open === true } as Type,
  });
}

/** A number whose bits have names: name → mask. The value is the number; unnamed bits are kept. */
export const flags = (
  type: Field<number>,
  masks: Readonly<Record<string, number>>,
): Field<number> => new Field({ ...type.spec, type: { ...type.spec.type, flags: masks } as Type });

/** As many octets as `length` says. */
export const bytes = (length: number | E): Field<Uint8Array> =>
  new Field({ type: { kind: "bytes", length: operand(length, "the length") } });

/** Everything up to the end of the header's octets, at most `max` octets. */
export const rest = (max: number): Field<Uint8Array> =>
  new Field({ type: { kind: "bytes", length: "rest", max } });

/** Text of as many octets as `length` says; `"rest"` with `max`: up to the end. UTF-8 unless said otherwise. */
export function text(
  length: number | E | "rest",
  options: { encoding?: "utf8" | "ascii"; max?: number } = {},
): Field<string> {
  only(options, ["encoding", "max"], "text()");
  return new Field({
    type: {
      kind: "text",
      length: length === "rest" ? length : operand(length, "the length"),
      encoding: options.encoding ?? "utf8",
      ...(options.max === undefined ? {} : { max: options.max }),
    },
  });
}

/**
 * A number in `bits` bits, whose greatest values say that a wider type follows and holds it instead:
 * `escape(7, { 126: u16, 127: u53 })`. Only the shortest form is accepted.
 */
export const escape = (
  bits: Width,
  tiers: Readonly<Record<number, Field<number>>>,
): Field<number> =>
  new Field({
    type: {
      kind: "escape",
      bits,
      tiers: Object.entries(tiers).map(([at, { spec }]) => {
        const type = spec.type as Extract<Type, { kind: "uint" }>;
        return {
          at: Number(at),
          bits: type.bits,
          ...(type.order === undefined ? {} : { order: type.order }),
        };
      }),
    },
  });

/** Seven bits an octet, lowest first (LEB128), up to `bits` bits; only the shortest form is accepted. */
export const varint = (bits: 14 | 21 | 28 | 32 | 35 | 42 | 49 | 53 = 53): Field<number> =>
  new Field({ type: { kind: "varint", bits } });

/** Where a repetition ends. `max` bounds its elements, always. */
export type Extent = { readonly max: number } & (
  | { readonly count: E }
  /** The last element is the first for which it holds. */
  | { readonly until: (element: E) => E<boolean> }
  /** Octets that the elements fill exactly. */
  | { readonly fill: E | "rest" }
);

/** Elements of one type. */
export function repeat<T>(of: Field<T, "given">, extent: Extent): Field<T[]> {
  const { max } = extent;
  only(extent, ["count", "until", "fill", "max"], "repeat()");
  const plain = { kind: "repeat", of: of.spec } as const;
  if ("count" in extent)
    return new Field({ type: { ...plain, count: operand(extent.count, "the count"), max } });
  if ("until" in extent) {
    const ends = extent.until(new E({ op: "self" }));
    return new Field({ type: { ...plain, until: exprOf(ends, "the end", COMPARE), max } });
  }
  const fill = extent.fill === "rest" ? "rest" : operand(extent.fill, "the extent");
  return new Field({ type: { ...plain, fill, max } });
}

/** The fields of another header's head, as one object. */
export const nested = <S extends Fields>(inner: Header<S, any> | S): Field<Simplify<ValueOf<S>>> =>
  new Field({
    type: { kind: "nested", fields: inner instanceof Header ? inner.head : named(inner as Fields) },
  });

export interface Arm<S extends Fields = Fields> {
  readonly is: number | readonly number[];
  readonly of: S;
}
type ArmValue<A> = {
  [K in keyof A]: A[K] extends Arm<infer S> ? Simplify<ValueOf<S>> : never;
}[keyof A];

/** Fields by the value of an earlier one; a value without an arm is refused unless there is `otherwise`. */
export function choose<const A extends Readonly<Record<string, Arm>>, O extends Fields = never>(
  on: E,
  arms: A,
  otherwise?: O,
): Field<ArmValue<A> | ([O] extends [never] ? never : Simplify<ValueOf<O>>)> {
  return new Field({
    type: {
      kind: "choose",
      on: exprOf(on, "the choice", "refer to an earlier field: h.kind"),
      arms: Object.entries(arms).map(([name, { is, of }]) => ({
        name,
        is: typeof is === "number" ? [is] : is,
        fields: named(of),
      })),
      ...(otherwise === undefined ? {} : { otherwise: named(otherwise) }),
    },
  });
}

/** An option: its type, and its octets; `undefined` if the type is one that stands alone. */
export interface Item {
  type: number;
  value: Uint8Array | undefined;
}

/** A list of options: type, length, value. */
export function tlv(options: {
  /** Widths of type and length. */
  type: Field<number>;
  length: Field<number>;
  /** What the length counts. Default `value`. */
  counts?: "value" | "item";
  /** Octets that one of the length stands for. Default 1. */
  unit?: number;
  single?: readonly number[];
  end?: number;
  align?: number;
  names?: Readonly<Record<string, number>>;
  /** Octets of the list, or all that are left. */
  fill: E | "rest";
  /** Octets of the list, at most. */
  max: number;
}): Field<Item[]> {
  const names = [
    "type",
    "length",
    "counts",
    "unit",
    "single",
    "end",
    "align",
    "names",
    "fill",
    "max",
  ];
  only(options, names, "tlv()");
  const width = (f: Field<number>) => (f.spec.type as Extract<Type, { kind: "uint" }>).bits / 8;
  return new Field({
    type: {
      kind: "tlv",
      type: width(options.type),
      length: width(options.length),
      counts: options.counts ?? "value",
      unit: options.unit ?? 1,
      single: options.single ?? [],
      ...(options.end === undefined ? {} : { end: options.end }),
      align: options.align ?? 1,
      names: options.names ?? {},
      fill: options.fill === "rest" ? "rest" : operand(options.fill, "the extent"),
      max: options.max,
    },
  });
}

/** Zero octets up to a multiple of `to`, counted from the head's first octet. */
export const pad = (to: 2 | 4 | 8 | 16): Field<never, "never"> =>
  new Field({ type: { kind: "pad", to } });

// --------------------------------------------------------------------- what follows, and through what

/** What follows a header. */
export type Next = { readonly when?: Expr } & Following;

export type Following =
  /** The header that claims this value in the table. `name` shows in the list of protocols if `listed`. */
  | { readonly by: "value"; readonly table: string; readonly value: Expr; readonly listed?: true }
  /**
   * The header that claims the value of the flow fact; table and fact have one name. `within`: what may stand
   * in a message, behind its own header; `bare`: that one is not there.
   */
  | {
      readonly by: "fact";
      readonly table: string;
      readonly message?: true;
      readonly within?: string;
      readonly bare?: true;
    }
  /** The headers of the layers that a flow fact lists, each in the one before; then the next alternative. */
  | { readonly by: "list"; readonly table: "layer"; readonly fact: string }
  /** Whatever stands in this header's place for who lists it: the same as no alternatives at all. */
  | { readonly by: "above" }
  /** The first header claiming the table whose `measure` accepts the octets. */
  | { readonly by: "trial"; readonly table: string; readonly again?: true; readonly quoted?: true }
  | { readonly by: "name"; readonly header: string };

/** What happens to a payload before `next`. A closed list: one file each in `runtime/dissect/flow/`. */
export type Via = { readonly when?: Expr } & Operation;

export type Operation =
  /** Pieces to a whole. `first` begins one, `last` ends it; without `first` each end is a beginning. */
  | { readonly op: "join"; readonly first?: Expr; readonly last: Expr }
  /** XOR with a four-octet key. */
  | { readonly op: "unmask"; readonly key: Expr }
  /** Decrypt, trailer included, with the key of the sender that this flow fact names. */
  | { readonly op: "open"; readonly sender: string }
  /** Inner pieces: length-prefixed, with a flag for *continues*. */
  | { readonly op: "records" }
  /** Fragments of a datagram: offset in octets, more to come, what they have in common. */
  | { readonly op: "fragments"; readonly id: Expr; readonly offset: Expr; readonly more: Expr }
  /** Octets of a stream, put in order by sequence number. */
  | {
      readonly op: "stream";
      readonly seq: Expr;
      readonly syn: Expr;
      readonly fin: Expr;
      readonly rst: Expr;
    };

const cond = (when?: E<boolean>) =>
  when === undefined ? {} : { when: exprOf(when, "the condition", COMPARE) };

/** The header that claims `value` in `table`: `by("ip.proto", h.protocol)`. */
export const by = (
  table: string,
  value: E,
  options: { when?: E<boolean>; listed?: boolean } = {},
): Next => ({
  by: "value",
  table,
  value: exprOf(value, "the value", RECKON),
  ...(options.listed === true ? { listed: true } : {}),
  ...cond(options.when),
});
/**
 * The header that claims what the flow fact `name` says; the table has the fact's name. One that is not
 * set, or is 0, leaves it to the alternative behind. `message`: what follows is one message of an
 * application, so lists of messages have a row for it; `bare`: without the header that the fact stands for.
 * `within` is a table, and a flow fact: of the headers inside the message, behind its own. Where the fact
 * lists layers they are theirs; else whoever in the table recognises them.
 */
export const byFact = (
  name: string,
  options: { when?: E<boolean>; message?: boolean; within?: string; bare?: boolean } = {},
): Next => ({
  by: "fact",
  table: name,
  ...(options.message === true ? { message: true } : {}),
  ...(options.within === undefined ? {} : { within: options.within }),
  ...(options.bare === true ? { bare: true } : {}),
  ...cond(options.when),
});
/**
 * The headers of layers, which the flow fact lists by name, the uppermost first, with spaces between: the
 * lowest follows here, the others each where the one before has no `next` of its own, and on the last what
 * stands behind this alternative. A header claims its layer in the table `layer`: `on: { layer: "trace@1" }`.
 */
export const byList = (fact: string, options: { when?: E<boolean> } = {}): Next => ({
  by: "list",
  table: "layer",
  fact,
  ...cond(options.when),
});
/**
 * What stands on this layer, whoever that is: what a payload without `next` leads to anyway. For one that is
 * readable under a condition only. `next: () => []` says that nobody but this layer can read what follows.
 */
export const above = (options: { when?: E<boolean> } = {}): Next => ({
  by: "above",
  ...cond(options.when),
});
/**
 * Whichever header of `table` accepts the octets; `again`: and the next after it, to the stream's end;
 * `quoted`: they repeat another packet's beginning, so they are shown but belong to no flow.
 */
export const recognise = (
  table: string,
  options: { when?: E<boolean>; again?: boolean; quoted?: boolean } = {},
): Next => ({
  by: "trial",
  table,
  ...(options.again === true ? { again: true } : {}),
  ...(options.quoted === true ? { quoted: true } : {}),
  ...cond(options.when),
});
/** One header, by its name. */
export const to = (header: string, options: { when?: E<boolean> } = {}): Next => ({
  by: "name",
  header,
  ...cond(options.when),
});

export const join = (o: { first?: E<boolean>; last: E<boolean>; when?: E<boolean> }): Via => ({
  op: "join",
  ...(o.first === undefined ? {} : { first: o.first.expr }),
  last: o.last.expr,
  ...cond(o.when),
});
export const unmask = (key: E, options: { when?: E<boolean> } = {}): Via => ({
  op: "unmask",
  key: key.expr,
  ...cond(options.when),
});
/**
 * Opens what is sealed, tag in the trailer included, by the keys of whoever sealed it: the flow fact says who,
 * as they said themselves.
 */
export const open = (sender: string): Via => ({ op: "open", sender });
export const records: Via = { op: "records" };
export const fragments = (o: { id: E; offset: E; more: E<boolean>; when?: E<boolean> }): Via => ({
  op: "fragments",
  id: o.id.expr,
  offset: o.offset.expr,
  more: o.more.expr,
  ...cond(o.when),
});
export const stream = (o: { seq: E; syn: E<boolean>; fin: E<boolean>; rst: E<boolean> }): Via => ({
  op: "stream",
  seq: o.seq.expr,
  syn: o.syn.expr,
  fin: o.fin.expr,
  rst: o.rst.expr,
});

/** The value of a flow fact: from a field, a constant, or looked up in another fact's value. */
export type Fact =
  | { readonly from: "expr"; readonly expr: Expr }
  | { readonly from: "text"; readonly field: string }
  | { readonly from: "fact"; readonly fact: string; readonly map: Readonly<Record<string, Fact>> };

/** A fact that is the text of a field, or its octets in hex. */
export const textOf = (field: string): Fact => ({ from: "text", field });

/** A fact by another: `pick("ws.role", { client: …, server: … })`. Without an entry it is not set. */
export const pick = (fact: string, map: Readonly<Record<string, number | Fact>>): Fact => ({
  from: "fact",
  fact,
  map: Object.fromEntries(
    Object.entries(map).map(([k, v]) => [k, typeof v === "number" ? { from: "expr", expr: v } : v]),
  ),
});

// -------------------------------------------------------------------------------------- headers

export interface PayloadSpec {
  /** Octets; unset: all that the layer below brought. */
  readonly length?: Expr;
  /** Whether the length counts; where it does not, it is as if it were unset. */
  readonly told?: Expr;
  readonly via?: readonly Via[];
  readonly next?: readonly Next[];
}

/** Where a header stands: table → values it claims there, or `true`: recognised by its own rules. */
export type Claims = Readonly<
  Record<string, number | string | readonly (number | string)[] | true>
>;

export interface HeaderOptions {
  /** Where its layout is defined: `RFC 6455 §5.2`. */
  readonly ref: string;
  /** In words: `WebSocket frame`. Default: the header's doc comment, first sentence. */
  readonly title?: string;
  /** Byte order of fields that do not say. `caller`: an argument of every function. Default big. */
  readonly order?: Order | "caller";
  readonly on?: Claims;
  /** What a receiver does on bad input. Default `close`. */
  readonly onFault?: Action;
  /** Name in the list of protocols; default the header's name, up to the first dot if `family`. */
  readonly protocol?: string;
}

/** A header under construction, and finished: every method returns a new one. */
export class Header<S extends Fields, T extends Fields> {
  declare readonly fields: S;
  declare readonly tailFields: T;
  constructor(
    readonly name: string,
    readonly options: HeaderOptions,
    readonly head: readonly NamedField[],
    readonly more: {
      /** Fields from this index on are little-endian if the expression holds. */
      readonly little?: { readonly from: number; readonly when: Expr };
      readonly last?: readonly NamedField[];
      readonly front?: readonly NamedField[];
      readonly payload?: PayloadSpec;
      readonly sets?: Readonly<Record<string, Fact>>;
      readonly shows?: Readonly<Record<string, Expr>>;
      readonly ends?: readonly [string, string];
    } = {},
  ) {}
  #with<S2 extends Fields = S, T2 extends Fields = T>(
    more: Partial<Header<S, T>["more"]>,
    head = this.head,
  ): Header<S2, T2> {
    return new Header<S2, T2>(this.name, this.options, head, { ...this.more, ...more });
  }
  /** More fields; they may refer to those before. */
  and<M extends Fields>(stage: (h: Refs<S>) => M & Fresh<M, S>): Header<S & M, T> {
    return this.#with<S & M, T>({}, [...this.head, ...named(stage(refs<S>(this.head)))]);
  }
  /** The fields that follow are little-endian if `when` holds, else big-endian. */
  little(when: (h: Refs<S>) => E<boolean>): Header<S, T> {
    const is = exprOf(when(refs<S>(this.head)), "the condition", COMPARE);
    return this.#with({ little: { from: this.head.length, when: is } });
  }
  /** What stands behind the head: how long, through what, and which header reads it. */
  payload(
    options: {
      length?: (h: Refs<S>) => E;
      /** Whether the length counts: IPv4 has 0 there where a network card was to fill it in. */
      told?: (h: Refs<S>) => E<boolean>;
      via?: (h: Refs<S>) => readonly Via[];
      next?: (h: Refs<S>) => readonly Next[];
    } = {},
  ): Header<S, T> {
    only(options, ["length", "told", "via", "next"], "payload()");
    const h = refs<S>(this.head);
    const { length, told } = options;
    return this.#with({
      payload: {
        ...(length === undefined ? {} : { length: operand(length(h), "the payload's length") }),
        ...(told === undefined ? {} : { told: exprOf(told(h), "the condition", COMPARE) }),
        ...(options.via === undefined ? {} : { via: options.via(h) }),
        ...(options.next === undefined ? {} : { next: options.next(h) }),
      },
    });
  }
  /** The last octets, behind the payload. They are decoded from their end, so their size is fixed. */
  trailer<M extends Fields>(stage: (h: Refs<S>) => M & Fresh<M, S>): Header<S, M> {
    return this.#with<S, M>({ last: named(stage(refs<S>(this.head))) });
  }
  /** Octets in front of the trailer's last ones, which decide their size. */
  before<M extends Fields>(stage: (h: Refs<S & T>) => M & Fresh<M, S & T>): Header<S, M & T> {
    const known = [...this.head, ...(this.more.last ?? [])];
    return this.#with<S, M & T>({ front: named(stage(refs<S & T>(known))) });
  }
  /** Flow facts that this header sets for what follows in its direction of the flow. */
  sets(facts: (h: Refs<S>) => Readonly<Record<string, E | E<boolean> | Fact>>): Header<S, T> {
    const made = Object.entries(facts(refs<S>(this.head))).map(([name, f]): [string, Fact] => [
      name,
      typeof f === "object" && !(f instanceof E)
        ? f
        : { from: "expr", expr: operand(f as E, "the fact") },
    ]);
    return this.#with({ sets: Object.fromEntries(made) });
  }
  /** Values that the dissector computes and shows beside the fields. */
  shows(values: (h: Refs<S>) => Readonly<Record<string, E | E<boolean>>>): Header<S, T> {
    const made = Object.entries(values(refs<S>(this.head))).map(([name, e]) => [
      name,
      exprOf(e, "what is shown", RECKON),
    ]);
    return this.#with({ shows: Object.fromEntries(made) });
  }
  /** The fields that name sender and receiver on this layer. */
  ends(source: keyof S & string, destination: keyof S & string): Header<S, T> {
    return this.#with({ ends: [source, destination] });
  }
}

/** Names not taken by an earlier stage. */
type Fresh<M, S> = {
  [K in keyof M]: K extends keyof S ? "this name is taken by an earlier field" : unknown;
};

/** What a stage may refer to: earlier fields that are numbers or booleans. */
export type Refs<S> = {
  readonly [K in keyof S as S[K] extends Field<infer V, any>
    ? [V] extends [number | boolean]
      ? K
      : never
    : never]-?: S[K] extends Field<infer V, any> ? ([V] extends [boolean] ? E<boolean> : E) : never;
};

/** The decoded values of fields; doc comments and definitions of the spec carry over. */
export type ValueOf<S> = {
  -readonly [K in keyof S as S[K] extends Field<any, "given"> ? K : never]: S[K] extends Field<
    infer V,
    any
  >
    ? V
    : never;
} & {
  -readonly [K in keyof S as S[K] extends Field<any, infer P>
    ? "maybe" extends P
      ? K
      : never
    : never]?: S[K] extends Field<infer V, any> ? V | undefined : never;
};
type Simplify<T> = { [K in keyof T]: T[K] };

/** The value of a header: `Value<typeof wsFrame>`. Constants and reserved bits are no part of it. */
export type Value<H> = H extends Header<infer S, infer T> ? Simplify<ValueOf<S & T>> : never;

// What is no field has no spec; the generator says where it stands.
const named = (fields: Fields): NamedField[] =>
  Object.entries(fields).map(([name, field]) => ({
    name,
    spec: (field as Any | undefined)?.spec as FieldSpec,
  }));

// Every name answers, also one that does not exist: the generator refuses it with its position,
// where a thrown TypeError would only say "undefined".
const refs = <S>(fields: readonly NamedField[]): Refs<S> => {
  void fields;
  return new Proxy({} as Refs<S> & object, {
    get: (_, name) => new E({ op: "field", name: String(name) }),
  });
};

/** A header. `name` is dotted and shown by the dissector: `ws.frame`. */
export const header = <const S extends Fields>(
  name: string,
  fields: S,
  options: HeaderOptions,
): Header<S, Record<never, never>> => new Header(name, options, named(fields));

/**
 * An opening in text: recognised and read by the named operation of `runtime/dissect/flow/`, which
 * sets flow facts and nothing else.
 */
export interface Opener {
  readonly opener: string;
  readonly op: "http-upgrade";
  readonly ref: string;
  readonly on: Claims;
  /** Flow fact ← name of a value that the operation yields. */
  readonly sets: Readonly<Record<string, string>>;
  readonly next: readonly Next[];
}
export const opener = (name: string, options: Omit<Opener, "opener">): Opener => ({
  opener: name,
  ...options,
});

/** A stack, from the bottom of the wire upwards to the payload. */
export interface StackSpec {
  readonly stack: string;
  readonly headers: readonly Header<any, any>[];
}
/** Headers in the order in which they stand on the wire, the outermost first. */
export const stack = (name: string, ...headers: readonly Header<any, any>[]): StackSpec => ({
  stack: name,
  headers,
});
