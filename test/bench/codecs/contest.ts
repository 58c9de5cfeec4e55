/**
 * One header: its generated codec, the hand-written reference, and other people's libraries, all on
 * the same records and each checked to handle them rightly before it is timed.
 */
import { deepStrictEqual, ok } from "node:assert";
import { type Contender, contender } from "../race.js";
import { RECORDS, type Slab } from "./slab.js";

export type Operation = "measure" | "decode" | "read" | "write" | "prepend";

/** Somebody else's library; without a contender it is not installed. */
export interface Rival {
  readonly library: string;
  readonly contender?: Contender;
}

export interface Contest {
  /** Header and operation. */
  readonly name: string;
  readonly generated: Contender;
  readonly reference: Contender;
  readonly rivals: readonly Rival[];
}

/** What generated code and references have in common. */
export interface Codec<V> {
  measure(v: DataView, o: number, end: number): number;
  decode(v: DataView, o: number, end: number, into: V): number;
  read(v: DataView, o: number, end: number): V;
  // Positional: fields in the order of `Entry.fields`.
  write(v: DataView, o: number, ...fields: never[]): number;
  prepend(v: DataView, end: number, ...fields: never[]): number;
}

/** What a library can do with record `i`. */
export interface Skill<V> {
  readonly decode: (i: number) => unknown;
  /** The header's own value from what `decode` returns. */
  // biome-ignore lint/suspicious/noExplicitAny: every library has its own shape
  readonly value: (made: any) => V;
  /** Encodes to `i * stride` of `out`, unless it returns octets. */
  readonly encode?: (i: number) => unknown;
}

export interface Entry<V> {
  readonly header: string;
  readonly slab: Slab;
  /** Where everybody writes. */
  readonly out: Slab;
  readonly values: readonly V[];
  /** The arguments of `write`. */
  readonly fields: readonly (keyof V & string)[];
  readonly generated: Codec<V>;
  readonly reference: Codec<V>;
  /** Undefined for those that are not installed. */
  readonly rivals: Readonly<Record<string, Skill<V> | undefined>>;
}

/** The contests that a header gives, of those whose names hold `only`. */
export function contests<V extends object>(entry: Entry<V>, only: string): Contest[] {
  const operations: Operation[] = ["measure", "decode", "read", "write", "prepend"];
  return operations.flatMap((operation) => {
    const name = `${entry.header} ${operation}`;
    if (!name.includes(only)) return [];
    return {
      name,
      generated: own(entry, "generated", operation),
      reference: own(entry, "reference", operation),
      rivals: Object.keys(entry.rivals).flatMap((library) => theirs(entry, library, operation)),
    };
  });
}

/** Generated code or reference: the same calls of different functions. */
function own<V extends object>(e: Entry<V>, who: "generated" | "reference", operation: Operation) {
  const { stride, view } = e.slab;
  const into = { ...(e.values[0] as V) };
  const o = `i * ${stride}`;
  const fields = e.fields.map((f) => `h.${f}`).join(", ");
  const bodies: Record<Operation, string> = {
    measure: `return measure(view, ${o}, end);`,
    decode: `return decode(view, ${o}, end, into);`,
    read: `return measure(view, ${o}, end) > 0 ? read(view, ${o}, end) : undefined;`,
    write: `const h = values[i]; return write(out, ${o}, ${fields});`,
    prepend: `const h = values[i]; return prepend(out, ${o} + ${stride}, ${fields});`,
  };
  const scope = { ...e[who], view, end: view.byteLength, into, values: e.values, out: e.out.view };
  const c = contender(`${e.header} ${operation} ${who}`, bodies[operation], scope);
  for (let i = 0; i < RECORDS; i++) {
    const record = e.slab.records[i] as Uint8Array;
    const value = e.values[i];
    e.out.octets.fill(0xa5);
    const made = c.run(i);
    const at = i * stride;
    const last = at + stride;
    const label = `${c.name}, record ${i}`;
    if (operation === "read") deepStrictEqual(made, value, label);
    else if (operation === "write")
      deepStrictEqual(e.out.octets.subarray(at, made as number), record, label);
    else if (operation === "prepend")
      deepStrictEqual(e.out.octets.subarray(made as number, last), record, label);
    else deepStrictEqual(made, record.length, label);
    if (operation === "decode") deepStrictEqual(into, value, label);
  }
  return c;
}

/** A library decodes to a fresh value, so it competes with `read`. */
function theirs<V>(e: Entry<V>, library: string, operation: Operation): Rival[] {
  const skill = e.rivals[library];
  if (skill === undefined) return operation === "read" ? [{ library }] : [];
  const run =
    operation === "read" ? skill.decode : operation === "write" ? skill.encode : undefined;
  if (run === undefined) return [];
  const c = contender(`${e.header} ${operation} ${library}`, "return skill(i);", { skill: run });
  for (let i = 0; i < RECORDS; i++) {
    const record = e.slab.records[i] as Uint8Array;
    const at = i * e.slab.stride;
    const label = `${c.name}, record ${i}`;
    e.out.octets.fill(0xa5);
    const made = c.run(i);
    if (operation === "read") deepStrictEqual(skill.value(made), e.values[i], label);
    else {
      const octets = made instanceof Uint8Array ? made : e.out.octets.slice(at, at + record.length);
      deepStrictEqual([...octets], [...record], label);
    }
  }
  return [{ library, contender: c }];
}

/**
 * Generated code and reference refuse the same octets: records with up to three of them changed, and
 * records cut short. Otherwise one would win by looking less closely.
 */
export function sameChecks<V>(e: Entry<V>, changes = 20_000): void {
  const octets = new Uint8Array(e.slab.stride * 2);
  const view = new DataView(octets.buffer);
  let seed = 1;
  const below = (n: number) => {
    seed = (Math.imul(seed, 0x19660d) + 0x3c6ef35f) >>> 0;
    return (seed >>> 8) % n;
  };
  const verdict = (n: number) => (n > 0 ? n : n > -0x1000000 ? "more" : "fault");
  for (let k = 0; k < changes; k++) {
    const record = e.slab.records[k % RECORDS] as Uint8Array;
    octets.fill(below(256));
    octets.set(record);
    const cut = below(4) === 0;
    if (!cut) for (let n = below(3); n >= 0; n--) octets[below(record.length)] = below(256);
    const end = cut ? below(record.length) : octets.length;
    const [a, b] = [e.generated, e.reference].map((c) => verdict(c.measure(view, 0, end)));
    ok(
      a === b,
      `${e.header}: generated says ${a}, the reference ${b}, of ${Buffer.from(octets).toString("hex")}, ${end}`,
    );
  }
}
