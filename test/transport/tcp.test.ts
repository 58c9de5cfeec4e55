/** TCP addresses: the forms there are, and what is said of those that cannot be. */
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Type } from "../../generated/sp/greeting.js";
import { type Env, node, rep, req, StackError, SystemError, tcp } from "../../runtime/index.js";
import { ca, shows } from "../support/certificates.js";
import { peerTest } from "../support/peers.js";
import { type Stage, staged } from "../support/stage.js";
import { greetingOf, octetsOf } from "../support/stranger.js";
import { until } from "../support/until.js";

const test = suite("tcp");

async function served(stage: Stage, at: string) {
  const socket = stage.open(rep());
  socket.serve((body) => body);
  return { socket, ...(await socket.listen(at)) };
}

async function answers(stage: Stage, url: string): Promise<void> {
  const requester = stage.open(req());
  requester.dial(url);
  assert.is((await requester.request("here?", { timeout: 10_000 })).length, 5);
}

test(
  "port 0 becomes the one that the system chose, over IPv4, IPv6 and for every interface",
  staged(async (stage) => {
    for (const [at, bound] of [
      ["tcp://127.0.0.1:0", /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
      ["tcp://[::1]:0", /^tcp:\/\/\[::1\]:[1-9]\d*$/],
      ["tcp://*:0", /^tcp:\/\/0\.0\.0\.0:[1-9]\d*$/],
      ["tcp://localhost:0", /:[1-9]\d*$/],
    ] as const) {
      const { url } = await served(stage, at);
      assert.match(url, bound);
      await answers(stage, url.replace("0.0.0.0", "127.0.0.1"));
    }
  }),
);

test(
  "facts of a connection name both ends",
  staged(async (stage) => {
    for (const at of ["tcp://127.0.0.1:0", "tcp://[::1]:0"]) {
      const { url, socket } = await served(stage, at);
      const far: unknown[] = [];
      socket.on("attached", ({ pipe }) => far.push(pipe.facts.remote));
      const { facts } = await stage.open(req()).dial(url).ready;
      assert.is(`tcp://${facts.remote}`, url);
      await until("the connection at the other end", () => far.length === 1);
      assert.is(far[0], facts.local);
    }
  }),
);

test(
  "an address in use is refused, and free again when its listener has closed, though its connections stay",
  staged(async (stage) => {
    const { url, close, socket } = await (async () => {
      const socket = stage.open(rep());
      socket.serve((body) => body);
      const listener = await socket.listen("tcp://127.0.0.1:0");
      return { socket, url: listener.url, close: () => listener.close() };
    })();
    const requester = stage.open(req());
    await requester.dial(url).ready;
    await stage
      .open(rep())
      .listen(url)
      .then(
        () => assert.unreachable(),
        (error) => {
          assert.instance(error, SystemError);
          assert.is(error.system, "EADDRINUSE");
          assert.match(error.message, url.slice("tcp://".length));
        },
      );
    await close();
    await stage.open(rep()).listen(url);
    assert.is((await requester.request("still", { timeout: 10_000 })).length, 5);
    assert.is(socket.stats().detached, 0);
  }),
);

test(
  "an address that is none is said at once, with one that is",
  staged(async (stage) => {
    const socket = stage.open(req());
    const nobody = "names nobody to connect to: give host and port";
    const form = "is not tcp://HOST:PORT, as tcp://127.0.0.1:5555 or tcp://[::1]:5555";
    for (const [url, sentence] of [
      ["tcp://127.0.0.1", form],
      ["tcp://127.0.0.1:65536", form],
      ["tcp://127.0.0.1:http", form],
      ["tcp://::1:5555", form],
      ["tcp://a b:5555", form],
      ["tcp://host:5555/path", form],
      ["tcp://eth0;10.0.0.1:5555", form],
      ["tcp://127.0.0.1:0", nobody],
      ["tcp://*:5555", nobody],
      ["tcp://:5555", nobody],
      ["udp://127.0.0.1:5555", "begins with no known scheme; known are"],
    ] as const) {
      assert.throws(
        () => socket.dial(url),
        (error: unknown) => error instanceof StackError && error.message.includes(sentence),
        url,
      );
    }
  }),
);

test(
  "a listener where nobody may bind, and a name that is none, are the system's refusals",
  staged(async (stage) => {
    await stage
      .open(rep())
      .listen("tcp://192.0.2.1:5555")
      .then(
        () => assert.unreachable(),
        (error) => assert.is((error as SystemError).system, "EADDRNOTAVAIL"),
      );
    const socket = stage.open(req());
    const heard: unknown[] = [];
    socket.on("refused", ({ error }) => heard.push(error));
    socket.dial("tcp://name.invalid:5555");
    await until("a refusal", () => heard.length > 0, 30_000);
    assert.instance(heard[0], SystemError);
    assert.match((heard[0] as SystemError).system, /^(ENOTFOUND|EAI_AGAIN)$/);
  }),
);

test(
  "a dialer comes back when whom it reached was a stranger, and has its answer once a good peer is there",
  staged(async (stage) => {
    const { createServer } = await import("node:net");
    const says = [octetsOf("48 54 54 50 2f 31 2e 31"), greetingOf(Type.push), new Uint8Array(0)];
    const url = await stage.free("tcp");
    const port = Number(url.slice(url.lastIndexOf(":") + 1));
    const server = createServer((connection) => {
      connection.on("error", () => {});
      connection.end(says.shift() ?? "");
      if (says.length === 0) server.close();
    });
    stage.after(() => server.close());
    await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
    const socket = stage.open(req());
    const heard: string[] = [];
    socket.on("refused", ({ error }) => heard.push(error.message));
    socket.dial(url);
    const reply = socket.request("anybody?", { timeout: 20_000 });
    await until("three refusals", () => heard.length >= 3);
    assert.match(heard[0] ?? "", "sp.greeting.magic");
    assert.match(heard[1] ?? "", "the peer's protocol is 0x50; req (0x30) talks to 0x31");
    assert.match(heard[2] ?? "", "closed before it was open");
    await served(stage, url);
    assert.is((await reply).length, 8);
  }),
);

/** Seconds until the system asks for the peer, of each end of connections to a TCP port; undefined: never. */
function asking(port: number): (number | undefined)[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const rows = readFileSync("/proc/net/tcp", "utf8").trim().split("\n").slice(1);
  return rows.flatMap((row) => {
    const [, local = "", remote = "", state, , timer = ""] = row.trim().split(/\s+/);
    if (state !== "01" || !`${local} ${remote}`.includes(`:${hex}`)) return [];
    const [kind, ticks = ""] = timer.split(":");
    return [kind === "02" ? Number.parseInt(ticks, 16) / 100 : undefined];
  });
}

const certificate = shows("localhost");
for (const [scheme, options] of [
  ["tcp", {}],
  ["ws", {}],
  ["tls+tcp", { tls: { ca, ...certificate } }],
] as const) {
  peerTest(
    test,
    "Linux's /proc/net/tcp",
    `the system asks both ends of ${scheme}:// whether the other is there, after 30 s, or as told, or not`,
    staged(async (stage) => {
      for (const [tcp, least, most] of [
        [undefined, 29, 30],
        [{ keepAlive: 5000 }, 4, 5],
        [{ keepAlive: false }, undefined, undefined],
      ] as const) {
        const settings = tcp === undefined ? options : { ...options, tcp };
        const socket = stage.open(rep());
        const { url } = await socket.listen(`${scheme}://127.0.0.1:0`, settings);
        const at = url.replace("127.0.0.1", "localhost");
        await stage.open(req()).dial(at, settings).ready;
        const port = Number(/:(\d+)/.exec(url)?.[1]);
        // What was written last has been acknowledged, and the system waits for nothing else.
        await until(
          () => `${asking(port)} s`,
          () => {
            const ends = asking(port);
            const right = ends.filter((s) =>
              least === undefined ? s === undefined : s !== undefined && s > least && s <= most,
            );
            return ends.length === 2 && right.length === 2;
          },
        );
      }
    }),
  );
}

test("options of tcp that are none are refused, with those that are", () => {
  for (const keepAlive of [0, 999, -1, Number.NaN, Infinity, true as never, "5" as never]) {
    assert.throws(
      () => tcp({ keepAlive }),
      `tcp.keepAlive is milliseconds from 1000 to 32767000; not ${keepAlive}`,
    );
  }
  for (const backlog of [0, 1.5]) {
    assert.throws(
      () => tcp({ backlog }),
      `tcp.backlog is a whole number, 1 or more; not ${backlog}`,
    );
  }
});

test(
  "a listener's backlog is as told",
  staged(async (stage) => {
    const asked: unknown[] = [];
    const env: Env = {
      ...node,
      net: {
        ...node.net,
        listen: (where, accept, lend, settings) => {
          asked.push(settings?.backlog);
          return node.net.listen(where, accept, lend, settings);
        },
      },
    };
    const socket = stage.open(rep(), { env });
    await socket.listen("tcp://127.0.0.1:0");
    await socket.listen("tcp://127.0.0.1:0", { tcp: { backlog: 7 } });
    assert.equal(asked, [1024, 7]);
  }),
);

test.run();
