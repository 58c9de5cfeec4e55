/** WebSocket's frame header (RFC 6455 §5.2) as a careful person writes it: what generated code is measured by. */
export interface Frame {
  fin: boolean;
  opcode: number;
  masked: boolean;
  length: number;
  key: number | undefined;
}

const BAD = -0x1000000;
/** The opcodes that RFC 6455 names, as bits of a set. */
const KNOWN = 0x0707;

export function measure(v: DataView, o: number, end: number): number {
  if (end - o < 2) return end - o - 2;
  const w = v.getUint16(o);
  if ((w & 0x7000) !== 0 || ((KNOWN >>> ((w >>> 8) & 15)) & 1) === 0) return BAD;
  if ((w & 0x8800) === 0x0800) return BAD;
  let n = (w & 0x80) === 0 ? 2 : 6;
  const short = w & 0x7f;
  if (short < 126) return end - o < n ? end - o - n : n;
  n += short === 126 ? 2 : 8;
  if (end - o < n) return end - o - n;
  if ((w & 0x0800) !== 0) return BAD;
  if (short === 126) return v.getUint16(o + 2) < 126 ? BAD : n;
  const high = v.getUint32(o + 2);
  return high > 0x1fffff || (high === 0 && v.getUint32(o + 6) < 0x10000) ? BAD : n;
}

export function decode(v: DataView, o: number, end: number, into: Frame): number {
  if (end - o < 2) return end - o - 2;
  const w = v.getUint16(o);
  const opcode = (w >>> 8) & 15;
  if ((w & 0x7000) !== 0 || ((KNOWN >>> opcode) & 1) === 0) return BAD;
  if ((w & 0x8800) === 0x0800) return BAD;
  let p = o + 2;
  let length = w & 0x7f;
  if (length > 125) {
    if (length === 126) {
      if (end - p < 2) return end - p - 2;
      length = v.getUint16(p);
      if (length < 126) return BAD;
      p += 2;
    } else {
      if (end - p < 8) return end - p - 8;
      const high = v.getUint32(p);
      if (high > 0x1fffff) return BAD;
      length = high * 0x1_0000_0000 + v.getUint32(p + 4);
      if (length < 0x10000) return BAD;
      p += 8;
    }
    if (opcode > 7) return BAD;
  }
  const masked = (w & 0x80) !== 0;
  let key: number | undefined;
  if (masked) {
    if (end - p < 4) return end - p - 4;
    key = v.getUint32(p);
    p += 4;
  }
  into.fin = w > 0x7fff;
  into.opcode = opcode;
  into.masked = masked;
  into.length = length;
  into.key = key;
  return p - o;
}

/** The header at `o`, which `measure` has found whole and right. */
export function read(v: DataView, o: number): Frame {
  const w = v.getUint16(o);
  let p = o + 2;
  let length = w & 0x7f;
  if (length === 126) {
    length = v.getUint16(p);
    p += 2;
  } else if (length === 127) {
    length = v.getUint32(p) * 0x1_0000_0000 + v.getUint32(p + 4);
    p += 8;
  }
  const masked = (w & 0x80) !== 0;
  const key = masked ? v.getUint32(p) : undefined;
  return { fin: w > 0x7fff, opcode: (w >>> 8) & 15, masked, length, key };
}

function refuse(): never {
  throw new RangeError("not a WebSocket frame");
}

export function size(masked: boolean, length: number): number {
  const n = masked ? 6 : 2;
  return length < 126 ? n : length < 0x10000 ? n + 2 : n + 8;
}

export function write(
  v: DataView,
  o: number,
  fin: boolean,
  opcode: number,
  masked: boolean,
  length: number,
  key: number | undefined,
): number {
  if ((opcode & 15) !== opcode || ((KNOWN >>> opcode) & 1) === 0) refuse();
  if (!Number.isSafeInteger(length) || length < 0) refuse();
  if (opcode > 7 && (!fin || length > 125)) refuse();
  const w = (fin ? 0x8000 : 0) | (opcode << 8) | (masked ? 0x80 : 0);
  let p = o + 2;
  if (length < 126) v.setUint16(o, w | length);
  else if (length < 0x10000) {
    v.setUint32(o, ((w | 126) << 16) | length);
    p += 2;
  } else {
    v.setUint16(o, w | 127);
    v.setUint32(p, length / 0x1_0000_0000);
    v.setUint32(p + 4, length);
    p += 8;
  }
  if (!masked) {
    if (key !== undefined) refuse();
    return p;
  }
  if (key === undefined || key >>> 0 !== key) refuse();
  v.setUint32(p, key);
  return p + 4;
}

export function prepend(
  v: DataView,
  end: number,
  fin: boolean,
  opcode: number,
  masked: boolean,
  length: number,
  key: number | undefined,
): number {
  const o = end - size(masked, length);
  write(v, o, fin, opcode, masked, length, key);
  return o;
}
