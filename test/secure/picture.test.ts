/** [Integrity] -> [Scalability Protocol] -> [Hop-by-hop encryption] -> [Transport], for every pattern. */
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  device,
  Element,
  hop,
  integrity,
  open,
  pull,
  push,
  rep,
  req,
  type Taker as Sink,
  type SocketEvents,
  type Sender as Source,
  stack,
  xpull,
  xpush,
  xrep,
  xreq,
} from "../../runtime/index.js";
import { check } from "../../runtime/stack.js";
import { type Scheme, staged } from "../support/stage.js";
import { until } from "../support/until.js";
import { answerers, askers, layersOf } from "./picture.js";

const test = suite("picture");
const timeout = 10_000;

function body(size: number): Uint8Array {
  const octets = Uint8Array.from({ length: size }, (_, i) => i * 7 + size);
  octets.set(new TextEncoder().encode("topic"));
  return octets;
}

/** Everybody asks, and is answered what was asked; nothing is refused on the way. */
async function converse(sides: ReturnType<typeof askers>): Promise<void> {
  const { replier, responder, pair, neighbour, reader, pusher } = sides;
  for (const size of [5, 100, 200_000]) {
    const octets = body(size);
    assert.equal(await replier.request(octets, { timeout }), octets);
    const { value } = await responder.survey(octets, { surveyTime: timeout }).next();
    assert.equal(value, octets);
    for (const port of [pair, neighbour]) {
      await port.send(octets);
      assert.equal(await port.receive({ timeout }), octets);
    }
    await reader.send("another topic");
    await reader.send(octets);
    assert.equal(await pusher.receive({ timeout }), octets);
  }
  for (const port of Object.values(sides)) assert.equal({ ...port.stats().malformed }, {});
}

for (const scheme of ["tcp", "ipc", "ws"] as const satisfies readonly Scheme[]) {
  test(
    `between two processes over ${scheme}`,
    staged(async (stage) => {
      const sides = askers({ linger: 0 });
      const places = Object.keys(sides).map(() => stage.any(scheme));
      const program = fileURLToPath(new URL("picture.js", import.meta.url));
      const child = stage.start(process.execPath, program, "answer", ...places);
      await until(
        () => `addresses from ${child}`,
        () => child.output.includes("\n"),
      );
      const urls = JSON.parse(child.output.toString()) as Record<string, string>;
      const dialed = Object.entries(sides).map(([name, s]) => s.dial(urls[name] as string).ready);
      await Promise.all(dialed);
      await converse(sides);
      await Promise.all(Object.values(sides).map((s) => s.close()));
    }),
  );
}

test("within a process, over inproc", async () => {
  const [here, there] = [answerers(), askers()];
  for (const [name, socket] of Object.entries(here)) {
    await socket.listen(`inproc://picture-${name}`);
    await there[name as keyof typeof there].dial(`inproc://picture-${name}`).ready;
  }
  await converse(there);
  for (const socket of [...Object.values(here), ...Object.values(there)]) {
    await socket.close({ linger: 0 });
  }
});

test("a device has a hop on either side, and nothing of what is between the ends", async () => {
  const keys = [{ id: 1, secret: new Uint8Array(32).fill(9) }];
  const sealed = (n: number) => hop({ pattern: "NNpsk0", psk: new Uint8Array(32).fill(n) });
  const server = open(stack(integrity({ keys }), rep(), xrep(), sealed(1)));
  server.serve((octets) => octets);
  const { url } = await server.listen("tcp://127.0.0.1:0");
  const front = open(stack(xrep(), sealed(2)));
  const back = open(stack(xreq(), sealed(1)));
  const door = await front.listen("tcp://127.0.0.1:0");
  await back.dial(url).ready;
  let change = false;
  device(front, back, {
    through: (m, from) => {
      if (!change || from !== front) return m;
      const octets = from.body(m).slice();
      octets.set([(octets[0] as number) ^ 1]);
      return from.rewrite(m, octets);
    },
  });
  const client = open(stack(integrity({ keys }), req(), xreq(), sealed(2)));
  client.dial(door.url);
  assert.equal(await client.request("unharmed", { timeout }), new TextEncoder().encode("unharmed"));
  change = true;
  await client.request("harmed", { timeout: 200 }).then(
    () => assert.unreachable("what the device changed was answered"),
    () => {},
  );
  assert.equal({ ...server.stats().malformed }, { "integrity: wrong tag": 1 });
  for (const socket of [client, front, back, server]) await socket.close({ linger: 0 });
});

test("above the protocol a missing layer delivers nothing, and the counter says why", async () => {
  const { signed, sealed } = layersOf("listen");
  const sink = open(stack(signed, pull(), xpull(), sealed));
  const rejected: SocketEvents["rejected"][] = [];
  sink.on("rejected", (e) => rejected.push(e));
  const { url } = await sink.listen("tcp://127.0.0.1:0");
  const source = open(stack(push(), xpush(), layersOf("dial").sealed));
  await source.dial(url).ready;
  for (let i = 0; i < 10; i++) await source.send(`message ${i}`);
  await until("all to be refused", () => sink.stats().malformed["integrity: no trailer"] === 10);
  assert.is(sink.tryReceive(), undefined);
  assert.is(rejected.length, 1, "said once");
  for (const socket of [source, sink]) await socket.close({ linger: 0 });
});

for (const [what, ours, theirs] of [
  ["missing", ["one", "hop"], ["hop"]],
  ["added", ["hop"], ["hop", "two"]],
  ["elsewhere", ["one", "hop"], ["hop", "one"]],
] as const) {
  test(`below the protocol a layer that is ${what} is refused before any opens`, async () => {
    const make = (side: "dial" | "listen", names: readonly string[]) =>
      names.map((name) =>
        name === "hop"
          ? layersOf(side).sealed
          : {
              name,
              below: "link" as const,
              above: "link" as const,
              identity: `${name}@1`,
              make: () => new Element(),
            },
      );
    const sink = open(check([pull(), xpull(), ...make("listen", ours)]) as never) as never as Sink;
    const source = open(
      check([push(), xpush(), ...make("dial", theirs)]) as never,
    ) as never as Source;
    const refused: Error[] = [];
    for (const s of [sink, source]) s.on("refused", ({ error }) => refused.push(error));
    const { url } = await sink.listen("tcp://127.0.0.1:0");
    source.dial(url);
    source.trySend("nobody may hear this");
    await until("both to refuse", () => refused.length >= 2);
    for (const error of refused.slice(0, 2))
      assert.match(error.message, /^stacks differ: .*at the peer|which is not here/);
    assert.is(sink.stats().received, 0);
    for (const s of [source, sink]) await s.close({ linger: 0 });
  });
}

test.run();
