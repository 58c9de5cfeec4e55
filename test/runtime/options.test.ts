/** What options may be, and that they do what they say. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  hop,
  integrity,
  ipc,
  KeyRing,
  node,
  open,
  pair0,
  pub,
  pull,
  push,
  rep,
  req,
  type SocketOptions,
  sub,
  surveyor,
  TimeoutError,
  tcp,
  tls,
  ws,
  xreq,
} from "../../runtime/index.js";
import { check } from "../../runtime/stack.js";
import { Clock } from "../hostile/clock.js";
import { text } from "../protocol/place.js";
import { World } from "../world/world.js";

const test = suite("options");

/** As node's timers: whoever asks for more than they can gets none of it. */
const NODES_MOST = 2 ** 31 - 1;

class Strict extends Clock {
  readonly world = {
    ...this.env,
    names: new Map(),
    timer: (ms: number, f: () => void) => this.env.timer(ms > NODES_MOST ? 1 : ms, f),
  };
}

async function rejects(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("not rejected");
}

/** What a promise has come to by now: nothing, if it is not settled. */
async function now(promise: Promise<unknown>): Promise<unknown> {
  const turn = new Promise((done) => setImmediate(done, "nothing yet"));
  return Promise.race([promise.catch((error) => error), turn]);
}

const INFINITE: readonly (readonly [string, (env: SocketOptions["env"]) => Promise<unknown>])[] = [
  ["receive", (env) => open(pull(), opts(env)).receive({ timeout: Infinity })],
  ["request", (env) => open(req(), opts(env)).request("?", { timeout: Infinity })],
  ["send", (env) => open(push(), { ...opts(env), sendBuffer: 0 }).send("x", { timeout: Infinity })],
  ["survey", (env) => open(surveyor(), opts(env)).survey("?", { surveyTime: Infinity }).next()],
];

function opts(env: SocketOptions["env"]): SocketOptions {
  return env === undefined ? {} : { env };
}

for (const [name, wait] of INFINITE) {
  test(`${name} without a limit sets no timer, and goes on`, async () => {
    const clock = new Strict();
    const waits = wait(clock.world);
    assert.is(clock.armed, 0);
    clock.advance(1e15);
    assert.is(await now(waits), "nothing yet");
  });
}

test("a time beyond what a timer can take runs out when it should, and not before", async () => {
  const clock = new Strict();
  const { world: env } = clock;
  const late = [
    open(pull(), { env }).receive({ timeout: 3e9 }),
    open(req(), { env }).request("?", { timeout: 3e9 }),
    open(push(), { env, sendBuffer: 0 }).send("x", { timeout: 3e9 }),
  ];
  for (let n = 0; n < 29; n++) clock.advance(1e8);
  for (const promise of late) assert.is(await now(promise), "nothing yet");
  clock.advance(1e8);
  for (const promise of late) {
    const error = await now(promise);
    assert.instance(error, TimeoutError);
    assert.match((error as Error).message, "within 3000000000 ms");
  }
  assert.is(clock.armed, 0);
});

test("a long wait that ends by itself leaves no timer", async () => {
  const clock = new Strict();
  const { world: env } = clock;
  const [to, from] = [open(push(), { env }), open(pull(), { env })];
  await from.listen("inproc://long");
  await to.dial("inproc://long").ready;
  const waits = from.receive({ timeout: 7e9 });
  for (let n = 0; n < 5; n++) clock.advance(1e9);
  await to.send("in time");
  assert.is(text(await waits), "in time");
  await Promise.all([to.close(), from.close()]);
  assert.is(clock.armed, 0);
});

test("a request is sent again after a resendTime of any length, and never after Infinity", async () => {
  for (const [resendTime, times] of [
    [3e9, 2],
    [Infinity, 1],
    [0, 1],
  ] as const) {
    const clock = new Strict();
    const { world: env } = clock;
    const [asks, answers] = [open(req({ resendTime }), { env }), open(rep(), { env })];
    await answers.listen("inproc://again");
    await asks.dial("inproc://again").ready;
    asks.request("?").catch(() => {});
    await answers.receive();
    for (let n = 0; n < 29; n++) clock.advance(1e8);
    assert.is(await now(answers.receive()), "nothing yet");
    clock.advance(1e8);
    await now(new Promise(() => {}));
    assert.is(answers.stats().received, times);
    await Promise.all([asks.close(), answers.close()]);
  }
});

test("openTimeout and linger of any length last that long", async () => {
  for (const ms of [3e9, Infinity]) {
    const clock = new Strict();
    const { world: env } = clock;
    const silent = { ...env, net: { ...node.net, connect: () => ({ destroy() {} }) } };
    const socket = open(push(), { env: silent, openTimeout: ms, linger: ms });
    socket.dial("tcp://127.0.0.1:1");
    await socket.send("to nobody");
    const closed = socket.close();
    for (let n = 0; n < 29; n++) clock.advance(1e8);
    assert.is(socket.stats().refused, 0);
    assert.is(await now(closed), "nothing yet");
    assert.is(clock.armed, ms === Infinity ? 0 : 2);
    // Who has waited enough says so.
    const hurried = socket.close({ linger: 5 });
    clock.advance(5);
    await Promise.all([closed, hurried]);
  }
});

test("without a limit to linger, close writes all, and ends when nobody is left to write to", async () => {
  const world = new World({ seed: 1 });
  await world.run(async () => {
    const to = open(push(), { env: world.host("to"), linger: Infinity });
    const from = open(pull(), { env: world.host("from"), recvBuffer: 1 });
    await from.listen("tcp://10.0.0.1:1");
    await to.dial("tcp://10.0.0.1:1").ready;
    for (let i = 0; i < 100; i++) await to.send(new Uint8Array(1000));
    const closed = world.waits(to.close(), "close");
    await world.sleep(60_000);
    for (let i = 0; i < 100; i++) assert.is((await from.receive()).length, 1000);
    await closed;
    const alone = open(push(), { env: world.host("alone"), linger: Infinity });
    alone.dial("tcp://10.0.0.2:1");
    await alone.send("to nobody");
    await world.sleep(1000);
    await world.waits(alone.close(), "close of who is alone");
    await from.close();
  });
});

test("a close may have a linger of its own", async () => {
  const clock = new Strict();
  const socket = open(push(), { env: clock.world, linger: 10 });
  await socket.send("to nobody");
  const closed = socket.close({ linger: 100 });
  clock.advance(99);
  assert.is(await now(closed), "nothing yet");
  clock.advance(1);
  await closed;
});

const NUMBERS: readonly (readonly [string, number, SocketOptions])[] = [
  ["reconnect.min", -1, { reconnect: { min: -1 } }],
  ["reconnect.min", Number.NaN, { reconnect: { min: Number.NaN } }],
  ["reconnect.min", Infinity, { reconnect: { min: Infinity } }],
  ["reconnect.max", -5, { reconnect: { max: -5 } }],
  ["reconnect.max", 0, { reconnect: { min: 0, max: 0 } }],
  ["openTimeout", 0, { openTimeout: 0 }],
  ["openTimeout", Number.NaN, { openTimeout: Number.NaN }],
  ["linger", -1, { linger: -1 }],
  ["linger", Number.NaN, { linger: Number.NaN }],
  ["sendTimeout", -1, { sendTimeout: -1 }],
  ["receiveTimeout", Number.NaN, { receiveTimeout: Number.NaN }],
  ["sendBuffer", -1, { sendBuffer: -1 }],
];

for (const [name, n, options] of NUMBERS) {
  test(`${JSON.stringify(Object.keys(options))}: ${name} of ${n} is refused in a sentence`, () => {
    const said = `^${name} is (milliseconds|a whole number)(, \\d or more| from \\d to \\d+); not ${n}$`;
    assert.throws(
      () => open(req(), options),
      (error: unknown) => error instanceof RangeError && new RegExp(said).test(error.message),
    );
  });
}

test("a reconnect that is no pair of times, and a time that is text, are refused", () => {
  assert.throws(() => open(req(), { reconnect: 500 as never }), /^reconnect is { min, max }/);
  assert.throws(() => open(req(), { linger: "9" as never }), /^linger is milliseconds/);
  assert.throws(() => req({ resendTime: "9" as never }), /^resendTime is milliseconds/);
});

test("a timeout that is none is refused, and nothing is sent, asked or taken", async () => {
  const env = { ...node, names: new Map() };
  const [one, two] = [open(pair0(), { env }), open(pair0(), { env })];
  await one.listen("inproc://pair");
  await two.dial("inproc://pair").ready;
  await two.send("stays");
  const asks = open(req(), { env });
  for (const timeout of [-1, Number.NaN, "5" as never]) {
    for (const wrong of [
      one.send("x", { timeout }),
      one.receive({ timeout }),
      asks.request("?", { timeout }),
    ]) {
      const error = await rejects(wrong);
      assert.instance(error, RangeError);
      assert.is(error.message, `timeout is milliseconds, 0 or more; not ${timeout}`);
    }
  }
  assert.is(one.stats().sent + asks.stats().sent, 0);
  assert.is(text(await one.receive({ timeout: 0 })), "stays");
  const error = await rejects(one.close({ linger: Number.NaN }));
  assert.is(error.message, "linger is milliseconds, 0 or more; not NaN");
  await Promise.all([one.close(), two.close(), asks.close()]);
});

test("a concurrency that is none is refused, and the socket may still be served", async () => {
  const socket = open(rep());
  for (const concurrency of [0, -1, 1.5, Number.NaN]) {
    const said = `concurrency is a whole number, 1 or more; not ${concurrency}`;
    assert.throws(() => socket.serve((body) => body, { concurrency }), said);
  }
  socket.serve((body) => body, { concurrency: 1 });
  await socket.close();
});

/** When attempts to connect to nobody are made, in milliseconds. */
async function attempts(reconnect: { min: number; max?: number }, ms: number): Promise<number[]> {
  const world = new World({ seed: 7 });
  const at: number[] = [];
  world.network.hears = () => at.push(world.clock.now);
  await world.run(async () => {
    const socket = open(pull(), { env: world.host("dialer"), reconnect });
    socket.dial("tcp://10.0.0.9:1");
    await world.sleep(ms);
    await socket.close();
  });
  return at;
}

test("reconnect.min of 0 tries again at once, and then less and less often", async () => {
  const first = await attempts({ min: 0 }, 1000);
  assert.ok(first.length >= 5 && first.length <= 25, `${first.length} attempts in a second`);
  assert.ok((first[1] as number) < 10, `the second after ${first[1]} ms`);
  const later = await attempts({ min: 0 }, 120_000);
  assert.ok(later.length <= 50, `${later.length} attempts in two minutes`);
  assert.ok(later.filter((t) => t > 60_000).length >= 6, "it does not give up");
});

test("reconnect.max below min means always min", async () => {
  const at = await attempts({ min: 100, max: 0 }, 10_000);
  const gaps = at.slice(1).map((t, i) => t - (at[i] as number));
  for (const gap of gaps) assert.ok(gap > 98 && gap < 103, `${gap} ms`);
});

test("a socket's own times are for calls that do not say theirs", async () => {
  const clock = new Strict();
  const options = { env: clock.world, sendTimeout: 20, receiveTimeout: 50, sendBuffer: 0 };
  const [pushes, pulls, asks] = [
    open(push(), options),
    open(pull(), options),
    open(req(), options),
  ];
  const calls = [
    [20, pushes.send("x")],
    [30, pushes.send("x", { timeout: 30 })],
    [50, pulls.receive()],
    [60, pulls.receive({ timeout: 60 })],
    // However long it waits for somebody to ask.
    [50, asks.request("?")],
    [70, asks.request("?", { timeout: 70 })],
  ] as const;
  const endless = [
    pushes.send("x", { timeout: Infinity }),
    pulls.receive({ timeout: Infinity }),
    asks.request("?", { timeout: Infinity }),
    // A loop takes what comes, whenever that is.
    pulls[Symbol.asyncIterator]().next(),
  ];
  for (let ms = 0; ms <= 70; ms += 10) {
    for (const [most, call] of calls) {
      const said = await now(call);
      if (ms < most) assert.is(said, "nothing yet");
      else assert.match((said as Error).message, `within ${most} ms`);
    }
    clock.advance(10);
  }
  for (const call of endless) assert.is(await now(call), "nothing yet");
  assert.is(clock.armed, 0);
});

test("sendBuffer of 0 holds nothing for want of a connection: trySend answers false, send waits", async () => {
  const env = { ...node, names: new Map() };
  for (const [from, to] of [
    [() => open(push(), { env, sendBuffer: 0 }), () => open(pull(), { env })],
    [() => open(pair0(), { env, sendBuffer: 0 }), () => open(pair0(), { env })],
  ] as const) {
    const [sends, takes] = [from(), to()];
    assert.not(sends.trySend("nobody"));
    const waits = sends.send("waits");
    assert.is(await now(waits), "nothing yet");
    assert.is(sends.stats().sent, 0);
    await takes.listen("inproc://late");
    sends.dial("inproc://late");
    await waits;
    assert.ok(sends.trySend("somebody"));
    assert.is(text(await takes.receive()), "waits");
    assert.is(text(await takes.receive()), "somebody");
    const went = new Promise<void>((done) => void sends.on("detached", () => done()));
    await takes.close();
    await went;
    assert.not(sends.trySend("nobody again"));
    await sends.close();
  }
  const asks = open(req(), { env, sendBuffer: 0 });
  const answers = open(rep(), { env });
  answers.serve((body) => body);
  const reply = asks.request("waits");
  assert.is(await now(reply), "nothing yet");
  await answers.listen("inproc://asked");
  asks.dial("inproc://asked");
  assert.is(text(await reply), "waits");
  await Promise.all([asks.close(), answers.close()]);
});

test("without a connection trySend takes what the buffer holds; PUB, who waits for nobody, drops and counts", async () => {
  const env = { ...node, names: new Map() };
  const socket = open(push(), { env, linger: 0 });
  let taken = 0;
  while (socket.trySend("x")) taken++;
  assert.is(taken, 128);
  const station = open(pub(), { env });
  for (let i = 0; i < 200; i++) assert.ok(station.trySend("x"));
  await Promise.all([socket.close(), station.close()]);
});

const MISSPELT: readonly (readonly [string, () => unknown])[] = [
  ["open has no option 'recvmax'", () => open(req(), { recvmax: 1 } as SocketOptions)],
  ["reconnect has no option 'least'", () => open(req(), { reconnect: { least: 1 } as object })],
  ["tls has no option 'requestcert'", () => tls({ requestcert: true } as object)],
  ["ws has no option 'Origins'", () => ws({ Origins: [] } as object)],
  ["tcp has no option 'keepalive'", () => tcp({ keepalive: false } as object)],
  ["ipc has no option 'mod'", () => ipc({ mod: 0o660 } as object)],
  ["hop has no option 'paddings'", () => hop({ paddings: 16 } as never)],
  ["integrity has no option 'windows'", () => integrity({ keys: [], windows: 1 } as never)],
  ["a key has no option 'notafter'", () => new KeyRing([{ id: 1, notafter: 1 } as never])],
  ["req has no option 'resend'", () => req({ resend: 1 } as object)],
  ["surveyor has no option 'time'", () => surveyor({ time: 1 } as object)],
  ["sub has no option 'overFlow'", () => sub({ overFlow: "wait" } as object)],
  ["this protocol has no option 'TTL'", () => rep({ TTL: 1 } as object)],
];

for (const [said, make] of MISSPELT) {
  test(`${said}, which is told together with those that there are`, () => {
    assert.throws(
      make,
      (e: Error) => e instanceof TypeError && e.message.startsWith(`${said}; it has `),
    );
  });
}

test("an address refuses a misspelt option of a layer that it brings", async () => {
  const socket = open(rep());
  const tls = { requestcert: true } as object;
  assert.match(
    (await rejects(socket.listen("tls+tcp://127.0.0.1:0", { tls }))).message,
    /requestcert/,
  );
  await socket.close();
});

test("options that are missing altogether are asked for", () => {
  assert.throws(() => hop(undefined as never), /hop takes options: an object; not undefined/);
  assert.throws(() => integrity(undefined as never), /integrity takes options/);
  assert.throws(() => integrity({} as never), /integrity needs 'keys'/);
});

test("a SUB that overflows does one of three things", () => {
  assert.throws(
    () => sub({ overflow: "drop-oldest" as never }),
    /drop-old, drop-new, wait; not drop-oldest/,
  );
});

const NONSENSE: readonly (readonly [RegExp, () => unknown])[] = [
  [/takes layers, as req\(\); not the function req: call it/, () => check([req as never, xreq()])],
  [/takes layers, as req\(\); not undefined/, () => check([req(), undefined as never])],
  [/an address is a string; not undefined/, () => open(req()).dial(undefined as never)],
  [/an address is a string; not object/, () => open(req()).dial(new URL("a://b") as never)],
  [/no event 'attach'; there are attached, /, () => open(req()).on("attach" as never, () => {})],
  [
    /serve takes a function of the body; not undefined/,
    () => open(rep()).serve(undefined as never),
  ],
  [/a topic is a string or a Uint8Array; not number/, () => open(sub()).subscribe(5 as never)],
];

for (const [said, call] of NONSENSE) {
  test(`who calls without types is told: ${said.source}`, () => {
    assert.throws(call, (e: Error) => said.test(e.message));
  });
}

test.run();
