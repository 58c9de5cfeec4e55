/** The vectors in JSON, read. */
import { readFileSync } from "node:fs";
import type { Value } from "../oracle/interpreter.js";

interface Given {
  readonly little?: boolean;
  /** What a trailer is told of its head. */
  readonly head?: Readonly<Record<string, number | boolean | undefined>>;
  readonly hex: string;
}
export interface Part {
  readonly min: number;
  readonly max: number;
  readonly accepted: readonly (Given & { readonly size: number; readonly value: Value })[];
  readonly refused: readonly (Given & {
    readonly fault: number;
    readonly path: string;
    readonly text: string;
  })[];
  readonly cut: readonly (Given & { readonly missing: number })[];
}
export interface Vectors {
  readonly head: Part;
  readonly trailer?: Part;
}

/** The vectors of the header in a file of that name. */
export function vectorsOf(file: string): Vectors {
  return JSON.parse(readFileSync(`generated/vectors/${file}.json`, "utf8"), (_, x) => {
    // Where nothing can be meant but absence; a property that is undefined would be left out.
    if (x === null || typeof x !== "object" || Array.isArray(x)) return x;
    const [[name, text] = [], ...others] = Object.entries(x);
    if (others.length === 0 && name === "octets" && typeof text === "string") return octetsOf(text);
    if (others.length === 0 && name === "bigint") return BigInt(String(text));
    for (const key of Object.keys(x)) if (x[key] === null) x[key] = undefined;
    return x;
  });
}

/** `aa{12}` is an octet twelve times. */
export function octetsOf(text: string): Uint8Array {
  const all = text.replace(/(..)\{(\d+)\}/g, (_, octet: string, n) => octet.repeat(Number(n)));
  return Uint8Array.from(Buffer.from(all, "hex"));
}
