/** Texts that fetch numbers from octets, and offsets to fetch them from. */
import type { UintModel } from "../model.js";
import { hex } from "./code.js";

/** An offset further on. */
export const plus = (at: string, n: number): string => {
  if (n === 0) return at;
  const sum = /^(\w+) \+ (\d+)$/.exec(at);
  return sum === null ? `${at} + ${n}` : `${sum[1]} + ${Number(sum[2]) + n}`;
};
export const wrapSum = (e: string): string => (/^[\w.]+$/.test(e) ? e : `(${e})`);
/** `at - o`, simplified. */
export const offset = (at: string): string => {
  if (at === "o") return "0";
  const sum = /^o \+ (\d+)$/.exec(at);
  return sum === null ? `${at} - o` : (sum[1] ?? "0");
};
/** The negation of a difference. */
export const flip = (d: string): string => {
  const parts = /^(\w+) - \(?(.+?)\)?$/.exec(d);
  return parts === null ? `-(${d})` : `${parts[2]} - ${parts[1]}`;
};

/** A load of 1 to 4 octets as an unsigned big-endian number. */
export function load(octets: number, at: string): string {
  if (octets === 3) return `(v.getUint16(${at}) << 8) | v.getUint8(${plus(at, 2)})`;
  return `v.getUint${octets * 8}(${at})`;
}

/** `width` bits of a word of `total`, `shift` above its lowest. */
export function part(word: string, total: number, shift: number, width: number): string {
  if (width === total) return word;
  const shifted = shift === 0 ? word : `(${word} >>> ${shift})`;
  if (shift + width === total) return `${word} >>> ${shift}`;
  if (width === 32) return `${shifted} >>> 0`;
  return `${shifted} & ${hex(2 ** width - 1)}`;
}

/** A test that such bits are not `konst`. */
export function differs(
  word: string,
  total: number,
  shift: number,
  width: number,
  konst: number,
): string {
  const value = part(word, total, shift, width);
  if (shift + width === total) return `${value} !== ${hex(konst)}`;
  return `(${word} & ${hex((2 ** width - 1) * 2 ** shift)}) !== ${hex(konst * 2 ** shift)}`;
}

/** A number of whole octets, up to 32 bits. */
export function scalar(
  bits: number,
  signed: boolean,
  at: string,
  order: "big" | "little" | "header",
): string {
  const little = order === "big" || bits === 8 ? "" : order === "little" ? ", true" : ", little";
  if (bits === 24) {
    const big = `((v.getUint16(${at}) << 8) | v.getUint8(${plus(at, 2)}))`;
    const small = `(v.getUint16(${at}, true) | (v.getUint8(${plus(at, 2)}) << 16))`;
    return order === "big" ? big : order === "little" ? small : `(little ? ${small} : ${big})`;
  }
  return `v.get${signed ? "Int" : "Uint"}${bits}(${at}${little})`;
}

export const wide = (t: UintModel, at: string): string => {
  const little = t.order === "big" ? "" : t.order === "little" ? ", true" : ", little";
  return `v.getBig${t.signed ? "Int" : "Uint"}64(${at}${little})`;
};

/** A test that octets are not the constant's. */
export function konstTest(
  octets: readonly number[],
  at: (n: number, from: number) => string,
): string {
  const tests: string[] = [];
  for (let i = 0; i < octets.length; ) {
    const n = octets.length - i >= 4 ? 4 : octets.length - i >= 2 ? 2 : 1;
    const value = octets.slice(i, i + n).reduce((a, b) => a * 256 + b, 0);
    tests.push(`${at(n, i)} !== 0x${value.toString(16).padStart(n * 2, "0")}`);
    i += n;
  }
  return tests.join(" || ");
}
