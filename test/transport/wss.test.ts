/** WebSocket over TLS, and what it shares with WebSocket over TCP: how it opens, in time, and how it ends. */
import { connect, createServer, type Socket } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Element,
  type Event,
  type Layer,
  node,
  open,
  pair0,
  pull,
  rep,
  req,
  type SocketEvents,
  StackError,
  stack,
  tcp,
  WireError,
  ws,
  xpull,
} from "../../runtime/index.js";
import { ca, shows } from "../support/certificates.js";
import { type Stage, staged } from "../support/stage.js";
import { until } from "../support/until.js";

const test = suite("wss");
const server = shows("localhost");
const SOON = { timeout: 10_000 };

type Told = SocketEvents["detached"] | SocketEvents["refused"];

for (const scheme of ["ws", "wss"]) {
  for (const closes of ["dialer", "listener"]) {
    test(
      `over ${scheme} the ${closes} closes, and nobody is told of an error`,
      staged(async (stage) => {
        // A goodbye takes time: each side says it.
        const options = { linger: 5000 };
        const [near, far] = [stage.open(pair0(), options), stage.open(pair0(), options)];
        const secure = scheme === "wss";
        const listener = await near.listen(
          `${scheme}://127.0.0.1:0`,
          secure ? { tls: server } : {},
        );
        const told: Told[] = [];
        for (const socket of [near, far]) {
          socket.on("detached", (e) => told.push(e));
          socket.on("refused", (e) => told.push(e));
        }
        await far.dial(listener.url, secure ? { tls: { ca } } : {}).ready;
        await far.send("here");
        await near.receive(SOON);
        await listener.close();
        await (closes === "dialer" ? far : near).close();
        await until("both to be detached", () => told.length >= 2);
        assert.equal(
          told.slice(0, 2).map(({ error }) => error?.message),
          [undefined, undefined],
        );
      }),
    );
  }
}

/** Stands between two, and changes the last octet of what goes one way, once it is told to. */
async function between(stage: Stage, url: string, way: "up" | "down") {
  const sockets: Socket[] = [];
  const relay = { url: "", change: false };
  const changed = (chunk: Buffer, here: boolean) => {
    if (here && relay.change)
      chunk.writeUInt8(chunk.readUInt8(chunk.length - 1) ^ 1, chunk.length - 1);
    return chunk;
  };
  const between = createServer((near) => {
    const far = connect(Number(new URL(url).port), "127.0.0.1");
    sockets.push(near, far);
    near.on("data", (chunk) => far.write(changed(chunk, way === "up")));
    far.on("data", (chunk) => near.write(changed(chunk, way === "down")));
    for (const s of [near, far]) {
      s.on("error", () => {}).on("close", () => {
        near.destroy();
        far.destroy();
      });
    }
  });
  stage.after(() => {
    between.close();
    for (const s of sockets) s.destroy();
  });
  await new Promise<void>((done) => between.listen(0, "127.0.0.1", done));
  relay.url = `wss://127.0.0.1:${(between.address() as { port: number }).port}`;
  return relay;
}

for (const way of ["up", "down"] as const) {
  test(
    `an octet changed on its way ${way} is told of in the words of tls(), and counted`,
    staged(async (stage) => {
      const [replier, asker] = [stage.open(rep()), stage.open(req())];
      replier.serve((body) => body);
      const { url } = await replier.listen("wss://127.0.0.1:0", { tls: server });
      const relay = await between(stage, url, way);
      const hears = way === "up" ? replier : asker;
      const why: (Error | undefined)[] = [];
      hears.on("detached", ({ error }) => why.push(error));
      asker.dial(relay.url, { tls: { ca } });
      await asker.request("here?", SOON);
      relay.change = true;
      asker.request("still?", SOON).catch(() => {});
      await until("the end of the connection", () => why.length > 0);
      assert.instance(why[0], WireError);
      assert.match(why[0]?.message ?? "", /^tls: tls\.record: /);
      assert.is(hears.stats().malformed["tls.record"], 1);
    }),
  );
}

test(
  "a server that misses our certificate is told of in the words of tls(), though it says so behind the handshake",
  staged(async (stage) => {
    const [replier, asker] = [stage.open(rep()), stage.open(req())];
    const { url } = await replier.listen("wss://127.0.0.1:0", {
      tls: { ...server, ca, requestCert: true },
    });
    const why: Error[] = [];
    asker.on("refused", ({ error }) => why.push(error));
    asker.dial(url, { tls: { ca } });
    await until("a refusal", () => why.length > 0);
    assert.match(
      why[0]?.message ?? "",
      /^tls: the peer (does not accept our certificate|closed right after the handshake)/,
    );
  }),
);

/** A layer whose opening never ends. */
class Mute extends Element {
  override event(e: Event): void {
    if (e.type !== "opened") this.above.event(e);
  }
}
const mute: Layer<"link", "link", "mute"> = {
  name: "mute",
  below: "link",
  above: "link",
  make: () => new Mute(),
};

test(
  "a connection has one deadline for its opening, before the upgrade and behind it",
  staged(async (stage) => {
    let now = 0;
    const timers: { ms: number; late: () => void }[] = [];
    const env = {
      ...node,
      now: () => now,
      timer(ms: number, late: () => void) {
        timers.push({ ms, late });
        return { cancel() {} };
      },
    };
    const socket = stage.open(stack(pull(), xpull(), mute, ws(), tcp()), {
      env,
      openTimeout: 1000,
    });
    const why: Error[] = [];
    socket.on("refused", ({ error }) => why.push(error));
    const { url } = await socket.listen("tcp://127.0.0.1:0");
    const client = connect(Number(new URL(url.replace("tcp", "http")).port), "127.0.0.1");
    client.on("error", () => {});
    stage.after(() => void client.destroy());
    await until("the first deadline", () => timers.length === 1);
    now = 700;
    client.write(
      [
        "GET / HTTP/1.1",
        "Host: here",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: pull.sp.nanomsg.org",
        "\r\n",
      ].join("\r\n"),
    );
    await until("the deadline behind the upgrade", () => timers.length === 2);
    assert.equal(
      timers.map(({ ms }) => ms),
      [1000, 300],
    );
    timers[1]?.late();
    // The client has that long to answer a close frame.
    timers[2]?.late();
    await until("a refusal", () => why.length > 0);
    assert.match(why[0]?.message ?? "", "not open within 1000 ms");
  }),
);

for (const scheme of ["tcp", "tls+tcp", "ws", "wss"]) {
  test(`an address that is none is quoted as it was given, with ${scheme}://`, async () => {
    const socket = open(rep());
    const tls = scheme.includes("tls") || scheme === "wss" ? { tls: { ...server, ca } } : {};
    const quotes = (e: unknown) =>
      e instanceof StackError &&
      e.message.startsWith(`'${scheme}://`) &&
      !e.message.replaceAll(`${scheme}://`, "").includes("://");
    assert.throws(() => socket.dial(`${scheme}://nowhere`, tls), quotes);
    assert.throws(() => socket.dial(`${scheme}://*:0`, tls), quotes);
    await socket.listen(`${scheme}://nowhere:123456`, tls).then(
      () => assert.unreachable(),
      (e) => assert.ok(quotes(e), String(e)),
    );
    await socket.close();
  });
}

test.run();
