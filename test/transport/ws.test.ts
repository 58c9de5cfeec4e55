/** WebSocket between sockets of ours, and with `ws`, the package: upgrades, paths, text, and who is turned away. */
import { createServer, get } from "node:http";
import { connect } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WebSocket, WebSocketServer } from "ws";
import {
  type Exchanger,
  ipc,
  type Link,
  memory,
  opcodes,
  open,
  PeerError,
  pair0,
  pull,
  push,
  rep,
  req,
  type SocketEvents,
  StackError,
  SystemError,
  stack,
  Utf8,
  WireError,
  ws,
  xpull,
  xpush,
  xrep,
  xreq,
} from "../../runtime/index.js";
import { framed, type Piece } from "../runtime/framing/ws/ends.js";
import { type Stage, staged } from "../support/stage.js";
import { until } from "../support/until.js";

const test = suite("ws");
const ANY = "ws://127.0.0.1:0";
const SOON = { timeout: 10_000 };
const text = (octets: Uint8Array) => Buffer.from(octets).toString();

/** What a client sends, octet by octet its own, and what it hears until the other side closes. */
async function said(
  url: string,
  request: string,
  ...then: readonly Uint8Array[]
): Promise<{ status: string; head: string; rest: Buffer }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let came = Buffer.alloc(0);
  let over = false;
  socket
    .on("data", (octets) => {
      came = Buffer.concat([came, octets]);
    })
    .on("close", () => {
      over = true;
    })
    .on("error", () => {});
  socket.write(request);
  for (const octets of then) socket.write(octets);
  await until(
    () => `an answer, not ${JSON.stringify(came.toString())}`,
    () => over,
  );
  const at = came.indexOf("\r\n\r\n");
  const head = came.subarray(0, at).toString("latin1");
  return { status: head.slice(9, 12), head, rest: came.subarray(at + 4) };
}

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly version?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

function request({ method = "GET", path = "/p", version = "1.1", headers = {} }: Asked): string {
  const all: Record<string, string | undefined> = {
    Host: "here",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "pull.sp.nanomsg.org",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([k, v]) => (v === undefined ? [] : `${k}: ${v}\r\n`));
  return `${method} ${path} HTTP/${version}\r\n${lines.join("")}\r\n`;
}

const CLOSE = framed({ opcode: 8, payload: Uint8Array.of(3, 0xe8) }, "listen");

const rows: readonly [name: string, asked: Asked, status: string, rule?: string][] = [
  [
    "two subprotocols, ours among them",
    { headers: { "Sec-WebSocket-Protocol": "rep.sp.nanomsg.org, pull.sp.nanomsg.org" } },
    "101",
  ],
  [
    "our subprotocol in upper case",
    { headers: { "Sec-WebSocket-Protocol": "PULL.SP.NANOMSG.ORG" } },
    "101",
  ],
  ["a query behind the path", { path: "/p?who=me" }, "101"],
  ["the origin of the door itself", { headers: { Origin: "http://here" } }, "101"],
  ["an origin that is let in", { headers: { Origin: "https://friend.example" } }, "101"],
  ["a foreign origin", { headers: { Origin: "https://evil.example" } }, "403"],
  ["an origin that is none", { headers: { Origin: "null" } }, "403"],
  ["another path", { path: "/q" }, "404"],
  ["POST", { method: "POST", headers: { "Content-Length": "0" } }, "405", "ws.upgrade.method"],
  [
    "no upgrade",
    { headers: { Upgrade: undefined, Connection: undefined } },
    "426",
    "ws.upgrade.version",
  ],
  ["an upgrade to something else", { headers: { Upgrade: "h2c" } }, "426", "ws.upgrade.version"],
  ["version 8", { headers: { "Sec-WebSocket-Version": "8" } }, "426", "ws.upgrade.version"],
  ["an upgrade among other options", { headers: { Connection: "keep-alive, UPGRADE" } }, "101"],
  [
    "an upgrade that the connection knows nothing of",
    { headers: { Connection: undefined } },
    "400",
    "ws.upgrade.connection",
  ],
  [
    "an upgrade of a connection that is kept",
    { headers: { Connection: "keep-alive" } },
    "400",
    "ws.upgrade.connection",
  ],
  ["HTTP 1.0", { version: "1.0" }, "400", "ws.upgrade.http"],
  ["a body of no octets", { headers: { "Content-Length": "0" } }, "101"],
  ["a body", { headers: { "Content-Length": "8" } }, "400", "ws.upgrade.body"],
  ["a body in chunks", { headers: { "Transfer-Encoding": "chunked" } }, "400", "ws.upgrade.body"],
  ["no key", { headers: { "Sec-WebSocket-Key": undefined } }, "400", "ws.upgrade.key"],
  [
    "a key of 15 octets",
    { headers: { "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAA" } },
    "400",
    "ws.upgrade.key",
  ],
  ["no subprotocol", { headers: { "Sec-WebSocket-Protocol": undefined } }, "400"],
  ["a subprotocol of somebody else", { headers: { "Sec-WebSocket-Protocol": "mqtt" } }, "400"],
  [
    "the subprotocol of an object's member",
    { headers: { "Sec-WebSocket-Protocol": "constructor" } },
    "400",
  ],
  [
    "the subprotocol of another protocol",
    { headers: { "Sec-WebSocket-Protocol": "rep.sp.nanomsg.org" } },
    "400",
  ],
  ["no host", { headers: { Host: undefined } }, "400", "ws.upgrade.host"],
  ["a header of 64 KiB", { headers: { "X-Long": "x".repeat(65_536) } }, "400", "ws.upgrade.http"],
  ["what is no HTTP", { method: "\u0000\u0001" }, "400", "ws.upgrade.http"],
];

for (const [name, asked, status, rule] of rows) {
  test(
    `${name} is answered ${status}`,
    staged(async (stage) => {
      const socket = stage.open(pull());
      const refused: SocketEvents["refused"][] = [];
      socket.on("refused", (e) => refused.push(e));
      const { url } = await socket.listen(`${ANY}/p`, {
        ws: { origins: ["https://friend.example"] },
      });
      const answer = await said(url, request(asked), CLOSE);
      assert.is(answer.status, status, answer.head);
      if (status === "101") {
        const [wanted] = /\S*pull\S*/i.exec(asked.headers?.["Sec-WebSocket-Protocol"] ?? "") ?? [
          "pull.sp.nanomsg.org",
        ];
        assert.ok(answer.head.includes(`Sec-WebSocket-Protocol: ${wanted}`), answer.head);
        assert.ok(answer.head.includes("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert.is(answer.rest.toString("hex"), "880203e8");
        assert.is(refused.length, 0);
        return;
      }
      await until("it to be told", () => refused.length > 0);
      assert.is(refused.length, 1);
      assert.instance(refused[0]?.error, rule === undefined ? PeerError : WireError);
      assert.equal({ ...socket.stats().malformed }, rule === undefined ? {} : { [rule]: 1 });
      const good = stage.open(push());
      good.dial(url);
      await good.send("good");
      assert.is(text(await socket.receive(SOON)), "good");
    }),
  );
}

/** What a stranger sends to a REP, the code it is closed with, and the rule that is counted. */
const faults: readonly [name: string, pieces: readonly Piece[], code: number, rule: string][] = [
  ["text", [{ opcode: 1, payload: "hi" }], 1003, "ws.text"],
  ["what is not masked", [{ opcode: 2, wronglyMasked: true }], 1002, "ws.frame.masked"],
  ["a reserved bit", [{ opcode: 2, rsv: 4 }], 1002, "ws.frame.rsv"],
  ["an opcode that is none", [{ opcode: 3 }], 1002, "ws.frame.opcode"],
  ["a continuation of nothing", [{ opcode: 0 }], 1002, "ws.frame.opcode"],
  ["a fragmented ping", [{ opcode: 9, fin: false }], 1002, "ws.frame.opcode"],
  [
    "a length that could be shorter",
    [{ opcode: 2, payload: "x", width: 2 }],
    1002,
    "ws.frame.length",
  ],
  ["a close of one octet", [{ opcode: 8, payload: "x" }], 1002, "ws.close"],
  ["a close with 1005", [{ opcode: 8, payload: Uint8Array.of(3, 0xed) }], 1002, "ws.close.code"],
  ["2^63 octets", [{ opcode: 2, claims: 2n ** 63n }], 1002, "ws.frame.length"],
  ["2^40 octets", [{ opcode: 2, claims: 2n ** 40n }], 1009, "recvMax"],
  ["1 MiB + 1", [{ opcode: 2, claims: 2n ** 20n + 1n }], 1009, "recvMax"],
  ["no request", [{ opcode: 2, payload: "x" }], 1002, "sp.request"],
];

for (const [name, pieces, code, rule] of faults) {
  test(
    `${name} ends a connection with ${code}, and is counted`,
    staged(async (stage) => {
      const socket = stage.open(rep());
      socket.serve((body) => body);
      const { url } = await socket.listen(`${ANY}/p`);
      const asked = { headers: { "Sec-WebSocket-Protocol": "rep.sp.nanomsg.org" } };
      const octets = pieces.map((p) => framed(p, "listen"));
      const { rest } = await said(url, request(asked), ...octets, CLOSE);
      assert.is(rest.toString("hex"), `8802${code.toString(16).padStart(4, "0")}`);
      await until("the end", () => socket.stats().detached === 1);
      const counted = Object.keys(socket.stats().malformed);
      assert.is(counted.length, 1);
      assert.ok(counted[0]?.startsWith(rule), counted[0]);
    }),
  );
}

for (const [name, transport, url] of [
  ["memory", memory, () => "memory://ws"],
  ["ipc", ipc, (stage: Stage) => stage.any("ipc")],
] as const) {
  test(
    `over ${name} it is WebSocket, too`,
    staged(async (stage) => {
      const server = stage.open(stack(rep(), xrep(), ws(), transport()));
      const client = stage.open(stack(req(), xreq(), ws(), transport()));
      server.serve((body) => body);
      client.dial((await server.listen(url(stage))).url);
      for (const n of [0, 1, 200, 100_000, 1_000_000]) {
        const body = new Uint8Array(n).fill(7);
        assert.equal(await client.request(body, SOON), body);
      }
    }),
  );
}

for (const [what, path, options] of [
  ["a path with a space", "/a b", {}],
  ["a path beyond ASCII", "/ü", {}],
  ["a header of two lines", "/", { headers: { "X-Who": "me\r\nX-Admin: yes" } }],
  ["a header whose name is none", "/", { headers: { "X Who": "me" } }],
  ["an origin of two lines", "/", { origin: "http://here\r\n" }],
] as const) {
  test(
    `${what} is told to who dials, at once`,
    staged(async (stage) => {
      const socket = stage.open(req());
      assert.throws(
        () => socket.dial(`ws://127.0.0.1:1${path}`, { ws: options }),
        (e: unknown) => e instanceof StackError,
      );
    }),
  );
}

test(
  "listeners of several sockets share a TCP port, each with a path of its own",
  staged(async (stage) => {
    const [a, b, c] = [stage.open(pull()), stage.open(rep()), stage.open(pull())];
    b.serve((body) => body);
    const first = await a.listen(`${ANY}/a`);
    const address = first.url.slice(0, first.url.lastIndexOf("/"));
    const second = await b.listen(`${address}/b`);
    await a.listen(`${address}/other`);
    assert.is(second.url, `${address}/b`);
    await c.listen(`${address}/a`).then(
      () => assert.unreachable(),
      (e) => assert.instance(e, SystemError),
    );
    const [pusher, requester] = [stage.open(push()), stage.open(req())];
    pusher.dial(first.url);
    requester.dial(second.url);
    await pusher.send("to a");
    assert.is(text(await a.receive(SOON)), "to a");
    assert.is(text(await requester.request("to b", SOON)), "to b");
    await first.close();
    await c.listen(`${address}/a`);
    // Whose connection it was keeps it.
    await pusher.send("still a");
    assert.is(text(await a.receive(SOON)), "still a");
  }),
);

test(
  "the last listener to go frees the port",
  staged(async (stage) => {
    const a = stage.open(pull());
    const one = await a.listen(`${ANY}/a`);
    const two = await a.listen(one.url.replace(/a$/, "b"));
    await one.close();
    await two.close();
    const plain = await stage.open(pull()).listen(one.url.replace("ws:", "tcp:").replace("/a", ""));
    await plain.close();
  }),
);

test(
  "two who listen at one port at the same time share it",
  staged(async (stage) => {
    const free = await stage.free("ws");
    const sockets = ["a", "b"].map((path) => ({ path, socket: stage.open(pull()) }));
    await Promise.all(sockets.map(({ path, socket }) => socket.listen(`${free}/${path}`)));
    for (const { path, socket } of sockets) {
      const to = stage.open(push());
      to.dial(`${free}/${path}`);
      await to.send(path);
      assert.is(text(await socket.receive(SOON)), path);
    }
  }),
);

test(
  "it comes into an http.Server that is there, beside what that serves",
  staged(async (stage) => {
    const server = createServer((_, response) => response.end("a page"));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    stage.after(() => server.close());
    const { port } = server.address() as { port: number };
    const socket = stage.open(pull());
    const url = `ws://127.0.0.1:${port}/sp`;
    const listener = await socket.listen(url, { ws: { server } });
    const to = stage.open(push());
    to.dial(url);
    await to.send("through the server");
    assert.is(text(await socket.receive(SOON)), "through the server");
    const page = await new Promise<string>((done) =>
      get(`http://127.0.0.1:${port}/`, { agent: false }, (response) => {
        response.setEncoding("utf8").on("data", done);
      }),
    );
    assert.is(page, "a page");
    assert.is((await said(url, request({ path: "/nobody" }))).status, "404");
    await listener.close();
    assert.is(server.listenerCount("upgrade"), 0);
  }),
);

test(
  "who says nothing, or dribbles, is let go when its time is over",
  staged(async (stage) => {
    const socket = stage.open(pull(), { openTimeout: 100 });
    const refused: Error[] = [];
    socket.on("refused", (e) => refused.push(e.error));
    const { url } = await socket.listen(`${ANY}/p`);
    await Promise.all([said(url, ""), said(url, "GET / HTTP/1.1\r\nHost: ")]);
    assert.equal(
      refused.map((e) => e.name),
      ["TimeoutError", "TimeoutError"],
    );
  }),
);

test(
  "of those at the door 256 may say nothing, and the oldest makes room",
  staged(async (stage) => {
    const socket = stage.open(pull());
    const refused: Error[] = [];
    socket.on("refused", (e) => refused.push(e.error));
    const { url } = await socket.listen(`${ANY}/p`);
    const { hostname, port } = new URL(url);
    const crowd = Array.from({ length: 300 }, () => connect(Number(port), hostname));
    for (const stranger of crowd) stranger.on("error", () => {});
    stage.after(() => {
      for (const stranger of crowd) stranger.destroy();
    });
    await until("44 to go", () => refused.length === 44);
    assert.match(String(refused[0]), /the oldest/);
    const good = stage.open(push());
    good.dial(url);
    await good.send("good");
    assert.is(text(await socket.receive(SOON)), "good");
    assert.is(refused.length, 45);
  }),
);

test(
  "a client of ws's and a link of ours talk text and other octets, in frames and whole",
  staged(async (stage) => {
    const links = open(stack(ws({ maxFrame: 1000, protocols: ["chat"] })), { linger: 100 });
    stage.after(() => void links.close());
    const listener = await links.listen(`${ANY}/chat`);
    const client = new WebSocket(listener.url, ["talk", "chat"]);
    stage.after(() => client.terminate());
    const heard: (string | Buffer)[] = [];
    client.on("message", (data, binary) => heard.push(binary ? (data as Buffer) : String(data)));
    const { value } = await listener[Symbol.asyncIterator]().next();
    const link = value as Link;
    await until("the client", () => client.readyState === WebSocket.OPEN);
    assert.is(client.protocol, "chat");
    client.send("ελλάς");
    client.send("octets", { binary: true });
    client.send("in ", { fin: false });
    client.ping("amid");
    client.send("parts");
    const [one, two, three] = [0, 0, 0].map(() => link.receive(SOON));
    assert.instance(await one, Utf8);
    assert.is(String(await one), "ελλάς");
    assert.not.instance(await two, Utf8);
    assert.is(String(await three), "in parts");
    const long = "long ".repeat(5000);
    await link.send(long);
    await link.send(new Uint8Array(70_000).fill(1));
    await until("two messages", () => heard.length === 2);
    assert.is(heard[0], long);
    assert.equal(heard[1], Buffer.alloc(70_000, 1));
    const closed = new Promise<number>((done) => client.on("close", done));
    const ending = link.close();
    assert.is(await closed, 1000);
    await ending;
  }),
);

test(
  "a link of ours talks to a server of ws's, and hears why it closes",
  staged(async (stage) => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    stage.after(() => server.close());
    server.on("connection", (peer, { url, headers }) => {
      peer.send(`${url} ${headers.origin} ${headers["x-token"]}`);
      peer.on("message", (data, binary) => {
        peer.send(data as Buffer, { binary });
        if (String(data) === "enough") peer.close(4000, "as you wish");
      });
    });
    await new Promise((done) => server.on("listening", done));
    const { port } = server.address() as { port: number };
    const links = open(stack(ws({ origin: "https://here.example", headers: { "X-Token": "t" } })));
    const link = await links.dial(`ws://127.0.0.1:${port}/a?b=c`);
    let why: Error | undefined;
    link.on("detached", ({ error }) => {
      why = error;
    });
    assert.is(String(await link.receive(SOON)), "/a?b=c https://here.example t");
    for (const n of [0, 125, 126, 65_535, 65_536, 500_000]) {
      await link.send("x".repeat(n));
      assert.is(String(await link.receive(SOON)).length, n);
      await link.send(new Uint8Array(n).fill(n));
      assert.equal(await link.receive(SOON), new Uint8Array(n).fill(n));
    }
    await link.send("enough");
    await until("the end", () => why !== undefined);
    assert.instance(why, PeerError);
    assert.match(String(why), /4000: "as you wish"/);
    await links.close();
  }),
);

test(
  "opcodes() tells text from octets under a protocol, both ways",
  staged(async (stage) => {
    const [one, two] = [0, 0].map(() => stage.open(stack(opcodes(), pair0())));
    const [from, to] = [one as Exchanger, two as Exchanger];
    from.dial((await to.listen(ANY)).url);
    for (const [here, there] of [
      [from, to],
      [to, from],
    ] as const) {
      await here.send("text");
      await here.send(Buffer.from("octets"));
      assert.instance(await there.receive(SOON), Utf8);
      assert.not.instance(await there.receive(SOON), Utf8);
    }
  }),
);

test(
  "opcodes() over what knows no text is refused at once",
  staged(async (stage) => {
    const socket = stage.open(stack(opcodes(), push(), xpush()));
    assert.throws(
      () => socket.dial("tcp://127.0.0.1:1"),
      (e: unknown) => e instanceof StackError && /'opcodes' wants text to be known/.test(e.message),
    );
    const tagged = stage.open(stack(opcodes(), req()));
    assert.throws(() => tagged.dial("ws://127.0.0.1:1"), /'req' adds octets to it that are none/);
    const other = stage.open(stack(opcodes(), pull(), xpull()));
    await other.listen("inproc://text").then(
      () => assert.unreachable(),
      (e) => assert.instance(e, StackError),
    );
  }),
);

test.run();
