/** WebSocket frames: 70 % with lengths of 7 bits, 25 % of 16, 5 % of 64; every other one masked. */
import * as generated from "../../../generated/ws/frame.js";
import type { Entry, Skill } from "./contest.js";
import { bits, type Libraries, protocol } from "./libraries.js";
import * as reference from "./reference/ws.js";
import { big, RECORDS, slab, words } from "./slab.js";

const STRIDE = 16;

export function ws({ protodef, parser, packed, typed }: Libraries): Entry<reference.Frame> {
  const word = words();
  const values = Array.from({ length: RECORDS }, (_, i) => ({
    fin: true,
    opcode: generated.Opcode.binary,
    masked: i % 2 === 1,
    length: i % 20 < 14 ? i % 126 : i % 20 < 19 ? 200 + i : 70_000 + i,
    key: i % 2 === 1 ? word() : undefined,
  }));
  const frames = slab(STRIDE, (i) => {
    const { masked, length, key } = values[i] as reference.Frame;
    const [first, more] = length < 126 ? [length, 0] : length < 65_536 ? [126, 2] : [127, 8];
    const keyed = key === undefined ? [] : big(key, 4);
    return [0x82, first | (masked ? 0x80 : 0), ...big(length, more), ...keyed];
  });
  const out = slab(STRIDE, () => []);
  return {
    header: "ws.frame",
    slab: frames,
    out,
    values,
    fields: {
      fin: [false],
      opcode: [0, 3, 8, 9, 15, 16, -1, 1.5, Number.NaN],
      masked: [false, true],
      length: [0, 125, 126, 0xffff, 0x10000, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -1, 0.5, Number.NaN],
      key: [undefined, 0, 0xffffffff, 2 ** 32, -1, 0.5],
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

  function protodefSkill(library: NonNullable<Libraries["protodef"]>): Skill<reference.Frame> {
    const codec = protocol(library, {
      frame: [
        "container",
        [
          {
            anon: true,
            type: [
              "bitfield",
              [
                bits("fin", 1),
                bits("rsv", 3),
                bits("opcode", 4),
                bits("masked", 1),
                bits("first", 7),
              ],
            ],
          },
          {
            name: "more",
            type: [
              "switch",
              { compareTo: "first", fields: { 126: "u16", 127: "u64" }, default: "void" },
            ],
          },
          {
            name: "key",
            type: ["switch", { compareTo: "masked", fields: { 1: "u32" }, default: "void" }],
          },
        ],
      ],
    });
    const given = values.map(({ opcode, masked, length, key }) => ({
      fin: 1,
      rsv: 0,
      opcode,
      masked: masked ? 1 : 0,
      first: length < 126 ? length : length < 65_536 ? 126 : 127,
      more: length < 126 ? undefined : length < 65_536 ? length : BigInt(length),
      key,
    }));
    const buffer = Buffer.from(out.view.buffer);
    return {
      decode: (i) => codec.read(frames.buffers[i] as Buffer, 0, "frame", {}),
      value: ({ value: { fin, opcode, masked, first, more, key } }) => ({
        fin: fin === 1,
        opcode,
        masked: masked === 1,
        length: Number(more ?? first),
        key,
      }),
      encode: (i) => codec.write(given[i], buffer, i * STRIDE, "frame", {}),
    };
  }

  function parserSkill({ Parser }: NonNullable<Libraries["parser"]>): Skill<reference.Frame> {
    const none = () => new Parser();
    const frame = new Parser()
      .bit1("fin")
      .bit3("rsv")
      .bit4("opcode")
      .bit1("masked")
      .bit7("first")
      .choice({
        tag: function (this: { first: number }) {
          return Math.max(0, this.first - 125);
        },
        choices: { 0: none(), 1: none().uint16be("short"), 2: none().uint64be("long") },
      })
      .choice({ tag: "masked", choices: { 0: none(), 1: none().uint32be("key") } });
    frame.compile();
    return {
      decode: (i) => frame.parse(frames.records[i] as Uint8Array),
      value: ({ fin, opcode, masked, first, short, long, key }) => ({
        fin: fin === 1,
        opcode,
        masked: masked === 1,
        length: Number(long ?? short ?? first),
        key,
      }),
    };
  }

  function packedSkill(P: NonNullable<Libraries["packed"]>): Skill<reference.Frame> {
    const length = P.wrap<number>({
      encodeStream: (w, n) => {
        w.bits(n < 126 ? n : n < 65_536 ? 126 : 127, 7);
        if (n >= 65_536) P.U64BE.encodeStream(w, BigInt(n));
        else if (n >= 126) P.U16BE.encodeStream(w, n);
      },
      decodeStream: (r) => {
        const n = r.bits(7);
        return n < 126 ? n : n === 126 ? P.U16BE.decodeStream(r) : Number(P.U64BE.decodeStream(r));
      },
    });
    const frame = P.struct({
      fin: P.bits(1),
      rsv: P.bits(3),
      opcode: P.bits(4),
      masked: P.bits(1),
      length,
      key: P.flagged("masked", P.U32BE),
    });
    const given = values.map(({ opcode, masked, length, key }) => ({
      fin: 1,
      rsv: 0,
      opcode,
      masked: masked ? 1 : 0,
      length,
      key,
    }));
    return {
      decode: (i) => frame.decode(frames.records[i] as Uint8Array),
      value: ({ fin, opcode, masked, length, key }) => ({
        fin: fin === 1,
        opcode,
        masked: masked === 1,
        length,
        key,
      }),
      encode: (i) => frame.encode(given[i] as (typeof given)[number]),
    };
  }

  function typedSkill(bin: NonNullable<Libraries["typed"]>): Skill<reference.Frame> {
    class Frame extends bin.Schema<reference.Frame> {
      read(from: import("typed-binary").ISerialInput): reference.Frame {
        const a = from.readUint8();
        const b = from.readUint8();
        let length = b & 0x7f;
        if (length === 126) length = from.readUint16();
        else if (length === 127) length = from.readUint32() * 2 ** 32 + from.readUint32();
        const masked = b > 0x7f;
        const key = masked ? from.readUint32() : undefined;
        return { fin: a > 0x7f, opcode: a & 15, masked, length, key };
      }
      write(to: import("typed-binary").ISerialOutput, f: reference.Frame): void {
        const { fin, opcode, masked, length, key } = f;
        to.writeUint8((fin ? 0x80 : 0) | opcode);
        to.writeUint8((masked ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127));
        if (length >= 65_536) {
          to.writeUint32(Math.floor(length / 2 ** 32));
          to.writeUint32(length >>> 0);
        } else if (length >= 126) to.writeUint16(length);
        if (key !== undefined) to.writeUint32(key);
      }
      measure(): never {
        throw new Error("nobody asks");
      }
    }
    const frame = new Frame();
    const { buffer } = frames.view;
    const target = out.view.buffer;
    return {
      decode: (i) =>
        frame.read(new bin.BufferReader(buffer, { byteOffset: i * STRIDE, endianness: "big" })),
      value: (made) => made,
      encode: (i) =>
        frame.write(
          new bin.BufferWriter(target, { byteOffset: i * STRIDE, endianness: "big" }),
          values[i] as reference.Frame,
        ),
    };
  }
}
