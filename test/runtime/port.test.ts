/** What the application holds: promises that settle once, queues that end, and who is told what. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  CancelledError,
  ClosedError,
  node,
  open,
  pair0,
  pull,
  push,
  rep,
  req,
  StateError,
  TimeoutError,
} from "../../runtime/index.js";

const test = suite("port");
const text = (octets: Uint8Array): string => new TextDecoder().decode(octets);

/** A world whose names are nobody else's, and which keeps what it is told of. */
function world() {
  const reported: unknown[] = [];
  return { reported, env: { ...node, names: new Map(), report: (e: unknown) => reported.push(e) } };
}

/** The next event of that name. */
function once<T>(on: (name: never, hear: (e: T) => void) => () => void, name: string): Promise<T> {
  return new Promise((done) => {
    const off = on(name as never, (e) => {
      off();
      done(e);
    });
  });
}

async function rejects(promise: Promise<unknown>, type: new (m: string) => Error): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, type);
    return error as Error;
  }
  throw new Error(`not rejected with ${type.name}`);
}

async function pipeline(env = world().env, options = {}) {
  const [to, from] = [open(push(), { env, ...options }), open(pull(), { env, ...options })];
  await from.listen("inproc://pipeline");
  await to.dial("inproc://pipeline").ready;
  return { to, from, close: () => Promise.all([to.close(), from.close()]) };
}

test("text goes as UTF-8, octets as they are, nothing as nothing", async () => {
  const { to, from, close } = await pipeline();
  await to.send("grüß dich");
  await to.send(new Uint8Array([0, 255]));
  await to.send("");
  assert.is(text(await from.receive()), "grüß dich");
  assert.equal([...(await from.receive())], [0, 255]);
  assert.is((await from.receive()).length, 0);
  await close();
});

test("a body that is none is refused, before anything is sent", async () => {
  const { to, from, close } = await pipeline();
  await rejects(to.send(7 as never), TypeError as never);
  assert.throws(() => to.trySend({} as never), /a body is a Uint8Array/);
  assert.is(to.stats().sent, 0);
  assert.is(from.tryReceive(), undefined);
  await close();
});

test("message(n) is sent once, in place, and not copied", async () => {
  const { to, from, close } = await pipeline();
  const draft = to.message(4);
  draft.body.set([1, 2, 3, 4]);
  await to.send(draft);
  const got = await from.receive();
  assert.equal([...got], [1, 2, 3, 4]);
  assert.is(got.buffer, draft.body.buffer);
  assert.is(to.stats().copies + from.stats().copies, 0);
  await rejects(to.send(draft), StateError as never);
  await close();
});

test("{ copy: true } lets the caller write to the body again", async () => {
  const { to, from, close } = await pipeline();
  const body = new Uint8Array([1]);
  await to.send(body, { copy: true });
  body[0] = 2;
  assert.equal([...(await from.receive())], [1]);
  await close();
});

// What slice() gives of a Buffer is no copy.
for (const body of [new Uint8Array(9), Buffer.alloc(9)])
  test(`{ guard: true } tells who wrote to a ${body.constructor.name} after it was sent, and where`, async () => {
    const { env, reported } = world();
    const { to, from, close } = await pipeline(env, { guard: true });
    const told = once<{ error: unknown }>(to.on.bind(to), "error");
    await to.send(body);
    body[8] = 1;
    const { error } = await told;
    assert.instance(error, StateError);
    assert.match((error as Error).message, /^octet 8 of a body was written after it was sent/);
    assert.match(((error as Error).cause as Error).stack ?? "", /port\.test/);
    assert.is(reported.length, 0);
    await from.receive();
    await close();
  });

test("receive ends by time, by signal, and by closing, each in its own words", async () => {
  const { from, close } = await pipeline();
  assert.match(
    (await rejects(from.receive({ timeout: 5 }), TimeoutError as never)).message,
    /within 5 ms/,
  );
  const stop = new AbortController();
  const waiting = from.receive({ signal: stop.signal });
  stop.abort("enough");
  assert.is((await rejects(waiting, CancelledError as never)).cause, "enough");
  await rejects(from.receive({ signal: stop.signal }), CancelledError as never);
  const last = from.receive();
  const closed = rejects(last, ClosedError as never);
  await close();
  await closed;
  await rejects(from.receive(), ClosedError as never);
});

test("a message that nobody waited for any more is there for the next", async () => {
  const { to, from, close } = await pipeline();
  const stop = new AbortController();
  const gone = rejects(from.receive({ signal: stop.signal }), CancelledError as never);
  stop.abort();
  await gone;
  await to.send("kept");
  assert.is(text(await from.receive()), "kept");
  await close();
});

test("for await goes message by message, and ends when the socket closes", async () => {
  const { to, from, close } = await pipeline();
  for (const s of ["a", "b", "c"]) await to.send(s);
  const seen: string[] = [];
  for await (const m of from) {
    seen.push(text(m));
    if (seen.length === 3) close();
  }
  assert.equal(seen, ["a", "b", "c"]);
});

test("without a connection a socket holds sendBuffer messages, and then send waits", async () => {
  const { env } = world();
  const to = open(push(), { env, sendBuffer: 2 });
  assert.ok(to.trySend("1"));
  assert.ok(to.trySend("2"));
  assert.not(to.trySend("3"));
  const stop = new AbortController();
  const third = rejects(to.send("3", { signal: stop.signal }), CancelledError as never);
  const fourth = to.send("4");
  stop.abort();
  await third;
  const from = open(pull(), { env });
  await from.listen("inproc://late");
  to.dial("inproc://late");
  await fourth;
  const got = [await from.receive(), await from.receive(), await from.receive()].map(text);
  assert.equal(got, ["1", "2", "4"]);
  await Promise.all([to.close(), from.close()]);
});

test("close writes what was handed off before", async () => {
  const { env } = world();
  const [to, from] = [open(push(), { env }), open(pull(), { env })];
  const { url } = await from.listen("tcp://127.0.0.1:0");
  to.dial(url);
  for (let i = 0; i < 100; i++) await to.send(`${i}`);
  await to.close();
  for (let i = 0; i < 100; i++) assert.is(text(await from.receive()), `${i}`);
  await from.close();
});

test("a closed socket says so", async () => {
  const { to, close } = await pipeline();
  await close();
  await rejects(to.send("x"), ClosedError as never);
  assert.throws(
    () => to.trySend("x"),
    (e: unknown) => e instanceof ClosedError,
  );
  assert.throws(() => to.dial("inproc://x"), /closed/);
  await rejects(to.listen("inproc://x"), ClosedError as never);
  await to.close();
});

test("a signal given to open closes the socket", async () => {
  const stop = new AbortController();
  const from = open(pull(), { signal: stop.signal, env: world().env });
  const waiting = rejects(from.receive(), ClosedError as never);
  stop.abort();
  await waiting;
});

test("requests in flight are rejected when the socket closes; the reply of a closed one is nobody's", async () => {
  const { env } = world();
  const [asking, answering] = [open(req(), { env }), open(rep(), { env })];
  await answering.listen("inproc://closing");
  asking.dial("inproc://closing");
  const asked = rejects(asking.request("?"), ClosedError as never);
  const ask = await answering.receive();
  await asking.close();
  await asked;
  ask.reply("too late");
  assert.throws(() => ask.reply("twice"), /has its reply already/);
  await answering.close();
});

test("a handler that throws answers nothing, is told by `error`, and the socket goes on", async () => {
  const { env, reported } = world();
  const [asking, answering] = [open(req(), { env }), open(rep(), { env })];
  await answering.listen("inproc://throwing");
  asking.dial("inproc://throwing");
  answering.serve(async (body) => {
    if (text(body) === "sync") throw new Error("sync");
    if (text(body) === "bad") return 5 as never;
    await null;
    if (text(body) === "async") throw new Error("async");
    return body;
  });
  for (const bad of ["sync", "async", "bad"]) {
    const told = once<{ error: unknown }>(answering.on.bind(answering), "error");
    const gone = rejects(asking.request(bad, { timeout: 60 }), TimeoutError as never);
    assert.instance((await told).error, Error);
    await gone;
  }
  assert.is(text(await asking.request("fine")), "fine");
  assert.throws(() => answering.serve((b) => b), /served already/);
  assert.is(reported.length, 0);
  await Promise.all([asking.close(), answering.close()]);
});

test("a listener of events that throws stops nobody", async () => {
  const { env, reported } = world();
  const one = open(pair0(), { env });
  one.on("attached", () => {
    throw new Error("mine");
  });
  const other = open(pair0(), { env });
  await one.listen("inproc://events");
  await other.dial("inproc://events").ready;
  await other.send("still here");
  assert.is(text(await one.receive()), "still here");
  assert.equal(
    reported.map((e) => (e as Error).message),
    ["mine"],
  );
  await Promise.all([one.close(), other.close()]);
});

test("a second peer of a pair is refused, and both are told why", async () => {
  const { env } = world();
  const [one, two, three] = [
    open(pair0(), { env }),
    open(pair0(), { env }),
    open(pair0(), { env }),
  ];
  const { url } = await one.listen("tcp://127.0.0.1:0");
  await two.dial(url).ready;
  const here = once<{ error: Error }>(one.on.bind(one), "refused");
  three.dial(url);
  assert.match((await here).error.message, /pair0 has a peer already/);
  await Promise.all([one.close(), two.close(), three.close()]);
});

test("attached and detached tell the peer's address and protocol, and are counted", async () => {
  const { env } = world();
  const [one, two] = [open(pair0(), { env }), open(pair0(), { env })];
  const { url } = await one.listen("tcp://127.0.0.1:0");
  const came = once<{ pipe: { facts: Record<string, unknown> }; url: string }>(
    one.on.bind(one),
    "attached",
  );
  const pipe = await two.dial(url).ready;
  const { pipe: seen, url: at } = await came;
  assert.is(at, url);
  assert.is(seen.facts.remote, pipe.facts.local);
  assert.is(seen.facts.type, 0x10);
  const went = once(one.on.bind(one), "detached");
  await two.close();
  await went;
  const { attached, detached, refused } = one.stats();
  assert.equal({ attached, detached, refused }, { attached: 1, detached: 1, refused: 0 });
  await one.close();
});

test.run();
