/** Records side by side in one buffer, in the forms that contenders ask for. */

/** Records of each header. */
export const RECORDS = 1024;

export interface Slab {
  /** Octets from one record to the next. */
  readonly stride: number;
  readonly view: DataView<ArrayBuffer>;
  readonly octets: Uint8Array<ArrayBuffer>;
  /** Each record without what follows it. */
  readonly records: readonly Uint8Array<ArrayBuffer>[];
  readonly buffers: readonly Buffer[];
}

/** Lays out the octets that `of` gives for each record. */
export function slab(stride: number, of: (i: number) => readonly number[]): Slab {
  const octets = new Uint8Array(RECORDS * stride);
  const { buffer } = octets;
  const records = Array.from({ length: RECORDS }, (_, i) => {
    const record = of(i);
    octets.set(record, i * stride);
    return octets.subarray(i * stride, i * stride + record.length);
  });
  const buffers = records.map((r) => Buffer.from(buffer, r.byteOffset, r.length));
  return { stride, view: new DataView(buffer), octets, records, buffers };
}

/** Octets of a number, the highest first. */
export const big = (n: number, octets: number): number[] =>
  Array.from({ length: octets }, (_, k) => Math.floor(n / 256 ** (octets - 1 - k)) % 256);

/** Numbers of 32 bits without pattern, the same in every run. */
export function words(): () => number {
  let seed = 0x2545f491;
  return () => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return seed >>> 0;
  };
}
