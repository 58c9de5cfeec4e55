/** What the walker knows of headers: tables, printed from the specs, with expressions as functions. */

/**
 * Numbers of one header that its expressions read, by slot; NaN if there is none. The first slots are
 * the value that a rule is about, the octets of the head, and those of the payload.
 */
export type Numbers = Float64Array;
export type Sum = (n: Numbers) => number;
export type Test = (n: Numbers) => boolean;

export const SELF = 0;
export const HEAD = 1;
export const PAYLOAD = 2;

export type Format = "dec" | "hex" | "ipv4" | "ipv6" | "mac" | "text" | "bool";
export type Order = "big" | "little" | "header";

/** What a value must or should keep to. */
export interface Rule {
  readonly test: Test;
  readonly text: string;
  /** The codec refuses what breaks it; else it is only noted. */
  readonly strict: boolean;
  /** It reads the payload's length, so it is judged when that is known. */
  readonly late?: true;
}

interface Common {
  /** Full name: `tcp.seq_raw`. */
  readonly name: string;
  /** What it means, in a sentence. */
  readonly doc: string;
  readonly format: Format;
  /** Slots of the value, of its octets, of its elements; absent if no expression reads them. */
  readonly slot?: number;
  readonly octets?: number;
  readonly count?: number;
  readonly when?: Test;
  readonly rules?: readonly Rule[];
  /** Computed from the header's own octets. */
  readonly auto?: Sum | "internet";
  /** Checksum over octets that are not all the header's. */
  readonly check?: "internet" | "pseudo";
  /** It names the sender (0) or the receiver (1) on this layer. */
  readonly side?: 0 | 1;
  /** What is wrong when a constant, a name or an arm is not kept to; `strict`: the codec refuses it. */
  readonly fault?: { readonly text: string; readonly strict: boolean };
}

export interface UintTable extends Common {
  readonly kind: "uint";
  readonly bits: number;
  readonly signed?: true;
  /** 64 bits that are always a bigint; others are one only from 2^53 on. */
  readonly wide?: true;
  readonly bool?: true;
  readonly order: Order;
  readonly konst?: number;
  readonly names?: ReadonlyMap<number, string>;
  /** Values without a name are allowed. */
  readonly open?: true;
  readonly flags?: readonly FlagTable[];
}
export interface FlagTable {
  readonly name: string;
  readonly mask: number;
}
export interface OctetsTable extends Common {
  readonly kind: "bytes" | "text";
  readonly length: number | Sum | "rest";
  readonly max?: number;
  readonly konst?: readonly number[];
}
export interface EscapeTable extends Common {
  readonly kind: "escape";
  readonly bits: number;
  readonly tiers: readonly { readonly at: number; readonly bits: number; readonly order: Order }[];
}
export interface VarintTable extends Common {
  readonly kind: "varint";
  readonly bits: number;
}
export interface RepeatTable extends Common {
  readonly kind: "repeat";
  readonly of: FieldTable;
  readonly until?: Test;
  readonly size?: Sum;
  readonly fill?: Sum | "rest";
  readonly max: number;
}
export interface NestedTable extends Common {
  readonly kind: "nested";
  readonly fields: readonly FieldTable[];
}
export interface ChooseTable extends Common {
  readonly kind: "choose";
  readonly on: Sum;
  readonly arms: ReadonlyMap<number, readonly FieldTable[]>;
  readonly otherwise?: readonly FieldTable[];
}
export interface TlvTable extends Common {
  readonly kind: "tlv";
  /** Octets of an item's type and length. */
  readonly type: number;
  readonly length: number;
  readonly counts: "value" | "item";
  readonly unit: number;
  readonly single: readonly number[];
  readonly end?: number;
  readonly align: number;
  /** Full names of items, by type. */
  readonly names: ReadonlyMap<number, string>;
  readonly fill: Sum | "rest";
  readonly order: Order;
}
export interface PadTable extends Common {
  readonly kind: "pad";
  readonly to: number;
}
export type FieldTable =
  | UintTable
  | OctetsTable
  | EscapeTable
  | VarintTable
  | RepeatTable
  | NestedTable
  | ChooseTable
  | TlvTable
  | PadTable;

/** What may follow; the first whose condition holds counts. */
export interface NextTable {
  readonly when?: Test;
  readonly by: "value" | "fact" | "trial" | "name" | "list" | "above";
  /** Table, or for `name` the header. */
  readonly of: string;
  /** Of a list: the flow fact that has it. */
  readonly fact?: string;
  readonly value?: Sum;
  /** The table's name stands in the list of protocols. */
  readonly listed?: true;
  /** After it the next is looked up in the same table, to the end. */
  readonly again?: true;
  /** What follows is quoted: it is no traffic of its flow. */
  readonly quoted?: true;
  /** What follows is one message of an application. */
  readonly message?: true;
  /** Flow fact that lists the layers inside a message, and table of those that are recognised there. */
  readonly within?: string;
  /** The header that is looked up is not there: only its fact counts. */
  readonly bare?: true;
}

/** What happens to a payload first: an operation, and the values that it is told. */
export interface ViaTable {
  readonly when?: Test;
  readonly op: "join" | "unmask" | "open" | "records" | "fragments" | "stream";
  /** Flow fact that says whose key opens. */
  readonly sender?: string;
  readonly with: Readonly<Record<string, Sum>>;
}

/** Value of a flow fact: computed, the text of a field, or looked up by the value of another. */
export type FactTable =
  | Sum
  | { readonly text: string }
  | { readonly by: string; readonly map: Readonly<Record<string, FactTable>> };

export type Claims = Readonly<Record<string, true | readonly (number | string)[]>>;

export interface HeaderTable {
  readonly name: string;
  readonly title: string;
  readonly ref: string;
  /** In the list of protocols. */
  readonly protocol: string;
  readonly on: Claims;
  /** Slots that its expressions use. */
  readonly slots: number;
  /** Octets of the head at least. */
  readonly min: number;
  readonly fields: readonly FieldTable[];
  /** Fields from `from` on without an order of their own are little-endian if `when`. */
  readonly little?: { readonly from: number; readonly when: Test };
  /** The trailer; `last` has a fixed size and decides the size of `front`. */
  readonly front?: readonly FieldTable[];
  readonly last?: readonly FieldTable[];
  readonly shows?: readonly ShownTable[];
  /** It has fields that name sender and receiver. */
  readonly ends?: true;
  readonly sets?: Readonly<Record<string, FactTable>>;
  /** Absent: nothing stands behind the head. */
  readonly payload?: {
    readonly length?: Sum;
    /** Whether the length counts; else the payload is all that the layer below brought. */
    readonly told?: Test;
    readonly via?: readonly ViaTable[];
    readonly next?: readonly NextTable[];
  };
  /** The strict codec, by which the header is recognised, for those that claim a table so. */
  readonly measure?: (v: DataView, o: number, end: number) => number;
  /** Numbers of faults of computed values: they do not speak against the header. */
  readonly computed?: readonly number[];
}
/** A value that is computed and shown beside the fields. */
export interface ShownTable {
  readonly name: string;
  readonly format: Format;
  readonly value: Sum;
}

/** An opening in text, which an operation of the dissector reads. */
export interface OpenerTable {
  readonly name: string;
  readonly op: "http-upgrade";
  readonly ref: string;
  readonly on: Claims;
  /** Flow fact ← what the operation yields under this name. */
  readonly sets: Readonly<Record<string, string>>;
  readonly next: readonly NextTable[];
}

/** All that a dissector needs; two of them can be merged. */
export interface Registry {
  readonly headers: readonly HeaderTable[];
  readonly openers: readonly OpenerTable[];
  /** Flow fact → its values' names. */
  readonly facts: Readonly<Record<string, ReadonlyMap<number, string>>>;
}

/** Both; where both have a header of one name, the second counts. */
export function merge(a: Registry, b: Registry): Registry {
  const names = new Set([...b.headers, ...b.openers].map((h) => h.name));
  const kept = <T extends { name: string }>(list: readonly T[]) =>
    list.filter((h) => !names.has(h.name));
  const facts = { ...a.facts };
  for (const [fact, values] of Object.entries(b.facts)) {
    facts[fact] = new Map([...(facts[fact] ?? []), ...values]);
  }
  return {
    headers: [...kept(a.headers), ...b.headers],
    openers: [...kept(a.openers), ...b.openers],
    facts,
  };
}
