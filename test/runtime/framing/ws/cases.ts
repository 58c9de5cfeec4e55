/**
 * What may be sent to an end of a WebSocket, right and wrong, in the categories of the Autobahn test
 * suite, and what has to become of it. Where `ws`, the package, makes something else of a case, the case
 * says what, and which sentence of RFC 6455 decides it.
 */
import { body } from "../../../laws/octets.js";
import { type Outcome, type Piece, shown } from "./ends.js";

export interface Case {
  readonly name: string;
  readonly pieces: readonly Piece[];
  readonly outcome: Outcome;
  /** Octets of a chunk; without it all comes at once. */
  readonly chop?: number;
  /** What ws makes of it, if that differs. */
  readonly foreign?: Outcome;
  readonly rfc?: string;
}

type Bytes = Uint8Array | string;

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

const KINDS = [
  ["text", TEXT],
  ["binary", BINARY],
] as const;

const octets = (b: Bytes): Uint8Array => new Uint8Array(Buffer.from(b as string));
const text = (b: Bytes) => ["text", shown(octets(b))] as const;
const binary = (b: Bytes) => ["binary", shown(octets(b))] as const;
const pinged = (b: Bytes = "") => ["ping", shown(octets(b))] as const;
const failed = (code = 1002) => ["failed", code] as const;
const closed = (code: number) => ["closed", code] as const;
const word = (code: number): number[] => [code >> 8, code & 0xff];
const NORMAL: Piece = { opcode: CLOSE, payload: Uint8Array.from(word(1000)) };
const BYE = closed(1000);

/** Frames of one message, of these payloads. */
function parts(opcode: number, payloads: readonly Bytes[]): Piece[] {
  return payloads.map((payload, i) => ({
    opcode: i === 0 ? opcode : CONTINUATION,
    payload,
    fin: i === payloads.length - 1,
  }));
}

/** Of so many octets each. */
function cut(payload: Uint8Array, n: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += n) pieces.push(payload.subarray(at, at + n));
  return pieces;
}

const letters = (n: number) => "*".repeat(n);

function framing(): Case[] {
  const sizes = [0, 1, 125, 126, 127, 128, 65_535, 65_536];
  return KINDS.flatMap(([kind, opcode]) =>
    [...sizes.map((n) => [n, undefined] as const), [65_536, 997] as const, [300, 1] as const].map(
      ([n, chop]) => ({
        name: `1 framing: ${kind} of ${n}${chop === undefined ? "" : `, in chunks of ${chop}`}`,
        pieces: [{ opcode, payload: letters(n) }, NORMAL],
        outcome: [[kind, shown(octets(letters(n)))], BYE],
        ...(chop === undefined ? {} : { chop }),
      }),
    ),
  );
}

function pings(): Case[] {
  const odd = Uint8Array.of(0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff);
  const answered = (name: string, payload: Bytes, chop?: number): Case => ({
    name: `2 pings: ${name}`,
    pieces: [{ opcode: PING, payload }, NORMAL],
    outcome: [pinged(payload), BYE],
    ...(chop === undefined ? {} : { chop }),
  });
  const ten = Array.from({ length: 10 }, (_, i) => ({ opcode: PING, payload: `payload-${i}` }));
  const all = ten.map((p) => pinged(p.payload));
  return [
    answered("without payload", ""),
    answered("with text", "Hello, world!"),
    answered("with what is no text", odd),
    answered("of 125 octets", letters(125)),
    answered("of 125 octets, in chunks of one", letters(125), 1),
    {
      name: "2 pings: of 126 octets",
      pieces: [{ opcode: PING, payload: letters(126) }],
      outcome: [failed()],
    },
    { name: "2 pings: ten at once", pieces: [...ten, NORMAL], outcome: [...all, BYE] },
    {
      name: "2 pings: ten octet by octet",
      pieces: [...ten, NORMAL],
      outcome: [...all, BYE],
      chop: 1,
    },
    { name: "2 pongs: unasked", pieces: [{ opcode: PONG }, NORMAL], outcome: [BYE] },
    {
      name: "2 pongs: unasked, with payload",
      pieces: [{ opcode: PONG, payload: "unasked" }, NORMAL],
      outcome: [BYE],
    },
    {
      name: "2 pongs: unasked, and a ping",
      pieces: [{ opcode: PONG, payload: "unasked" }, { opcode: PING, payload: "now" }, NORMAL],
      outcome: [pinged("now"), BYE],
    },
    {
      name: "2 pongs: of 126 octets",
      pieces: [{ opcode: PONG, payload: letters(126) }],
      outcome: [failed()],
    },
  ];
}

function reserved(): Case[] {
  return [1, 2, 3, 4, 5, 6, 7].flatMap((rsv) =>
    [TEXT, BINARY, PING, CLOSE].flatMap((opcode) => ({
      name: `3 reserved bits: ${rsv} with opcode ${opcode}, after a message`,
      pieces: [
        { opcode: TEXT, payload: "before" },
        { opcode, rsv, payload: Uint8Array.from(word(1000)) },
      ],
      outcome: [text("before"), failed()],
    })),
  );
}

function opcodes(): Case[] {
  return [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => [
    { name: `4 opcodes: ${opcode}`, pieces: [{ opcode }], outcome: [failed()] },
    {
      name: `4 opcodes: ${opcode} with payload, between messages, in chunks of one`,
      pieces: [{ opcode: TEXT, payload: "before" }, { opcode, payload: "x" }, { opcode: PING }],
      outcome: [text("before"), failed()],
      chop: 1,
    },
  ]);
}

function fragments(): Case[] {
  const hello = parts(TEXT, ["frag", "ment", "s"]);
  const [one, two, three] = hello as [Piece, Piece, Piece];
  const amid = { opcode: PING, payload: "amid" };
  const broken = (name: string, pieces: readonly Piece[], outcome: Outcome = [failed()]): Case[] =>
    [undefined, 1].map((chop) => ({
      name: `5 fragments: ${name}${chop === undefined ? "" : ", in chunks of one"}`,
      pieces,
      outcome,
      ...(chop === undefined ? {} : { chop }),
    }));
  return [
    ...broken("a ping in two", [
      { ...amid, fin: false },
      { opcode: CONTINUATION, payload: "x" },
    ]),
    ...broken("a pong in two", [{ opcode: PONG, fin: false }, { opcode: CONTINUATION }]),
    ...broken("a close in two", [{ ...NORMAL, fin: false }]),
    ...broken("text in three", [...hello, NORMAL], [text("fragments"), BYE]),
    ...broken(
      "text in three, a ping amid",
      [one, amid, two, three, NORMAL],
      [pinged("amid"), text("fragments"), BYE],
    ),
    ...broken(
      "text in three, pings before each",
      [amid, one, amid, two, amid, three, NORMAL],
      [pinged("amid"), pinged("amid"), pinged("amid"), text("fragments"), BYE],
    ),
    ...broken(
      "text in three, a pong amid",
      [one, { opcode: PONG }, two, three, NORMAL],
      [text("fragments"), BYE],
    ),
    ...broken("text in three, closed amid", [one, NORMAL, two, three], [BYE]),
    ...broken("a continuation of nothing", [{ opcode: CONTINUATION, payload: "x" }]),
    ...broken("a continuation of nothing that is not the last", [
      { opcode: CONTINUATION, payload: "x", fin: false },
    ]),
    ...broken(
      "a continuation of nothing, after a message",
      [...hello, three],
      [text("fragments"), failed()],
    ),
    ...broken("text within text", [one, { opcode: TEXT, payload: "other" }]),
    ...broken("octets within text", [one, { opcode: BINARY, payload: "other" }]),
    ...broken("text within octets, not the last", [
      { opcode: BINARY, fin: false },
      { opcode: TEXT, fin: false },
    ]),
    ...broken(
      "empty ones around",
      [...parts(TEXT, ["", "whole", "", ""]), NORMAL],
      [text("whole"), BYE],
    ),
    ...broken(
      "nothing but empty ones",
      [...parts(BINARY, ["", "", ""]), NORMAL],
      [binary(""), BYE],
    ),
    ...broken("octets in three", [...parts(BINARY, ["a", "b", "c"]), NORMAL], [binary("abc"), BYE]),
    ...broken("a reserved bit in the second", [one, { ...two, rsv: 4 }]),
  ];
}

const LETTERS: readonly [what: string, octets: readonly number[]][] = [
  ["U+0000", [0x00]],
  ["U+007F", [0x7f]],
  ["U+0080", [0xc2, 0x80]],
  ["U+07FF", [0xdf, 0xbf]],
  ["U+0800", [0xe0, 0xa0, 0x80]],
  ["U+D7FF", [0xed, 0x9f, 0xbf]],
  ["U+E000", [0xee, 0x80, 0x80]],
  ["U+FEFF", [0xef, 0xbb, 0xbf]],
  ["U+FFFD", [0xef, 0xbf, 0xbd]],
  ["U+FFFE, no character", [0xef, 0xbf, 0xbe]],
  ["U+FFFF, no character", [0xef, 0xbf, 0xbf]],
  ["U+10000", [0xf0, 0x90, 0x80, 0x80]],
  ["U+1FFFF, no character", [0xf0, 0x9f, 0xbf, 0xbf]],
  ["U+10FFFF", [0xf4, 0x8f, 0xbf, 0xbf]],
  ["κόσμε", [...Buffer.from("κόσμε")]],
  ["Hello-µ@ßöäüàá-UTF-8!!", [...Buffer.from("Hello-µ@ßöäüàá-UTF-8!!")]],
  ["𝒳 and 🜚", [...Buffer.from("𝒳 and 🜚")]],
];

const NONE: readonly [what: string, octets: readonly number[]][] = [
  ["an octet of a tail, 0x80", [0x80]],
  ["an octet of a tail, 0xbf", [0xbf]],
  ["two of a tail", [0x80, 0xbf]],
  ["a head of two alone", [0xc2]],
  ["a head of two before a space", [0xc2, 0x20]],
  ["a head of three alone", [0xe0]],
  ["a head of three and one", [0xe1, 0x80]],
  ["a head of three, one, and a space", [0xe1, 0x80, 0x20]],
  ["a head of four alone", [0xf0]],
  ["a head of four and one", [0xf1, 0x80]],
  ["a head of four and two", [0xf1, 0x80, 0x80]],
  ["a head of four, two, and a space", [0xf1, 0x80, 0x80, 0x20]],
  ["a head of five", [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ["a head of six", [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80]],
  ["0xfe", [0xfe]],
  ["0xff", [0xff]],
  ["U+002F in two", [0xc0, 0xaf]],
  ["U+002F in three", [0xe0, 0x80, 0xaf]],
  ["U+002F in four", [0xf0, 0x80, 0x80, 0xaf]],
  ["U+0000 in two", [0xc0, 0x80]],
  ["U+007F in two", [0xc1, 0xbf]],
  ["U+07FF in three", [0xe0, 0x9f, 0xbf]],
  ["U+FFFF in four", [0xf0, 0x8f, 0xbf, 0xbf]],
  ["half a pair, U+D800", [0xed, 0xa0, 0x80]],
  ["half a pair, U+DB7F", [0xed, 0xad, 0xbf]],
  ["half a pair, U+DFFF", [0xed, 0xbf, 0xbf]],
  ["a pair of halves", [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80]],
  ["U+110000", [0xf4, 0x90, 0x80, 0x80]],
  ["U+13FFFF", [0xf4, 0xbf, 0xbf, 0xbf]],
  ["U+140000", [0xf5, 0x80, 0x80, 0x80]],
];

const RFC_UTF8 =
  "§8.1: an endpoint that finds that the octets are not UTF-8 MUST _Fail the WebSocket Connection_; ws waits for the end of the message";

function utf8(): Case[] {
  const ways = (what: string, b: readonly number[], outcome: (all: Uint8Array) => Outcome) => {
    const all = Uint8Array.from([...Buffer.from("κ-"), ...b]);
    const whole = { opcode: TEXT, payload: all };
    return [
      { name: `6 text: ${what}`, pieces: [whole, NORMAL] },
      {
        name: `6 text: ${what}, in frames of one octet`,
        pieces: [...parts(TEXT, cut(all, 1)), NORMAL],
      },
      { name: `6 text: ${what}, in chunks of one octet`, pieces: [whole, NORMAL], chop: 1 },
    ].map((c): Case => ({ ...c, outcome: outcome(all) }));
  };
  /** Wrong from an octet on, with all that would be right behind it; and the message does not end. */
  const early = NONE.filter(([what]) => !/alone$|and (one|two)$/.test(what)).map(
    ([what, b]): Case => ({
      name: `6 text: ${what}, in a message that has not ended`,
      pieces: [{ opcode: TEXT, payload: Uint8Array.from([...b, 0x20]), fin: false }],
      outcome: [failed(1007)],
      foreign: [],
      rfc: RFC_UTF8,
    }),
  );
  return [
    ...LETTERS.flatMap(([what, b]) => ways(what, b, (all) => [text(all), BYE])),
    ...NONE.flatMap(([what, b]) => ways(what, b, () => [failed(1007)])),
    ...early,
    ...NONE.map(
      ([what, b]): Case => ({
        name: `6 octets: ${what} is for text to mind`,
        pieces: [{ opcode: BINARY, payload: Uint8Array.from(b) }, NORMAL],
        outcome: [binary(Uint8Array.from(b)), BYE],
      }),
    ),
  ];
}

function closing(): Case[] {
  const close = (name: string, payload: Bytes, outcome: Outcome, chop?: number): Case => ({
    name: `7 close: ${name}`,
    pieces: [
      { opcode: CLOSE, payload },
      { opcode: TEXT, payload: "too late" },
      { opcode: PING },
      NORMAL,
    ],
    outcome,
    ...(chop === undefined ? {} : { chop }),
  });
  const good = [
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
  ];
  const bad = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
  const reasoned = (reason: Bytes) => Uint8Array.from([...word(1000), ...octets(reason)]);
  return [
    close("without code", "", [closed(1005)]),
    close("without code, octet by octet", "", [closed(1005)], 1),
    close("of one octet", "x", [failed()]),
    ...good.map((code) => close(`${code}`, Uint8Array.from(word(code)), [closed(code)])),
    ...bad.map((code) =>
      close(`${code}, which nobody may send`, Uint8Array.from(word(code)), [failed()]),
    ),
    close("with a reason", reasoned("good bye"), [BYE]),
    close("with a reason, octet by octet", reasoned("good bye"), [BYE], 1),
    close("with a reason of 123 octets", reasoned(letters(123)), [BYE]),
    close("with a reason of 124 octets", reasoned(letters(124)), [failed()]),
    close("with an empty reason that is text", reasoned("κόσμε"), [BYE]),
    ...NONE.slice(0, 12).map(([what, b]) =>
      close(`with a reason of ${what}`, reasoned(Uint8Array.from(b)), [failed(1007)]),
    ),
    {
      name: "7 close: after a message",
      pieces: [{ opcode: TEXT, payload: "x" }, NORMAL, NORMAL],
      outcome: [text("x"), BYE],
    },
    {
      name: "7 close: after a ping",
      pieces: [{ opcode: PING, payload: "x" }, NORMAL, { opcode: PING }],
      outcome: [pinged("x"), BYE],
    },
  ];
}

const RFC_SHORTEST =
  "§5.2: in all cases, the minimal number of bytes MUST be used to encode the length; ws takes any";
const RFC_LONG =
  "§5.2: the most significant bit MUST be 0; so a length beyond is a protocol error, and 1009 is for messages that could be";

function limits(): Case[] {
  const KiB = 1024;
  const MiB = KiB * KiB;
  const sizes = [64 * KiB, 256 * KiB, MiB];
  const whole = KINDS.flatMap(([kind, opcode]) =>
    sizes.flatMap((n) => {
      const payload = opcode === TEXT ? octets(letters(n)) : body(n, n);
      const outcome: Outcome = [[kind, shown(payload)], BYE];
      const name = `9 limits: ${kind} of ${n}`;
      return [
        { name, pieces: [{ opcode, payload }, NORMAL], outcome },
        ...[1024, 5000, 65_536].map((k) => ({
          name: `${name}, in frames of ${k}`,
          pieces: [...parts(opcode, cut(payload, k)), NORMAL],
          outcome,
        })),
        ...[500, 8192].map((chop) => ({
          name: `${name}, in chunks of ${chop}`,
          pieces: [{ opcode, payload }, NORMAL],
          outcome,
          chop,
        })),
      ];
    }),
  );
  const widths: Case[] = (
    [
      [0, 2],
      [125, 2],
      [0, 8],
      [125, 8],
      [126, 8],
      [65_535, 8],
    ] as const
  ).map(([n, width]) => ({
    name: `9 limits: a length of ${n} in ${width} octets`,
    pieces: [{ opcode: BINARY, payload: letters(n), width }, NORMAL],
    outcome: [failed()],
    foreign: [binary(letters(n)), BYE],
    rfc: RFC_SHORTEST,
  }));
  const claims: Case[] = [
    ...[2n ** 20n + 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n].map((claims) => ({
      name: `9 limits: a claim of ${claims} octets`,
      pieces: [{ opcode: BINARY, claims }],
      outcome: [failed(1009)],
    })),
    ...[2n ** 53n, 2n ** 63n, 2n ** 64n - 1n].map((claims) => ({
      name: `9 limits: a claim of ${claims} octets`,
      pieces: [{ opcode: BINARY, claims }],
      outcome: [failed()],
      foreign: [failed(1009)],
      rfc: RFC_LONG,
    })),
  ];
  const empty = (n: number) =>
    parts(
      BINARY,
      Array.from({ length: n }, () => ""),
    );
  return [
    ...whole,
    ...widths,
    ...claims,
    {
      name: "9 limits: frames that come to 1 MiB + 1",
      pieces: parts(BINARY, [letters(MiB), "x"]),
      outcome: [failed(1009)],
    },
    {
      name: "9 limits: 16,384 frames",
      pieces: [...empty(16_384), NORMAL],
      outcome: [binary(""), BYE],
    },
    { name: "9 limits: 16,385 frames", pieces: empty(16_385), outcome: [failed(1008)] },
  ];
}

function masks(): Case[] {
  return [TEXT, BINARY, PING, PONG, CLOSE].map((opcode) => ({
    name: `10 masks: opcode ${opcode}, masked as it may not be`,
    pieces: [{ opcode, wronglyMasked: true }],
    outcome: [failed()],
  }));
}

export const cases: readonly Case[] = [
  ...framing(),
  ...pings(),
  ...reserved(),
  ...opcodes(),
  ...fragments(),
  ...utf8(),
  ...closing(),
  ...limits(),
  ...masks(),
];
