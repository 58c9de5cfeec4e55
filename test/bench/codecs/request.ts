/** The way back of SP requests: one to four words, and room for a body behind. */
import * as generated from "../../../generated/sp/request.js";
import type { Entry, Skill } from "./contest.js";
import { bits, type Libraries, protocol } from "./libraries.js";
import * as reference from "./reference/request.js";
import { big, RECORDS, slab, words } from "./slab.js";

const STRIDE = 32;
const LAST = 0x80000000;

export function request({ protodef, parser, packed, typed }: Libraries): Entry<reference.Request> {
  const word = words();
  const values = Array.from({ length: RECORDS }, (_, i) => {
    const hops = Array.from({ length: i % 4 }, () => word() % LAST);
    return { trace: [...hops, LAST + i] };
  });
  const requests = slab(STRIDE, (i) => values[i]?.trace.flatMap((w) => big(w, 4)) ?? []);
  const out = slab(STRIDE, () => []);
  return {
    header: "sp.request",
    slab: requests,
    out,
    values,
    fields: {
      trace: [
        [],
        [1],
        [LAST, LAST],
        [1, 2, LAST - 1, 2 ** 32 - 1],
        [0.5, LAST],
        [-1],
        [1, 2 ** 32],
        [...new Array(15).fill(1), LAST],
        [...new Array(16).fill(1), LAST],
      ],
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

  /** No repetition ends by a value and no bits are 31, but a type may hold itself. */
  function protodefSkill(library: NonNullable<Libraries["protodef"]>): Skill<reference.Request> {
    const codec = protocol(library, {
      way: [
        "container",
        [
          { anon: true, type: ["bitfield", [bits("last", 1), bits("high", 15)]] },
          { name: "low", type: "u16" },
          {
            name: "rest",
            type: ["switch", { compareTo: "last", fields: { 0: "way" }, default: "void" }],
          },
        ],
      ],
    });
    interface Way {
      readonly last: number;
      readonly high: number;
      readonly low: number;
      readonly rest: Way | undefined;
    }
    const flat = ({ last, high, low, rest }: Way): number[] => [
      last * LAST + high * 65_536 + low,
      ...(rest === undefined ? [] : flat(rest)),
    ];
    const nested = ([first = 0, ...more]: readonly number[]): Way => ({
      last: first >= LAST ? 1 : 0,
      high: (first >>> 16) & 0x7fff,
      low: first & 0xffff,
      rest: more.length === 0 ? undefined : nested(more),
    });
    const given = values.map(({ trace }) => nested(trace));
    const buffer = Buffer.from(out.view.buffer);
    return {
      decode: (i) => codec.read(requests.buffers[i] as Buffer, 0, "way", {}),
      value: ({ value }) => ({ trace: flat(value) }),
      encode: (i) => codec.write(given[i], buffer, i * STRIDE, "way", {}),
    };
  }

  function parserSkill({ Parser }: NonNullable<Libraries["parser"]>): Skill<reference.Request> {
    const way = new Parser().array("trace", {
      type: "uint32be",
      readUntil: (item) => (item as unknown as number) >= 0x80000000,
    });
    way.compile();
    return {
      decode: (i) => way.parse(requests.records[i] as Uint8Array),
      value: ({ trace }) => ({ trace }),
    };
  }

  function packedSkill(P: NonNullable<Libraries["packed"]>): Skill<reference.Request> {
    const trace = P.wrap<number[]>({
      encodeStream: (w, all) => {
        for (const x of all) P.U32BE.encodeStream(w, x);
      },
      decodeStream: (r) => {
        const all: number[] = [];
        for (;;) {
          const x = P.U32BE.decodeStream(r);
          all.push(x);
          if (x >= LAST) return all;
        }
      },
    });
    const way = P.struct({ trace });
    return {
      decode: (i) => way.decode(requests.records[i] as Uint8Array),
      value: ({ trace }) => ({ trace }),
      encode: (i) => way.encode(values[i] as reference.Request),
    };
  }

  function typedSkill(bin: NonNullable<Libraries["typed"]>): Skill<reference.Request> {
    class Trace extends bin.Schema<number[]> {
      read(from: import("typed-binary").ISerialInput): number[] {
        const all: number[] = [];
        for (;;) {
          const x = from.readUint32();
          all.push(x);
          if (x >= LAST) return all;
        }
      }
      write(to: import("typed-binary").ISerialOutput, all: readonly number[]): void {
        for (const x of all) to.writeUint32(x);
      }
      measure(): never {
        throw new Error("nobody asks");
      }
    }
    const way = bin.object({ trace: new Trace() });
    const { buffer } = requests.view;
    const target = out.view.buffer;
    return {
      decode: (i) =>
        way.read(new bin.BufferReader(buffer, { byteOffset: i * STRIDE, endianness: "big" })),
      value: ({ trace }) => ({ trace }),
      encode: (i) =>
        way.write(
          new bin.BufferWriter(target, { byteOffset: i * STRIDE, endianness: "big" }),
          values[i] as reference.Request,
        ),
    };
  }
}
