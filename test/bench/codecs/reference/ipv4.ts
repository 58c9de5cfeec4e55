/** IPv4's header (RFC 791 §3.1), checksum verified and options split, as a careful person writes it. */
export interface Option {
  type: number;
  value: Uint8Array | undefined;
}

export interface Ipv4 {
  ihl: number;
  dscp: number;
  ecn: number;
  length: number;
  id: number;
  flags: number;
  offset: number;
  ttl: number;
  protocol: number;
  checksum: number;
  source: number;
  destination: number;
  options: Option[];
}

const BAD = -0x1000000;

/** The sum of both halves of a word. */
const halves = (w: number): number => (w >>> 16) + (w & 0xffff);

/** The checksum for a sum of 16-bit words, fewer than 2^15 of them. */
function folded(sum: number): number {
  const once = (sum >>> 16) + (sum & 0xffff);
  return ~((once >>> 16) + once) & 0xffff;
}

/** The sum of the options' words. */
function sumFrom(v: DataView, p: number, end: number): number {
  let sum = 0;
  for (; p < end; p += 4) sum += halves(v.getUint32(p));
  return sum;
}

/** Whether the options from `p` fill their octets and nothing but zeros follows their end. */
function whole(v: DataView, p: number, end: number): boolean {
  while (p < end) {
    const type = v.getUint8(p);
    if (type === 0) {
      for (p++; p < end; p++) if (v.getUint8(p) !== 0) return false;
      return true;
    }
    if (type === 1) p++;
    else {
      if (end - p < 2) return false;
      const n = v.getUint8(p + 1);
      if (n < 2 || n > end - p) return false;
      p += n;
    }
  }
  return true;
}

function split(v: DataView, p: number, end: number): Option[] {
  const options: Option[] = [];
  while (p < end) {
    const type = v.getUint8(p);
    const n = type < 2 ? 1 : v.getUint8(p + 1);
    const value = type < 2 ? undefined : new Uint8Array(v.buffer, v.byteOffset + p + 2, n - 2);
    options.push({ type, value });
    p += n;
  }
  return options;
}

export function measure(v: DataView, o: number, end: number): number {
  if (end - o < 20) return end - o - 20;
  const a = v.getUint32(o);
  const n = (a >>> 22) & 0x3c;
  if (a >>> 28 !== 4 || n < 20) return BAD;
  if (end - o < n) return end - o - n;
  const c = v.getUint32(o + 8);
  let sum = halves(a) + halves(v.getUint32(o + 4)) + (c >>> 16);
  sum += halves(v.getUint32(o + 12)) + halves(v.getUint32(o + 16));
  if (n > 20) {
    if (!whole(v, o + 20, o + n)) return BAD;
    sum += sumFrom(v, o + 20, o + n);
  }
  return folded(sum) === (c & 0xffff) ? n : BAD;
}

export function decode(v: DataView, o: number, end: number, into: Ipv4): number {
  if (end - o < 20) return end - o - 20;
  const a = v.getUint32(o);
  const n = (a >>> 22) & 0x3c;
  if (a >>> 28 !== 4 || n < 20) return BAD;
  if (end - o < n) return end - o - n;
  const b = v.getUint32(o + 4);
  const c = v.getUint32(o + 8);
  const source = v.getUint32(o + 12);
  const destination = v.getUint32(o + 16);
  let sum = halves(a) + halves(b) + (c >>> 16) + halves(source) + halves(destination);
  if (n > 20) {
    if (!whole(v, o + 20, o + n)) return BAD;
    sum += sumFrom(v, o + 20, o + n);
  }
  if (folded(sum) !== (c & 0xffff)) return BAD;
  into.ihl = n >>> 2;
  into.dscp = (a >>> 18) & 0x3f;
  into.ecn = (a >>> 16) & 3;
  into.length = a & 0xffff;
  into.id = b >>> 16;
  into.flags = (b >>> 13) & 7;
  into.offset = b & 0x1fff;
  into.ttl = c >>> 24;
  into.protocol = (c >>> 16) & 0xff;
  into.checksum = c & 0xffff;
  into.source = source;
  into.destination = destination;
  into.options = n > 20 ? split(v, o + 20, o + n) : [];
  return n;
}

/** The header at `o`, which `measure` has found whole and right. */
export function read(v: DataView, o: number): Ipv4 {
  const a = v.getUint32(o);
  const b = v.getUint32(o + 4);
  const c = v.getUint32(o + 8);
  const ihl = (a >>> 24) & 15;
  return {
    ihl,
    dscp: (a >>> 18) & 0x3f,
    ecn: (a >>> 16) & 3,
    length: a & 0xffff,
    id: b >>> 16,
    flags: (b >>> 13) & 7,
    offset: b & 0x1fff,
    ttl: c >>> 24,
    protocol: (c >>> 16) & 0xff,
    checksum: c & 0xffff,
    source: v.getUint32(o + 12),
    destination: v.getUint32(o + 16),
    options: ihl > 5 ? split(v, o + 20, o + ihl * 4) : [],
  };
}

function refuse(): never {
  throw new RangeError("not a header of IPv4");
}

function size(options: readonly Option[]): number {
  let n = 20;
  for (const { value } of options) n += value === undefined ? 1 : value.length + 2;
  return n;
}

/** Writes options; the same refusals as decoding. */
function put(v: DataView, o: number, options: readonly Option[]): void {
  let p = o;
  let ended = false;
  for (const { type, value } of options) {
    if ((type & 0xff) !== type || type < 2 !== (value === undefined)) refuse();
    if (ended && type !== 0) refuse();
    ended = type === 0;
    v.setUint8(p++, type);
    if (value === undefined) continue;
    v.setUint8(p++, value.length + 2);
    new Uint8Array(v.buffer, v.byteOffset + p, value.length).set(value);
    p += value.length;
  }
}

export function write(
  v: DataView,
  o: number,
  dscp: number,
  ecn: number,
  length: number,
  id: number,
  flags: number,
  offset: number,
  ttl: number,
  protocol: number,
  source: number,
  destination: number,
  options: readonly Option[],
): number {
  const n = options.length === 0 ? 20 : size(options);
  if (n > 60 || (n & 3) !== 0) refuse();
  if ((dscp & 0x3f) !== dscp || (ecn & 3) !== ecn) refuse();
  if ((length & 0xffff) !== length || (id & 0xffff) !== id) refuse();
  if ((flags & 7) !== flags || (offset & 0x1fff) !== offset) refuse();
  if ((ttl & 0xff) !== ttl || (protocol & 0xff) !== protocol) refuse();
  if (source >>> 0 !== source || destination >>> 0 !== destination) refuse();
  const a = 0x40000000 | (n << 22) | (dscp << 18) | (ecn << 16) | length;
  const b = (id << 16) | (flags << 13) | offset;
  const c = (ttl << 8) | protocol;
  v.setUint32(o, a);
  v.setUint32(o + 4, b);
  v.setUint32(o + 12, source);
  v.setUint32(o + 16, destination);
  let sum = halves(a) + halves(b) + c + halves(source) + halves(destination);
  if (n > 20) {
    put(v, o + 20, options);
    sum += sumFrom(v, o + 20, o + n);
  }
  v.setUint32(o + 8, (c << 16) | folded(sum));
  return o + n;
}

export function prepend(
  v: DataView,
  end: number,
  dscp: number,
  ecn: number,
  length: number,
  id: number,
  flags: number,
  offset: number,
  ttl: number,
  protocol: number,
  source: number,
  destination: number,
  options: readonly Option[],
): number {
  const o = end - size(options);
  write(v, o, dscp, ecn, length, id, flags, offset, ttl, protocol, source, destination, options);
  return o;
}
