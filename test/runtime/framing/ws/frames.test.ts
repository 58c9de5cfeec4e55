/** WebSocket's frames, by themselves: the laws of layers, every way to cut, and `ws`, the package, as the other side. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as frame from "../../../../generated/ws/frame.js";
import { type FrameOptions, Frames } from "../../../../runtime/framing/ws/frames.js";
import { layerChecks } from "../../../../runtime/kit/index.js";
import { watch } from "../../../../runtime/kit/spy.js";
import type { Layer } from "../../../../runtime/layer.js";
import { Message } from "../../../../runtime/message.js";
import { check, TIMES } from "../../../laws/all.js";
import { body, joined, same } from "../../../laws/octets.js";
import { RUNS } from "../../../laws/runs.js";
import { Foreign, framed, Ours, shown } from "./ends.js";

const test = suite("ws frames");
const KIB = 1024;
const { Opcode } = frame;

const layer = (options: Partial<FrameOptions>): Layer<"octets", "link"> => ({
  name: "ws",
  below: "octets",
  above: "link",
  headers: [frame.HEADER],
  text: "known",
  make: (context) => new Frames(context, { maxFrame: 0, text: context.text, ...options }),
});

// A client masks, and copies for that.
const shared = { ...RUNS, edges: [126, 4 * KIB, 65_536], copies: 1 } as const;
const whole = { ...shared, make: () => layer({}) };
const parted = { ...shared, make: () => layer({ maxFrame: 1000 }), merges: true };
for (const [how, options] of Object.entries({ whole, parted })) {
  for (const { name, run } of layerChecks(options)) test(`${how}, ${name}`, run);
}

/** 1000, of a close frame. */
const NORMAL = Uint8Array.of(0x03, 0xe8);

const messageOf = ({ context }: Ours, octets: Uint8Array) =>
  Message.around(octets, frame.MAX, context.slab);

const sides = ["dial", "listen"] as const;
const opposite = { dial: "listen", listen: "dial" } as const;

/** Frames of every kind and width, with control amid a message, as `ws` would have them. */
function conversation(to: (typeof sides)[number]): Uint8Array {
  const bodies = [0, 1, 5, 125, 126, 300, 9 * KIB, 65_535, 65_536, 100 * KIB].map((n) =>
    body(n, n),
  );
  const pieces = bodies.flatMap((b, i) => [
    framed({ opcode: Opcode.binary, payload: b }, to),
    framed({ opcode: Opcode.ping, payload: body(i * 13, i) }, to),
    framed({ opcode: Opcode.text, payload: "ελ", fin: false }, to, i),
    framed({ opcode: Opcode.pong, payload: "unasked" }, to),
    framed({ opcode: Opcode.continuation, fin: false }, to),
    framed({ opcode: Opcode.ping }, to),
    framed({ opcode: Opcode.continuation, payload: "lo".repeat(i * 700) }, to, i * 0x1000193),
  ]);
  return joined([...pieces, framed({ opcode: Opcode.close, payload: NORMAL }, to)]);
}

for (const side of sides) {
  const told = new Foreign(side);
  told.feed(conversation(side).slice());
  const ours = (places: readonly number[]) => {
    const stream = conversation(side);
    const end = new Ours(side);
    let at = 0;
    for (const place of [...places, stream.length]) {
      if (place > at) end.feed(stream.slice(at, place));
      at = Math.max(at, place);
    }
    return end;
  };

  test(`to the ${side}er: however octets are cut, they are what they are to ws`, () => {
    const { length } = conversation(side);
    assert.is(told.outcome.length, 41);
    assert.equal(ours([]).outcome, told.outcome);
    const places = fc.array(fc.nat(length), { maxLength: 200 });
    const early = fc.array(fc.nat(3000), { maxLength: 300 });
    const law = (cuts: number[]) =>
      assert.equal(ours(cuts.sort((a, b) => a - b)).outcome, told.outcome);
    check(fc.oneof(places, early), law, 30 * TIMES);
  });

  test(`to the ${side}er: octet by octet, too`, () => {
    assert.equal(ours(Array.from(conversation(side).keys())).outcome, told.outcome);
  });

  test(`what the ${side}er sends, in one frame or in many, ws understands`, () => {
    for (const maxFrame of [0, 1000]) {
      const from = new Ours(side, { maxFrame });
      const foreign = new Foreign(opposite[side]);
      const expected = [0, 1, 125, 126, 65_535, 65_536, 300 * KIB].map((n) => {
        const octets = body(n, n);
        const m = messageOf(from, octets);
        m.text = n === 1 && octets[0]! < 0x80;
        const kind = m.text ? "text" : "binary";
        from.frames.down(m);
        return [kind, shown(octets)];
      });
      foreign.feed(from.written());
      from.frames.control({ type: "end" });
      foreign.feed(from.written());
      assert.equal(foreign.outcome, [...expected, ["closed", 1000]]);
    }
  });
}

test("every frame of a client's has a key of its own, and its body is not touched", () => {
  const client = new Ours("dial");
  const octets = body(100, 1);
  const keys = new Set<number | undefined>();
  for (let i = 0; i < 3000; i++) client.frames.down(messageOf(client, octets));
  const sent = client.written();
  const view = new DataView(sent.buffer);
  for (let o = 0; o < sent.length; o += 106) keys.add(frame.read(view, o, sent.length).key);
  assert.ok(keys.size > 2990, `${keys.size} keys`);
  assert.ok(same(octets, body(100, 1)));
});

test("who never reads has one pong waiting, however often it pings", () => {
  const server = new Ours("listen");
  server.frames.event({ type: "stop" });
  for (let i = 0; i < 1000; i++) {
    server.feed(framed({ opcode: Opcode.ping, payload: `${i}` }, "listen"));
  }
  assert.equal(server.outcome, []);
  server.frames.event({ type: "go" });
  server.feed(new Uint8Array(0));
  assert.equal(server.outcome, [["ping", shown(Buffer.from("999"))]]);
});

test("a message in frames of one octet, or of none, takes no more memory than another", () => {
  for (const [n, length] of [
    [16_384, 1],
    [16_383, 0],
    [1000, 1000],
  ] as const) {
    const server = new Ours("listen");
    const piece = (i: number) => ({
      opcode: i === 0 ? Opcode.binary : Opcode.continuation,
      payload: body(length, i),
      fin: i === n - 1,
    });
    const frames = Array.from({ length: n }, (_, i) => framed(piece(i), "listen"));
    const spy = watch();
    for (const f of frames) server.frames.up(Message.of(f));
    spy.close();
    const taken = spy.allocations.reduce((a, b) => a + b, 0);
    assert.is(server.got[0]?.length, n * length);
    assert.ok(taken <= 6 * n * length + 64 * KIB, `${taken} octets of memory for ${n * length}`);
  }
});

test("what is said to an end is followed by the peer's, and then by the connection's", () => {
  const server = new Ours("listen");
  server.frames.control({ type: "stop" });
  server.feed(framed({ opcode: Opcode.binary, payload: "late" }, "listen"));
  server.frames.control({ type: "end" });
  assert.equal(server.controls, ["stop", "go"]);
  server.feed(framed({ opcode: Opcode.close, payload: NORMAL }, "listen"));
  assert.equal(server.controls, ["stop", "go", "end"]);
  assert.equal(server.got, []);
  assert.is(server.context.stats.dropped["ws: after close"], 1);
});

test.run();
