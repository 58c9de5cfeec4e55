/** The way back of an SP request (nanomsg rfc/sp-request-reply-01 §4): up to 16 words, the last with its highest bit. */
export interface Request {
  trace: number[];
}

const BAD = -0x1000000;

export function measure(v: DataView, o: number, end: number): number {
  const most = o + 64;
  for (let p = o; p !== most; p += 4) {
    if (end - p < 4) return end - p - 4;
    if (v.getInt32(p) < 0) return p + 4 - o;
  }
  return BAD;
}

export function decode(v: DataView, o: number, end: number, into: Request): number {
  const trace: number[] = [];
  const most = o + 64;
  for (let p = o; p !== most; p += 4) {
    if (end - p < 4) return end - p - 4;
    const word = v.getUint32(p);
    trace.push(word);
    if (word < 0x80000000) continue;
    into.trace = trace;
    return p + 4 - o;
  }
  return BAD;
}

/** The header at `o`, which `measure` has found whole and right. */
export function read(v: DataView, o: number): Request {
  const trace: number[] = [];
  for (let p = o; ; p += 4) {
    const word = v.getUint32(p);
    trace.push(word);
    if (word >= 0x80000000) return { trace };
  }
}

function refuse(): never {
  throw new RangeError("not the way back of a request");
}

export function write(v: DataView, o: number, trace: readonly number[]): number {
  const last = trace.length - 1;
  if (last < 0 || last > 15) refuse();
  let p = o;
  for (let i = 0; i <= last; i++) {
    const word = trace[i] as number;
    if (word >>> 0 !== word || word >= 0x80000000 !== (i === last)) refuse();
    v.setUint32(p, word);
    p += 4;
  }
  return p;
}

export function prepend(v: DataView, end: number, trace: readonly number[]): number {
  const o = end - trace.length * 4;
  write(v, o, trace);
  return o;
}
