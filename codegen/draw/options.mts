/** Draws lists of options: type, length, value. */
import { DeadEnd, type Draw, sorted } from "./draw.mjs";

export interface Options {
  /** Octets of an option's type and length. */
  readonly type: number;
  readonly length: number;
  /** Whether the length counts type and length too, and in what unit. */
  readonly item: boolean;
  readonly unit: number;
  readonly align: number;
  readonly single: readonly number[];
  readonly end?: number;
  readonly known: readonly number[];
  readonly faults: { readonly fill?: number; readonly end?: number; readonly pad?: number };
}

export interface Option {
  type: number;
  value: Uint8Array | undefined;
}

const up = (n: number, to: number) => Math.ceil(n / to) * to;

/** Whether options can fill so many octets. */
export function fits(octets: number, of: Options): boolean {
  const { type, length, item, unit, align, single } = of;
  if (octets <= 0) return octets === 0;
  if (single.length > 0) return octets % up(type, align) === 0;
  const step = item ? Math.max(unit, align) : align;
  return octets >= up(type + length, align) && octets % step === 0;
}

/** Options that fill `octets` exactly. */
export function options(
  d: Draw,
  name: string,
  octets: number,
  of: Options,
  little: boolean,
): Option[] {
  const list: Option[] = [];
  const stop = d.length + octets;
  let ended = false;
  while (d.length < stop) {
    const room = stop - d.length;
    const bad = spoilt(d, room, ended, of, little);
    if (bad) d.bytes(stop - d.length);
    else {
      const drawn = option(d, name, room, ended, of, little);
      ended = drawn.type === of.end;
      list.push(drawn);
    }
  }
  if (d.length > stop) throw new DeadEnd(`${name} overruns`);
  return list;
}

/** The code of an option with a value, not the end. */
const ordinary = (of: Options) => of.known.find((n) => n !== of.end && !of.single.includes(n));

/** An option that does not fit, or that stands behind the end. */
function spoilt(d: Draw, room: number, ended: boolean, of: Options, little: boolean): boolean {
  const code = ordinary(of);
  if (code === undefined || room < of.type + of.length) return false;
  const most = 2 ** (8 * of.length) - 1;
  const overruns = most * of.unit > room;
  // An end that came early has left this room.
  const early = ended && d.broken && d.breaks === of.faults.end;
  const now = ended ? d.breaking(of.faults.end) : overruns && d.breaking(of.faults.fill);
  if (!early && !now) return false;
  d.put(of.type * 8, code, little);
  d.put(of.length * 8, most, little);
  return true;
}

function option(
  d: Draw,
  name: string,
  room: number,
  ended: boolean,
  of: Options,
  little: boolean,
): Option {
  const most = 2 ** (8 * of.type) - 1;
  const any = d.choices.whole(0, most);
  const codes = ended ? [of.end ?? 0] : [...of.known, ...of.single, any, most];
  const lengths = lengthsFor(d, room, of);
  const left = room - up(of.type, of.align);
  const able = [...new Set(codes)].filter((code) => {
    if (!of.single.includes(code)) return lengths.length > 0;
    // Only the end can follow the end.
    return fits(left, code === of.end ? { ...of, single: [code] } : of);
  });
  if (able.length === 0) throw new DeadEnd(`${name} does not fit`);
  const code = d.choices.choose(name, able);
  const start = d.length;
  d.put(of.type * 8, code, little);
  let value: Uint8Array | undefined;
  if (!of.single.includes(code)) {
    // The end takes what is left, unless something is to follow it.
    const early =
      code === of.end &&
      lengths.length > 1 &&
      ordinary(of) !== undefined &&
      d.breaking(of.faults.end);
    const some = code !== of.end ? lengths : early ? lengths.slice(0, 1) : lengths.slice(-1);
    const octets = d.choices.choose(`length in ${name}`, some);
    const counted = octets + (of.item ? of.type + of.length : 0);
    d.put(of.length * 8, counted / of.unit, little);
    value = d.bytes(octets);
  }
  const zeros = up(d.length - start, of.align) - (d.length - start);
  const bad = zeros > 0 && d.breaking(of.faults.pad);
  for (let i = 1; i <= zeros; i++) d.put(8, bad && i === zeros ? 1 : 0);
  return { type: code, value };
}

/** Octets that the next option's value may have: some, the least first, none that leaves a scrap. */
function lengthsFor(d: Draw, room: number, of: Options): number[] {
  const head = of.type + of.length;
  const counted = of.item ? head : 0;
  const most = (2 ** (8 * of.length) - 1) * of.unit - counted;
  const some = [0, 1, 2, 4, 6, 8, 16, d.choices.whole(0, 40)];
  for (let i = 0; i < Math.max(of.align, of.unit); i++) some.push(room - head - i, most - i);
  return sorted(some.map((n) => up(n + counted, of.unit) - counted)).filter((n) => {
    const left = room - up(head + n, of.align);
    return n >= 0 && n <= most && left >= 0 && fits(left, of);
  });
}
