/** The texts of the private functions that a generated file may need, in the order in which they are printed. */
export const TEXTS = {
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
  encoder: "const ENCODER = /* @__PURE__ */ new TextEncoder();",
  scratch: "const SCRATCH = /* @__PURE__ */ new Uint8Array(1024);",
  decoder: 'const DECODER = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });',
  textAt: `/** The text of \`n\` octets. */
function textAt(v: DataView, p: number, n: number): string {
  return DECODER.decode(octets(v, p, n));
}`,
  textSize: `/**
 * Octets of a text in UTF-8; one that has no such form is refused. Short ones are counted in place, up to
 * 340 units without an allocation.
 */
function textSize(path: string, text: string): number {
  if (typeof text !== "string") refuse(path, text, "is no text");
  if (text.length > 32 && !/[\\ud800-\\udfff]/.test(text)) {
    // Without pairs no unit takes more than three octets.
    const { length } = text;
    return length <= 340 ? ENCODER.encodeInto(text, SCRATCH).written : ENCODER.encode(text).length;
  }
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x80) n++;
    else if (c < 0x800) n += 2;
    else if ((c & 0xf800) !== 0xd800) n += 3;
    else if (c < 0xdc00 && (text.charCodeAt(++i) & 0xfc00) === 0xdc00) n += 4;
    else refuse(path, JSON.stringify(text), "has half a surrogate pair");
  }
  return n;
}`,
  asciiSize: `/** Octets of a text in ASCII; what is none is refused. */
function asciiSize(path: string, text: string): number {
  if (typeof text !== "string") refuse(path, text, "is no text");
  if (/[^\\0-\\x7f]/.test(text)) refuse(path, JSON.stringify(text), "is not ASCII");
  return text.length;
}`,
  putAscii: `/** Writes a text of ASCII to \`p\`. */
function putAscii(v: DataView, p: number, text: string): void {
  for (let i = 0; i < text.length; i++) v.setUint8(p + i, text.charCodeAt(i));
}`,
  putText: `/** Writes a text to \`p\`, in the \`n\` octets that it takes. */
function putText(v: DataView, p: number, text: string, n: number): void {
  if (n > 32 || n !== text.length) ENCODER.encodeInto(text, octets(v, p, n));
  else for (let i = 0; i < n; i++) v.setUint8(p + i, text.charCodeAt(i));
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

/** Their names, which nothing else in a generated file may have. */
export const HELPERS: readonly string[] = Object.keys(TEXTS);
