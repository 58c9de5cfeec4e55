/** TLS as a layer: what goes through it, whom it refuses and how, and that nothing stays behind. */
import { connect, createServer, type Socket } from "node:net";
import nodeTls from "node:tls";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Type } from "../../generated/sp/greeting.js";
import {
  type Env,
  ipc,
  memory,
  node,
  PeerError,
  pull,
  push,
  type Receiver,
  rep,
  req,
  type SocketEvents,
  type SocketOptions,
  StackError,
  sp,
  stack,
  TimeoutError,
  type TlsOptions,
  tcp,
  tls,
  WireError,
  xpull,
  xpush,
  xrep,
  xreq,
} from "../../runtime/index.js";
import { nothingThrown } from "../hostile/calm.js";
import { Clock } from "../hostile/clock.js";
import { ca, pinOf, shows, strangerCa } from "../support/certificates.js";
import { type Stage, staged } from "../support/stage.js";
import { greetingOf, octetsOf, Stranger } from "../support/stranger.js";
import { until } from "../support/until.js";

const test = nothingThrown(suite("tls"));

const MiB = 2 ** 20;
const server = shows("localhost");
/** A listener that asks who is there, and a dialer that answers. */
const mutual = { ...server, ca, requestCert: true };
const known = { ...shows("client"), ca };

const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;
const GROUNDS = { tcp, ipc, memory } as const;
type Ground = keyof typeof GROUNDS;
const grounds = Object.keys(GROUNDS) as Ground[];

/** Where a listener of a test listens. */
let names = 0;
function anywhere(stage: Stage, ground: Ground): string {
  return ground === "memory" ? `memory://${names++}` : stage.any(ground);
}

/** Runs with no newer version of TLS than this one: options can only ask for newer ones. */
function upTo(version: (typeof VERSIONS)[number], run: (stage: Stage) => Promise<void>) {
  return staged(async (stage) => {
    const newest = nodeTls.DEFAULT_MAX_VERSION;
    nodeTls.DEFAULT_MAX_VERSION = version;
    try {
      await run(stage);
    } finally {
      nodeTls.DEFAULT_MAX_VERSION = newest;
    }
  });
}

/** A PUSH that dialed a PULL through TLS. */
async function pipe(stage: Stage, ground: Ground, options: SocketOptions = {}) {
  const bottom = GROUNDS[ground];
  const to = stage.open(stack(pull(), xpull(), sp(), tls(mutual), bottom()), options);
  const dials = tls({ ...known, servername: "localhost" });
  const from = stage.open(stack(push(), xpush(), sp(), dials, bottom()), options);
  const { url } = await to.listen(anywhere(stage, ground));
  await from.dial(url).ready;
  return { from, to };
}

/** A REP that answers with the body, and whom it refused. */
async function echo(stage: Stage, options: TlsOptions = server, more: SocketOptions = {}) {
  const socket = stage.open(rep(), more);
  socket.serve((body) => body);
  const refused: SocketEvents["refused"][] = [];
  socket.on("refused", (e) => refused.push(e));
  const { url } = await socket.listen("tls+tcp://127.0.0.1:0", { tls: options });
  return { socket, url, refused, plain: url.replace("tls+", "") };
}

/** Somebody who dials with these options, and why it is refused. */
function asker(stage: Stage, url: string, options: TlsOptions, more: SocketOptions = {}) {
  const socket = stage.open(req(), more);
  const refused: Error[] = [];
  socket.on("refused", ({ error }) => refused.push(error));
  const dialer = socket.dial(url, { tls: options });
  return { socket, refused, dialer };
}

async function stillAnswers(stage: Stage, url: string, options: TlsOptions = known): Promise<void> {
  const { socket } = asker(stage, url, options);
  assert.is((await socket.request("well?", { timeout: 10_000 })).length, 5);
}

for (const version of VERSIONS) {
  test(
    `both sides are told of the other's certificate, ${version} and the cipher`,
    upTo(version, async (stage) => {
      const { socket, url } = await echo(stage, mutual);
      const seen: SocketEvents["attached"][] = [];
      socket.on("attached", (e) => seen.push(e));
      const { facts } = await asker(stage, url, known).dialer.ready;
      await until("the listener to know", () => seen.length === 1);
      const theirs = seen[0]?.pipe.facts;
      for (const found of [facts.tls, theirs?.tls]) {
        assert.is(found?.authorized, true);
        assert.is(found?.protocol, version);
        assert.match(found?.cipher ?? "", /^TLS_.*_SHA\d+$/);
      }
      const shown = facts.tls?.certificate;
      assert.is(shown?.subject, "CN=wirestack test localhost");
      assert.is(shown?.issuer, "CN=wirestack test ca");
      assert.match(shown?.fingerprint256 ?? "", /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
      assert.is(theirs?.tls?.certificate?.subject, "CN=wirestack test client");
      assert.is(facts.host, "127.0.0.1");
      assert.is(theirs?.host, undefined);
      assert.is(facts.type, Type.rep);
      assert.is(`tls+tcp://${facts.remote}`, url);
      assert.is(facts.local, theirs?.remote);
    }),
  );

  for (const ground of grounds) {
    test(
      `messages of 0 octets to 1 MiB go through ${version} over ${ground}, and many small ones in order`,
      upTo(version, async (stage) => {
        const { from, to } = await pipe(stage, ground);
        const sizes = [0, 1, 16_383, 16_384, 65_536, 300_000, MiB];
        for (const [i, n] of sizes.entries()) await from.send(new Uint8Array(n).fill(i));
        for (const [i, n] of sizes.entries()) {
          const body = await to.receive({ timeout: 10_000 });
          assert.is(body.length, n);
          assert.ok(body.every((octet) => octet === i));
        }
        const COUNT = 5_000;
        const sending = (async () => {
          for (let i = 0; i < COUNT; i++) await from.send(`message ${i}`);
        })();
        for (let i = 0; i < COUNT; i++) {
          assert.is(Buffer.from(await to.receive({ timeout: 10_000 })).toString(), `message ${i}`);
        }
        await sending;
      }),
    );
  }
}

for (const ground of grounds) {
  test(
    `20 MiB go through over ${ground}, where the limit is raised`,
    staged(async (stage) => {
      const { from, to } = await pipe(stage, ground, { recvMax: 20 * MiB });
      const body = new Uint8Array(20 * MiB).map((_, i) => (i * 2654435761) >>> 24);
      await from.send(body);
      assert.is(Buffer.compare(await to.receive({ timeout: 20_000 }), body), 0);
    }),
  );

  test(
    `who reads nothing over ${ground} makes the sender wait, and loses nothing`,
    staged(async (stage) => {
      const { from, to } = await pipe(stage, ground, { recvBuffer: 1 });
      const size = 64 * 1024;
      let sent = 0;
      const full = () => !from.trySend(new Uint8Array(size).fill(sent)) || ++sent > 1_000;
      // What the system holds for a reader may grow for a while: stopped is who stays so.
      let refusals = 0;
      await until(
        () => `the sender to be stopped; it sent ${sent}`,
        () => {
          refusals = full() ? refusals + 1 : 0;
          return refusals > 100;
        },
      );
      assert.ok(sent < 1_000, `${sent} messages of 64 KiB went out to nobody`);
      for (let i = 0; i < sent; i++) {
        const body = await to.receive({ timeout: 10_000 });
        assert.is(body.length, size);
        assert.is(body[size - 1], i & 255);
      }
      await from.send("and on it goes");
      assert.is((await to.receive({ timeout: 10_000 })).length, 14);
    }),
  );

  test(
    `closing over ${ground} hands over all that was sent`,
    staged(async (stage) => {
      const { from, to } = await pipe(stage, ground, { linger: 10_000 });
      for (let i = 0; i < 100; i++) await from.send(new Uint8Array(10_000).fill(i));
      const closed = from.close();
      for (let i = 0; i < 100; i++) assert.is((await to.receive({ timeout: 10_000 }))[0], i);
      await closed;
      assert.is(to.stats().received, 100);
    }),
  );
}

/** The network, which hands over so many octets at a time, and lends nobody anything. */
function chopped(octets: number): Env {
  const cut = (to: Receiver): Receiver => ({
    opened: (c) =>
      to.opened({
        local: c.local,
        remote: c.remote,
        write: (segments) => c.write(segments),
        pause: () => c.pause(),
        resume: () => c.resume(),
        end: () => c.end(),
        destroy: () => c.destroy(),
      }),
    octets(chunk) {
      for (let i = 0; i < chunk.length; i += octets) to.octets(chunk.subarray(i, i + octets));
    },
    drained: () => to.drained(),
    ended: () => to.ended(),
    closed: (error) => to.closed(error),
  });
  return {
    ...node,
    net: {
      ...node.net,
      connect: (where, to) => node.net.connect(where, cut(to)),
      listen: (where, accept) => node.net.listen(where, (c) => cut(accept(c))),
    },
  };
}

for (const octets of [1, 7, 1_000]) {
  test(
    `handshake, greeting and messages may come ${octets} at a time`,
    staged(async (stage) => {
      const env = chopped(octets);
      const { from, to } = await pipe(stage, "tcp", { env });
      for (let i = 0; i < 100; i++) await from.send(new Uint8Array(i * 10).fill(i));
      for (let i = 0; i < 100; i++) {
        const body = await to.receive({ timeout: 10_000 });
        assert.equal(body, new Uint8Array(i * 10).fill(i));
      }
    }),
  );
}

test(
  "a small body is copied once on its way down, a large one never",
  staged(async (stage) => {
    const { from } = await pipe(stage, "tcp");
    for (let i = 0; i < 10; i++) await from.send(new Uint8Array(1_000));
    assert.is(from.stats().copies, 10);
    await from.send(new Uint8Array(100_000));
    assert.is(from.stats().copies, 10);
  }),
);

/** Who refuses whom, and with which words: `dial` hears of the listener's certificate, `listen` of the dialer's. */
const strangers: readonly {
  readonly what: string;
  readonly listen: TlsOptions;
  readonly dial: TlsOptions;
  readonly host?: string;
  readonly who: "dial" | "listen";
  readonly says: RegExp;
}[] = [
  {
    what: "a listener whose authority is another",
    listen: shows("stranger"),
    dial: { ca },
    who: "dial",
    says: /signed by nobody we trust: give its authority as 'ca'/,
  },
  {
    what: "a listener of no public authority, where no other is named,",
    listen: server,
    dial: {},
    who: "dial",
    says: /signed by nobody we trust/,
  },
  {
    what: "a listener whose certificate has expired",
    listen: shows("expired"),
    dial: { ca },
    who: "dial",
    says: /has expired.*CERT_HAS_EXPIRED/,
  },
  {
    what: "a listener whose certificate is for another host",
    listen: shows("elsewhere"),
    dial: { ca },
    who: "dial",
    says: /for another.* 127\.0\.0\.1 .*'servername'/,
  },
  {
    what: "a listener whose certificate is for another name",
    listen: shows("elsewhere"),
    dial: { ca },
    host: "localhost",
    who: "dial",
    says: /for another.* localhost.* DNS:elsewhere\.example.*'servername'/,
  },
  {
    what: "a listener which is not the one that 'servername' names",
    listen: server,
    dial: { ca, servername: "elsewhere.example" },
    who: "dial",
    says: /for another.* elsewhere\.example/,
  },
  {
    what: "a listener with another key than the pinned one",
    listen: server,
    dial: { ca, pins: [pinOf("stranger")] },
    who: "dial",
    says: new RegExp(`the key ${pinOf("localhost").replaceAll("+", "\\+")}, .*none of 'pins'`),
  },
  {
    what: "a listener with another key than the pinned one, where nothing else counts,",
    listen: server,
    dial: { rejectUnauthorized: false, pins: [pinOf("stranger")] },
    who: "dial",
    says: /none of 'pins'/,
  },
  {
    what: "a dialer without a certificate",
    listen: mutual,
    dial: { ca },
    who: "listen",
    says: /shows no certificate: it needs one/,
  },
  {
    what: "a dialer whose authority is another",
    listen: mutual,
    dial: { ca, ...shows("stranger") },
    who: "listen",
    says: /signed by nobody we trust/,
  },
  {
    what: "a dialer whose certificate has expired",
    listen: mutual,
    dial: { ca, ...shows("expired") },
    who: "listen",
    says: /has expired/,
  },
  {
    what: "a dialer with another key than the pinned one",
    listen: { ...mutual, pins: [pinOf("localhost")] },
    dial: known,
    who: "listen",
    says: /the key .*none of 'pins'/,
  },
  {
    what: "a dialer without a key, where one is pinned and nothing else counts,",
    listen: { ...server, pins: [pinOf("client")], rejectUnauthorized: false },
    dial: { ca },
    who: "listen",
    says: /shows no key, and that is none of 'pins'/,
  },
  {
    what: "a dialer with no protocol inside in common",
    listen: { ...server, alpn: ["one"] },
    dial: { ca, alpn: ["other"] },
    who: "listen",
    says: /no protocol inside in common: 'alpn' is one/,
  },
  {
    what: "a listener that knows nothing of protocols inside",
    listen: server,
    dial: { ca, alpn: ["one"] },
    who: "dial",
    says: /no protocol inside in common: 'alpn' is one/,
  },
];

for (const version of VERSIONS) {
  for (const { what, listen, dial, host = "127.0.0.1", who, says } of strangers) {
    test(
      `${what} is refused by ${version}, and both sides hear why`,
      upTo(version, async (stage) => {
        const { socket, url, refused } = await echo(stage, listen);
        const asks = asker(stage, url.replace("127.0.0.1", host), dial);
        await until("both to refuse", () => refused.length > 0 && asks.refused.length > 0);
        const heard = who === "dial" ? asks.refused[0] : refused[0]?.error;
        assert.instance(heard, PeerError);
        assert.match(heard?.message ?? "", says);
        for (const error of [asks.refused[0], refused[0]?.error]) {
          assert.instance(error, PeerError);
          assert.match(error?.message ?? "", /^tls: /);
        }
        assert.is(socket.stats().attached, 0);
        assert.is(asks.socket.stats().attached, 0);
        assert.equal({ ...socket.stats().malformed }, {});
      }),
    );
  }
}

test(
  "who may be unauthorized is told of as such, and a pin alone will do",
  staged(async (stage) => {
    const seen: unknown[] = [];
    const { socket, url } = await echo(stage, { ...mutual, rejectUnauthorized: false });
    socket.on("attached", ({ pipe }) => seen.push(pipe.facts.tls?.authorized));
    const lax = { ...shows("stranger"), rejectUnauthorized: false };
    const { facts } = await asker(stage, url, { ...lax, pins: [pinOf("localhost")] }).dialer.ready;
    assert.is(facts.tls?.authorized, false);
    await until("the listener to know", () => seen.length === 1);
    assert.equal(seen, [false]);
  }),
);

test(
  "the right pin on both sides, and the protocol inside that both know",
  staged(async (stage) => {
    const { url } = await echo(stage, {
      ...mutual,
      pins: [pinOf("stranger"), pinOf("client")],
      alpn: ["newer", "older"],
    });
    const dial = { ...known, pins: [pinOf("localhost")], alpn: ["older", "oldest"] };
    const { facts } = await asker(stage, url, dial).dialer.ready;
    assert.is(facts.tls?.alpn, "older");
  }),
);

test(
  "a version older than minVersion is refused on both sides, and each says so",
  staged(async (stage) => {
    const strict = await echo(stage, { ...server, minVersion: "TLSv1.3" });
    const old = nodeTls.connect({
      port: Number(strict.url.split(":").at(-1)),
      rejectUnauthorized: false,
      maxVersion: "TLSv1.2",
    });
    old.on("error", () => {});
    stage.after(() => old.destroy());
    await until("the listener to refuse", () => strict.refused.length > 0);
    assert.match(strict.refused[0]?.error.message ?? "", /'minVersion' is TLSv1\.3 here/);

    const older = nodeTls.createServer({ ...shows("localhost"), maxVersion: "TLSv1.2" });
    older.on("tlsClientError", () => {});
    stage.after(() => older.close());
    await new Promise<void>((done) => older.listen(0, "127.0.0.1", done));
    const { port } = older.address() as { port: number };
    const asks = asker(stage, `tls+tcp://127.0.0.1:${port}`, { ca, minVersion: "TLSv1.3" });
    await until("the dialer to refuse", () => asks.refused.length > 0);
    assert.instance(asks.refused[0], PeerError);
    assert.match(asks.refused[0]?.message ?? "", /'minVersion' is TLSv1\.3 here/);
  }),
);

const plaintext: readonly [what: string, octets: Uint8Array, rule: string][] = [
  ["an SP greeting in the clear", greetingOf(Type.req), "tls.record"],
  ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\nHost: here\r\n\r\n"), "tls.record"],
  ["a record of no known kind", octetsOf("ff 03 03 00 05 00 00 00 00 00"), "tls."],
  ["an alert, though nothing was said,", octetsOf("15 03 01 00 02 02 28"), "tls."],
];

for (const [what, octets, rule] of plaintext) {
  test(
    `${what} ends the connection, and is counted`,
    staged(async (stage) => {
      const { socket, url, plain, refused } = await echo(stage);
      const stranger = await Stranger.dial(plain);
      stage.after(() => stranger.close());
      await stranger.send(octets);
      await stranger.send(new Uint8Array(32));
      await until("a refusal", () => refused.length === 1);
      await stranger.ended();
      const { error } = refused[0] as SocketEvents["refused"];
      if (error instanceof WireError) {
        assert.match(error.rule, rule);
        assert.equal({ ...socket.stats().malformed }, { [error.rule]: 1 });
      } else assert.instance(error, PeerError);
      await stillAnswers(stage, url);
    }),
  );
}

/** The beginning of a handshake, as node's client writes it. */
async function hello(): Promise<Uint8Array> {
  const { PassThrough, Duplex } = await import("node:stream");
  const written = new PassThrough();
  const client = nodeTls.connect({ socket: Duplex.from({ writable: written }) });
  client.on("error", () => {});
  const [octets] = (await new Promise((done) => written.once("data", (b) => done([b])))) as [
    Buffer,
  ];
  client.destroy();
  return octets;
}

test(
  "who says the end amid the handshake, or breaks off, is refused at once",
  staged(async (stage) => {
    const { url, plain, refused } = await echo(stage);
    const begun = (await hello()).subarray(0, 100);
    for (const leave of ["end", "close"] as const) {
      const stranger = await Stranger.dial(plain);
      stage.after(() => stranger.close());
      await stranger.send(begun);
      await stranger[leave]();
      await until("a refusal", () => refused.length === 1);
      assert.match(refused.pop()?.error.message ?? "", "closed amid the handshake");
      if (leave === "end") await stranger.ended();
    }
    await stillAnswers(stage, url);
  }),
);

test(
  "a handshake has the socket's 10 s in all, however slowly it comes",
  staged(async (stage) => {
    const clock = new Clock();
    const { url, plain, refused } = await echo(stage, server, { env: clock.env });
    const begun = (await hello()).subarray(0, 6);
    const silent = await Stranger.dial(plain);
    const slow = await Stranger.dial(plain);
    for (const stranger of [silent, slow]) stage.after(() => stranger.close());
    await until("the deadlines to be set", () => clock.armed === 2);
    for (const octet of begun) {
      await slow.send(Uint8Array.of(octet));
      clock.advance(1_500);
    }
    await stillAnswers(stage, url);
    assert.is(refused.length, 0);
    clock.advance(1_000);
    await until("both to be refused", () => refused.length === 2);
    for (const { error } of refused) assert.instance(error, TimeoutError);
    await Promise.all([silent.ended(), slow.ended()]);
  }),
);

test(
  "a dialer says of a listener without TLS that it speaks none, and gives up on a silent one in time",
  staged(async (stage) => {
    const plain = stage.open(rep());
    const { url } = await plain.listen("tcp://127.0.0.1:0");
    const asks = asker(stage, `tls+${url}`, { ca });
    await until("a refusal", () => asks.refused.length > 0);
    assert.instance(asks.refused[0], WireError);
    assert.is((asks.refused[0] as WireError).rule, "tls.record");
    assert.match(asks.refused[0]?.message ?? "", "the peer speaks no TLS");

    const silent = createServer((s) => s.on("error", () => {}).resume());
    stage.after(() => silent.close());
    await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
    const { port } = silent.address() as { port: number };
    const clock = new Clock();
    const waits = asker(stage, `tls+tcp://127.0.0.1:${port}`, { ca }, { env: clock.env });
    await until("the deadline to be set", () => clock.armed === 1);
    clock.advance(10_000);
    await until("a refusal", () => waits.refused.length > 0);
    assert.instance(waits.refused[0], TimeoutError);
  }),
);

/** Stands between, and sees the octets of a direction; it may change them. */
async function between(stage: Stage, url: string, up: (chunk: Buffer) => Buffer = (c) => c) {
  const seen: Buffer[] = [];
  const ends: string[] = [];
  const sockets: Socket[] = [];
  const { port } = new URL(url.replace("tls+tcp", "http"));
  const relay = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: Number(port), host: "127.0.0.1", allowHalfOpen: true });
    sockets.push(near, far);
    near.on("data", (chunk) => {
      seen.push(chunk);
      far.write(up(chunk));
    });
    far.on("data", (chunk) => near.write(chunk));
    near.on("end", () => {
      ends.push("dialer");
      far.end();
    });
    far.on("end", () => {
      ends.push("listener");
      near.end();
    });
    for (const s of [near, far]) s.on("error", () => near.destroy(far.destroy() && undefined));
  });
  stage.after(() => {
    relay.close();
    for (const s of sockets) s.destroy();
  });
  await new Promise<void>((done) => relay.listen(0, "127.0.0.1", done));
  const at = relay.address() as { port: number };
  return { url: `tls+tcp://127.0.0.1:${at.port}`, seen, ends };
}

test(
  "who closes says so under TLS first, and only then to the network",
  staged(async (stage) => {
    const { socket, url } = await echo(stage);
    const relay = await between(stage, url);
    const asks = asker(stage, relay.url, { ca }, { linger: 10_000 });
    await asks.socket.request("here?", { timeout: 10_000 });
    await asks.socket.close();
    await until("the end of the connection", () => socket.stats().detached === 1);
    assert.is(relay.ends[0], "dialer");
    // A sealed alert: two octets, the record's kind, and a tag of sixteen.
    const last = Buffer.concat(relay.seen).subarray(-24, -19);
    assert.is(last.toString("hex"), "1703030013");
  }),
);

test(
  "an octet changed on its way ends the connection, and is counted",
  staged(async (stage) => {
    const { socket, url } = await echo(stage);
    let change = false;
    const relay = await between(stage, url, (chunk) => {
      if (!change) return chunk;
      const other = Buffer.from(chunk);
      other[other.length - 1] = (other.at(-1) as number) ^ 1;
      return other;
    });
    const why: (Error | undefined)[] = [];
    socket.on("detached", ({ error }) => why.push(error));
    const asks = asker(stage, relay.url, { ca });
    await asks.socket.request("here?", { timeout: 10_000 });
    change = true;
    const lost = asks.socket.request("still?", { timeout: 10_000 });
    lost.catch(() => {});
    await until("the end of the connection", () => why.length > 0);
    assert.instance(why[0], WireError);
    assert.is((why[0] as WireError).rule, "tls.record");
    assert.is(socket.stats().malformed["tls.record"], 1);
    change = false;
    assert.is((await lost).length, 6);
  }),
);

for (const version of VERSIONS) {
  test(
    `no session is taken up again under ${version}`,
    upTo(version, async (stage) => {
      const { url } = await echo(stage);
      const port = Number(url.split(":").at(-1));
      let session: Buffer | undefined;
      for (let i = 0; i < 2; i++) {
        const client = nodeTls.connect({
          port,
          host: "127.0.0.1",
          ca,
          ...(session && { session }),
        });
        stage.after(() => client.destroy());
        let greeted = false;
        client.on("session", (s) => (session = s)).on("data", () => (greeted = true));
        await until("the greeting", () => greeted);
        session ??= client.getSession();
        assert.is(client.isSessionReused(), false);
      }
      assert.ok(session);
    }),
  );
}

test(
  "nobody negotiates again: it is answered with no, and the connection goes on",
  upTo("TLSv1.2", async (stage) => {
    const { url, socket } = await echo(stage);
    const port = Number(url.split(":").at(-1));
    const client = nodeTls.connect({ port, host: "127.0.0.1", ca });
    stage.after(() => client.destroy());
    let renewed = false;
    const said: string[] = [];
    client.on("error", (e) => said.push(e.message)).resume();
    await new Promise<void>((done) => client.once("secureConnect", done));
    client.renegotiate({}, () => {
      renewed = true;
    });
    await until("an answer", () => said.length > 0 || client.destroyed);
    assert.not(renewed);
    assert.is(socket.stats().attached, 0);
    await stillAnswers(stage, url);
  }),
);

const misuses: readonly [what: string, side: "dial" | "listen", TlsOptions, says: RegExp][] = [
  ["no certificate", "listen", {}, /to listen, 'tls' needs 'cert' and 'key'/],
  ["no key", "listen", { cert: server.cert }, /'cert' and 'key' both, or neither/],
  ["no certificate to a key", "dial", { key: server.key }, /'cert' and 'key' both, or neither/],
  ["no authority to ask", "listen", { ...server, requestCert: true }, /'requestCert' needs 'ca'/],
  ["what is no PEM", "listen", { cert: "cert", key: "key" }, /cannot use its ca, cert, key/],
  ["an authority that is none", "dial", { ca: "-----BEGIN" }, /cannot use its ca, cert, key/],
  ["another's key", "listen", { ...server, key: shows("client").key }, /cannot use its .*key/],
  ["a pin that is none", "dial", { pins: ["sha256"] }, /'sha256' is no pin/],
  ["no pin among pins", "dial", { pins: [] }, /empty list of 'pins'/],
  [
    "an old version",
    "dial",
    { minVersion: "TLSv1" as "TLSv1.2" },
    /TLSv1\.2 or TLSv1\.3; not TLSv1$/,
  ],
];

for (const [what, side, options, says] of misuses) {
  test(
    `${what} is said at once, before anything is ${side === "dial" ? "dialed" : "bound"}`,
    staged(async (stage) => {
      const names = new Map();
      const never = () => assert.unreachable("the network was used");
      const net = { ...node.net, connect: never as never, listen: never as never };
      const socket = stage.open(req(), { env: { ...node, net, names } });
      const url = "tls+tcp://127.0.0.1:5555";
      const called = async () => {
        if (side === "dial") socket.dial(url, { tls: options });
        else await socket.listen(url, { tls: options });
      };
      await called().then(
        () => assert.unreachable(),
        (error) => {
          assert.instance(error, StackError);
          assert.match(error.message, says);
        },
      );
    }),
  );
}

test(
  "where no host is dialed, somebody has to be meant",
  staged(async (stage) => {
    const listens = stage.open(stack(rep(), xrep(), sp(), tls(server), memory()));
    const { url } = await listens.listen(anywhere(stage, "memory"));
    const reach = (options: TlsOptions) => {
      const socket = stage.open(stack(req(), xreq(), sp(), tls(options), memory()));
      const refused: Error[] = [];
      socket.on("refused", ({ error }) => refused.push(error));
      return { refused, ready: socket.dial(url).ready };
    };
    const { refused } = reach({ ca });
    await until("a refusal", () => refused.length > 0);
    assert.instance(refused[0], StackError);
    assert.match(
      refused[0]?.message ?? "",
      "say whose certificate it must be by 'servername' or 'pins'",
    );
    await reach({ ca, servername: "localhost" }).ready;
    await reach({ ca, pins: [pinOf("localhost")] }).ready;
    assert.is((await reach({ rejectUnauthorized: false }).ready).facts.tls?.authorized, false);
  }),
);

test(
  "in a world without node's streams it says so",
  staged(async (stage) => {
    const { url } = await echo(stage);
    const { connect, listen } = node.net;
    const { refused } = asker(stage, url, { ca }, { env: { ...node, net: { connect, listen } } });
    await until("a refusal", () => refused.length > 0);
    assert.instance(refused[0], StackError);
    assert.match(refused[0]?.message ?? "", "'tls' needs node's streams");
  }),
);

test(
  "when the socket closes amid handshakes, nothing stays open",
  staged(async (stage) => {
    const { socket, plain } = await echo(stage);
    const dialed = { opened: 0, closed: 0 };
    const silent = createServer((s) => {
      dialed.opened++;
      s.on("error", () => {}).on("close", () => dialed.closed++);
      s.resume();
    });
    stage.after(() => silent.close());
    await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
    const { port } = silent.address() as { port: number };
    const asks = asker(stage, `tls+tcp://127.0.0.1:${port}`, { ca: [ca, strangerCa] });
    const stranger = await Stranger.dial(plain);
    stage.after(() => stranger.close());
    await stranger.send((await hello()).subarray(0, 50));
    await until("somebody to be dialed", () => dialed.opened === 1);
    await Promise.all([socket.close(), asks.socket.close()]);
    await stranger.ended();
    await until("the end of what was dialed", () => dialed.closed === 1);
  }),
);

test.run();
