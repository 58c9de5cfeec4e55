/**
 * Random headers, in the vocabulary of the specs.
 *
 * Most are ones that a person could write: lengths that decide, conditions on earlier fields, arms,
 * lists. Some the generator refuses; then it must do so with a SpecError.
 */
import fc from "fast-check";
import {
  bit,
  bits,
  bytes,
  choose,
  countOf,
  type E,
  escape,
  type Field,
  type Fields,
  flags,
  type Header,
  type HeaderOptions,
  header,
  headLength,
  i8,
  i16,
  i32,
  i64,
  konst,
  nested,
  octetsOf,
  oneOf,
  type Presence,
  pad,
  repeat,
  reserved,
  rest,
  text,
  tlv,
  type Uint,
  u8,
  u16,
  u24,
  u32,
  u53,
  u64,
  varint,
} from "../../spec/lang.js";

export type AnyHeader = Header<Fields, Fields>;
type AnyField = Field<unknown, Presence>;
type Num = Field<number>;

/** Headers named `random.h`. */
export const randomHeaders: fc.Arbitrary<AnyHeader> = fc
  .array(fc.nat(0xffffffff), { minLength: 24, maxLength: 160, size: "max" })
  .map((tape) => new Author(tape).header());

/** Names that are easily mistaken for something else in generated code. */
const NASTY =
  `v o p q i n x d end into little stop head size measure read write value type length octets
  class default delete new this null true false arguments eval await yield static string number boolean
  at w w1 from rest fits draw name bad wrong refuse least text textSize put h getLength checkList splitList
  sizeEnd short local typeOf`.split(/\s+/);

/** What names end in that generated code might give its own variables. */
const ENDS = ["Octets", "Count", "Item", "From", "End", "Text", "Value", "At", "Length", "Size"];

type Width = Parameters<typeof bits>[0];

/** A number that others may refer to. */
interface Known {
  readonly name: string;
  readonly lo: number;
  readonly hi: number;
  readonly boolean: boolean;
}

class Author {
  #at = 0;
  #count = 0;
  #order: "big" | "little" | "caller" = "big";
  /** Stages, each with what it refers to through `h`. */
  #fields: Record<string, AnyField> = {};
  readonly #taken = new Set<string>();
  #h: Record<string, E> = {};
  /** A number that may be absent, and when it is there. */
  #guarded: { readonly by: Known; readonly when: E<boolean> } | undefined;
  /** What the next stage must have. */
  #owed: (() => void)[] = [];

  constructor(readonly tape: readonly number[]) {}

  // ------------------------------------------------------------------------------------- chance

  #next(): number {
    return this.tape[this.#at++] ?? 0;
  }
  whole(lo: number, hi: number): number {
    return lo + (this.#next() % (hi - lo + 1));
  }
  #one<T>(ways: readonly T[]): T {
    return ways[this.#next() % ways.length] as T;
  }
  #chance(percent: number): boolean {
    return this.#next() % 100 >= 100 - percent;
  }

  // ------------------------------------------------------------------------------------- header

  header(): AnyHeader {
    const kind = this.#one(["big", "big", "big", "little", "caller", "data"] as const);
    this.#order = kind === "data" ? "caller" : kind;
    const options: HeaderOptions = {
      ref: "nowhere",
      order: kind === "data" ? "big" : kind,
    };
    if (this.#chance(5)) return this.#words(options);
    const known: Known[] = [];
    this.#stage(known, 0);
    let h = header("random.h", this.#fields, options) as unknown as AnyHeader;
    const and = (make: () => void) => {
      h = h.and((refs) => {
        this.#fields = {};
        this.#h = refs as unknown as Record<string, E>;
        for (const add of this.#owed.splice(0)) add();
        make();
        return this.#fields as never;
      }) as unknown as AnyHeader;
    };
    const flag = known.find((k) => k.boolean);
    if (kind === "data" && flag !== undefined) {
      h = h.little((r) => (r as unknown as Record<string, E<boolean>>)[flag.name] as E<boolean>);
    }
    for (let n = this.whole(0, 3); n > 0; n--) and(() => this.#stage(known, 0));
    if (this.#owed.length > 0) and(() => {});
    if (this.#chance(25)) {
      and(() => this.#rest());
      return h;
    }
    if (this.#chance(30) && kind !== "data") return this.#trailer(h, known);
    return this.#chance(30) ? (h.payload() as AnyHeader) : h;
  }

  /** As IP and TCP have it: the head's length in words, at its beginning. */
  #words(options: HeaderOptions): AnyHeader {
    const words = this.whole(1, 3);
    const first = {
      version: konst(bits(4), 4),
      words: bits(4)
        .must((n) => n.ge(words))
        .auto(headLength.div(4)),
      ...(words > 1 ? { id: u32 } : {}),
      ...(words > 2 ? { sum: u16.auto("internet"), ttl: u16 } : {}),
      kind: u24,
    };
    const fill = (h: { words: E }) => h.words.sub(words).mul(4);
    return header("random.h", first, options).and((h) => ({
      options: this.#chance(50)
        ? tlv({ ...this.#options(), align: 1, single: [0, 1], fill: fill(h), max: 60 })
        : bytes(fill(h)),
    })) as unknown as AnyHeader;
  }

  /** Something that reaches to the end. */
  #rest(): void {
    const name = this.#name();
    const max = this.whole(1, 24);
    this.#fields[name] = this.#one<() => AnyField>([
      () => rest(max),
      () => text("rest", { max, encoding: this.#one(["utf8", "ascii"]) }),
      () => repeat(this.#element(), { fill: "rest", max }),
      () => tlv({ ...this.#options(), fill: "rest", max: 4 * max }),
    ])();
  }

  /** The last octets have a fixed size, and decide that of those in front of them. */
  #trailer(h: AnyHeader, known: Known[]): AnyHeader {
    const last = this.#name();
    const made = h.trailer((r) => {
      this.#h = r as unknown as Record<string, E>;
      const kind = oneOf(u8, { short: 1, long: 2 });
      return { ...this.#some(known), [last]: kind } as never;
    }) as unknown as AnyHeader;
    if (this.#chance(40)) return made;
    return made.before((r) => {
      this.#h = r as unknown as Record<string, E>;
      const of = this.#h[last] as E;
      const tag = bytes(of.pick({ 1: this.whole(0, 3), 2: this.whole(4, 9) }));
      return { ...this.#some(known), [this.#name()]: tag } as never;
    }) as unknown as AnyHeader;
  }

  /** One or two numbers on their own octets. */
  #some(known: readonly Known[]): Fields {
    const outer = this.#fields;
    this.#fields = {};
    for (let n = this.whole(0, 2); n > 0; n--) this.#number([...known], false);
    const made = this.#fields;
    this.#fields = outer;
    return made as Fields;
  }

  #name(): string {
    const nasty = this.#chance(8) ? this.#one(NASTY) : undefined;
    const other =
      this.#taken.size > 0 && this.#chance(8)
        ? `${this.#one([...this.#taken])}${this.#one(ENDS)}`
        : nasty;
    const odd = other === undefined || this.#taken.has(other) || !/^[a-z]/.test(other);
    const name = odd ? `f${this.#count++}` : other;
    this.#taken.add(name);
    return name;
  }

  // -------------------------------------------------------------------------------------- fields

  /** Adds fields to the stage; those that later ones may refer to, to `known`. */
  #stage(known: Known[], depth: number): void {
    const fresh: Known[] = [];
    const guarded = depth === 0 ? this.#guarded : undefined;
    for (let n = this.whole(depth === 0 ? 1 : 0, 3); n > 0; n--) {
      if (guarded !== undefined && this.#chance(40)) {
        const { by, when } = guarded;
        // What refers to it is there at most when it is.
        const is = this.#chance(70) ? when : when.and(this.#condition(known) ?? when);
        this.#one([
          () => this.#octets([by], [], is),
          () => this.#listed([by], is),
          () => this.#parts([by], depth, is),
        ])();
        continue;
      }
      const when = this.#chance(25) ? this.#condition(known) : undefined;
      const simple = [() => this.#number(fresh, true, when), () => this.#group(fresh, when)];
      const lists = [
        () => this.#octets(known, fresh, when),
        () => this.#listed(known, when),
        () => this.#optional(known, when),
        () => this.#parts(known, depth, when),
        ...(depth === 0 ? [() => this.#computed(known)] : []),
        () => this.#odd(when),
      ];
      this.#one([...simple, ...simple, ...(depth > 1 ? [] : lists)])();
    }
    known.push(...fresh);
  }

  #add(field: AnyField, when: E<boolean> | undefined, name = this.#name()): string {
    this.#fields[name] = when === undefined ? field : field.when(when);
    return name;
  }

  #ref(k: Known): E {
    return this.#h[k.name] as E;
  }

  #condition(known: readonly Known[]): E<boolean> | undefined {
    if (known.length === 0) return undefined;
    const test = () => {
      const k = this.#one(known);
      const x = this.#ref(k);
      if (k.boolean)
        return this.#one([x as unknown as E<boolean>, (x as unknown as E<boolean>).not()]);
      const n = this.whole(k.lo, Math.min(k.hi, k.lo + 20));
      return this.#one([x.eq(n), x.ne(n), x.ge(n), x.lt(Math.max(n, k.lo + 1)), x.mask(1).eq(0)]);
    };
    const a = test();
    return this.#one([a, a, a, a.or(test()), a.and(test()), a.not()]);
  }

  /** Rules, names, constants: what a number can be told to be. */
  #told(field: Num, width: number): { field: AnyField; lo: number; hi: number } {
    const top = Math.min(2 ** width - 1, Number.MAX_SAFE_INTEGER);
    const n = this.whole(0, Math.min(top, 0xffff));
    const wide = { lo: 0, hi: top };
    return this.#one<() => { field: AnyField; lo: number; hi: number }>([
      () => ({ field, ...wide }),
      () => ({ field, ...wide }),
      () => ({ field: field.must((x) => x.ge(n)), lo: n, hi: top }),
      () => ({ field: field.must((x) => x.le(n)), lo: 0, hi: n }),
      () => ({ field: field.must((x) => x.ne(n === top ? 0 : n)).should((x) => x.ne(0)), ...wide }),
      () => {
        const names = { one: 0, two: Math.min(top, 1), three: top };
        const few = top > 1 ? names : { one: 0, two: 1 };
        return { field: oneOf(field, few), lo: 0, hi: top };
      },
      () => ({ field: oneOf(field, { some: n }, { open: true }), ...wide }),
      () => ({ field: flags(field, { low: 1, ...(top > 1 ? { next: 2 } : {}) }), ...wide }),
    ])();
  }

  #number(fresh: Known[], refer: boolean, when?: E<boolean>): void {
    const [base, width] = this.#one<readonly [Uint<number>, number]>([
      [u8, 8],
      [u8, 8],
      [u16, 16],
      [u24, 24],
      [u32, 32],
      [u53, 53],
    ]);
    const order = this.#one<"" | "le" | "be">(["", "", "le", "be"]);
    const ordered: Num = order === "" ? base : base[order];
    const other = this.whole(0, 11);
    if (other === 0) return void this.#add(this.#one<AnyField>([u64, u64.le, i64]), when);
    if (other === 1) return void this.#add(this.#one<AnyField>([i8, i16, i32, i32.le]), when);
    if (other === 2) return void this.#add(konst(ordered, this.whole(0, 255)), when);
    if (other === 3) return void this.#add(konst(ordered, this.whole(0, 255)).lint(), when);
    const { field, lo, hi } = this.#told(ordered, width);
    const name = this.#add(field, when);
    if (!refer) return;
    if (when === undefined) fresh.push({ name, lo, hi, boolean: false });
    else if (hi <= 0xffff) this.#guarded = { by: { name, lo, hi, boolean: false }, when };
  }

  /** Bits that share octets; in other byte orders than big they keep within each. */
  #group(fresh: Known[], when?: E<boolean>): void {
    const octets = this.whole(1, this.#order === "big" ? 4 : 2);
    const run = this.#order === "big" ? octets * 8 : 8;
    for (let left = octets * 8; left > 0; ) {
      const room = ((left - 1) % run) + 1;
      const width = Math.min(room, this.#one([1, 1, 2, 3, 4, 5, 7, 12, room])) as Width;
      left -= width;
      if (width === 1 && this.#chance(70)) {
        const name = this.#add(bit, when);
        if (when === undefined) fresh.push({ name, lo: 0, hi: 1, boolean: true });
      } else if (this.#chance(12)) this.#add(reserved(width), when);
      else if (left === 0 && width < 8 && this.#chance(30)) {
        const top = 2 ** width - 1;
        const tiers = { [top - 1]: u16, [top]: this.#one([u32, u53]) };
        const one = width === 1 ? { 1: u16 } : tiers;
        this.#add(escape(width, one), when);
      } else {
        const { field, lo, hi } = this.#told(bits(width), width);
        const name = this.#add(field, when);
        if (when === undefined) fresh.push({ name, lo, hi, boolean: false });
      }
    }
  }

  /** A length of a few octets by an earlier number, if there is one that can say it. */
  #length(known: readonly Known[], step = 1): E | undefined {
    const able = known.filter((k) => !k.boolean && k.hi <= 40 && k.lo >= 0);
    if (able.length === 0) return undefined;
    const k = this.#one(able);
    const x = this.#ref(k);
    const ways = [
      x.mul(step),
      x.sub(k.lo).mul(step),
      x.mask(3).mul(step),
      x.add(1).mul(step),
      x.div(2).mul(step),
      x.mod(3).mul(step),
      x.shr(1).mul(step),
    ];
    return this.#one(ways);
  }

  /** A number that can decide a length later. */
  #decider(fresh: Known[]): void {
    const most = this.whole(1, 20);
    const name = this.#add(
      u8.must((x) => x.le(most)),
      undefined,
    );
    fresh.push({ name, lo: 0, hi: most, boolean: false });
  }

  #octets(known: readonly Known[], fresh: Known[], when?: E<boolean>): void {
    const length = this.#length(known) ?? this.whole(0, 9);
    if (typeof length === "number" && this.#chance(50)) this.#decider(fresh);
    const encoding = this.#one(["utf8", "ascii"] as const);
    this.#add(
      this.#one<() => AnyField>([
        () => bytes(length),
        () => text(length, { encoding }),
        () => text(length, { encoding, max: this.whole(1, 12) }),
        () => konst(bytes(3), [1, 0xff, this.whole(0, 255)]),
      ])(),
      when,
    );
  }

  /** What a list may hold. */
  #element(): Field<unknown> {
    return this.#one<() => Field<unknown>>([
      () => u8,
      () => u16,
      () => u32.le,
      () => u16.must((x) => x.ne(7)),
      () => oneOf(u8, { one: 1, two: 2 }),
      () => bytes(3),
      () => varint(14),
      () => nested({ a: bits(3), b: bits(5), c: u16 }),
      () => nested({ more: bit, kind: bits(7), data: bytes(2) }),
      () => text(2, { encoding: "ascii" }),
    ])();
  }

  #listed(known: readonly Known[], when?: E<boolean>): void {
    const max = this.whole(1, 8);
    const count = this.#length(known);
    const fixed = this.#one<readonly [Field<unknown>, number]>([
      [u8, 1],
      [u16, 2],
      [nested({ a: u8, b: bits(4), c: bits(4) }), 2],
      [u32, 4],
    ]);
    const fill = this.#length(known, fixed[1]);
    const ends = this.whole(1, 255);
    const number: Field<number> = this.#one([u8, u16, u32]);
    this.#add(
      this.#one<() => AnyField>([
        () => repeat(number, { until: (x) => x.ge(ends), max }),
        () => repeat(number, { until: (x) => x.mask(1).eq(0), max }),
        () =>
          count === undefined ? u8 : repeat(this.#element(), { count, max: this.#one([max, 60]) }),
        () => (fill === undefined ? u8 : repeat(fixed[0], { fill, max: this.#one([max, 60]) })),
      ])(),
      when,
    );
  }

  #options() {
    const item = this.#chance(50);
    const align = this.#one([1, 1, 2, 4]);
    const [type, length] = this.#one<readonly [Field<number>, Field<number>]>([
      [u8, u8],
      [u16, u16],
    ]);
    const single = this.#chance(50) ? (this.#chance(50) ? [0, 1] : [1]) : [];
    return {
      type,
      length,
      counts: item ? ("item" as const) : ("value" as const),
      ...(this.#chance(50) ? { single } : {}),
      ...(this.#chance(50) ? { end: 0 } : {}),
      align,
      names: { end: 0, nop: 1, some: 2, other: 5 },
    };
  }

  #optional(known: readonly Known[], when?: E<boolean>): void {
    const fill = this.#length(known, 4);
    if (fill === undefined) return void this.#add(varint(this.#one([14, 21, 32, 53])), when);
    this.#add(tlv({ ...this.#options(), fill, max: this.#one([24, 200]) }), when);
  }

  /** Fields in fields. */
  #parts(known: readonly Known[], depth: number, when?: E<boolean>): void {
    const inside = (seen: Known[]): Fields => {
      const outer = this.#fields;
      this.#fields = {};
      this.#stage(seen, depth + 1);
      const made = this.#fields;
      this.#fields = outer;
      return made as Fields;
    };
    const able = known.filter((k) => !k.boolean && k.hi >= 2);
    if (able.length === 0 || this.#chance(40)) {
      const seen: Known[] = [];
      const name = this.#name();
      // Its parts may be called as it is called.
      const [first, owed] = this.#chance(50)
        ? this.#measured(seen, this.#chance(20) ? name : this.#name())
        : [];
      const fields = { ...first, ...inside(seen) };
      if (Object.keys(fields).length === 0) return;
      const outer = this.#h;
      const inner = header("inner", fields, { ref: "nowhere" }).and((h) => {
        this.#h = h as unknown as Record<string, E>;
        return { ...owed?.(), ...inside(seen) } as never;
      });
      this.#h = outer;
      this.#add(nested(inner as unknown as AnyHeader) as AnyField, when, name);
      return;
    }
    const k = this.#one(able);
    const arms = {
      first: { is: k.lo, of: inside([...known]) },
      second: { is: [k.lo + 1, k.hi], of: inside([...known]) },
    };
    const other = this.#chance(60) ? inside([...known]) : undefined;
    this.#add(
      other === undefined ? choose(this.#ref(k), arms) : choose(this.#ref(k), arms, other),
      when,
    );
  }

  /** Lengths, counts and sums that the writer computes; some over fields of the next stage. */
  #computed(known: readonly Known[]): void {
    if (this.#chance(40)) {
      const [first, owed] = this.#measured(known, this.#name());
      Object.assign(this.#fields, first);
      this.#owed.push(() => void Object.assign(this.#fields, owed()));
      return;
    }
    const name = this.#name();
    const target = this.#name();
    const own = (field: AnyField) => {
      this.#fields[name] = field;
    };
    const later = (make: (n: E) => AnyField) => {
      this.#owed.push(() => {
        this.#fields[target] = make(this.#h[name] as E);
      });
    };
    this.#one<() => void>([
      () => {
        own(u8.auto(octetsOf(target)));
        later((n) => this.#one([bytes(n), text(n)]));
      },
      () => {
        own(this.#one([u8, u16]).auto(octetsOf(target)));
        later(() => repeat(u16, { until: (x) => x.eq(0), max: 4 }));
      },
      () => {
        own(u8.must((x) => x.le(9)).auto(countOf(target)));
        later((n) => repeat(this.#element(), { count: n, max: 9 }));
      },
      () => {
        own(this.#one([u8, u16, u16.le]).auto(countOf(target)));
        later(() => repeat(u8, { until: (x) => x.eq(0), max: 5 }));
      },
      () => own(this.#one([u16, u16.le, u24]).auto(headLength)),
      () => own(u16.auto("internet")),
    ])();
  }

  /** A length or a count, and what follows in the next stage: there by its number, or by another's condition. */
  #measured(known: readonly Known[], name: string): readonly [Fields, () => Fields] {
    const target = this.#name();
    const [list, most] = [this.#chance(40), this.whole(1, 12)];
    const width = this.#one([u8, u16]);
    const when = this.#condition(known);
    const same = when !== undefined && this.#chance(30);
    const computed = width.must((x) => x.le(most)).auto(list ? countOf(target) : octetsOf(target));
    const by = this.#one<(n: E) => E<boolean> | undefined>([
      (n) => n.gt(0),
      (n) => n.ne(0),
      (n) => n.ge(this.whole(1, most)),
      () => when,
      () => (known.length > 0 ? this.#condition(known) : undefined),
    ]);
    return [
      { [name]: same ? computed.when(when) : computed } as Fields,
      () => {
        const n = this.#h[name] as E;
        const is = same ? when : by(n);
        const of = list
          ? repeat(this.#element(), { count: n, max: 12 })
          : this.#one([bytes(n), text(n), text(n, { encoding: "ascii" })]);
        return { [target]: is === undefined ? of : of.when(is) } as Fields;
      },
    ];
  }

  #odd(when?: E<boolean>): void {
    if (when === undefined && this.#chance(50))
      return void this.#add(pad(this.#one([2, 4, 8])), when);
    this.#add(varint(this.#one([14, 28, 35, 53])), when);
  }
}
