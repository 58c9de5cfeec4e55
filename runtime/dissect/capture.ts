/**
 * Packets from a capture file's octets: pcap in its two orders, two resolutions and modified form, and
 * pcapng with its sections and interfaces. What the octets mean comes from the generated codecs.
 */

import * as file from "../../generated/file/pcap.js";
import * as modified from "../../generated/file/pcap-modified.js";
import * as record from "../../generated/file/pcap-record.js";
import * as block from "../../generated/file/pcapng-block.js";
import * as flags from "../../generated/file/pcapng-flags.js";
import * as description from "../../generated/file/pcapng-interface.js";
import * as obsolete from "../../generated/file/pcapng-obsolete.js";
import * as shift from "../../generated/file/pcapng-offset.js";
import * as list from "../../generated/file/pcapng-options.js";
import * as enhanced from "../../generated/file/pcapng-packet.js";
import * as resolution from "../../generated/file/pcapng-resolution.js";
import * as section from "../../generated/file/pcapng-section.js";
import * as simple from "../../generated/file/pcapng-simple.js";
import { octetsText } from "./format.js";

/** A packet as captured. */
export interface Packet {
  /** 1, 2, … over all sections of the file. */
  readonly number: number;
  /** Link type (tcpdump.org): what the octets begin with. */
  readonly link: number;
  readonly time: Time | undefined;
  /** Octets that it had; there may be fewer. */
  readonly length: number;
  readonly octets: Uint8Array;
  /** Of its first octet in the file. */
  readonly offset: number;
  /** Of its section, from 0. */
  readonly interface: number;
  readonly origin: Origin;
  /** As seen from its interface, if the capture says it. */
  readonly direction?: "in" | "out";
}

/** An interface: where packets come from. */
export interface Origin {
  readonly name?: string;
  readonly description?: string;
}

/** Seconds since 1970, UTC, and nanoseconds. */
export interface Time {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** The file does not go on as it should. */
export interface Damage {
  /** Octets before it in the file. */
  readonly offset: number;
  readonly text: string;
  /** Nothing of the file could be read: it is no capture. */
  readonly unreadable: boolean;
}

/** A link's packets: what they begin with, and how their time counts. */
interface Source {
  readonly origin: Origin;
  readonly link: number;
  readonly snap: number;
  time(high: number, low: number): Time;
}

/** More than any packet or block has; a claim of more is damage, found before memory is taken. */
const MOST = 64 * 1024 * 1024;
/** Answers of `measure` at or below it are faults. */
const FAULT = -0x1000000;

type Form = "unknown" | "classic" | "modified" | "pcapng";

/** Takes octets as they come, and gives packets as they are whole. Their octets are views of what came. */
export class CaptureReader {
  #octets: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#octets.buffer);
  /** The next octet in the buffer, and the buffer's first in the file. */
  #at = 0;
  #base = 0;
  #form: Form = "unknown";
  #little = false;
  #ended = false;
  #sources: Source[] = [];
  #packets = 0;
  #damage: Damage | undefined;

  /** Why there are no more packets, if not because the file ends. */
  get damage(): Damage | undefined {
    return this.#damage;
  }

  /** Packets given so far. */
  get packets(): number {
    return this.#packets;
  }

  push(chunk: Uint8Array): void {
    const left = this.#octets.length - this.#at;
    if (left === 0) this.#take(chunk);
    else {
      // Octets given out stay where they are: what is left moves to a new buffer.
      const joined = new Uint8Array(left + chunk.length);
      joined.set(this.#octets.subarray(this.#at));
      joined.set(chunk, left);
      this.#take(joined);
    }
  }

  #take(octets: Uint8Array): void {
    this.#base += this.#at;
    this.#octets = octets;
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.length);
    this.#at = 0;
  }

  /** No more octets come. */
  end(): void {
    this.#ended = true;
  }

  /** The next packet; undefined if more octets are needed, or none come, or the file is damaged. */
  next(): Packet | undefined {
    while (this.#damage === undefined) {
      const from = this.#at;
      const form = this.#form;
      const packet =
        this.#form === "unknown"
          ? this.#begin()
          : this.#form === "pcapng"
            ? this.#block()
            : this.#record();
      if (packet !== undefined) return packet;
      if (this.#at === from && this.#form === form) return undefined;
    }
    return undefined;
  }

  /** Octets that are there. */
  get #left(): number {
    return this.#octets.length - this.#at;
  }

  /** More octets are needed; if none come, the file is cut. `before`: those of a header that is there. */
  #short(claim: number, what: string, before = 0): undefined {
    if (!this.#ended || this.#damage !== undefined) return undefined;
    if (this.#left === 0 && this.#form !== "unknown") return undefined;
    const left = octetsText(this.#left - before);
    return this.#spoil(`ends inside ${what}: ${octetsText(claim)} claimed, ${left} left`);
  }

  #spoil(text: string): undefined {
    const unreadable = this.#form === "unknown";
    this.#damage = { offset: this.#base + this.#at, text, unreadable };
    return undefined;
  }

  #begin(): undefined {
    const end = this.#octets.length;
    const n = file.measure(this.#view, this.#at, end);
    if (n > 0) {
      const { magic, network, snapLength } = file.read(this.#view, this.#at, end);
      const { Magic } = file;
      const nano = magic === Magic.nanoseconds || magic === Magic.nanosecondsLittle;
      const old = magic === Magic.modified || magic === Magic.modifiedLittle;
      this.#little =
        magic === Magic.microsecondsLittle ||
        magic === Magic.nanosecondsLittle ||
        magic === Magic.modifiedLittle;
      this.#form = old ? "modified" : "classic";
      const unit = nano ? 1 : 1000;
      this.#sources = [
        {
          origin: NOWHERE,
          // Above 16 bits stand flags: whether frames keep their check sequence.
          link: network % 0x10000,
          snap: snapLength,
          time: (seconds, fraction) => ({ seconds, nanoseconds: fraction * unit }),
        },
      ];
      this.#at += n;
      return undefined;
    }
    if (this.#section()) {
      this.#form = "pcapng";
      return undefined;
    }
    const more = n > FAULT || section.measure(this.#view, this.#at, end, false) > FAULT;
    if (more && !this.#ended) return undefined;
    return this.#spoil(
      this.#left === 0
        ? "is empty"
        : more
          ? "ends inside its file header"
          : "is no capture: begins like neither pcap nor pcapng",
    );
  }

  #record(): Packet | undefined {
    const codec = this.#form === "modified" ? modified : record;
    const end = this.#octets.length;
    if (this.#left < codec.MIN)
      return this.#short(codec.MIN, `the record after frame ${this.#packets}`);
    const captured = codec.getCaptured(this.#view, this.#at, this.#little);
    if (captured > MOST) return this.#tooLong(captured);
    if (this.#left < codec.MIN + captured) {
      return this.#short(captured, `frame ${this.#packets + 1}`, codec.MIN);
    }
    const { seconds, fraction, original } = codec.read(this.#view, this.#at, end, this.#little);
    const time = this.#sources[0]?.time(seconds, fraction);
    this.#at += codec.MIN;
    const packet = this.#packet(0, time, this.#at, captured, original);
    this.#at += captured;
    return packet;
  }

  #tooLong(claim: number): undefined {
    return this.#spoil(
      `is damaged at frame ${this.#packets + 1}: it claims ${claim} octets, more than any packet has`,
    );
  }

  #packet(
    source: number,
    time: Time | undefined,
    from: number,
    captured: number,
    length: number,
    direction?: "in" | "out",
  ): Packet {
    this.#packets++;
    return {
      number: this.#packets,
      link: this.#sources[source]?.link ?? -1,
      time,
      length,
      octets: this.#octets.subarray(from, from + captured),
      offset: this.#base + from,
      interface: source,
      origin: this.#sources[source]?.origin ?? NOWHERE,
      ...(direction === undefined ? {} : { direction }),
    };
  }

  /** Begins a section, if one begins here: its magic reads right in one of the two orders. */
  #section(): boolean {
    // The fixed part tells the order; options may be long, or not as they should.
    const fixed = Math.min(this.#octets.length, this.#at + section.MIN);
    if (this.#left < section.MIN) return false;
    for (const little of [false, true]) {
      if (section.measure(this.#view, this.#at, fixed, little) <= FAULT) continue;
      this.#little = little;
      this.#sources = [];
      return true;
    }
    return false;
  }

  #block(): Packet | undefined {
    if (this.#left < block.MIN) return this.#short(block.MIN, "a block's header");
    const v = this.#view;
    const o = this.#at;
    // A section's type reads the same in both orders, and its length only in its own.
    if (block.getType(v, o, this.#little) === block.Type.section) {
      if (this.#left < section.MIN) return this.#short(section.MIN, "a section header");
      if (!this.#section()) return this.#spoil("is damaged: a section header without its magic");
    }
    const n = block.measure(v, o, this.#octets.length, this.#little);
    if (n < 0) {
      const why = block.explain(n, v, o, this.#octets.length, this.#little);
      return this.#spoil(`is damaged after frame ${this.#packets}: ${why}`);
    }
    const length = block.getLength(v, o, this.#little);
    if (length > MOST) return this.#tooLong(length);
    if (this.#left < length) return this.#short(length, `the block after frame ${this.#packets}`);
    const end = o + length;
    if (block.measureEnd(v, o, end, this.#little, length) < 0) {
      return this.#spoil(`is damaged after frame ${this.#packets}: a block's two lengths differ`);
    }
    const packet = this.#body(block.getType(v, o, this.#little), end);
    if (this.#damage === undefined) this.#at = end;
    return packet;
  }

  #body(type: number, end: number): Packet | undefined {
    const v = this.#view;
    const o = this.#at;
    const little = this.#little;
    const { Type } = block;
    if (type === Type.interface) {
      if (end - o < description.MIN)
        return this.#spoil("is damaged: an interface without link type");
      this.#sources.push(source(v, o, end - block.TAIL_MIN, little));
      return undefined;
    }
    if (type === Type.enhanced || type === Type.packet) {
      const codec = type === Type.enhanced ? enhanced : obsolete;
      const n = codec.measure(v, o, end - codec.TAIL_MIN, little);
      if (n < 0) {
        const why = codec.explain(n, v, o, end - codec.TAIL_MIN, little);
        return this.#spoil(`is damaged at frame ${this.#packets + 1}: ${why}`);
      }
      const h = codec.read(v, o, end, little);
      const from = this.#sources[h.interface];
      if (from === undefined) {
        return this.#spoil(`is damaged at frame ${this.#packets + 1}: no interface ${h.interface}`);
      }
      const time = from.time(h.timeHigh, h.timeLow);
      const behind = o + n + Math.ceil(h.captured / 4) * 4;
      const way = directionOf(v, behind, end - codec.TAIL_MIN, little);
      return this.#packet(h.interface, time, o + n, h.captured, h.original, way);
    }
    if (type === Type.simple) {
      const from = this.#sources[0];
      if (from === undefined || end - o < simple.MIN + simple.TAIL_MIN) {
        return this.#spoil(`is damaged at frame ${this.#packets + 1}: no interface 0`);
      }
      const original = simple.getOriginal(v, o, little);
      const snap = from.snap === 0 ? original : Math.min(original, from.snap);
      const captured = Math.min(snap, end - o - simple.MIN - simple.TAIL_MIN);
      return this.#packet(0, undefined, o + simple.MIN, captured, original);
    }
    return undefined;
  }
}

const NOWHERE: Origin = {};

/** What a packet's options say of its direction; options that are not as they should be say nothing. */
function directionOf(v: DataView, o: number, end: number, little: boolean): Packet["direction"] {
  if (end <= o || list.measure(v, o, end, little) <= 0) return undefined;
  const { options } = list.read(v, o, end, little);
  const found = options.find((option) => option.type === list.Options.flags)?.value;
  if (found?.length !== flags.MAX) return undefined;
  const view = new DataView(found.buffer, found.byteOffset, found.length);
  return DIRECTIONS[flags.read(view, 0, flags.MAX, little).flags % 4];
}

const DIRECTIONS = [undefined, "in", "out"] as const;
const UTF8 = new TextDecoder();

/** An interface; options that are not as they should be are as if not there. */
function source(v: DataView, o: number, end: number, little: boolean): Source {
  const link = description.getLinkType(v, o, little);
  const snap = description.getSnapLength(v, o, little);
  const options =
    description.measure(v, o, end, little) > 0 ? description.read(v, o, end, little).options : [];
  const value = (type: number, octets: number): DataView | undefined => {
    const found = options.find((option) => option.type === type)?.value;
    if (found?.length !== octets) return undefined;
    return new DataView(found.buffer, found.byteOffset, octets);
  };
  const { Options } = description;
  const text = (type: number): string | undefined => {
    const found = options.find((option) => option.type === type)?.value;
    return found && UTF8.decode(found.subarray(0, 1 + found.findLastIndex((octet) => octet > 0)));
  };
  const name = text(Options.name);
  const said = text(Options.description);
  const unit = value(Options.resolution, resolution.MAX);
  const offset = value(Options.offset, shift.MAX);
  return {
    link,
    snap,
    origin: {
      ...(name === undefined ? {} : { name }),
      ...(said === undefined ? {} : { description: said }),
    },
    time: clock(
      unit === undefined ? MICROSECONDS : resolution.read(unit, 0, resolution.MAX),
      offset === undefined ? 0 : Number(shift.read(offset, 0, shift.MAX, little).seconds),
    ),
  };
}

const MICROSECONDS: resolution.PcapngResolution = { binary: false, exponent: 6 };

/** Times counted in units of 10^−exponent seconds, or 2^−exponent if `binary`. */
function clock({ binary, exponent }: resolution.PcapngResolution, offset: number): Source["time"] {
  const base = (binary ? 2n : 10n) ** BigInt(exponent);
  const small = !binary && exponent <= 9;
  const divisor = Number(base);
  const scale = 10 ** (9 - exponent);
  return (high, low) => {
    if (!small) {
      const ticks = BigInt(high) * 0x1_0000_0000n + BigInt(low);
      const nanoseconds = Number(((ticks % base) * 1_000_000_000n) / base);
      return { seconds: Number(ticks / base) + offset, nanoseconds };
    }
    // Long division, 16 bits at a time: every step is exact in a double.
    let seconds = 0;
    let rest = 0;
    for (const word of [high / 0x10000, high % 0x10000, low / 0x10000, low % 0x10000]) {
      const n = rest * 0x10000 + Math.floor(word);
      seconds = seconds * 0x10000 + Math.floor(n / divisor);
      rest = n % divisor;
    }
    return { seconds: seconds + offset, nanoseconds: rest * scale };
  };
}
