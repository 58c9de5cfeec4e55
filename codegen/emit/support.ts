/** The private functions that a generated file may need, printed only where they are used. */
import { Code } from "./code.js";

const TEXTS = {
  short: `/** The sentence for octets that are missing. */
function short(name: string, n: number): string {
  return \`\${name}: \${n} more \${n === 1 ? "octet is" : "octets are"} needed\`;
}`,
  wrong: `/** The sentence for a fault. */
function wrong(path: string, at: number, text: string): string {
  return \`\${path}, octet \${at}: \${text}\`;
}`,
  refuse: `/** Refuses a value that cannot be written. */
function refuse(path: string, value: unknown, why: string): never {
  throw new RangeError(\`\${path}: \${value} \${why}\`);
}`,
  octets: `/** A view of octets; nothing is copied. */
function octets(v: DataView, p: number, n: number): Uint8Array {
  return new Uint8Array(v.buffer, v.byteOffset + p, n);
}`,
  put: `/** Copies octets to \`p\`. */
function put(v: DataView, p: number, from: Uint8Array): void {
  new Uint8Array(v.buffer, v.byteOffset + p, from.length).set(from);
}`,
  blank: `/** Whether \`n\` octets are zero. */
function blank(v: DataView, p: number, n: number): boolean {
  for (let i = 0; i < n; i++) if (v.getUint8(p + i) !== 0) return false;
  return true;
}`,
  clear: `/** Makes \`n\` octets zero. */
function clear(v: DataView, p: number, n: number): void {
  for (let i = 0; i < n; i++) v.setUint8(p + i, 0);
}`,
  textAt: `/** The text of \`n\` octets. */
function textAt(v: DataView, p: number, n: number): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(octets(v, p, n));
}`,
  textOctets: `/** The octets of a text in UTF-8; one that has no such form is refused. */
function textOctets(path: string, text: string): Uint8Array {
  const made = new TextEncoder().encode(text);
  if (new TextDecoder("utf-8", { ignoreBOM: true }).decode(made) !== text) {
    refuse(path, JSON.stringify(text), "has half a surrogate pair");
  }
  return made;
}`,
  isAscii: `function isAscii(v: DataView, p: number, n: number): boolean {
  for (let i = 0; i < n; i++) if (v.getUint8(p + i) > 0x7f) return false;
  return true;
}`,
  isUtf8: `/** Whether octets are UTF-8: no overlong form, no surrogate, nothing above U+10FFFF (RFC 3629 §4). */
function isUtf8(v: DataView, p: number, n: number): boolean {
  const stop = p + n;
  while (p < stop) {
    const lead = v.getUint8(p++);
    if (lead < 0x80) continue;
    const more = lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xf0 && lead < 0xf5 ? 3 : 0;
    if (more === 0 || stop - p < more) return false;
    const next = v.getUint8(p);
    if (next < (lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80)) return false;
    if (next > (lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf)) return false;
    for (let i = 1; i < more; i++) if ((v.getUint8(p + i) & 0xc0) !== 0x80) return false;
    p += more;
  }
  return true;
}`,
  halves: `/** The sum of a word's two halves. */
function halves(w: number): number {
  return (w >>> 16) + (w & 0xffff);
}`,
  internet: `/**
 * The internet checksum (RFC 1071) of the octets from \`p\` to \`end\`, and of words before them that add
 * up to \`sum\`: fewer than 2^15 in all.
 */
function internet(v: DataView, p: number, end: number, sum: number): number {
  if (p < end) sum += pairs(v, p, end);
  sum = (sum >>> 16) + (sum & 0xffff);
  return ~(sum + (sum >>> 16)) & 0xffff;
}`,
  pairs: `/** The sum of the words of 16 bits from \`p\` to \`end\`, the last filled up with zeros. */
function pairs(v: DataView, p: number, end: number): number {
  let sum = 0;
  for (; p < end; p += 2) sum += p + 1 < end ? v.getUint16(p) : v.getUint8(p) << 8;
  return sum;
}`,
  varintSize: `/** Octets of a number in groups of seven bits. */
function varintSize(x: number): number {
  let n = 1;
  // Infinity, which is refused when it is written, has no end.
  for (; x >= 0x80 && n < 8; n++) x = Math.floor(x / 0x80);
  return n;
}`,
} as const;

export type Support = keyof typeof TEXTS;

/** What each needs besides itself. */
const ALSO: Readonly<Partial<Record<Support, readonly Support[]>>> = {
  textAt: ["octets"],
  internet: ["pairs"],
  textOctets: ["refuse"],
};

/** Collects what a file uses. */
export class Used {
  readonly #names = new Set<Support>();
  readonly #own = new Map<string, Code>();

  get(name: Support): string {
    this.#names.add(name);
    for (const also of ALSO[name] ?? []) this.get(also);
    return name;
  }

  /** A function of this file alone, printed when it is first asked for. */
  own(name: string, print: (code: Code) => void): string {
    if (this.#own.has(name)) return name;
    const code = new Code();
    this.#own.set(name, code);
    print(code);
    return name;
  }

  /** Prints them: its own, then those of all files in a fixed order. */
  print(code: Code): void {
    for (const { lines } of this.#own.values()) {
      code.line();
      for (const l of lines) code.line(l);
    }
    for (const [name, text] of Object.entries(TEXTS)) {
      if (!this.#names.has(name as Support)) continue;
      code.line();
      for (const l of text.split("\n")) code.line(l);
    }
  }
}
