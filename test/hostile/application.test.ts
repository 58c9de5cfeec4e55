/** What the application does wrong, and a peer that is slow: neither may end a socket, or fill memory. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Type } from "../../generated/sp/greeting.js";
import {
  CancelledError,
  device,
  hop,
  node,
  pub,
  pull,
  push,
  rep,
  req,
  type SocketEvents,
  stack,
  sub,
  xpub,
  xpull,
  xpush,
  xsub,
} from "../../runtime/index.js";
import { SCHEMES, staged } from "../support/stage.js";
import { Stranger } from "../support/stranger.js";
import { until } from "../support/until.js";
import { nothingThrown } from "./calm.js";
import { target, textOf } from "./target.js";

const test = nothingThrown(suite("application"));

const boom = new Error("boom");
const fail = (): never => {
  throw boom;
};

test(
  "a handler that throws, rejects or answers with nonsense answers nothing; `error` tells, and the next request is answered",
  staged(async (stage) => {
    const socket = stage.open(rep());
    const errors: unknown[] = [];
    socket.on("error", ({ error }) => errors.push(error));
    socket.serve((body) => {
      const said = textOf(body);
      if (said === "throw") throw boom;
      if (said === "reject") return Promise.reject(boom);
      if (said === "nonsense") return 42 as never;
      if (said === "later nonsense") return Promise.resolve(undefined as never);
      return body;
    });
    const { url } = await socket.listen(stage.any("tcp"));
    const requester = stage.open(req());
    await requester.dial(url).ready;
    const bad = ["throw", "reject", "nonsense", "later nonsense"];
    for (const said of bad) requester.request(said, { timeout: 60_000 }).catch(() => {});
    assert.is(textOf(await requester.request("well?", { timeout: 10_000 })), "well?");
    await until("four errors", () => errors.length === 4);
    assert.is(errors.filter((error) => error === boom).length, 2);
    assert.is(errors.filter((error) => error instanceof TypeError).length, 2);
    assert.is(socket.stats().detached, 0);
  }),
);

test(
  "listeners that throw are heard of by `error`, and the socket goes on",
  staged(async (stage) => {
    const socket = stage.open(pull());
    const errors: unknown[] = [];
    for (const name of ["attached", "detached", "refused"] as const) socket.on(name, fail);
    socket.on("error", ({ error }) => errors.push(error));
    const t = await target(stage, "tcp", socket);
    (await t.greet(Type.pull)).close();
    await until("a refusal", () => errors.length === 1);
    const stranger = await t.greet(Type.push);
    await stranger.message(Buffer.from("one"));
    assert.is(textOf(await socket.receive({ timeout: 10_000 })), "one");
    stranger.close();
    await until("the end of the connection", () => errors.length === 3);
    assert.equal(errors, [boom, boom, boom]);
  }),
);

test(
  "without a listener for `error`, and where that one throws, the process is warned and goes on",
  staged(async (stage) => {
    const reported: unknown[] = [];
    const env = { ...node, report: (error: unknown) => void reported.push(error) };
    const socket = stage.open(pull(), { env });
    socket.on("attached", fail);
    const t = await target(stage, "tcp", socket);
    await t.greet(Type.push);
    await until("a report", () => reported.length === 1);
    const worse = new Error("worse");
    socket.on("error", () => {
      throw worse;
    });
    await t.greet(Type.push);
    await until("another report", () => reported.length === 2);
    assert.equal(reported, [boom, worse]);
  }),
);

test(
  "a socket may be closed from any of its own events",
  staged(async (stage) => {
    for (const name of ["attached", "detached", "refused"] as const) {
      const socket = stage.open(pull());
      let closed: Promise<void> | undefined;
      socket.on(name as keyof SocketEvents, () => {
        closed = socket.close();
      });
      const { url } = await socket.listen(stage.any("tcp"));
      const stranger = await Stranger.greet(url, name === "refused" ? Type.pull : Type.push);
      if (name === "detached") stranger.close();
      await until(`${name}`, () => closed !== undefined);
      await closed;
      await stranger.ended();
    }
  }),
);

test(
  "what a device's `through` throws rejects the device, and not the process",
  staged(async (stage) => {
    const ends = [stage.open(xpull()), stage.open(xpush())] as const;
    const end = device(...ends, { through: fail });
    const t = await target(stage, "tcp", ends[0]);
    await (await t.greet(Type.push)).message(Buffer.from("x"));
    await end.then(
      () => assert.unreachable(),
      (error) => assert.is(error, boom),
    );
  }),
);

for (const scheme of SCHEMES) {
  test(
    `all that came over ${scheme} before the peer's end is received, however slow the application`,
    staged(async (stage) => {
      const COUNT = 100;
      const socket = stage.open(pull(), { recvBuffer: 3 });
      const t = await target(stage, scheme, socket);
      const stranger = await t.greet(Type.push);
      const numbers = Array.from({ length: COUNT }, (_, i) => `${i}`);
      const all = numbers.map((n) => stranger.framed(Buffer.from(n)));
      await stranger.send(Buffer.concat(all));
      await until("the socket to stop reading", () => socket.stats().received === 3);
      await stranger.end();
      const got: string[] = [];
      while (got.length < COUNT) {
        got.push(textOf(await socket.receive({ timeout: 10_000 })));
        // Room for what else happens: the peer's end is one of those things.
        await new Promise((turn) => setImmediate(turn));
      }
      assert.equal(got, numbers);
      await stranger.ended();
      assert.is(t.detached[0]?.error, undefined);
    }),
  );

  test(
    `to a peer over ${scheme} that reads nothing only so much is sent; what was aborted is not, the rest arrives in order`,
    staged(async (stage) => {
      const SIZE = 1000;
      const socket = stage.open(push());
      const t = await target(stage, scheme, socket);
      const stranger = await t.greet(Type.pull);
      stranger.pause();
      await until("the peer", () => socket.stats().attached === 1);
      const body = (n: number) => Buffer.from(`${n} `.padEnd(SIZE));
      let sent = 0;
      // A turn of the loop without room: nobody reads, so there will be none.
      for (let full = 0; full < 20; ) {
        if (socket.trySend(body(sent))) {
          sent++;
          full = 0;
          assert.ok(sent * SIZE < 32 * 2 ** 20, "there is no end to what is taken");
        } else {
          full++;
          await new Promise((turn) => setImmediate(turn));
        }
      }
      const abort = new AbortController();
      const aborted = socket.send("never", { signal: abort.signal });
      const waiting = [0, 1, 2].map((i) => socket.send(body(sent + i)));
      abort.abort();
      await aborted.then(
        () => assert.unreachable(),
        (error) => assert.instance(error, CancelledError),
      );
      stranger.resume();
      await Promise.all(waiting);
      const last = sent + 2;
      await until("all of it", () => stranger.messages.length === last + 1);
      const numbers = stranger.messages.map((m) => Number.parseInt(textOf(m), 10));
      assert.equal(
        numbers,
        Array.from({ length: last + 1 }, (_, i) => i),
      );
    }),
  );
}

test(
  "a topic or a secret that is written to later stays what it was when it was given, also of a Buffer",
  staged(async (stage) => {
    const [topic, psk] = [Buffer.from("weather"), Buffer.alloc(32, 5)];
    const secured = hop({ pattern: "NNpsk0", psk });
    const reader = stage.open(stack(sub(), xsub(), secured));
    reader.subscribe(topic);
    topic.fill(0);
    psk.fill(0);
    const { url } = await reader.listen(stage.any("tcp"));
    const kept = hop({ pattern: "NNpsk0", psk: Buffer.alloc(32, 5) });
    const station = stage.open(stack(pub(), xpub(), kept));
    await station.dial(url).ready;
    await station.send("weather: sunny");
    assert.is(textOf(await reader.receive({ timeout: 10_000 })), "weather: sunny");
  }),
);

test(
  "a call that runs out of time says why there is no connection, and no more when there is one",
  staged(async (stage) => {
    const wrong = stage.open(push());
    const { url } = await wrong.listen(stage.any("tcp"));
    const requester = stage.open(req());
    requester.dial(url);
    await until("a refusal", () => requester.stats().refused > 0);
    const late = await requester.request("anybody?", { timeout: 1 }).catch((e: Error) => e);
    const why =
      "request: no reply within 1 ms; the last connection was refused: the peer's protocol is 0x50";
    assert.ok((late as Error).message.startsWith(why), String(late));
    assert.match(requester.stats().refusal, /req \(0x30\) talks to 0x31/);

    const right = stage.open(rep());
    const other = await right.listen(stage.any("tcp"));
    await requester.dial(other.url).ready;
    await until("no more refusals for now", () => requester.stats().refusal === "");
    const slow = await requester.request("hello?", { timeout: 1 }).catch((e: Error) => e);
    assert.match((slow as Error).message, /^request: no reply within 1 ms(;|$)/);
  }),
);

test.run();
