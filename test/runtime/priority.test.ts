/** Priorities: who is sent to, and who is heard, before others. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  node,
  open,
  pair1,
  pull,
  push,
  req,
  type Sender,
  xpair1,
  xpull,
  xpush,
  xreq,
} from "../../runtime/index.js";
import type { Layer } from "../../runtime/layer.js";
import { Exchange } from "../../runtime/message.js";
import { Rig } from "../laws/rig.js";

const test = suite("priority");
const text = (octets: Uint8Array): string => new TextDecoder().decode(octets);
const world = () => ({ ...node, names: new Map() });

const choosing: readonly (readonly [string, () => Layer[]])[] = [
  ["push", () => [push(), xpush()]],
  ["req", () => [req(), xreq()]],
];

for (const [name, layers] of choosing) {
  test(`${name} sends to the best who are ready, each in its turn, and to others only when no better one is`, () => {
    const rig = new Rig(layers());
    const ranks = [16, 2, 2, 8, 2, 1];
    const fars = ranks.map((send) => rig.attach(undefined, undefined, { send }));
    const [last, a, b, middle, c, first] = fars as [
      (typeof fars)[0],
      (typeof fars)[0],
      (typeof fars)[0],
      (typeof fars)[0],
      (typeof fars)[0],
      (typeof fars)[0],
    ];
    const took = () => {
      const before = fars.map((f) => f.took.length);
      for (let i = 0; i < 6; i++) rig.send(Uint8Array.of(i), new Exchange());
      return fars.map((f, i) => f.took.length - (before[i] as number));
    };
    assert.equal(took(), [0, 0, 0, 0, 0, 6]);
    first.turn(false);
    assert.equal(took(), [0, 2, 2, 0, 2, 0]);
    b.turn(false);
    assert.equal(took(), [0, 3, 0, 0, 3, 0]);
    first.turn(true);
    assert.equal(took(), [0, 0, 0, 0, 0, 6]);
    for (const far of [first, a, c]) far.turn(false);
    assert.equal(took(), [0, 0, 0, 6, 0, 0]);
    middle.turn(false);
    assert.equal(took(), [6, 0, 0, 0, 0, 0]);
    last.turn(false);
    assert.ok(rig.stopped);
    b.turn(true);
    assert.not(rig.stopped);
    assert.equal(took(), [0, 0, 6, 0, 0, 0]);
  });
}

test("a connection that goes takes its priority with it", () => {
  const rig = new Rig([push(), xpush()]);
  const [best, other] = [1, 2].map((send) => rig.attach(undefined, undefined, { send }));
  best?.close();
  rig.send(Uint8Array.of(1));
  assert.is(other?.took.length, 1);
  const again = rig.attach(undefined, undefined, { send: 1 });
  rig.send(Uint8Array.of(2));
  assert.is(again.took.length, 1);
});

test("when the application goes on, the best are told first, and of one priority each in its turn", () => {
  const rig = new Rig([pull(), xpull()]);
  const went: number[] = [];
  // Each has a message, and after three the application has enough.
  for (const [i, receive] of [8, 1, 16, 1].entries()) {
    const far = rig.attach(undefined, undefined, { receive });
    far.control = (c) => {
      if (c.type === "go" && went.push(i) % 3 === 0) rig.top.control({ type: "stop" });
    };
  }
  rig.top.control({ type: "stop" });
  for (let n = 0; n < 3; n++) rig.top.control({ type: "go" });
  assert.equal(went, [1, 3, 0, 3, 1, 0, 1, 3, 0]);
});

test("while the application takes nothing, what waits is heard from the best first", async () => {
  const env = world();
  const puller = open(pull(), { env, recvBuffer: 1 });
  const pushers: Sender[] = [];
  for (const [i, receive] of [8, 1, 16, 1].entries()) {
    const pusher = open(push(), { env });
    await pusher.listen(`inproc://${i}`);
    await puller.dial(`inproc://${i}`, { priority: { receive } }).ready;
    for (let k = 0; k < 3; k++) await pusher.send(`${i}`);
    pushers.push(pusher);
  }
  const got: string[] = [];
  for (let k = 0; k < 12; k++) got.push(text(await puller.receive()));
  // The first had come before anybody waited.
  assert.match(got.join(""), /^0(?=[13]{6}00222$)(?!1{3}|3{3})/);
  await Promise.all([puller, ...pushers].map((s) => s.close()));
});

test("who dials and who listens says it at the address; the better address is taken, and the other when it is lost", async () => {
  const env = world();
  const pusher = open(push(), { env });
  const [best, other] = [open(pull(), { env }), open(pull(), { env })];
  await best.listen("inproc://best");
  await pusher.listen("inproc://other", { priority: { send: 9 } });
  await other.dial("inproc://other").ready;
  await pusher.dial("inproc://best", { priority: { send: 2 } }).ready;
  for (let i = 0; i < 3; i++) await pusher.send("to the best");
  for (let i = 0; i < 3; i++) assert.is(text(await best.receive()), "to the best");
  const lost = new Promise<void>((done) => void pusher.on("detached", () => done()));
  await best.close();
  await lost;
  await pusher.send("to the other");
  assert.is(text(await other.receive()), "to the other");
  await Promise.all([pusher.close(), other.close()]);
});

test("a priority that is none is refused, by dial and by listen", async () => {
  const socket = open(pair1());
  for (const priority of [{ send: 0 }, { send: 17 }, { receive: 1.5 }, { receive: Number.NaN }]) {
    const sentence = /^priority\.(send|receive) is a whole number from 1 to 16; not /;
    assert.throws(() => socket.dial("tcp://127.0.0.1:1", { priority }), sentence);
    const refused = await socket.listen("tcp://127.0.0.1:0", { priority }).catch((e) => e);
    assert.instance(refused, RangeError);
    assert.match(refused.message, sentence);
  }
  await socket.close();
});

test("raw sockets have priorities too", () => {
  for (const raw of [xpush(), xpair1(), xpull()]) {
    const rig = new Rig([raw]);
    assert.is(rig.attach(undefined, undefined, { send: 1, receive: 16 }).stopped, false);
  }
});

test.run();
