/** Goes over fields one behind the other, and keeps what they say. */

import { broken, type Node, type Note, note, type Value } from "./nodes.mjs";
import { bitsAt, blankAt, octetsAt, wholeAt, wordSum } from "./octets.mjs";
import {
  type ChooseTable,
  type EscapeTable,
  type FieldTable,
  type Format,
  type OctetsTable,
  type RepeatTable,
  SELF,
  type TlvTable,
  type UintTable,
  type VarintTable,
} from "./tables.mjs";

/** A number that can be judged only when the head's end and the payload's are known. */
export interface Late {
  readonly field: FieldTable;
  readonly value: number;
  readonly bit: number;
  readonly node: Node | undefined;
}

const NOTHING: readonly never[] = [];
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LENIENT = new TextDecoder("utf-8", { ignoreBOM: true });

export class Cursor {
  view: DataView = new DataView(new ArrayBuffer(0));
  numbers = new Float64Array(64);
  /** Bits from the view's first. */
  at = 0;
  /** Octets: where the head begins, how many there are, and how many the layer below claims. */
  start = 0;
  end = 0;
  claim = 0;
  /** The header's own order. */
  little = false;
  /** Whether fields become nodes. */
  record = true;
  nodes: Node[] = [];
  notes: Note[] = [];
  late: Late[] = [];
  /** Sender and receiver, and the sum of their words. */
  from: Value;
  to: Value;
  words = 0;
  format: Format = "dec";
  /** The field whose octets are missing in part, and where it would end, if that is known. */
  cutField: FieldTable | undefined;
  cutEnd: number | undefined;
  /** The number read last. */
  #last = 0;

  /** Goes over fields; false: octets are missing. */
  fields(fields: readonly FieldTable[], depth: number): boolean {
    for (const f of fields) {
      if (f.when !== undefined && !f.when(this.numbers)) {
        // What is not there takes nothing, and has nothing in it.
        if (f.octets !== undefined) this.numbers[f.octets] = 0;
        if (f.kind === "repeat" && f.count !== undefined) this.numbers[f.count] = 0;
        continue;
      }
      if (this.#field(f, depth)) continue;
      this.cutField ??= f;
      return false;
    }
    return true;
  }

  #field(f: FieldTable, depth: number): boolean {
    const from = this.at;
    const since = this.late.length;
    const whole = this.#kind(f, depth);
    const part = f.kind === "nested" || f.kind === "choose";
    if (part && whole && this.late.length > since) this.#settle(since);
    if (f.octets !== undefined) this.numbers[f.octets] = (this.at - from) / 8;
    return whole;
  }

  /** What is computed inside a part is judged with it: another element of a list has other numbers. */
  #settle(since: number): void {
    for (const late of this.late.splice(since)) {
      const { auto } = late.field;
      if (typeof auto !== "function") this.late.push(late);
      else if (late.node !== undefined && auto(this.numbers) !== late.value)
        note(late.node, "error", `should be ${auto(this.numbers)}`);
    }
  }

  #kind(f: FieldTable, depth: number): boolean {
    switch (f.kind) {
      case "uint":
        return this.#uint(f, depth);
      case "bytes":
      case "text":
        return this.#octets(f, depth);
      case "escape":
        return this.#escape(f, depth);
      case "varint":
        return this.#varint(f, depth);
      case "repeat":
        return this.#repeat(f, depth);
      case "nested":
        if (this.record) {
          const bit = this.at;
          const node = { name: f.name, value: undefined, format: f.format, bit, bits: 0, depth };
          this.nodes.push(node);
          const whole = this.fields(f.fields, depth + 1);
          node.bits = this.at - bit;
          return whole;
        }
        return this.fields(f.fields, depth + 1);
      case "choose":
        return this.#choose(f, depth);
      case "tlv":
        return this.#tlv(f, depth);
      case "pad": {
        const n = (f.to - ((this.at / 8 - this.start) % f.to)) % f.to;
        if (n === 0) return true;
        if (!this.#has(n * 8)) return false;
        const zero = blankAt(this.view, this.at / 8, n);
        const node = this.#push(f, octetsAt(this.view, this.at / 8, n), n * 8, depth);
        if (!zero) note(node, "error", "padding is not zero");
        return true;
      }
    }
  }

  /** Whether that many bits are there. */
  #has(bits: number): boolean {
    return this.at + bits <= this.end * 8;
  }

  /** Records a value, and passes over its bits. */
  #push(
    f: FieldTable,
    value: Value,
    bits: number,
    depth: number,
    meaning?: string,
  ): Node | undefined {
    if (f.side !== undefined) this.#party(f.side, value, bits, f.format);
    const bit = this.at;
    this.at += bits;
    if (!this.record) return undefined;
    const node: Node = {
      name: f.name,
      value,
      format: f.format,
      bit,
      bits,
      depth,
      meaning,
      table: f,
    };
    this.nodes.push(node);
    return node;
  }

  /** Keeps sender or receiver, and the sum of its words. */
  #party(side: 0 | 1, value: Value, bits: number, format: Format): void {
    this.format = format;
    if (side === 0) this.from = value;
    else this.to = value;
    if (this.at % 8 === 0) {
      this.words += wordSum(this.view, this.at / 8, this.at / 8 + bits / 8);
    }
  }

  /** Keeps a number for expressions, and holds it against its rules. */
  #number(f: FieldTable, value: number, bit: number, node: Node | undefined): void {
    this.#last = value;
    if (f.slot !== undefined) this.numbers[f.slot] = value;
    if (f.auto !== undefined || f.check !== undefined) {
      this.late.push({ field: f, value, bit, node });
    }
    if (f.rules === undefined || node === undefined) return;
    if (f.rules.some((r) => r.late)) this.late.push({ field: f, value, bit, node });
    this.numbers[SELF] = value;
    for (const r of f.rules) {
      if (r.late === undefined && !r.test(this.numbers)) {
        note(node, r.strict ? "error" : "warning", r.text);
      }
    }
  }

  #uint(f: UintTable, depth: number): boolean {
    const { bits } = f;
    if (!this.#has(bits)) return false;
    const bit = this.at;
    const little = f.order === "header" ? this.little : f.order === "little";
    if (bits === 64) {
      const big = f.signed
        ? this.view.getBigInt64(bit / 8, little)
        : this.view.getBigUint64(bit / 8, little);
      const exact = f.wide !== true && big <= Number.MAX_SAFE_INTEGER;
      const node = this.#push(f, exact ? Number(big) : big, bits, depth);
      if (!exact && f.wide !== true) note(node, "error", "is 2^53 or more");
      if (node !== undefined) this.#flags(f, Number(BigInt.asUintN(32, big)), bit, depth + 1);
      this.#number(f, Number(big), bit, node);
      return true;
    }
    let value =
      bit % 8 === 0 && bits % 8 === 0
        ? wholeAt(this.view, bit / 8, bits, little)
        : bitsAt(this.view, bit, bits);
    if (f.signed && value >= 2 ** (bits - 1)) value -= 2 ** bits;
    const meaning = f.names?.get(value);
    const node = this.#push(f, f.bool ? value === 1 : value, bits, depth, meaning);
    if (node !== undefined) {
      const unnamed = f.names !== undefined && meaning === undefined && f.open !== true;
      if (unnamed || (f.konst !== undefined && value !== f.konst)) broken(node, f);
      this.#flags(f, value, bit, depth + 1);
    }
    this.#number(f, value, bit, node);
    return true;
  }

  #flags(f: UintTable, value: number, bit: number, depth: number): void {
    for (const { name, mask } of f.flags ?? NOTHING) {
      const low = 31 - Math.clz32(mask & -mask);
      const width = 32 - Math.clz32(mask) - low;
      this.nodes.push({
        name,
        value: (value & mask) !== 0,
        format: "bool",
        bit: bit + f.bits - low - width,
        bits: width,
        depth,
      });
    }
  }

  #octets(f: OctetsTable, depth: number): boolean {
    const o = this.at / 8;
    const left = this.end - o;
    const { length } = f;
    const wanted =
      length === "rest"
        ? Math.max(0, this.claim - o)
        : typeof length === "number"
          ? length
          : length(this.numbers);
    if (!(wanted >= 0)) {
      this.notes.push({ severity: "error", text: `the length of ${f.name} makes no sense` });
      return false;
    }
    const n = Math.min(wanted, left);
    const octets = octetsAt(this.view, o, n);
    const node = this.#push(f, f.kind === "text" ? LENIENT.decode(octets) : octets, n * 8, depth);
    if (n < wanted) {
      note(node, "warning", `${wanted - n} of its ${wanted} octets are missing`);
      this.cutEnd = o + wanted;
      return false;
    }
    if (node === undefined) return true;
    if (f.max !== undefined && n > f.max) note(node, "error", `takes more than ${f.max} octets`);
    if (f.konst?.some((x, i) => octets[i] !== x)) broken(node, f);
    if (f.kind === "text" && !isText(octets)) note(node, "error", "is not UTF-8");
    return true;
  }

  #escape(f: EscapeTable, depth: number): boolean {
    if (!this.#has(f.bits)) return false;
    const bit = this.at;
    const first = bitsAt(this.view, bit, f.bits);
    const i = f.tiers.findIndex((t) => t.at === first);
    const tier = f.tiers[i];
    if (tier === undefined) {
      this.#number(f, first, bit, this.#push(f, first, f.bits, depth));
      return true;
    }
    if (!this.#has(f.bits + tier.bits)) return false;
    const o = (bit + f.bits) / 8;
    const little = tier.order === "header" ? this.little : tier.order === "little";
    const big = tier.bits === 64 ? this.view.getBigUint64(o, little) : 0n;
    const value = tier.bits === 64 ? Number(big) : wholeAt(this.view, o, tier.bits, little);
    const exact = Number.isSafeInteger(value);
    const node = this.#push(f, exact ? value : big, f.bits + tier.bits, depth);
    if (!exact) note(node, "error", "is 2^53 or more");
    const before = f.tiers[i - 1];
    const least = before === undefined ? (f.tiers[0]?.at ?? 0) : 2 ** before.bits;
    if (value < least) note(node, "error", "is not in its shortest form");
    this.#number(f, value, bit, node);
    return true;
  }

  #varint(f: VarintTable, depth: number): boolean {
    const bit = this.at;
    let value = 0;
    let scale = 1;
    for (let n = 1; this.#has(n * 8); n++) {
      const octet = this.view.getUint8(bit / 8 + n - 1);
      value += (octet & 0x7f) * scale;
      scale *= 0x80;
      if (octet >= 0x80 && n * 7 < f.bits + 7) continue;
      const node = this.#push(f, value, n * 8, depth);
      if (value >= 2 ** f.bits) note(node, "error", `does not fit ${f.bits} bits`);
      if (octet === 0 && n > 1) note(node, "error", "is not in its shortest form");
      this.#number(f, value, bit, node);
      return true;
    }
    return false;
  }

  #repeat(f: RepeatTable, depth: number): boolean {
    const outer = this.end;
    const fill = f.fill === "rest" ? this.claim - this.at / 8 : f.fill?.(this.numbers);
    const stop = fill === undefined ? Number.POSITIVE_INFINITY : this.at / 8 + fill;
    const size = f.size?.(this.numbers) ?? Number.POSITIVE_INFINITY;
    let count = 0;
    let whole = true;
    if (stop < outer) this.end = stop;
    while (count < size && this.at < stop * 8) {
      if (count === f.max) {
        this.notes.push({ severity: "error", text: `${f.name} has more than ${f.max} elements` });
        whole = false;
        break;
      }
      const from = this.at;
      whole = this.#field(f.of, depth);
      if (!whole) break;
      count++;
      if (f.until !== undefined) {
        this.numbers[SELF] = this.#last;
        if (f.until(this.numbers)) break;
      }
      if (this.at === from && size === Number.POSITIVE_INFINITY) break;
    }
    this.end = outer;
    if (f.count !== undefined) this.numbers[f.count] = count;
    return whole;
  }

  #choose(f: ChooseTable, depth: number): boolean {
    const fields = f.arms.get(f.on(this.numbers)) ?? f.otherwise;
    if (fields !== undefined) return this.fields(fields, depth);
    const text = `${f.name} ${f.fault?.text ?? "has no form for this value"}`;
    this.notes.push({ severity: "error", text });
    return false;
  }

  #tlv(f: TlvTable, depth: number): boolean {
    const from = this.at / 8;
    const fill = f.fill === "rest" ? this.claim - from : f.fill(this.numbers);
    const size = fill >= 0 ? fill : 0;
    const stop = Math.min(from + size, this.end);
    const list = this.#push(f, octetsAt(this.view, from, stop - from), (stop - from) * 8, depth);
    if (list !== undefined) {
      if (!(fill >= 0)) note(list, "error", "its length makes no sense");
      this.#items(f, list, from, stop, depth + 1);
    }
    if (from + size <= this.end) return true;
    this.cutEnd = from + size;
    return false;
  }

  #items(f: TlvTable, list: Node, from: number, stop: number, depth: number): void {
    const little = f.order === "header" ? this.little : f.order === "little";
    let ended = false;
    for (let p = from; p < stop; ) {
      if (stop - p < f.type) return note(list, "error", "an option does not fit its list");
      const type = wholeAt(this.view, p, f.type * 8, little);
      if (ended && type !== f.end) note(list, "error", "something follows the end of the list");
      ended ||= type === f.end;
      let skip = f.type;
      let n = f.type;
      if (!f.single.includes(type)) {
        skip = f.type + f.length;
        if (stop - p < skip) return note(list, "error", "an option does not fit its list");
        const said = wholeAt(this.view, p + f.type, f.length * 8, little) * f.unit;
        n = f.counts === "item" ? said : said + skip;
        if (n < skip || n > stop - p) {
          return note(list, "error", "an option does not fit its list");
        }
      }
      const filled = Math.min(Math.ceil(n / f.align) * f.align, stop - p);
      this.nodes.push({
        name: f.names.get(type) ?? `${f.name}.type_${type}`,
        value: octetsAt(this.view, p + skip, n - skip),
        format: "hex",
        bit: p * 8,
        bits: n * 8,
        depth,
      });
      if (!blankAt(this.view, p + n, filled - n)) note(list, "error", "its padding is not zero");
      p += filled;
    }
  }
}

function isText(octets: Uint8Array): boolean {
  try {
    UTF8.decode(octets);
    return true;
  } catch {
    return false;
  }
}
