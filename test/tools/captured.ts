/** What a capture of a tap's holds, read by the generated codecs alone. */
import * as assert from "uvu/assert";
import * as block from "../../generated/file/pcapng-block.js";
import * as description from "../../generated/file/pcapng-interface.js";
import * as more from "../../generated/file/pcapng-options.js";
import * as packet from "../../generated/file/pcapng-packet.js";
import * as section from "../../generated/file/pcapng-section.js";
import * as ip from "../../generated/net/ipv4.js";
import * as ip6 from "../../generated/net/ipv6.js";
import * as tcp from "../../generated/net/tcp.js";
import { joined } from "../laws/octets.js";

/** An interface. */
export interface Place {
  readonly link: number;
  readonly name: string;
  readonly stack: string;
  readonly ends: readonly [string, string];
  readonly out: Readonly<Record<string, string | number>>;
  readonly in: Readonly<Record<string, string | number>>;
}

export interface Packet {
  readonly place: Place;
  readonly way: "in" | "out";
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly octets: Uint8Array;
  /** Octets that it had. */
  readonly length: number;
}

export interface Capture {
  readonly packets: readonly Packet[];
  readonly places: readonly Place[];
  readonly sections: number;
  readonly application: string;
}

const text = (octets: Uint8Array | undefined) => new TextDecoder().decode(octets);
type Option = { type: number; value: Uint8Array | undefined };
const valueOf = (options: readonly Option[], type: number) =>
  options.find((o) => o.type === type)?.value;

/** Whole, or it throws. */
export function captured(octets: Uint8Array): Capture {
  const v = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const all: { packets: Packet[]; places: Place[] } = { packets: [], places: [] };
  let here: Place[] = [];
  let [sections, application] = [0, ""];
  for (let o = 0; o < octets.length; ) {
    const n = block.getLength(v, o, true);
    const end = o + n;
    assert.ok(end <= octets.length, "the file ends with a block");
    assert.is(block.measureEnd(v, o, end, true, n), 4);
    const stop = end - 4;
    switch (block.getType(v, o, true)) {
      case block.Type.section: {
        assert.is(section.measure(v, o, stop, true), n - 4);
        const { options } = section.read(v, o, stop, true);
        application = text(valueOf(options, section.Options.application));
        sections++;
        here = [];
        break;
      }
      case block.Type.interface: {
        assert.is(description.measure(v, o, stop, true), n - 4);
        const place = placeOf(description.read(v, o, stop, true));
        here.push(place);
        all.places.push(place);
        break;
      }
      case block.Type.enhanced: {
        const head = packet.measure(v, o, stop, true);
        assert.is(head, packet.MIN);
        const h = packet.read(v, o, stop, true);
        const from = o + head;
        const options = from + h.captured + (-h.captured & 3);
        assert.ok(more.measure(v, options, stop, true) > 0, "options are right");
        const flags = valueOf(more.read(v, options, stop, true).options, more.Options.flags);
        const place = here[h.interface];
        assert.ok(place, "an interface is described before its packets");
        all.packets.push({
          place: place as Place,
          way: flags?.[0] === 1 ? "in" : "out",
          time: (BigInt(h.timeHigh) << 32n) + BigInt(h.timeLow),
          octets: octets.subarray(from, from + h.captured),
          length: h.original,
        });
        break;
      }
      default:
        throw new Error("a block of another kind");
    }
    o = end;
  }
  return { ...all, sections, application };
}

function placeOf({ linkType, options }: { linkType: number; options: Option[] }): Place {
  const { Options } = description;
  assert.equal([...(valueOf(options, Options.resolution) ?? [])], [9]);
  const lines = text(valueOf(options, Options.description)).split("\n");
  assert.is(lines[0], "wirestack tap 1");
  const line = (name: string) =>
    lines.find((l) => l.startsWith(`${name}: `))?.slice(name.length + 2) ?? "";
  return {
    link: linkType,
    name: text(valueOf(options, Options.name)),
    stack: line("stack"),
    ends: JSON.parse(line("ends")),
    out: JSON.parse(line("out")),
    in: JSON.parse(line("in")),
  };
}

/** Of a packet of link type 252: its dissector's name, and what follows the tags. */
export function unwrapped({ octets }: Packet): {
  readonly by: string;
  readonly octets: Uint8Array;
} {
  const v = new DataView(octets.buffer, octets.byteOffset, octets.length);
  let by = "";
  for (let o = 0; ; ) {
    const [tag, n] = [v.getUint16(o), v.getUint16(o + 2)];
    o += 4;
    if (tag === 12) by = text(octets.subarray(o, o + n)).replace(/\0+$/, "");
    o += n;
    if (tag === 0) return { by, octets: octets.subarray(o) };
  }
}

/** Messages that went this way. */
export const messages = (packets: readonly Packet[], way: "in" | "out"): Uint8Array[] =>
  packets.filter((p) => p.way === way).map((p) => unwrapped(p).octets);

/** A segment of a conversation. */
export interface Segment {
  readonly from: string;
  readonly to: string;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

/** Of a packet of link type 101. Its checksums are right, or it throws. */
export function segmentOf({ octets, length }: Packet): Segment {
  assert.is(length, octets.length);
  const v = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const six = (octets[0] as number) >> 4 === 6;
  const head = six ? ip6.measure(v, 0, octets.length) : ip.measure(v, 0, octets.length);
  assert.is(head, six ? 40 : 20, "the header of IP is right, and its checksum");
  const hosts = six ? octets.subarray(8, 40) : octets.subarray(12, 20);
  if (six) assert.is(ip6.getLength(v, 0), octets.length - 40);
  else assert.is(ip.getLength(v, 0), octets.length);
  const size = tcp.measure(v, head, octets.length);
  assert.is(size, 20);
  const segment = octets.subarray(head);
  assert.is(sum([hosts, Uint8Array.of(0, 6), sixteen(segment.length), segment]), 0xffff);
  const half = hosts.length / 2;
  const h = tcp.read(v, head, octets.length);
  return {
    from: `${hosts.subarray(0, half).join(".")}:${h.sourcePort}`,
    to: `${hosts.subarray(half).join(".")}:${h.destinationPort}`,
    sequence: h.sequence,
    acknowledgment: h.acknowledgment,
    flags: h.flags,
    payload: segment.subarray(size),
  };
}

const sixteen = (n: number) => Uint8Array.of(n >> 8, n);

/** Of pieces of 16-bit words, the last one filled up; folded. */
function sum(pieces: readonly Uint8Array[]): number {
  let s = 0;
  for (const piece of pieces) {
    for (const [i, octet] of piece.entries()) s += i % 2 === 0 ? octet * 256 : octet;
  }
  while (s > 0xffff) s = (s % 0x10000) + Math.floor(s / 0x10000);
  return s;
}

const SYN = 2;
const FIN = 1;

/**
 * Octets of one direction, in a conversation of which nothing is missing: as they follow one another
 * between the handshake and the end, all acknowledged.
 */
export function streamOf(packets: readonly Packet[], way: "in" | "out"): Uint8Array {
  const all = packets.map((p) => ({ way: p.way, ...segmentOf(p) }));
  const own = all.filter((s) => s.way === way);
  assert.is(own.filter(({ flags }) => flags & SYN).length, 1, "one SYN");
  assert.is(own.filter(({ flags }) => flags & FIN).length, 1, "one FIN");
  let next = own[0]?.sequence ?? 0;
  let [heard, most] = [0, 0];
  for (const s of all) {
    if (s.way !== way) {
      if (s.flags & 16) heard = s.acknowledgment;
      continue;
    }
    assert.is(s.sequence, next, "numbers follow one another");
    next = (next + s.payload.length + (s.flags & SYN) + (s.flags & FIN ? 1 : 0)) >>> 0;
    if (s.flags & SYN) next = (s.sequence + 1) >>> 0;
    most = Math.max(most, heard === 0 ? 0 : (next - heard) >>> 0);
  }
  assert.is(heard, next, "all is acknowledged");
  assert.ok(most <= 0xffff, "never more than the window");
  return joined(own.map((s) => s.payload));
}
