/** WebSocket through an object: one of `ws`'s, both ends; and one that does whatever a test wants. */
import { createServer, type Socket as NetSocket } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WebSocket, WebSocketServer } from "ws";
import { proof } from "../../runtime/framing/ws/upgrade.js";
import {
  bus,
  ClosedError,
  Element,
  type Exchanger,
  type Layer,
  type Link,
  node,
  opcodes,
  open,
  opener,
  PeerError,
  type Port,
  pair0,
  pair1,
  pub,
  pull,
  push,
  type Replier,
  rep,
  req,
  respondent,
  type SocketEvents,
  type SocketOptions,
  StackError,
  StateError,
  SystemError,
  stack,
  star,
  sub,
  surveyor,
  TimeoutError,
  Utf8,
  type WebSocketObject,
  WireError,
  websocket,
  ws,
  xpair0,
  xpull,
  xrep,
  xreq,
} from "../../runtime/index.js";
import { Clock } from "../hostile/clock.js";
import { framed, type Piece } from "../runtime/framing/ws/ends.js";
import { type Stage, staged } from "../support/stage.js";
import { until } from "../support/until.js";

const test = suite("websocket");
const ANY = "ws://127.0.0.1:0";
const SOON = { timeout: 10_000 };
const MiB = 2 ** 20;
const text = (octets: Uint8Array) => Buffer.from(octets).toString();
const { CONNECTING, OPEN, CLOSING, CLOSED } = WebSocket;

// --- an object that does as it is told ---

/** As a browser's; or, with less strict close codes and more methods, as one of `ws`'s. */
class Puppet implements WebSocketObject {
  readyState: number = CONNECTING;
  url: string | undefined = "ws://there/";
  protocol = "";
  bufferedAmount = 0;
  binaryType = "blob";
  readonly sent: (Uint8Array | string)[] = [];
  readonly closes: (number | undefined)[] = [];
  readonly calls: string[] = [];
  readonly #ears: [type: string, hear: (e: never) => void][] = [];
  pause?: () => void;
  resume?: () => void;
  terminate?: () => void;

  constructor(
    readonly strict = true,
    state: number = CONNECTING,
    protocol = "",
  ) {
    this.readyState = state;
    this.protocol = protocol;
    if (strict) return;
    this.pause = () => void this.calls.push("pause");
    this.resume = () => void this.calls.push("resume");
    this.terminate = () => void this.calls.push("terminate");
  }

  addEventListener(type: string, hear: (e: never) => void): void {
    this.#ears.push([type, hear]);
  }

  send(data: Uint8Array | string): void {
    if (this.readyState === CONNECTING) throw new Error("InvalidStateError");
    this.sent.push(typeof data === "string" ? data : data.slice());
  }

  close(code?: number): void {
    if (this.strict && code !== undefined && code !== 1000 && (code < 3000 || code > 4999)) {
      throw new DOMException("The close code must be 1000, or 3000 to 4999.", "InvalidAccessError");
    }
    this.closes.push(code);
    this.readyState = CLOSING;
  }

  tell(type: string, e: object = {}): void {
    for (const [t, hear] of this.#ears) if (t === type) hear(e as never);
  }

  opens(protocol = this.protocol): void {
    this.readyState = OPEN;
    this.protocol = protocol;
    this.tell("open");
  }

  says(data: unknown): void {
    this.tell("message", { data });
  }

  leaves(code: number, reason = ""): void {
    this.readyState = CLOSED;
    this.tell("close", { code, reason });
  }
}

const octets = (s: string): ArrayBuffer => new Uint8Array(Buffer.from(s)).buffer;
const settled = () => new Promise((done) => setImmediate(done));

const PULL = "pull.sp.nanomsg.org";
const PUSH = "push.sp.nanomsg.org";
const PAIR = "pair.sp.nanomsg.org";

/** What happened to a socket. */
function notes(socket: Port) {
  const attached: SocketEvents["attached"][] = [];
  const refused: Error[] = [];
  const detached: (Error | undefined)[] = [];
  socket.on("attached", (e) => attached.push(e));
  socket.on("refused", (e) => refused.push(e.error));
  socket.on("detached", (e) => detached.push(e.error));
  return { attached, refused, detached };
}

/** A PULL over an object, in a time of its own. */
async function pulling(stage: Stage, puppet: Puppet, options: SocketOptions = {}) {
  const clock = new Clock();
  const layers = stack(pull(), xpull(), websocket(puppet));
  const socket = stage.open(layers, { env: clock.env, ...options });
  stage.after(() => puppet.leaves(1000));
  const heard = notes(socket);
  const dialer = socket.dial("ws://there");
  if (puppet.readyState === CONNECTING) puppet.opens(PUSH);
  await settled();
  return { clock, socket, dialer, ...heard };
}

async function pairing(stage: Stage, puppet: Puppet, options: SocketOptions = {}) {
  const clock = new Clock();
  const layers = stack(pair0(), xpair0(), websocket(puppet));
  const socket = stage.open(layers, { env: clock.env, ...options });
  stage.after(() => puppet.leaves(1000));
  const heard = notes(socket);
  socket.dial("ws://there");
  if (puppet.readyState === CONNECTING) puppet.opens(PAIR);
  await settled();
  return { clock, socket, ...heard };
}

test(
  "an object that opens, and one that is open, take part; facts tell of the peer",
  staged(async (stage) => {
    for (const state of [CONNECTING, OPEN]) {
      const puppet = new Puppet(true, state, PAIR);
      const { socket, attached } = await pairing(stage, puppet);
      assert.is(puppet.binaryType, "arraybuffer");
      assert.equal(attached[0]?.pipe.facts, { remote: "ws://there/", subprotocol: PAIR, type: 16 });
      await socket.send("out");
      assert.equal(puppet.sent, [new Uint8Array(Buffer.from("out"))]);
      puppet.says(octets("in"));
      assert.is(text(await socket.receive(SOON)), "in");
    }
  }),
);

test(
  "an object that was closed before is told of at once, and not dialed again",
  staged(async (stage) => {
    for (const state of [CLOSING, CLOSED]) {
      const { dialer, refused, clock } = await pulling(stage, new Puppet(true, state, PUSH));
      await dialer.ready.then(
        () => assert.unreachable(),
        (e) => assert.instance(e, ClosedError),
      );
      assert.is(refused.length, 1);
      assert.match(String(refused[0]), /^ClosedError: websocket: it was closed before/);
      assert.is(clock.armed, 0);
    }
  }),
);

test(
  "an object that does not open within its time is closed",
  staged(async (stage) => {
    const puppet = new Puppet();
    const clock = new Clock();
    const options = { env: clock.env, openTimeout: 100 };
    const socket = stage.open(stack(pull(), xpull(), websocket(puppet)), options);
    const { refused } = notes(socket);
    const dialer = socket.dial("ws://there");
    clock.advance(100);
    await settled();
    assert.instance(refused[0], TimeoutError);
    assert.equal(puppet.closes, [4008]);
    await dialer.ready.then(
      () => assert.unreachable(),
      (e) => assert.instance(e, TimeoutError),
    );
    puppet.opens(PUSH);
    puppet.leaves(1006);
    assert.is(refused.length, 1);
  }),
);

const never: readonly [name: string, e: object, kind: unknown, said: RegExp][] = [
  ["of which a browser says nothing", {}, SystemError, /^connect ws:\/\/there: nobody is there/],
  [
    "of which node says all",
    { message: "x", error: { code: "ECONNREFUSED", message: "x" } },
    SystemError,
    /^connect ws:\/\/there: ECONNREFUSED$/,
  ],
  [
    "of which `ws` says what the server did",
    { message: "Unexpected server response: 400", error: { message: "-" } },
    PeerError,
    /^websocket: Unexpected server response: 400$/,
  ],
];

for (const [name, e, kind, said] of never) {
  test(
    `a connection that never was, ${name}, is refused`,
    staged(async (stage) => {
      // As W3C has it; and as node 22 does, which closes nothing that was not open.
      for (const leaves of [true, false]) {
        const puppet = new Puppet();
        const socket = stage.open(stack(pull(), xpull(), websocket(puppet)));
        const { refused } = notes(socket);
        socket.dial("ws://there");
        puppet.tell("error", e);
        if (leaves) puppet.leaves(1006);
        await settled();
        assert.is(refused.length, 1);
        assert.instance(refused[0], kind as typeof Error);
        assert.match((refused[0] as Error).message, said);
      }
    }),
  );
}

test(
  "a subprotocol that is not the peer's is refused; one that a server accepted is ours",
  staged(async (stage) => {
    for (const [url, protocol, good] of [
      ["ws://there/", PUSH, true],
      ["ws://there/", PUSH.toUpperCase(), true],
      ["ws://there/", PULL, false],
      ["ws://there/", "", false],
      [undefined, PULL, true],
      [undefined, PUSH, false],
    ] as const) {
      const puppet = new Puppet(true, OPEN, protocol);
      puppet.url = url;
      const { attached, refused } = await pulling(stage, puppet);
      assert.is(attached.length, good ? 1 : 0, `${url} ${protocol}`);
      if (good) continue;
      assert.instance(refused[0], PeerError);
      assert.match(String(refused[0]), `'${protocol}', not '`);
      assert.equal(puppet.closes, [4008]);
    }
  }),
);

/** What comes, the code that is said for it, and the rule that is counted. */
const faults: readonly [name: string, data: unknown, code: number, rule: string][] = [
  ["text", "hi", 1003, "ws.text"],
  ["1 MiB + 1", new ArrayBuffer(MiB + 1), 1009, "recvMax"],
];

for (const [name, data, code, rule] of faults) {
  test(
    `${name} ends a connection with ${code}, or ${code + 3000} where a script may not say so`,
    staged(async (stage) => {
      for (const strict of [true, false]) {
        const puppet = new Puppet(strict);
        const { socket, detached } = await pulling(stage, puppet);
        puppet.says(octets("good"));
        puppet.says(data);
        puppet.says(octets("late"));
        await settled();
        assert.equal(puppet.closes, [strict ? code + 3000 : code]);
        assert.instance(detached[0], WireError);
        const { malformed, received } = socket.stats();
        assert.equal({ ...malformed }, { [rule]: 1 });
        assert.is(received, 1);
      }
    }),
  );
}

test(
  "a limit holds for text too, in octets",
  staged(async (stage) => {
    for (const [said, good] of [
      ["é".repeat(5), true],
      ["é".repeat(6), false],
      ["x".repeat(11), false],
    ] as const) {
      const puppet = new Puppet();
      const links = open(stack(websocket(puppet)), { recvMax: 10 });
      stage.after(() => void links.close());
      const dialing = links.dial("ws://there");
      puppet.opens();
      const link = await dialing;
      puppet.says(said);
      if (good) assert.is(String(await link.receive(SOON)), said);
      else assert.equal(puppet.closes, [4009]);
    }
  }),
);

test(
  "what a message of the peer's breaks above is told by the code, too",
  staged(async (stage) => {
    const puppet = new Puppet(true, OPEN, "req.sp.nanomsg.org");
    const socket = stage.open(stack(rep(), xrep(), websocket(puppet)));
    const { detached } = notes(socket);
    socket.dial("ws://there");
    await settled();
    puppet.says(octets("x"));
    await settled();
    assert.equal(puppet.closes, [4002]);
    assert.instance(detached[0], WireError);
  }),
);

test(
  "a MiB on its way stops who sends, and a look every 4 ms lets them go on",
  staged(async (stage) => {
    const puppet = new Puppet();
    const { socket, clock } = await pairing(stage, puppet);
    puppet.bufferedAmount = MiB - 1;
    assert.is(socket.trySend("one"), true);
    puppet.bufferedAmount = MiB;
    assert.is(socket.trySend("two"), true);
    assert.is(socket.trySend("three"), false);
    const waiting = socket.send("three");
    clock.advance(4);
    await settled();
    assert.is(puppet.sent.length, 2);
    puppet.bufferedAmount = MiB - 1;
    clock.advance(3);
    await settled();
    assert.is(puppet.sent.length, 2);
    clock.advance(1);
    await waiting;
    assert.is(puppet.sent.length, 3);
    assert.is(clock.armed, 0);
  }),
);

test(
  "what comes while the application takes nothing waits, in order; who can make the peer wait does",
  staged(async (stage) => {
    for (const strict of [true, false]) {
      const puppet = new Puppet(strict);
      const { socket } = await pulling(stage, puppet, { recvBuffer: 2 });
      for (let i = 0; i < 5000; i++) puppet.says(octets(`${i}`));
      assert.equal(puppet.calls, strict ? [] : ["pause"]);
      for (let i = 0; i < 5000; i++) assert.is(text(await socket.receive(SOON)), `${i}`);
      assert.is(puppet.calls.at(-1), strict ? undefined : "resume");
      puppet.says(octets("more"));
      assert.is(text(await socket.receive(SOON)), "more");
    }
  }),
);

test(
  "beyond 64 MiB that wait the connection ends; what came before is the application's",
  staged(async (stage) => {
    const puppet = new Puppet();
    const { socket, detached } = await pulling(stage, puppet, { recvBuffer: 1 });
    const same = new ArrayBuffer(MiB);
    for (let i = 0; i < 70; i++) puppet.says(same);
    await settled();
    assert.equal(puppet.closes, [4008]);
    assert.is(detached.length, 0);
    const { received } = socket.stats();
    // One that the application may take, 64 that wait; the 65th finds the place full.
    for (let i = 0; i < 65; i++) assert.is((await socket.receive(SOON)).length, MiB);
    await settled();
    assert.is(received, 1);
    assert.match(String(detached[0]), /^PeerError: .* octets wait for the application/);
    assert.equal({ ...socket.stats().dropped }, { "websocket: after close": 5 });
  }),
);

test(
  "a million empty messages that wait are too many",
  staged(async (stage) => {
    const puppet = new Puppet();
    await pulling(stage, puppet, { recvBuffer: 1 });
    const empty = new ArrayBuffer(0);
    let n = 0;
    while (puppet.closes.length === 0 && n < 1_000_000) {
      puppet.says(empty);
      n++;
    }
    assert.ok(n > 500_000 && n < 600_000, `${n}`);
  }),
);

test(
  "what the peer said before it left is taken first",
  staged(async (stage) => {
    const puppet = new Puppet();
    const { socket, detached } = await pairing(stage, puppet, { recvBuffer: 1 });
    for (const s of ["a", "b", "c"]) puppet.says(octets(s));
    puppet.leaves(4000, "as you wish");
    await settled();
    assert.is(detached.length, 0);
    assert.is(socket.trySend("to nobody"), false);
    for (const s of ["a", "b", "c"]) assert.is(text(await socket.receive(SOON)), s);
    await settled();
    assert.is(puppet.sent.length, 0);
    assert.instance(detached[0], PeerError);
    assert.match(String(detached[0]), /4000: "as you wish"/);
  }),
);

const farewells: readonly [code: number, said: RegExp | undefined][] = [
  [1000, undefined],
  [1001, undefined],
  [1005, undefined],
  [1006, /lost without a goodbye/],
  [1011, /the peer closed with 1011/],
];

for (const [code, said] of farewells) {
  test(
    `a peer that leaves with ${code} ${said === undefined ? "just leaves" : "is told of"}`,
    staged(async (stage) => {
      const puppet = new Puppet();
      const { detached } = await pulling(stage, puppet);
      puppet.leaves(code);
      await settled();
      assert.is(detached.length, 1);
      if (said === undefined) assert.is(detached[0], undefined);
      else assert.match(String(detached[0]), said);
    }),
  );
}

test(
  "a rule that `ws` sees broken is counted",
  staged(async (stage) => {
    const puppet = new Puppet(false);
    const { socket, detached } = await pulling(stage, puppet);
    const message = "Invalid WebSocket frame: invalid opcode 3";
    puppet.tell("error", { message, error: { code: "WS_ERR_INVALID_OPCODE", message } });
    puppet.leaves(1006);
    await settled();
    assert.instance(detached[0], WireError);
    assert.equal({ ...socket.stats().malformed }, { "ws.frame": 1 });
  }),
);

test(
  "close says goodbye, waits for the peer's, and counts what comes too late",
  staged(async (stage) => {
    const puppet = new Puppet(false);
    const { socket, detached } = await pulling(stage, puppet, { linger: 5000 });
    const stats = () => ({ ...socket.stats().dropped });
    const closing = socket.close();
    assert.equal(puppet.closes, [1000]);
    puppet.says(octets("late"));
    assert.equal(stats(), { "websocket: after close": 1 });
    await settled();
    assert.is(detached.length, 0);
    puppet.leaves(1000);
    await closing;
    assert.equal(detached, [undefined]);
    assert.not.ok(puppet.calls.includes("terminate"));
  }),
);

test(
  "a peer that says no goodbye has two seconds",
  staged(async (stage) => {
    const puppet = new Puppet(false);
    const { socket, clock, detached } = await pulling(stage, puppet, { linger: 5000 });
    const closing = socket.close();
    clock.advance(1999);
    await settled();
    assert.is(detached.length, 0);
    clock.advance(1);
    await closing;
    assert.is(detached.length, 1);
    clock.advance(2000);
    assert.is(puppet.calls.at(-1), "terminate");
  }),
);

test(
  "at the end of linger the connection is dropped, with a goodbye that scripts may say",
  staged(async (stage) => {
    for (const strict of [true, false]) {
      const puppet = new Puppet(strict);
      const { socket, clock, detached } = await pulling(stage, puppet, { recvBuffer: 1 });
      for (const s of ["a", "b"]) puppet.says(octets(s));
      puppet.leaves(1000);
      // The peer has gone, and nobody takes what it said.
      await socket.close();
      await settled();
      assert.is(detached.length, 1);
      assert.is(socket.stats().dropped["websocket: after close"], 1);
      clock.advance(10_000);
      const other = new Puppet(strict);
      const links = open(stack(websocket(other)), { linger: 0 });
      const dialing = links.dial("ws://there");
      other.opens();
      const link = await dialing;
      await link.close();
      assert.equal(other.closes, [1000]);
    }
  }),
);

test(
  "who gives up a connection that opens says 1001, or 1000 where a script may not",
  staged(async (stage) => {
    for (const strict of [true, false]) {
      const puppet = new Puppet(strict);
      const socket = stage.open(
        stack(
          pull(),
          xpull(),
          websocket(() => puppet),
        ),
      );
      await socket.dial("ws://there").close();
      assert.equal(puppet.closes, [strict ? 1000 : 1001]);
    }
  }),
);

test(
  "an object serves one connection: it is not dialed again, neither by itself nor by hand",
  staged(async (stage) => {
    const puppet = new Puppet();
    const { socket, clock, detached } = await pulling(stage, puppet);
    puppet.leaves(1000);
    await settled();
    assert.is(detached.length, 1);
    assert.is(clock.armed, 0);
    const once = (e: unknown) =>
      e instanceof StateError && /give websocket\(\) a function that makes one/.test(e.message);
    assert.throws(() => socket.dial("ws://there"), once);
    const other = stage.open(stack(pull(), xpull(), websocket(puppet)));
    assert.throws(() => other.dial("ws://there"), once);
    assert.not.match(other.toString(), /dial/);
  }),
);

test(
  "a function that makes objects is asked again for each connection, with address and subprotocol",
  staged(async (stage) => {
    const made: [Puppet, url: string, protocols: string[]][] = [];
    const clock = new Clock();
    const make = (url: string, protocols: string[]) => {
      const puppet = new Puppet();
      made.push([puppet, url, protocols]);
      if (made.length === 2) throw new Error("not now");
      return made.length === 3 ? (made[0]?.[0] as Puppet) : puppet;
    };
    const socket = stage.open(stack(pull(), xpull(), websocket(make)), { env: clock.env });
    const { refused, attached } = notes(socket);
    socket.dial("wss://there/path?query");
    made[0]?.[0].opens(PUSH);
    made[0]?.[0].leaves(1000);
    for (let n = 2; n <= 4; n++) {
      await settled();
      clock.advance(20_000);
      assert.is(made.length, n);
    }
    made[3]?.[0].opens(PUSH);
    stage.after(() => made[3]?.[0].leaves(1000));
    assert.is(attached.length, 2);
    assert.equal(made[3]?.slice(1), ["wss://there/path?query", [PUSH]]);
    assert.equal(
      refused.map((e) => e.name),
      ["Error", "StateError"],
    );
  }),
);

test(
  "text is text for who asks, both ways",
  staged(async (stage) => {
    const puppet = new Puppet();
    const layers = stack(opcodes(), pair0(), xpair0(), websocket(puppet));
    const socket = stage.open(layers);
    socket.dial("ws://there");
    puppet.opens(PAIR);
    await socket.send("ελλάς");
    await socket.send(Buffer.from("octets"));
    assert.equal(puppet.sent, ["ελλάς", new Uint8Array(Buffer.from("octets"))]);
    puppet.says("ελλάς");
    puppet.says(octets("octets"));
    const [one, two] = [await socket.receive(SOON), await socket.receive(SOON)];
    assert.instance(one, Utf8);
    assert.is(String(one), "ελλάς");
    assert.not.instance(two, Utf8);
  }),
);

test(
  "an object whose binaryType was changed cannot be read",
  staged(async (stage) => {
    const puppet = new Puppet();
    const { detached } = await pulling(stage, puppet);
    puppet.says({ size: 3 });
    await settled();
    assert.match(String(detached[0]), /^StateError: .*'binaryType' has to stay/);
  }),
);

test(
  "what is no WebSocket, what cannot listen, and where there is none: each says so at once",
  staged(async (stage) => {
    for (const bad of [null, {}, "ws://there", { readyState: 1 }]) {
      assert.throws(
        () => websocket(bad as never),
        (e: unknown) => e instanceof StackError && /takes a WebSocket, or a fun/.test(e.message),
      );
    }
    const socket = stage.open(stack(rep(), xrep(), websocket(new Puppet())));
    await socket.listen(ANY).then(
      () => assert.unreachable(),
      (e) => assert.instance(e, StackError),
    );
    assert.throws(() => socket.dial("tcp://127.0.0.1:1"), /cannot reach tcp:/);
    const world = globalThis as { WebSocket?: unknown };
    const { WebSocket: own } = world;
    world.WebSocket = undefined;
    try {
      const other = stage.open(stack(rep(), xrep(), websocket()));
      assert.throws(
        () => other.dial("ws://there"),
        (e: unknown) => e instanceof StackError && /give websocket\(\) a fun/.test(e.message),
      );
    } finally {
      world.WebSocket = own;
    }
  }),
);

// --- objects of `ws`'s ---

const make = (url: string, protocols: string[]) => new WebSocket(url, protocols);
/** `open` as a page has it: its addresses bring an object of `ws`'s, or the one that is given. */
const paged = opener({ "ws://": [(from?: never) => websocket(from ?? make)] }, node);

interface Room {
  /** Opens a socket of the other end. */
  readonly other: typeof paged;
  /** Brings it together with one of ours. */
  readonly meet: (here: Port, there: Port) => Promise<void>;
}

/** The other end is our own layer; or an object, too, which a server of `ws`'s has accepted. */
const rooms: readonly [name: string, room: (stage: Stage) => Promise<Room>][] = [
  ["our listener", async (stage) => ({ other: (layers) => stage.open(layers), meet: listening })],
  [
    "a server of ws's",
    async (stage) => {
      let there: Port | undefined;
      const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
      stage.after(() => server.close());
      server.on("connection", (object) => there?.dial("ws://client", { websocket: object }));
      await new Promise((done) => server.on("listening", done));
      const { port } = server.address() as { port: number };
      return {
        other: opened(stage),
        meet: async (here, to) => {
          there = to;
          await here.dial(`ws://127.0.0.1:${port}/`).ready;
        },
      };
    },
  ],
];

function opened(stage: Stage): typeof paged {
  return (layers, options) => {
    const socket = paged(layers, { reconnect: { min: 5, max: 50 }, linger: 0, ...options });
    const { close } = socket as unknown as Port;
    stage.after(() => void close.call(socket));
    return socket;
  };
}

async function listening(here: Port, there: Port): Promise<void> {
  const { url } = await there.listen(ANY);
  await here.dial(url).ready;
}

const bodies = (header: number) =>
  [0, 1, 125, 64 * 1024, MiB - header].map((n) => new Uint8Array(n).fill(n % 251));

async function passes(from: Pick<Exchanger, "send">, to: Pick<Exchanger, "receive">, header = 0) {
  for (const body of bodies(header)) {
    await from.send(body.slice());
    assert.equal(await to.receive(SOON), body);
  }
}

async function answers(by: Replier, asks: (body: Uint8Array) => Promise<Uint8Array>) {
  by.serve((body) => body);
  for (const body of bodies(4)) assert.equal(await asks(body.slice()), body);
}

const met = (socket: Port) => until("a connection", () => socket.stats().attached > 0);

for (const [name, enter] of rooms) {
  test(
    `with ${name}, every protocol in each of its roles`,
    staged(async (stage) => {
      const { other, meet } = await enter(stage);
      const open = opened(stage);
      for (const pair of [pair0, pair1, bus, star]) {
        const [here, there] = [open(pair()) as Exchanger, other(pair()) as Exchanger];
        await meet(here, there);
        await met(there);
        const header = pair === pair1 || pair === star ? 4 : 0;
        await passes(here, there, header);
        await passes(there, here, header);
      }
      // Either may be the object's, and dial.
      for (const [a, b] of [
        [open, other],
        [other, open],
      ] as const) {
        const meets = (one: Port, two: Port) => (a === open ? meet(one, two) : meet(two, one));
        const [from, to] = [a(push()), b(pull())];
        await meets(from, to);
        await passes(from, to);
        const [station, reader] = [a(pub()), b(sub())];
        reader.subscribe("");
        await meets(station, reader);
        await met(station);
        await passes(station, reader);
        const [asker, replier] = [a(req()), b(rep())];
        await meets(asker, replier);
        await answers(replier, (body) => asker.request(body, SOON));
        const [surveying, answering] = [a(surveyor()), b(respondent())];
        await meets(surveying, answering);
        await met(surveying);
        await answers(answering as Replier, async (body) => {
          for await (const answer of surveying.survey(body)) return answer;
          throw new Error("no answer");
        });
      }
    }),
  );
}

/** A layer that the peer must have, too. */
const mark: Layer<"link", "link", "mark"> = {
  name: "mark",
  below: "link",
  above: "link",
  identity: "mark@1",
  make: () => new Element(),
};

for (const [name, enter] of rooms) {
  test(
    `with ${name}, layers above are compared before any of them opens`,
    staged(async (stage) => {
      const { other, meet } = await enter(stage);
      const open = opened(stage);
      const [asker, replier] = [
        open(stack(req(), xreq(), mark)),
        other(stack(rep(), xrep(), mark)),
      ];
      await meet(asker, replier);
      await answers(replier, (body) => asker.request(body, SOON));
      for (const [one, two] of [
        [stack(req(), xreq(), mark), rep()],
        [req(), stack(rep(), xrep(), mark)],
      ] as const) {
        const [here, there] = [open(one), other(two)];
        const refused = [...[here, there].map((socket) => notes(socket).refused)];
        meet(here, there).catch(() => {});
        await until("a refusal", () => refused.some((all) => all.length > 0));
        await until("the reason", () => /stacks differ/.test(refused.flat().join()));
        await here.close();
      }
    }),
  );
}

test(
  "a slow reader makes an object's sender wait, and nothing is lost",
  staged(async (stage) => {
    const [here, there] = [opened(stage)(push()), stage.open(pull(), { recvBuffer: 4 })];
    await listening(here, there);
    const body = new Uint8Array(256 * 1024).fill(1);
    let sent = 0;
    while (here.trySend(body)) sent++;
    assert.ok(sent >= 4 && sent < 100, `${sent} before it has to wait`);
    const rest = (async () => {
      for (; sent < 120; sent++) await here.send(body);
    })();
    for (let i = 0; i < 120; i++) assert.is((await there.receive(SOON)).length, body.length);
    await rest;
    assert.equal({ ...here.stats().dropped }, {});
  }),
);

test(
  "an object makes its peer wait where it can, and nothing is lost",
  staged(async (stage) => {
    const [here, there] = [opened(stage)(pull(), { recvBuffer: 4 }), stage.open(push())];
    await listening(here, there);
    const body = new Uint8Array(256 * 1024).fill(1);
    let sent = 0;
    // More than an object would hold if it could not.
    const pushing = (async () => {
      for (; sent < 300; sent++) await there.send(body);
    })();
    await until("a stop", () => here.stats().received === 4);
    for (let i = 0; i < 300; i++) assert.is((await here.receive(SOON)).length, body.length);
    await pushing;
    assert.is(here.stats().attached, 1);
  }),
);

test(
  "a function that makes objects finds a server that goes and comes back",
  staged(async (stage) => {
    const here = opened(stage)(req());
    const first = stage.open(rep());
    first.serve(() => "first");
    const { url } = await first.listen(ANY);
    here.dial(url);
    assert.is(text(await here.request("who?", SOON)), "first");
    await first.close();
    await until("the end", () => here.stats().detached === 1);
    const second = stage.open(rep());
    second.serve(() => "second");
    await second.listen(url);
    assert.is(text(await here.request("who?", SOON)), "second");
  }),
);

test(
  "a plain link by an object talks text and octets with ours, and its last words arrive",
  staged(async (stage) => {
    const links = open(stack(ws({ protocols: ["chat"] })), { linger: 100 });
    const talks = open(stack(websocket((url) => new WebSocket(url, "chat"))), { linger: 500 });
    stage.after(() => void links.close());
    stage.after(() => void talks.close());
    const listener = await links.listen(`${ANY}/chat`);
    const near = await talks.dial(listener.url);
    const { value: far } = (await listener[Symbol.asyncIterator]().next()) as { value: Link };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      await from.send("ελλάς");
      await from.send(Buffer.from("octets"));
      const [one, two] = [await to.receive(SOON), await to.receive(SOON)];
      assert.instance(one, Utf8);
      assert.is(String(one), "ελλάς");
      assert.not.instance(two, Utf8);
    }
    await near.send("the last");
    await near.close();
    assert.is(String(await far.receive(SOON)), "the last");
    await far.receive(SOON).then(
      () => assert.unreachable(),
      (e) => assert.instance(e, ClosedError),
    );
  }),
);

test(
  "who is not let in is told why by ws",
  staged(async (stage) => {
    const listener = await stage.open(pub()).listen(`${ANY}/p`);
    for (const [url, said] of [
      [listener.url, /Unexpected server response: 400/],
      [listener.url.replace(/p$/, "q"), /Unexpected server response: 404/],
      ["ws://127.0.0.1:1/", /ECONNREFUSED/],
      ["ws://[", /Invalid URL/],
    ] as const) {
      const socket = opened(stage)(req());
      const { refused } = notes(socket);
      socket.dial(url);
      await until("a refusal", () => refused.length > 0);
      assert.match(String(refused[0]), said);
      await socket.close();
    }
  }),
);

/** What a bad server sends to an object, and what is counted. */
const wrong: readonly [name: string, pieces: readonly Piece[], rule: string][] = [
  ["an opcode that is none", [{ opcode: 3 }], "ws.frame"],
  ["a reserved bit", [{ opcode: 2, rsv: 4 }], "ws.frame"],
  ["what is masked", [{ opcode: 2, wronglyMasked: true }], "ws.frame"],
  ["a continuation of nothing", [{ opcode: 0 }], "ws.frame"],
  ["a close of one octet", [{ opcode: 8, payload: "x" }], "ws.frame"],
  ["2^63 octets", [{ opcode: 2, claims: 2n ** 63n }], "ws.frame"],
  ["text", [{ opcode: 1, payload: "hi" }], "ws.text"],
  ["1 MiB + 1", [{ opcode: 2, payload: new Uint8Array(MiB + 1) }], "recvMax"],
  ["no reply", [{ opcode: 2, payload: "x" }], "sp.tag"],
];

for (const [name, pieces, rule] of wrong) {
  test(
    `${name} from a server ends the connection, and is counted`,
    staged(async (stage) => {
      const peers: NetSocket[] = [];
      const server = createServer((peer) => {
        peers.push(peer.on("error", () => {}));
        peer.once("data", (request) => {
          const [, key = ""] = /^Sec-WebSocket-Key: (.*)\r$/im.exec(String(request)) ?? [];
          const answer = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${proof(key)}`;
          const chosen = "Sec-WebSocket-Protocol: rep.sp.nanomsg.org";
          peer.write(`HTTP/1.1 101 Switching Protocols\r\n${answer}\r\n${chosen}\r\n\r\n`);
          for (const piece of pieces) peer.write(framed(piece, "dial"));
        });
      });
      stage.after(() => {
        server.close();
        for (const peer of peers) peer.destroy();
      });
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
      const { port } = server.address() as { port: number };
      const socket = opened(stage)(req(), { reconnect: { min: 60_000 } });
      const { detached } = notes(socket);
      socket.dial(`ws://127.0.0.1:${port}/`);
      await until("the end", () => detached.length === 1);
      assert.instance(detached[0], WireError);
      assert.equal({ ...socket.stats().malformed }, { [rule]: 1 });
    }),
  );
}

test.run();
