/**
 * Vectors: what other implementations have written, a line each.
 *
 *     head payload trailer | who made it, and how | what it means → what follows
 *
 * Hex, in groups. `-` stands for a head without octets, `…` for a payload that is left out; a trailer
 * stands last. In front of the meaning come flow facts and the byte order, where the header takes them
 * from outside. Lines that begin with `#` are remarks.
 */
import { existsSync, readFileSync } from "node:fs";
import { type FieldModel, type HeaderModel, inValue } from "../../codegen/model.js";
import { valueText } from "../../runtime/dissect/format.js";
import type { Value } from "../oracle/interpreter.js";
import { fieldsOf } from "../oracle/value.js";

export interface Vector {
  /** File and line. */
  readonly at: string;
  readonly head: Uint8Array;
  readonly payload: Uint8Array;
  readonly trailer: Uint8Array;
  /** There is more of the payload than is written here. */
  readonly elided: boolean;
  readonly origin: string;
  readonly given: ReadonlyMap<string, string | number>;
  readonly little: boolean;
  readonly meaning: string;
}

const NOTHING = new Uint8Array(0);

/** A flow fact: `sp.type=17`, or a text. */
function fact(text: string): [string, string | number] {
  const [name = "", value = ""] = text.split("=");
  return [name, /^\d+$/.test(value) ? Number(value) : value];
}

/** The vectors of a header; none if nobody has written a file for it. */
export function vectorsOf(header: HeaderModel): Vector[] {
  const path = `test/vectors/${header.file}.txt`;
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line, i) =>
      line === "" || line.startsWith("#") ? [] : [vector(header, line, `${path}:${i + 1}`)],
    );
}

function vector(header: HeaderModel, line: string, at: string): Vector {
  const [octets, origin, said, ...more] = line.split(" | ");
  if (octets === undefined || !origin || said === undefined || more.length > 0)
    throw new Error(`${at}: is not octets | origin | meaning`);
  const groups = octets.split(" ");
  const trailer = header.last.length > 0 ? groups.pop() : undefined;
  const [head = "", payload, ...rest] = groups;
  if (rest.length > 0) throw new Error(`${at}: has more groups than the header has parts`);
  const elided = payload === "…";
  const facts = /^given (.*?): /.exec(said);
  const order = /^(little|big): /.exec(said);
  if ((order !== null) !== (header.order === "caller"))
    throw new Error(`${at}: names a byte order, or lacks one`);
  return {
    at,
    head: head === "-" ? NOTHING : octetsOf(head, at),
    payload: payload === undefined || elided ? NOTHING : octetsOf(payload, at),
    trailer: trailer === undefined ? NOTHING : octetsOf(trailer, at),
    elided,
    origin,
    given: new Map(facts?.[1]?.split(" ").map(fact)),
    little: order?.[1] === "little",
    meaning: said.slice((facts ?? order)?.[0].length ?? 0),
  };
}

function octetsOf(hex: string, at: string): Uint8Array {
  if (!/^([0-9a-f]{2})+$/.test(hex)) throw new Error(`${at}: ${hex} is not hex`);
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

/** A value in the words of its spec: `field=value`, fields of an arm behind the name of their choice. */
export function meaningOf(fields: readonly FieldModel[], value: Value, before = ""): string[] {
  return fields.filter(inValue).flatMap((f) => {
    const v = value[f.name];
    const { type: t } = f;
    if (v === undefined) return [];
    const inner = fieldsOf(t, v);
    if (inner !== undefined) return meaningOf(inner, v as Value, `${before}${f.name}.`);
    return [`${before}${f.name}=${listText(f, v)}`];
  });
}

function listText(f: FieldModel, v: unknown): string {
  const { type: t } = f;
  if (t.kind === "repeat") return `[${(v as unknown[]).map((e) => text(t.of, e)).join()}]`;
  if (t.kind !== "tlv") return text(f, v);
  const names = new Map(Object.entries(t.names).map(([name, type]) => [type, name]));
  const items = (v as readonly { type: number; value?: Uint8Array }[]).map(({ type, value }) => {
    const name = names.get(type) ?? String(type);
    return value === undefined ? name : `${name}:${Buffer.from(value).toString("hex")}`;
  });
  return `[${items.join()}]`;
}

function text({ type: t, format }: FieldModel, v: unknown): string {
  if (t.kind === "text") return JSON.stringify(v);
  if (t.kind === "uint" && t.names !== undefined) {
    const named = Object.entries(t.names).find(([, number]) => number === v);
    if (named !== undefined) return named[0];
  }
  if (t.kind === "uint" && t.flags !== undefined) {
    const set = Object.entries(t.flags).filter(([, mask]) => ((v as number) & mask) !== 0);
    const sum = set.reduce((n, [, mask]) => n + mask, 0);
    if (sum === v) return set.map(([name]) => name).join("+") || "none";
  }
  return valueText({ value: v as never, format, bits: t.kind === "uint" ? t.bits : 32 });
}
