/** IPv4 headers of 20 octets with their checksums. */
import * as generated from "../../../generated/net/ipv4.js";
import type { Entry, Skill } from "./contest.js";
import { bits, type Libraries, protocol } from "./libraries.js";
import * as reference from "./reference/ipv4.js";
import { big, RECORDS, slab } from "./slab.js";

const STRIDE = 20;

/** The checksum (RFC 1071) of octets in which its place is zero. */
function checksum(octets: readonly number[]): number {
  const sum = octets.reduce((n, x, i) => n + (i % 2 === 0 ? x * 256 : x), 0);
  return 0xffff - (((sum - 1) % 0xffff) + 1);
}

/** As libraries want it. Not spread: each object made so has a shape of its own, and all that reads it is slow. */
const versioned = (h: reference.Ipv4) => Object.assign({ version: 4 }, h);

const option = (type: number, octets?: number): reference.Option => ({
  type,
  value: octets === undefined ? undefined : new Uint8Array(octets).fill(type),
});

/** The octets of a header with this checksum. */
const octetsOf = (h: reference.Ipv4): number[] => [
  0x45,
  h.dscp * 4 + h.ecn,
  ...big(h.length, 2),
  ...big(h.id, 2),
  ...big(h.flags * 0x2000 + h.offset, 2),
  h.ttl,
  h.protocol,
  ...big(h.checksum, 2),
  ...big(h.source, 4),
  ...big(h.destination, 4),
];

export function ipv4({ protodef, parser, packed, typed }: Libraries): Entry<reference.Ipv4> {
  const values = Array.from({ length: RECORDS }, (_, i) => {
    const header: reference.Ipv4 = {
      ihl: 5,
      dscp: (i & 255) >>> 2,
      ecn: i & 3,
      length: 20 + i,
      id: i * 7,
      flags: generated.Flags.df,
      offset: i,
      ttl: 64,
      protocol: 6,
      checksum: 0,
      source: 0x0a000000 + i,
      destination: 0xc0a80000 + i,
      options: [],
    };
    header.checksum = checksum(octetsOf(header));
    return header;
  });
  const headers = slab(STRIDE, (i) => octetsOf(values[i] as reference.Ipv4));
  const out = slab(STRIDE, () => []);
  return {
    header: "ip",
    slab: headers,
    out,
    values,
    fields: {
      dscp: [0, 63, 64, -1, 0.5],
      ecn: [3, 4, -1],
      length: [0, 0xffff, 0x10000, -1, Number.NaN],
      id: [0xffff, 0x10000, -1],
      flags: [7, 8, -1],
      offset: [0x1fff, 0x2000, -1],
      ttl: [0, 255, 256, -1, 0.5],
      protocol: [255, 256, -1],
      source: [0, 2 ** 32 - 1, 2 ** 32, -1, 0.5],
      destination: [0, 2 ** 32 - 1, 2 ** 32, -1, Number.NaN],
      options: [
        new Array(4).fill(option(1)),
        [option(0), option(1), option(0), option(0)],
        [option(1), option(0), option(0), option(0)],
        [option(7, 2)],
        [option(7, 3)],
        [option(7, 38)],
        [option(7, 42)],
        [option(7), option(1), option(1), option(1)],
        [option(1, 1), option(1)],
        [option(256, 2)],
      ],
    },
    mend: (octets) => {
      const end = Math.min(((octets[0] ?? 0) & 15) * 4, octets.length);
      if (end < 20) return;
      octets.set([0, 0], 10);
      octets.set(big(checksum([...octets.subarray(0, end)]), 2), 10);
    },
    generated,
    reference,
    rivals: {
      protodef: protodef && protodefSkill(protodef),
      "binary-parser": parser && parserSkill(parser),
      "micro-packed": packed && packedSkill(packed),
      "typed-binary": typed && typedSkill(typed),
    },
  };

  function protodefSkill(library: NonNullable<Libraries["protodef"]>): Skill<reference.Ipv4> {
    const number = (name: string, type: string) => ({ name, type });
    const group = (...fields: object[]) => ({ anon: true, type: ["bitfield", fields] });
    const codec = protocol(library, {
      ip: [
        "container",
        [
          group(bits("version", 4), bits("ihl", 4), bits("dscp", 6), bits("ecn", 2)),
          number("length", "u16"),
          number("id", "u16"),
          group(bits("flags", 3), bits("offset", 13)),
          number("ttl", "u8"),
          number("protocol", "u8"),
          number("checksum", "u16"),
          number("source", "u32"),
          number("destination", "u32"),
        ],
      ],
    });
    const buffer = Buffer.from(out.view.buffer);
    const given = values.map(versioned);
    return {
      decode: (i) => codec.read(headers.buffers[i] as Buffer, 0, "ip", {}),
      value: ({ value: { version, ...rest } }) => ({ ...rest, options: [] }),
      encode: (i) => codec.write(given[i], buffer, i * STRIDE, "ip", {}),
    };
  }

  function parserSkill({ Parser }: NonNullable<Libraries["parser"]>): Skill<reference.Ipv4> {
    const ip = new Parser()
      .bit4("version", { assert: 4 })
      .bit4("ihl")
      .bit6("dscp")
      .bit2("ecn")
      .uint16be("length")
      .uint16be("id")
      .bit3("flags")
      .bit13("offset")
      .uint8("ttl")
      .uint8("protocol")
      .uint16be("checksum")
      .uint32be("source")
      .uint32be("destination");
    ip.compile();
    return {
      decode: (i) => ip.parse(headers.records[i] as Uint8Array),
      value: ({ version, ...rest }) => ({ ...rest, options: [] }),
    };
  }

  function packedSkill(P: NonNullable<Libraries["packed"]>): Skill<reference.Ipv4> {
    const ip = P.struct({
      version: P.bits(4),
      ihl: P.bits(4),
      dscp: P.bits(6),
      ecn: P.bits(2),
      length: P.U16BE,
      id: P.U16BE,
      flags: P.bits(3),
      offset: P.bits(13),
      ttl: P.U8,
      protocol: P.U8,
      checksum: P.U16BE,
      source: P.U32BE,
      destination: P.U32BE,
    });
    const given = values.map(versioned);
    return {
      decode: (i) => ip.decode(headers.records[i] as Uint8Array),
      value: ({ version, ...rest }) => ({ ...rest, options: [] }),
      encode: (i) => ip.encode(given[i] as (typeof given)[number]),
    };
  }

  /** It has no fields of bits: they stay together in their octets. */
  function typedSkill(bin: NonNullable<Libraries["typed"]>): Skill<reference.Ipv4> {
    const ip = bin.object({
      first: bin.u8,
      service: bin.u8,
      length: bin.u16,
      id: bin.u16,
      fragment: bin.u16,
      ttl: bin.u8,
      protocol: bin.u8,
      checksum: bin.u16,
      source: bin.u32,
      destination: bin.u32,
    });
    const given = values.map((h) => ({
      first: 0x45,
      service: h.dscp * 4 + h.ecn,
      length: h.length,
      id: h.id,
      fragment: h.flags * 0x2000 + h.offset,
      ttl: h.ttl,
      protocol: h.protocol,
      checksum: h.checksum,
      source: h.source,
      destination: h.destination,
    }));
    const { buffer } = headers.view;
    const target = out.view.buffer;
    return {
      decode: (i) =>
        ip.read(new bin.BufferReader(buffer, { byteOffset: i * STRIDE, endianness: "big" })),
      value: ({ first, service, fragment, ...rest }) => ({
        ...rest,
        ihl: first & 15,
        dscp: service >>> 2,
        ecn: service & 3,
        flags: fragment >>> 13,
        offset: fragment & 0x1fff,
        options: [],
      }),
      encode: (i) =>
        ip.write(
          new bin.BufferWriter(target, { byteOffset: i * STRIDE, endianness: "big" }),
          given[i] as (typeof given)[number],
        ),
    };
  }
}
