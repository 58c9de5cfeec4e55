/** Many connections, one block: the same octets for each as if it were alone, and in the same order. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BLOCK } from "../../runtime/block.js";
import { Hub, Pipe } from "../../runtime/hub.js";
import { bus, open, pub, sp, spIpc, sub } from "../../runtime/index.js";
import { CLOSE, type Control, Element, END, type Layer } from "../../runtime/layer.js";
import { Message } from "../../runtime/message.js";
import { joined } from "../laws/octets.js";
import { surroundings } from "../laws/still.js";
import { until } from "../support/until.js";

const test = suite("multicast");
const RULE = "takes no more";
const body = (...octets: number[]) => Uint8Array.from(octets);
/** Behind its length, as SP over TCP has it. */
const framed = (...octets: number[]) => [0, 0, 0, 0, 0, 0, 0, octets.length, ...octets];

class Spreading extends Hub {
  override down(m: Message): void {
    this.spread(m, RULE);
  }
}

/** What a connection is written to; it may stop while it takes something. */
class Wire extends Element {
  readonly written: Uint8Array[][] = [];
  readonly told: (Control["type"] | "octets")[] = [];
  stopsNext = false;

  override down(m: Message): void {
    this.written.push(m.segments());
    this.told.push("octets");
    if (!this.stopsNext) return;
    this.stopsNext = false;
    this.above.event({ type: "stop" });
  }

  override control({ type }: Control): void {
    this.told.push(type);
  }

  get octets(): number[] {
    return [...joined(this.written.flat())];
  }
}

/** A hub over `sp` over nothing. */
function crowd() {
  const context = surroundings({ side: "listen" });
  const { env, slab, stats } = context;
  const hub = new Spreading(context, undefined, false);
  const layer: Layer = sp();
  const join = () => {
    const wire = new Wire();
    const framing = layer.make?.(context) as Element;
    const alike = { layers: [layer], below: wire, context };
    const pipe = new Pipe(hub, { attached() {}, closed() {} }, alike);
    pipe.below = framing;
    framing.below = wire;
    framing.above = wire.above = pipe;
    pipe.event({ type: "opened", facts: {} });
    return { wire, pipe };
  };
  const send = (octets: Uint8Array) => hub.down(Message.around(octets, 64, slab));
  return { hub, env, stats, join, send };
}

test("what came by another hub's connection is shared as well; by one of these it is for the others", () => {
  const { hub, env, join } = crowd();
  const { pipe: foreign } = crowd().join();
  const all = [join(), join(), join()];
  const came = (by: Pipe) => {
    const m = Message.of(body(9));
    m.pipe = by;
    hub.down(m);
    env.settle();
  };
  came(foreign);
  // One by one each would have a header, and behind it the body.
  for (const { wire } of all) {
    assert.equal(wire.octets, framed(9));
    assert.is(wire.written[0]?.length, 1);
  }
  came(all[1]?.pipe as Pipe);
  assert.equal(
    all.map(({ wire }) => wire.written.length),
    [2, 1, 2],
  );
});

test("what a tick brings is made octets once, and each gets it as one run that all share", () => {
  const { env, stats, join, send } = crowd();
  const all = [join(), join(), join()];
  send(body(1));
  send(body(2, 3));
  for (const { wire } of all) assert.is(wire.written.length, 0);
  env.settle();
  for (const { wire } of all) {
    assert.equal(wire.octets, [...framed(1), ...framed(2, 3)]);
    assert.is(wire.written.length, 1);
    assert.ok(wire.written[0]?.[0]?.buffer === all[0]?.wire.written[0]?.[0]?.buffer);
  }
  assert.equal([stats.copies, stats.copiedOctets], [2, 3], "copied for all as for one");
});

test("a full block is handed on at once", () => {
  const { env, join, send } = crowd();
  const { wire } = join();
  join();
  const octets = new Uint8Array(1000);
  let n = 0;
  for (; wire.written.length === 0 && n < BLOCK; n++) send(octets);
  assert.is(n, Math.ceil(BLOCK / 1008));
  env.settle();
  assert.is(wire.written.length, 1, "and not again");
});

test("who comes later does not get what was said before, and who stops gets what he took", () => {
  const { env, stats, join, send } = crowd();
  const [a, b] = [join(), join()];
  send(body(1));
  const c = join();
  send(body(2));
  a.pipe.event({ type: "stop" });
  send(body(3));
  b.wire.stopsNext = true;
  env.settle();
  send(body(4));
  a.pipe.event({ type: "go" });
  send(body(5));
  env.settle();
  assert.equal(a.wire.octets, [...framed(1), ...framed(2), ...framed(5)]);
  assert.equal(b.wire.octets, [...framed(1), ...framed(2), ...framed(3)]);
  assert.equal(c.wire.octets, [...framed(2), ...framed(3), ...framed(4), ...framed(5)]);
  assert.equal({ ...stats.dropped }, { [RULE]: 4 }, "3 and 4 missed a, 4 and 5 missed b");
});

test("what is given to one alone comes behind what was given to all", () => {
  const { env, hub, join, send } = crowd();
  const [a, b] = [join(), join()];
  send(body(1));
  const onward = Message.around(body(2), 64, hub.context.slab);
  onward.pipe = a.pipe;
  hub.down(onward);
  send(body(3));
  env.settle();
  assert.equal(a.wire.octets, [...framed(1), ...framed(3)]);
  assert.equal(b.wire.octets, [...framed(1), ...framed(2), ...framed(3)]);
});

test("the end comes behind what was given to all; the last one left is no group", () => {
  const { env, hub, join, send } = crowd();
  const [a, b] = [join(), join()];
  send(body(1));
  b.pipe.event({ type: "closed" });
  send(body(2));
  hub.control(END);
  env.settle();
  hub.control(CLOSE);
  assert.equal(a.wire.told, ["octets", "octets", "end", "close"]);
  assert.equal(a.wire.octets, [...framed(1), ...framed(2)]);
  assert.equal(b.wire.octets, [...framed(1)]);
});

test("layers that say they are alike make the same octets for each", () => {
  for (const layer of [sp(), spIpc()] as Layer[]) {
    assert.is(layer.alike, true);
    const made = [1, 2].map(() => {
      const context = surroundings();
      const [element, wire] = [layer.make?.(context) as Element, new Wire()];
      element.below = wire;
      for (const n of [0, 1, 70_000]) {
        element.down(Message.around(new Uint8Array(n), 64, context.slab));
      }
      return wire.octets;
    });
    assert.equal(made[0], made[1]);
  }
});

for (const scheme of ["tcp", "ipc"]) {
  test(`over ${scheme} a publisher copies a message once for all who dialed it`, async () => {
    const publisher = open(pub());
    const any = scheme === "tcp" ? "tcp://127.0.0.1:0" : `ipc:///tmp/multicast-${process.pid}`;
    const { url } = await publisher.listen(any);
    const readers = [1, 2, 3].map(() => open(sub()));
    for (const reader of readers) {
      reader.subscribe("");
      await reader.dial(url).ready;
    }
    await until("three readers", () => publisher.stats().attached === 3);
    const before = publisher.stats().copies;
    for (const n of [1, 2, 3]) await publisher.send(new Uint8Array(200).fill(n));
    for (const reader of readers) {
      for (const n of [1, 2, 3]) {
        assert.equal(await reader.receive({ timeout: 10_000 }), new Uint8Array(200).fill(n));
      }
    }
    assert.is(publisher.stats().copies - before, 3);
    await Promise.all([publisher, ...readers].map((s) => s.close()));
  });
}

test("what was said in the last tick before the end reaches everybody", async () => {
  const speaker = open(bus());
  const { url } = await speaker.listen("tcp://127.0.0.1:0");
  const hearers = [1, 2].map(() => open(bus()));
  for (const hearer of hearers) await hearer.dial(url).ready;
  await until("both", () => speaker.stats().attached === 2);
  const heard = hearers.map((hearer) => hearer.receive({ timeout: 10_000 }));
  speaker.trySend("last words");
  await speaker.close();
  for (const octets of await Promise.all(heard)) assert.is(`${Buffer.from(octets)}`, "last words");
  await Promise.all(hearers.map((hearer) => hearer.close()));
});

test.run();
