/** What the laws are about: a head or a trailer, its codec, what draws it, and the interpreter. */
import type { FieldModel, HeaderModel } from "../../codegen/model.js";
import type { Module } from "../../codegen/run.js";
import type { Part } from "../../generated/arbitraries/draw/arbitrary.js";
import { type Choices, Draw } from "../../generated/arbitraries/draw/draw.js";
import { type Reading, readHead, readTail, type Value } from "../oracle/interpreter.js";

/** What is known before: the byte order, and for a trailer what its head says. */
export interface Context {
  readonly little: boolean;
  readonly needs: Readonly<Record<string, number | boolean | undefined>>;
}

export interface Sample {
  readonly value: Value;
  readonly needs: Context["needs"];
}

/** A codec's functions, all called in one way. Offsets and ends in octets. */
export interface Codec {
  measure(v: DataView, o: number, end: number): number;
  explain(n: number, v: DataView, o: number, end: number): string;
  /** Heads only. */
  decode(v: DataView, o: number, end: number, into: object): number;
  read(v: DataView, o: number, end: number): Value;
  write(v: DataView, o: number, value: Value): number;
  /** Heads only. */
  prepend(v: DataView, end: number, value: Value): number;
  size(value: Value): number;
  /** Fields that can be read in place. */
  readonly accessors: readonly (readonly [
    field: string,
    get: (v: DataView, o: number) => unknown,
  ])[];
}

export interface Subject {
  readonly name: string;
  readonly header: HeaderModel;
  readonly tail: boolean;
  readonly fields: readonly FieldModel[];
  readonly min: number;
  readonly max: number;
  /** Its end is decided by what surrounds it: a part of it may be whole too. */
  readonly open: boolean;
  readonly draw: Part<Sample>;
  codec(context: Context): Codec;
  judge(octets: Uint8Array, context: Context): Reading;
}

type Call = (...args: unknown[]) => never;

/** The head and, if there is one, the trailer of a header. */
export function subjects(header: HeaderModel, module: Module, arbitrary: Module): Subject[] {
  const head = subject(header, module, arbitrary, false);
  return header.last.length === 0 ? [head] : [head, subject(header, module, arbitrary, true)];
}

function subject(header: HeaderModel, module: Module, arbitrary: Module, tail: boolean): Subject {
  const fields = tail ? [...header.front, ...header.last] : header.head;
  const f = (name: string) => module[name] as Call;
  return {
    name: tail ? `${header.name}, its trailer` : header.name,
    header,
    tail,
    fields,
    min: tail ? header.tailMin : header.min,
    max: tail ? header.tailMax : header.max,
    open: fields.some(reachesOut),
    draw: drawing(header, arbitrary, tail),
    codec({ little, needs }) {
      const order = header.order === "caller" ? [little] : [];
      const known = tail ? header.tailNeeds.map((name) => needs[name]) : [];
      const extra = [...order, ...known];
      const end = tail ? "End" : "";
      return {
        measure: (v, o, e) => f(`measure${end}`)(v, o, e, ...extra),
        explain: (n, v, o, e) => f(`explain${end}`)(n, v, o, e, ...extra),
        decode: (v, o, e, into) => f("decode")(v, o, e, ...extra, into),
        read: (v, o, e) => f(`read${end}`)(v, o, e, ...extra),
        write: (v, o, h) => f(`write${end}Value`)(v, o, ...extra, h),
        prepend: (v, e, h) => f("prependValue")(v, e, ...extra, h),
        size: (h) => f(`size${end}Value`)(...known, h),
        accessors: tail ? [] : accessors(header, module, order),
      };
    },
    judge: (octets, { little, needs }) => {
      if (!tail) return readHead(header, octets, little);
      const numbers = Object.entries(needs).map(([k, v]) => [k, Number(v ?? 0)]);
      return readTail(header, octets, Object.fromEntries(numbers), little);
    },
  };
}

const accessors = (header: HeaderModel, module: Module, order: readonly unknown[]) =>
  header.head.flatMap(({ name }) => {
    const get = module[`get${name.charAt(0).toUpperCase()}${name.slice(1)}`] as Call | undefined;
    return get === undefined
      ? []
      : [[name, (v: DataView, o: number) => get(v, o, ...order)] as const];
  });

function drawing(header: HeaderModel, arbitrary: Module, tail: boolean): Part<Sample> {
  const head = arbitrary.head as Part<Value>;
  if (!tail) return (d) => ({ value: head(d), needs: {} });
  const draw = arbitrary.tail as (d: Draw, ...needs: unknown[]) => Value;
  return (d) => {
    // The head is drawn for what it says, on octets of its own.
    const before =
      header.tailNeeds.length === 0 ? {} : head(new Draw(d.choices as Choices, d.little));
    const needs = Object.fromEntries(header.tailNeeds.map((n) => [n, before[n] as number]));
    return { value: draw(d, ...Object.values(needs)), needs };
  };
}

function reachesOut({ type: t }: FieldModel): boolean {
  if (t.kind === "bytes" || t.kind === "text") return t.length === "rest";
  return (t.kind === "repeat" || t.kind === "tlv") && t.fill === "rest";
}
