// timeout: 120
/** The browser build in Chromium: with sockets of ours, and with nngcat; and Chromium's own WebSocket with our layer. */
import { createServer } from "node:http";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type Link,
  opcodes,
  open,
  PeerError,
  pair0,
  pub,
  pull,
  type Replier,
  rep,
  type SocketEvents,
  stack,
  Utf8,
  ws,
} from "../../runtime/index.js";
import { fileOf, nngcat, OPPOSITE, received } from "../interop/foreign.js";
import { bodyOf } from "../support/body.js";
import { shows } from "../support/certificates.js";
import { installed, peerTest } from "../support/peers.js";
import { type Stage, staged } from "../support/stage.js";
import { until } from "../support/until.js";
import { bundled, Page } from "./page.js";
import { layers, play, type Role } from "./play.js";
import type { Script } from "./script.js";

// In the page.
declare const page: Script;
declare class Worker {
  constructor(url: string);
  onmessage: (e: { readonly data: string }) => void;
  postMessage(said: string): void;
  terminate(): void;
}

const test = suite("chromium");
const MiB = 2 ** 20;
const SOON = { timeout: 20_000 };
const tls = shows("localhost");

let starting: Promise<Page> | undefined;
/** One Chromium is enough for all. */
const started = (): Promise<Page> => (starting ??= Page.open());
test.after(async () => (await starting)?.close());

/** A test with a page, a stage, and perhaps another program: of those that are missing the first is named. */
function paged(
  name: string,
  run: (page: Page, stage: Stage) => Promise<void>,
  ...tools: readonly string[]
): void {
  const needed = ["chromium", ...tools];
  const tool = needed.find((each) => !installed(each)) ?? "chromium";
  peerTest(
    test,
    tool,
    name,
    staged(async (stage) => run(await started(), stage)),
  );
}

const opposite = (role: Role): Role => (role === "star" ? role : OPPOSITE[role]);
/** Whose protocol header counts towards the limit. */
const HEADED = /^(req|rep|surveyor|respondent|pair1|star)$/;
const sizesOf = (role: Role) => [0, 1, 64 * 1024, MiB - (HEADED.test(role) ? 4 : 0)];
const [THEIRS, OURS] = [1, 2];

/** Who drops what a connection does not take: over TLS that is less than these bodies at once. */
const DROPS = /^(pub|sub|bus|star)$/;

for (const scheme of ["ws", "wss"] as const) {
  for (const role of Object.keys(layers) as Role[]) {
    const other = opposite(role);
    paged(`${role} in a page and ${other} here, over ${scheme}`, async ({ origin, tab }, stage) => {
      const options = { ws: { origins: [origin] }, ...(scheme === "wss" ? { tls } : {}) };
      const all = sizesOf(role);
      const runs = scheme === "wss" && DROPS.test(role) ? all.map((n) => [n]) : [all];
      for (const sizes of runs) {
        const here = stage.open(layers[other]() as ReturnType<typeof pair0>);
        const { url } = await here.listen(`${scheme}://127.0.0.1:0/sp`, options);
        const there = { role, sizes, mine: THEIRS, theirs: OURS };
        await Promise.all([
          play(here, { role: other, sizes, mine: OURS, theirs: THEIRS }),
          tab.evaluate((url, part) => page.perform(url, part), url, there),
        ]);
        const { dropped, malformed } = here.stats();
        assert.equal([{ ...dropped }, { ...malformed }], [{}, {}]);
      }
    });
  }
}

for (const role of Object.keys(OPPOSITE) as (keyof typeof OPPOSITE)[]) {
  const other = OPPOSITE[role];
  paged(
    `${role} in a page and nngcat's ${other}`,
    async ({ tab }, stage) => {
      const each = async (n: number) => {
        const url = await stage.free("ws");
        const files = other === "sub" || other === "pull" ? [] : [fileOf(n, OURS)];
        const program = nngcat.start(stage, other, "listen", url, files);
        const part = { role, sizes: [n], mine: THEIRS, theirs: OURS };
        await tab.evaluate((url, part) => page.perform(url, part), url, part);
        if (role === "pull" || role === "sub") return;
        await until(
          () => `a message at ${program}`,
          () => program.written > n && received(program).length > 0,
        );
        assert.is(Buffer.compare(received(program)[0] as Uint8Array, bodyOf(n, THEIRS)), 0);
      };
      await Promise.all(sizesOf(role).map(each));
    },
    "nngcat",
  );
}

/** A REP that says a word, where a page may come in. */
async function saying(stage: Stage, word: string, url: string, origin: string) {
  const socket = stage.open(rep()) as Replier;
  socket.serve(() => word);
  const listener = await socket.listen(url, { ws: { origins: [origin] } });
  return { socket, url: listener.url };
}

paged("a page finds a server that goes and comes back", async ({ origin, tab }, stage) => {
  const first = await saying(stage, "first", "ws://127.0.0.1:0", origin);
  const asking = await tab.evaluateHandle((url) => {
    const socket = page.open(page.req(), { reconnect: { min: 5, max: 50 } });
    socket.dial(url);
    return socket;
  }, first.url);
  const ask = () =>
    asking.evaluate(async (socket) =>
      new TextDecoder().decode(await socket.request("?", { timeout: 20_000 })),
    );
  assert.is(await ask(), "first");
  await first.socket.close();
  const again = ask();
  await saying(stage, "second", first.url, origin);
  assert.is(await again, "second");
  await asking.evaluate((socket) => socket.close());
});

paged("a slow reader makes a page wait, and nothing is lost", async ({ origin, tab }, stage) => {
  const here = stage.open(pull(), { recvBuffer: 4 });
  const { url } = await here.listen("ws://127.0.0.1:0", { ws: { origins: [origin] } });
  const pushing = await tab.evaluateHandle(async (url) => {
    const socket = page.open(page.push(), { linger: 20_000 });
    await socket.dial(url).ready;
    let sent = 0;
    while (sent < 60 && socket.trySend(new Uint8Array(256 * 1024).fill(sent))) sent++;
    return { socket, sent };
  }, url);
  const sent = await pushing.evaluate(({ sent }) => sent);
  assert.ok(sent >= 4 && sent < 60, `${sent} before it has to wait`);
  const rest = pushing.evaluate(async ({ socket, sent }) => {
    for (let i = sent; i < 60; i++) await socket.send(new Uint8Array(256 * 1024).fill(i));
    await socket.close();
  });
  for (let i = 0; i < 60; i++) {
    const body = await here.receive(SOON);
    assert.equal([body.length, body[0], body.at(-1)], [256 * 1024, i % 256, i % 256]);
  }
  await rest;
});

paged("a script of another origin is not let in", async ({ origin, tab }, stage) => {
  const here = stage.open(rep());
  const refused: SocketEvents["refused"][] = [];
  here.on("refused", (e) => refused.push(e));
  const { url } = await here.listen("ws://127.0.0.1:0");
  const said = await tab.evaluate(
    (url) =>
      new Promise<string[]>((done) => {
        const socket = page.open(page.req());
        socket.on("refused", ({ error }) => {
          done([error.name, (error as { code?: string }).code ?? "", error.message]);
          void socket.close();
        });
        socket.dial(url);
      }),
    url,
  );
  assert.equal(said.slice(0, 2), ["SystemError", "ERR_SYSTEM"]);
  assert.match(said[2] as string, `connect ${url}: nobody is there who lets us in`);
  assert.instance(refused[0]?.error, PeerError);
  assert.match(refused[0]?.error.message as string, origin);
});

paged("a page refuses what it cannot do, and says so", async ({ tab }) => {
  const said = await tab.evaluate(async () => {
    const errors: string[] = [];
    const socket = page.open(page.req());
    const note = (error: unknown) => void errors.push(String(error));
    for (const url of ["tcp://127.0.0.1:1", "ws://[", "ws://here/#part"]) {
      try {
        socket.dial(url);
      } catch (error) {
        note(error);
      }
    }
    await socket.listen("ws://127.0.0.1:0").catch(note);
    await socket.close();
    return errors;
  });
  assert.match(said[0] as string, /^StackError: 'tcp:.* known are ws:\/\/ wss:\/\/ inproc:/);
  assert.match(said[1] as string, /^StackError: 'ws:\/\/\[' cannot be dialed here: /);
  assert.match(said.at(-1) as string, /^StackError: 'websocket' cannot listen/);
});

paged("inside a page sockets meet by names, and timers have their turn", async ({ tab }) => {
  const said = await tab.evaluate(async () => {
    const { open, pair0, push, pull } = page;
    const all: string[] = [];
    for (const url of ["inproc://here", "memory://here"]) {
      const [near, far] = [open(pair0()), open(pair0())];
      await near.listen(url);
      far.dial(url);
      await far.send("hello");
      all.push(new TextDecoder().decode(await near.receive()));
      await near.close();
      await far.close();
    }
    const [from, to] = [open(push()), open(pull())];
    await to.listen("inproc://many");
    from.dial("inproc://many");
    let timers = 0;
    const timer = setInterval(() => timers++, 1);
    void (async () => {
      for (let i = 0; i < 20_000; i++) await from.send("x");
    })();
    for (let i = 0; i < 20_000; i++) await to.receive();
    clearInterval(timer);
    all.push(timers > 0 ? "timers" : "no timer");
    await from.close();
    await to.close();
    return all;
  });
  assert.equal(said, ["hello", "hello", "timers"]);
});

paged("a worker has the same sockets", async ({ origin, tab }, stage) => {
  const { url } = await saying(stage, "to a worker", "ws://127.0.0.1:0", origin);
  const said = await tab.evaluate(
    (url) =>
      new Promise<string>((done) => {
        const worker = new Worker("/worker.js");
        worker.onmessage = ({ data }) => {
          worker.terminate();
          done(data);
        };
        worker.postMessage(url);
      }),
    url,
  );
  assert.is(said, "to a worker");
});

paged(
  "an object that the page made, with text told from octets",
  async ({ origin, tab }, stage) => {
    const here = stage.open(stack(opcodes(), pair0()));
    const { url } = await here.listen("ws://127.0.0.1:0", { ws: { origins: [origin] } });
    const heard = tab.evaluate(async (url) => {
      const { open, opcodes, pair0, stack, Utf8, websocket, xpair0 } = page;
      const object = new WebSocket(url, "pair.sp.nanomsg.org");
      const socket = open(stack(opcodes(), pair0(), xpair0(), websocket(object)));
      socket.dial(url);
      await socket.send("ελλάς");
      await socket.send(new Uint8Array([1, 2]));
      const all = [await socket.receive(), await socket.receive()];
      await socket.close();
      return all.map((body) => (body instanceof Utf8 ? String(body) : [...body]));
    }, url);
    const [one, two] = [await here.receive(SOON), await here.receive(SOON)];
    assert.instance(one, Utf8);
    assert.is(String(one), "ελλάς");
    assert.not.instance(two, Utf8);
    await here.send("à bientôt");
    await here.send(Uint8Array.of(3, 4));
    assert.equal(await heard, ["à bientôt", [3, 4]]);
  },
);

paged("the example for a page reads the news", async ({ browser }, stage) => {
  const script = await bundled("test/examples/page.mjs", "esm");
  const server = createServer(({ url }, response) => {
    response.setHeader("Content-Type", url === "/" ? "text/html" : "text/javascript");
    response.end(url === "/" ? '<body><script type="module" src="/page.mjs"></script>' : script);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  stage.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as { port: number };
  const station = stage.open(pub());
  await station.listen(`ws://127.0.0.1:${port}/news`, { ws: { server } });
  const tab = await browser.newPage();
  await tab.goto(`http://127.0.0.1:${port}/`);
  await until("the reader", () => station.stats().attached === 1);
  await station.send("sports: 2 to 1");
  await station.send("weather: sunny");
  const text = () => tab.$eval("body", (body) => body.innerText);
  let read = "";
  while (read === "") read = await text();
  assert.is(read, "weather: sunny");
  await tab.close();
});

for (const scheme of ["ws", "wss"] as const) {
  paged(
    `Chromium's own WebSocket and a link of ours, text and octets, over ${scheme}`,
    async ({ origin, tab }, stage) => {
      const links = open(stack(ws({ origins: [origin], protocols: ["chat"] })), { linger: 100 });
      stage.after(() => void links.close());
      const options = scheme === "wss" ? { tls } : {};
      const listener = await links.listen(`${scheme}://127.0.0.1:0/chat`, options);
      const sizes = [0, 125, 126, 65_535, 65_536, MiB];
      const echoed = tab.evaluate(
        async (url, sizes) => {
          const object = new WebSocket(url, ["talk", "chat"]);
          object.binaryType = "arraybuffer";
          const heard: (string | ArrayBuffer)[] = [];
          const closed = new Promise<{ code: number; wasClean: boolean }>((done) => {
            object.onclose = done;
          });
          await new Promise((done, failed) => {
            object.onopen = done;
            object.onerror = failed;
          });
          const whole = new Promise<void>((done) => {
            object.onmessage = ({ data }) => {
              if (heard.push(data) === 2 * sizes.length) done();
            };
          });
          for (const n of sizes) {
            object.send("x".repeat(n));
            object.send(new Uint8Array(n).fill(n % 251));
          }
          await whole;
          const wrong = heard.filter((data, i) => {
            const n = sizes[i >> 1] as number;
            if (i % 2 === 0) return data !== "x".repeat(n);
            const octets = new Uint8Array(data as ArrayBuffer);
            return octets.length !== n || octets.some((x) => x !== n % 251);
          });
          object.close(4000, "enough");
          const { code, wasClean } = await closed;
          return [object.protocol, object.extensions, wrong.length, code, wasClean];
        },
        listener.url,
        sizes,
      );
      const { value } = await listener[Symbol.asyncIterator]().next();
      const link = value as Link;
      for (let i = 0; i < 2 * sizes.length; i++) {
        const body = await link.receive(SOON);
        assert.is(body instanceof Utf8, i % 2 === 0);
        await link.send(body);
      }
      assert.equal(await echoed, ["chat", "", 0, 4000, true]);
    },
  );
}

test.run();
