/** Who sends without end lets others live: timers, connections, and the peer who is slow. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as greeting from "../../generated/sp/greeting.js";
import * as length from "../../generated/sp/tcp.js";
import type { Connection, Env } from "../../runtime/env.js";
import { node, open, pair0, push } from "../../runtime/index.js";

const test = suite("flush");

/** Listens at a port of the system's choice. */
async function serve(accept: (s: Socket) => void): Promise<[Server, number]> {
  const server = createServer({ noDelay: true }, accept);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return [server, (server.address() as { port: number }).port];
}

/** Node's world; notes how many octets each write has. */
function spied(writes: number[]): Env {
  const noting = (c: Connection): Connection => ({
    local: c.local,
    remote: c.remote,
    write(segments) {
      writes.push(segments.reduce((n, s) => n + s.length, 0));
      return c.write(segments);
    },
    pause: () => c.pause(),
    resume: () => c.resume(),
    end: () => c.end(),
    destroy: () => c.destroy(),
  });
  return {
    ...node,
    net: {
      connect: (where, to) =>
        node.net.connect(where, {
          opened: (c) => to.opened(noting(c)),
          octets: (chunk) => to.octets(chunk),
          drained: () => to.drained(),
          ended: () => to.ended(),
          closed: (error) => to.closed(error),
        }),
      listen: (where, accept) => node.net.listen(where, accept),
    },
  };
}

test("a loop of sends to a slow peer keeps timers running, and fills its writes", async () => {
  let received = 0;
  const [server, port] = await serve((s) => {
    const hello = new Uint8Array(greeting.MAX);
    greeting.write(new DataView(hello.buffer), 0, greeting.Type.pull, greeting.Stack.plain);
    s.write(hello);
    s.on("data", (chunk) => {
      received += chunk.length;
      // One chunk, and then it does something else.
      s.pause();
      setImmediate(() => setImmediate(() => s.resume()));
    });
    s.on("error", () => {});
  });
  const writes: number[] = [];
  const socket = open(push(), { env: spied(writes) });
  await socket.dial(`tcp://127.0.0.1:${port}`).ready;
  let fired = 0;
  const timer = setInterval(() => fired++, 1);
  const message = new Uint8Array(64);
  let sent = 0;
  try {
    // A loop that starved the timer would go on to its end.
    for (; fired < 30 && sent < 2_000_000; sent++) await socket.send(message);
    assert.ok(fired >= 30, `the timer ran ${fired} times`);
  } finally {
    clearInterval(timer);
    await socket.close();
    server.close();
  }
  const messages = (received - greeting.MAX) / (length.MAX + message.length);
  assert.is(messages, sent, "close() flushed the rest");
  const mean = messages / writes.length;
  assert.ok(mean >= 100, `${mean} messages in a write`);
});

test("two who answer each other over inproc leave time for a timer and for TCP", async () => {
  const TRIPS = 1_000_000;
  const SPANS = 20;
  const [server, port] = await serve((s) => s.on("error", () => {}).pipe(s));
  const client = connect({ port, host: "127.0.0.1", noDelay: true });
  let [echoes, fired] = [0, 0];
  client.on("data", () => {
    echoes++;
    client.write("ping");
  });
  client.write("ping");
  const timer = setInterval(() => fired++, 1);
  const [a, b] = [open(pair0()), open(pair0())];
  try {
    await b.listen("inproc://flush/echo");
    await a.dial("inproc://flush/echo").ready;
    const echoing = (async () => {
      for await (const ball of b) await b.send(ball);
    })();
    let ball: Uint8Array = new Uint8Array(8);
    for (let span = 0; span < SPANS; span++) {
      const before = [echoes, fired] as const;
      for (let i = 0; i < TRIPS / SPANS; i++) {
        await a.send(ball);
        ball = await a.receive();
      }
      assert.ok(echoes > before[0], "TCP was served");
      assert.ok(fired > before[1], "the timer was served");
    }
    await Promise.all([a.close(), b.close()]);
    await echoing;
  } finally {
    clearInterval(timer);
    client.destroy();
    server.close();
  }
});

test.run();
