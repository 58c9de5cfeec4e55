/** Numbers and sums from octets, wherever their bits begin. */

/** Up to 32 bits that begin `at` bits from the view's first; greatest first. */
export function bitsAt(v: DataView, at: number, bits: number): number {
  let octet = Math.floor(at / 8);
  let before = at % 8;
  let value = 0;
  for (let left = bits; left > 0; octet++) {
    const take = Math.min(8 - before, left);
    const part = (v.getUint8(octet) >>> (8 - before - take)) & ((1 << take) - 1);
    value = value * 2 ** take + part;
    left -= take;
    before = 0;
  }
  return value;
}

/** A whole number of 1 to 4 octets. */
export function wholeAt(v: DataView, o: number, bits: number, little: boolean): number {
  if (bits === 8) return v.getUint8(o);
  if (bits === 16) return v.getUint16(o, little);
  if (bits === 32) return v.getUint32(o, little);
  if (little) return v.getUint16(o, true) + v.getUint8(o + 2) * 0x10000;
  return v.getUint16(o) * 0x100 + v.getUint8(o + 2);
}

/** Sum of 16-bit words (RFC 1071), not folded; an odd last octet counts as a word's first. */
export function wordSum(v: DataView, o: number, end: number): number {
  let sum = 0;
  let p = o;
  for (; p + 1 < end; p += 2) sum += v.getUint16(p);
  return p < end ? sum + v.getUint8(p) * 0x100 : sum;
}

/** The sum in 16 bits, carries added. */
export function folded(sum: number): number {
  let s = sum;
  while (s > 0xffff) s = (s % 0x10000) + Math.floor(s / 0x10000);
  return s;
}

/** A view of octets; nothing is copied. */
export function octetsAt(v: DataView, o: number, n: number): Uint8Array {
  return new Uint8Array(v.buffer, v.byteOffset + o, n);
}

/** Whether all octets are zero. */
export function blankAt(v: DataView, o: number, n: number): boolean {
  for (let p = o; p < o + n; p++) if (v.getUint8(p) !== 0) return false;
  return true;
}
