/**
 * Packets in pcapng: a section for what is read together, in it a description of each source before its
 * first packet, and a time to each. draft-ietf-opsawg-pcapng.
 */
import * as flags from "../../../generated/file/pcapng-flags.js";
import * as description from "../../../generated/file/pcapng-interface.js";
import * as more from "../../../generated/file/pcapng-options.js";
import * as packet from "../../../generated/file/pcapng-packet.js";
import * as resolution from "../../../generated/file/pcapng-resolution.js";
import * as section from "../../../generated/file/pcapng-section.js";
import { copyWords, WORDS } from "../../block.js";
import type { Message } from "../../message.js";
import { BUFFER, type Store } from "./store.js";

/** Who wrote it, and in which version: the package's. */
const APPLICATION = "wirestack 0.1.0";

/** Byte order of the files. */
const LITTLE = true;
/** Of a section, when it begins. */
const UNKNOWN_LENGTH = -1n;
const NANOSECONDS = 9;

/** What packets begin with: link types of tcpdump.org. */
export const PDU = 252;
export const IP = 101;

/** Which way a packet went: the octets behind it that say so, by how many have to be filled in before. */
export type Way = readonly Uint8Array[];
const NONE = new Uint8Array(0);
const END = { type: more.Options.end, value: NONE };

/** `direction`: of the flags, the lowest two bits. */
function way(direction: number): Way {
  const value = new Uint8Array(flags.MAX);
  flags.write(new DataView(value.buffer), 0, LITTLE, direction);
  const options = [{ type: more.Options.flags, value }, END];
  return [0, 1, 2, 3].map((fill) => {
    const octets = new Uint8Array(fill + more.size(options));
    more.write(new DataView(octets.buffer), fill, LITTLE, options);
    return octets;
  });
}

export const IN = way(1);
export const OUT = way(2);

/** What the file says of a source. */
export interface Text {
  readonly name: string;
  readonly description: string;
}

/** Octets kept of a packet: Wireshark takes a file with a longer one for damaged. */
const KEPT = 256 * 1024;

type Options = { type: number; value: Uint8Array | undefined }[];

/** Where packets come from: a pipe, at one joint. */
export class Source {
  /** The part of the store that knows it, and its number there. */
  part = 0;
  number = 0;
  #block: Uint8Array | undefined;

  constructor(
    readonly link: number,
    readonly tell: () => Text,
    /** Octets of packets that go before its others, in each part. */
    readonly prelude = 0,
  ) {}

  /** The block that describes it. */
  get block(): Uint8Array {
    this.#block ??= describing(this.link, this.tell());
    return this.#block;
  }
}

const encoder = new TextEncoder();
/** Octets of a text at most: several have to fit into a block. */
const LONGEST = 0x7fff;
const valueOf = (text: string): Uint8Array => encoder.encode(text).subarray(0, LONGEST);

function describing(link: number, { name, description: text }: Text): Uint8Array {
  const unit = new Uint8Array(resolution.MAX);
  resolution.write(new DataView(unit.buffer), 0, false, NANOSECONDS);
  const type = description.Options;
  const options: Options = [
    { type: type.name, value: valueOf(name) },
    { type: type.description, value: valueOf(text) },
    { type: type.resolution, value: unit },
    END,
  ];
  const block = new Uint8Array(description.size(options) + description.TAIL_MAX);
  const view = new DataView(block.buffer);
  const p = description.write(view, 0, LITTLE, link, 0, 0, options);
  description.writeEnd(view, p, LITTLE, block.length, block.length);
  return block;
}

/** The block that begins a section. */
function beginning(): Uint8Array {
  const options: Options = [
    { type: section.Options.application, value: valueOf(APPLICATION) },
    END,
  ];
  const block = new Uint8Array(section.size(options) + section.TAIL_MAX);
  const view = new DataView(block.buffer);
  const p = section.write(view, 0, LITTLE, 1, 0, UNKNOWN_LENGTH, options);
  section.writeEnd(view, p, LITTLE, block.length, block.length);
  return block;
}

/** Octets of the block of a packet of `n`. */
export const blockOf = (n: number): number =>
  packet.MIN + n + (OUT[-n & 3] as Uint8Array).length + packet.TAIL_MAX;

/** Where what was captured is put in order. */
export class Capture {
  /** The part that has its section, and how many sources and packets there are in it. */
  #part = 0;
  #sources = 0;
  #packets = 0;
  /** Nanoseconds since 1970, in two words, when `#base` was `now`. */
  #base: number | undefined;
  #baseHigh = 0;
  #baseLow = 0;
  /** Of the packets that come next. */
  #high = 0;
  #low = 0;
  readonly #section = beginning();

  constructor(readonly store: Store) {}

  /**
   * Makes ready for a packet of `n` octets: in another file if it does not fit into this one. Answers
   * whether the source is new to who reads that.
   */
  ready(source: Source, n: number): boolean {
    const { store } = this;
    let size = blockOf(n);
    if (this.#part !== store.part) size += this.#section.length;
    if (source.part !== store.part) size += source.block.length + source.prelude;
    if (this.#packets > 0 && store.crowded(size)) {
      store.turn();
      this.#packets = 0;
    }
    this.#packets++;
    this.#now();
    if (this.#part !== store.part) {
      this.#part = store.part;
      this.#sources = 0;
      store.put(this.#section);
    }
    if (source.part === store.part) return false;
    source.part = store.part;
    source.number = this.#sources++;
    store.put(source.block);
    return true;
  }

  /** A packet of `n` octets: answers where in the store's `bytes` the caller puts them. */
  packet(source: Source, way: Way, n: number): number {
    const { store } = this;
    const length = blockOf(n);
    const at = store.take(length);
    const p = this.#head(at, source, length, n, n);
    this.#tail(p + n, way, length, n);
    return p;
  }

  /** A packet of these octets: `head`, and then the message's. */
  message(source: Source, way: Way, head: Uint8Array, m: Message): void {
    const n = head.length + m.length;
    this.ready(source, Math.min(n, KEPT));
    if (blockOf(n) > BUFFER) return this.#long(source, way, head, m, n);
    const p = this.packet(source, way, n);
    const { bytes, view } = this.store;
    bytes.set(head, p);
    copy(m, bytes, view, p + head.length);
  }

  /** One that is longer than what can wait: so much of it as is kept. */
  #long(source: Source, way: Way, head: Uint8Array, m: Message, n: number): void {
    const { store } = this;
    const kept = Math.min(n, KEPT);
    const length = blockOf(kept);
    const p = this.#head(store.take(packet.MIN + head.length), source, length, kept, n);
    store.bytes.set(head, p);
    let left = kept - head.length;
    for (const s of m.segments()) {
      if (left === 0) break;
      const piece = s.length > left ? s.subarray(0, left) : s;
      store.through(piece);
      left -= piece.length;
    }
    this.#tail(store.take(length - packet.MIN - kept), way, length, kept);
    // So that the file is whole.
    store.flush();
  }

  #head(at: number, source: Source, length: number, kept: number, n: number): number {
    const { view } = this.store;
    return packet.write(view, at, LITTLE, length, source.number, this.#high, this.#low, kept, n);
  }

  #tail(at: number, way: Way, length: number, kept: number): void {
    const { bytes, view } = this.store;
    const octets = way[-kept & 3] as Uint8Array;
    bytes.set(octets, at);
    packet.writeEnd(view, at + octets.length, LITTLE, length, length);
  }

  /** What time it is. The clock that never goes back counts on from the other one's first word. */
  #now(): void {
    const { env } = this.store;
    const now = env.now();
    if (this.#base === undefined) {
      this.#base = now;
      const date = BigInt(Math.round(env.date())) * 1_000_000n;
      this.#baseHigh = Number(date >> 32n);
      this.#baseLow = Number(date & 0xffff_ffffn);
    }
    const low = this.#baseLow + Math.round((now - this.#base) * 1e6);
    const carry = Math.floor(low / 0x1_0000_0000);
    this.#high = this.#baseHigh + carry;
    this.#low = low - carry * 0x1_0000_0000;
  }
}

/** Copies a message's octets to `at`. */
export function copy(m: Message, bytes: Uint8Array, view: DataView, at: number): void {
  const { start, end, rest } = m;
  const n = end - start;
  // For as many octets as headers have, a view would cost more than the copy.
  if (n <= WORDS) copyWords(view, at, m.view, start, n);
  else bytes.set(m.bytes.subarray(start, end), at);
  let p = at + n;
  for (const s of rest) {
    bytes.set(s, p);
    p += s.length;
  }
}
