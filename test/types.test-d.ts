/**
 * What the compiler must refuse in a spec, and what it must make of one. `npm run check` reads this
 * file; nothing runs. A mark without a mistake under it is itself an error.
 */
import { expectTypeOf } from "expect-type";
import type { PcapngBlock, PcapngBlockTail } from "../generated/file/pcapng-block.js";
import type { Icmp } from "../generated/net/icmp.js";
import type { Ipv4 } from "../generated/net/ipv4.js";
import type { Tcp } from "../generated/net/tcp.js";
import type { SpGreeting } from "../generated/sp/greeting.js";
import type { SpRequest } from "../generated/sp/request.js";
import type { WsClose } from "../generated/ws/close.js";
import type { Opcode, WsFrame } from "../generated/ws/frame.js";
import * as frame from "../generated/ws/frame.js";
import type {
  icmp,
  ipv4,
  pcapngBlock,
  spGreeting,
  spRequest,
  tcp,
  wsClose,
  wsFrame,
} from "../spec/index.js";
import {
  bit,
  bits,
  bytes,
  choose,
  type E,
  escape,
  flags,
  header,
  headLength,
  type Item,
  konst,
  nested,
  oneOf,
  pad,
  repeat,
  reserved,
  rest,
  text,
  tlv,
  u8,
  u16,
  u32,
  u53,
  u64,
  type Value,
} from "../spec/lang.js";

const ref = { ref: "-" };

// ------------------------------------------------------------------------------- mistakes, planted

const start = header("x", { on: bit, spare: bits(7), length: u16, key: bytes(4) }, ref);

// @ts-expect-error no field is called so
start.and((h) => ({ body: bytes(h.lenght) }));

// @ts-expect-error a stage sees only fields of earlier ones
start.and((h) => ({ count: u8, body: bytes(h.count) }));

// @ts-expect-error a number is no condition
start.and((h) => ({ body: u16.when(h.length) }));

// @ts-expect-error a condition is no length
start.and((h) => ({ body: bytes(h.on) }));

// @ts-expect-error octets decide nothing
start.and((h) => ({ body: u16.when(h.key) }));

// @ts-expect-error text is no number
start.and(() => ({ body: bytes("12") }));

// @ts-expect-error the name is taken
start.and(() => ({ length: u16 }));

// @ts-expect-error 33 bits have no type
bits(33);

// @ts-expect-error nor has half a bit
bits(3.5);

// @ts-expect-error bits have no byte order
bits(12).le;

// @ts-expect-error there is no payload to measure by what is not there
start.payload({ length: (h) => h.size });

// @ts-expect-error a payload's length is a number
start.payload({ length: (h) => h.on });

// @ts-expect-error a trailer's name is not one of the head's
start.payload().trailer(() => ({ key: u32 }));

const ended = start.payload().trailer(() => ({ size: u8 }));

// @ts-expect-error the front knows head and end, not itself
ended.before((h) => ({ n: u8, tag: bytes(h.n) }));

// @ts-expect-error ends are fields
start.ends("length", "width");

// @ts-expect-error a header says where it is defined
header("x", { a: u8 }, {});

// @ts-expect-error a number is no field
header("x", { a: 8 }, ref);

// @ts-expect-error a constant of a number is a number
konst(u8, [1]);

// @ts-expect-error a constant of octets is octets
konst(bytes(1), 1);

// @ts-expect-error names are for numbers
oneOf(bytes(1), { a: 1 });

// @ts-expect-error a repetition has a maximum
repeat(u8, { fill: "rest" });

// @ts-expect-error elements are always there
start.and((h) => ({ list: repeat(u8.when(h.on), { fill: "rest", max: 4 }) }));

// @ts-expect-error options have a maximum
tlv({ type: u8, length: u8, fill: "rest" });

// @ts-expect-error a checksum has a name that is known
u16.auto("crc16");

// @ts-expect-error padding is to a multiple that machines have
pad(3);

// @ts-expect-error the rest has a maximum
rest();

// --------------------------------------------------------------------------------- values, inferred

expectTypeOf<Value<typeof wsFrame>>().toEqualTypeOf<{
  fin: boolean;
  opcode: 0 | 1 | 2 | 8 | 9 | 10;
  masked: boolean;
  length: number;
  key?: number | undefined;
}>();

const every = header(
  "every",
  {
    magic: konst(bytes(2), [1, 2]),
    version: konst(u8, 1),
    spare: reserved(8),
    kept: reserved(8).lint(),
    small: oneOf(u8, { a: 1, b: 2 }),
    open: oneOf(u8, { a: 1 }, { open: true }),
    linted: oneOf(u8, { a: 1 }).lint(),
    flag: bit,
    bits: bits(7),
    marks: flags(u8, { one: 1 }),
    wide: u64,
    safe: u53,
    length: escape(8, { 255: u32 }),
    size: u16.auto(headLength),
    little: u32.le,
  },
  ref,
)
  .and((h) => ({
    key: u32.when(h.flag),
    fixed: konst(u8, 7).when(h.flag),
    raw: bytes(h.length),
    name: text(4),
    list: repeat(u16, { count: h.small, max: 2 }),
    part: nested({ inner: u8, reserved: reserved(8) }),
    body: choose(h.small, { a: { is: 1, of: { x: u8 } }, b: { is: 2, of: { y: text(2) } } }),
    options: tlv({ type: u8, length: u8, fill: h.length, max: 9 }),
    end: pad(4),
  }))
  .payload()
  .trailer(() => ({ alg: u8 }))
  .before((h) => ({ tag: bytes(h.alg) }));

expectTypeOf<Value<typeof every>>().toEqualTypeOf<{
  kept: number;
  small: 1 | 2;
  open: number;
  linted: number;
  flag: boolean;
  bits: number;
  marks: number;
  wide: bigint;
  safe: number;
  length: number;
  size?: number | undefined;
  little: number;
  key?: number | undefined;
  raw: Uint8Array;
  name: string;
  list: number[];
  part: { inner: number };
  body: { x: number } | { y: string };
  options: Item[];
  alg: number;
  tag: Uint8Array;
}>();

every.and((h) => {
  expectTypeOf(h.flag).toEqualTypeOf<E<boolean>>();
  expectTypeOf(h.small).toEqualTypeOf<E>();
  // @ts-expect-error 64 bits are no number to reckon with
  h.wide;
  // @ts-expect-error nor is text
  h.name;
  return {};
});

// ------------------------------------------------------------- values, generated as well as inferred

expectTypeOf<WsFrame>().toExtend<Value<typeof wsFrame>>();
expectTypeOf<WsClose>().toExtend<Value<typeof wsClose>>();
expectTypeOf<SpGreeting>().toExtend<Value<typeof spGreeting>>();
expectTypeOf<SpRequest>().toExtend<Value<typeof spRequest>>();
expectTypeOf<Ipv4>().toExtend<Value<typeof ipv4>>();
expectTypeOf<Tcp>().toExtend<Value<typeof tcp>>();
expectTypeOf<Icmp>().toExtend<Value<typeof icmp>>();
expectTypeOf<PcapngBlock & PcapngBlockTail>().toExtend<Value<typeof pcapngBlock>>();
expectTypeOf<Opcode>().toEqualTypeOf<Value<typeof wsFrame>["opcode"]>();

const v = new DataView(new ArrayBuffer(frame.MAX));
frame.write(v, 0, true, frame.Opcode.text, false, 5, undefined);

// @ts-expect-error an argument is missing
frame.write(v, 0, true, frame.Opcode.text, false);

// @ts-expect-error no frame has opcode 3
frame.write(v, 0, true, 3, false, 5, undefined);

// @ts-expect-error a length is a number
frame.write(v, 0, true, frame.Opcode.text, false, "5", undefined);

// @ts-expect-error the value of a field is missing
frame.writeValue(v, 0, { fin: true, opcode: 1, masked: false, key: undefined });
