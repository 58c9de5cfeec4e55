/**
 * Generated code and reference accept and refuse the same: otherwise one would win by looking less
 * closely. Asked after the race, for what they learn here makes both slower.
 */
import { strictEqual } from "node:assert";
import type { Codec, Entry } from "./contest.js";
import { RECORDS, words } from "./slab.js";

const CASES = 20_000;

export function fair<V extends object>(entry: Entry<V>): void {
  const word = words();
  const below = (n: number) => word() % n;
  for (let k = 0; k < CASES; k++) {
    decoding(entry, k % RECORDS, below);
    encoding(entry, k % RECORDS, below);
  }
}

/**
 * Records with some octets changed, or cut short. Not both: which of two faults is found first is
 * nobody's concern.
 */
function decoding<V>(e: Entry<V>, i: number, below: (n: number) => number): void {
  const record = e.slab.records[i] as Uint8Array;
  const octets = new Uint8Array(64).fill(below(256));
  octets.set(record);
  const cut = below(4) === 0;
  const end = cut ? below(record.length) : octets.length;
  for (let n = cut ? 0 : below(4); n > 0; n--) octets[below(record.length + 4)] = below(256);
  if (below(2) === 0) e.mend?.(octets);
  const verdict = (codec: Codec<V>) => {
    const n = codec.measure(new DataView(octets.buffer), 0, end);
    return n > 0 ? n : n > -0x1000000 ? "more" : "fault";
  };
  const label = `${e.header}: ${Buffer.from(octets).toString("hex")}, ${end} octets of it`;
  strictEqual(verdict(e.generated), verdict(e.reference), label);
}

/** Values with one or two fields changed. */
function encoding<V extends object>(e: Entry<V>, i: number, below: (n: number) => number): void {
  const odd = Object.entries<readonly unknown[] | undefined>(e.fields);
  const value: Record<string, unknown> = { ...e.values[i] };
  for (let n = below(3); n > 0; n--) {
    const [field, others = []] = odd[below(odd.length)] as (typeof odd)[number];
    if (others.length > 0) value[field] = others[below(others.length)];
  }
  const fields = odd.map(([field]) => value[field]) as never[];
  const written = (codec: Codec<V>) => {
    const octets = new Uint8Array(128);
    try {
      codec.write(new DataView(octets.buffer), 0, ...fields);
      return Buffer.from(octets).toString("hex");
    } catch (error) {
      if (error instanceof RangeError) return "refused";
      throw error;
    }
  };
  strictEqual(written(e.generated), written(e.reference), `${e.header}: ${JSON.stringify(value)}`);
}
