/** Stacks without a hub: each connection is a socket of its own. */
import { getEventListeners } from "node:events";
import { connect } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  ClosedError,
  type Link,
  type Links,
  node,
  open,
  PeerError,
  push,
  StackError,
  SystemError,
  sp,
  stack,
} from "../../runtime/index.js";
import { until } from "../support/until.js";

const test = suite("link");
const protocol = { name: "mine", type: 0xf010, peer: 0xf010 };

async function refusal(links: Links, url: string): Promise<Error> {
  try {
    await links.dial(url);
  } catch (error) {
    return error as Error;
  }
  throw new Error("not refused");
}

const text = (octets: Uint8Array): string => new TextDecoder().decode(octets);

test("dial resolves to one connection, listen yields them, and each is closed alone", async () => {
  const links = open(stack(sp({ protocol })), { env: { ...node, names: new Map() } });
  const door = await links.listen("tcp://127.0.0.1:0");
  const arrivals = door[Symbol.asyncIterator]();
  const [a, b] = [await links.dial(door.url), await links.dial(door.url)];
  const [x, y] = [(await arrivals.next()).value as Link, (await arrivals.next()).value as Link];
  await a.send("from a");
  await b.send("from b");
  assert.is(text(await x.receive()), "from a");
  assert.is(text(await y.receive()), "from b");
  await x.send("to a, and the end");
  await x.close();
  assert.is(text(await a.receive()), "to a, and the end");
  await a.receive().then(
    () => assert.unreachable(),
    (error) => assert.instance(error, ClosedError),
  );
  await y.send("to b");
  assert.is(text(await b.receive()), "to b");
  await door.close();
  assert.ok((await arrivals.next()).done);
  await links.close();
  await y.receive().catch((error) => assert.instance(error, ClosedError));
});

test("a link that was lost for a reason says which; a listener says who was sent away", async () => {
  const env = { ...node, names: new Map() };
  const links = open(stack(sp({ protocol })), { env, recvMax: 100 });
  const door = await links.listen("memory://lost");
  const refused: Error[] = [];
  const off = door.on("refused", ({ error }) => refused.push(error));
  const a = await links.dial("memory://lost");
  const { value: x } = await door[Symbol.asyncIterator]().next();
  await a.send("short");
  await a.send(new Uint8Array(200));
  const heard: string[] = [];
  const listening = (async () => {
    for await (const m of x as Link) heard.push(text(m));
  })();
  await listening.then(
    () => assert.unreachable("it ended as if all were well"),
    (error: Error) => {
      assert.instance(error, ClosedError);
      assert.match(error.message, "the connection is lost: sp: recvMax");
      assert.match((error.cause as Error).message, "a message of 200 octets");
    },
  );
  assert.equal(heard, ["short"]);
  const stranger = open(push(), { env });
  stranger.dial("memory://lost");
  await until("a refusal", () => refused.length > 0);
  assert.instance(refused[0], PeerError);
  off();
  await stranger.close();
  await links.close();
});

test("what was received before the peer closed is still there", async () => {
  const links = open(stack(sp({ protocol })), { env: { ...node, names: new Map() } });
  const door = await links.listen("memory://links");
  const a = await links.dial("memory://links");
  for (const s of ["1", "2", "3"]) await a.send(s);
  await a.close();
  for await (const link of door) {
    const seen: string[] = [];
    for await (const m of link) seen.push(text(m));
    assert.equal(seen, ["1", "2", "3"]);
    break;
  }
  await links.close();
});

test("dial rejects with what prevented it, and does not try again", async () => {
  const env = { ...node, names: new Map() };
  const links = open(stack(sp({ protocol })), { env });
  const why = (url: string) => refusal(links, url);
  assert.instance(await why("memory://nobody"), SystemError);
  assert.instance(await why("zmq://x"), StackError);
  const other = open(stack(sp({ protocol: { ...protocol, type: 0xf011 } })), { env });
  await other.listen("memory://other");
  const error = await why("memory://other");
  assert.instance(error, PeerError);
  assert.match(error.message, /0xf011/);
  await Promise.all([links.close(), other.close()]);
});

test("without a protocol the greeting has nothing to say, and that is what it says", async () => {
  const env = { ...node, names: new Map() };
  const links = open(stack(sp()), { env });
  const pusher = open(push(), { env });
  await pusher.dial("memory://none").close();
  await links.listen("memory://none");
  const error = await refusal(links, "memory://none");
  assert.match(error.message, /'sp' greets with a protocol's number, and no layer above has one/);
  await Promise.all([links.close(), pusher.close()]);
});

test("of a connection that came to nothing a listener keeps nothing", async () => {
  const { signal } = new AbortController();
  // Whatever hears the signal is alive.
  const heard = () => getEventListeners(signal, "abort").length;
  const links = open(stack(sp({ protocol })), { signal });
  const door = await links.listen("tcp://127.0.0.1:0");
  const alone = heard();
  const { port } = new URL(door.url);
  for (const octets of ["garbage!", "\0SP\0\0\x50\0\0", ""]) {
    const stranger = connect(Number(port), "127.0.0.1").on("error", () => {});
    stranger.resume().end(octets, "latin1");
    await new Promise((done) => stranger.once("close", done));
  }
  await until(
    () => `${heard()} sockets, not ${alone}`,
    () => heard() === alone,
  );
  await links.close();
  assert.is(heard(), 0);
});

test("links that nobody takes are 256 at most, and whoever comes then is refused", async () => {
  const env = { ...node, names: new Map() };
  const links = open(stack(sp({ protocol })), { env });
  const door = await links.listen("memory://untaken");
  for (let i = 0; i < 256; i++) await (await links.dial("memory://untaken")).close();
  const late = await links.dial("memory://untaken");
  await late.receive().then(
    () => assert.unreachable(),
    (error) => assert.instance(error, ClosedError),
  );
  const arrivals = door[Symbol.asyncIterator]();
  await arrivals.next();
  const next = await links.dial("memory://untaken");
  await next.send("there is room again");
  for (let i = 0; i < 255; i++) await arrivals.next();
  const last = (await arrivals.next()).value as Link;
  assert.is(text(await last.receive()), "there is room again");
  await links.close();
});

test.run();
