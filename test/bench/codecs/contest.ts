/**
 * One header: its generated codec, the hand-written reference, and other people's libraries, all on
 * the same records and each checked to handle them rightly before it is timed.
 */
import { deepStrictEqual } from "node:assert";
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
  readonly operation: Operation;
  readonly generated: Contender;
  readonly reference: Contender;
  readonly rivals: readonly Rival[];
}

/** What generated code and references have in common. */
export interface Codec<V> {
  measure(v: DataView, o: number, end: number): number;
  decode(v: DataView, o: number, end: number, into: V): number;
  read(v: DataView, o: number, end: number): V;
  // The fields in the order of `Entry.fields`.
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
  /** The arguments of `write`, each with values that it may or may not take. */
  readonly fields: { readonly [F in keyof V]?: readonly unknown[] };
  /** Makes a record right again that was changed, as far as anything is computed in it. */
  readonly mend?: (octets: Uint8Array) => void;
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
      operation,
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
  const fields = Object.keys(e.fields)
    .map((f) => `h.${f}`)
    .join(", ");
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
