/** Code of the application's inside a device: it looks, drops, sends elsewhere, and rewrites. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  device,
  type Message,
  open,
  pair1,
  pull,
  push,
  type Raw,
  rep,
  req,
  xpair1,
  xpull,
  xpush,
  xrep,
  xreq,
} from "../../runtime/index.js";

const test = suite("device");
const text = (octets: Uint8Array) => new TextDecoder().decode(octets);
let names = 0;
const name = () => `inproc://device-${names++}`;

/** Two raw sockets, at addresses of their own. */
async function between(front: Raw, back: Raw) {
  const [a, b] = [name(), name()];
  await front.listen(a);
  await back.listen(b);
  return { front, back, a, b };
}

test("it rewrites requests and replies, and their ways stay", async () => {
  const { front, back, a, b } = await between(open(xrep()), open(xreq()));
  const through = (m: Message, from: Raw) =>
    from.rewrite(m, `${text(from.body(m))}${from === front ? "?" : "!"}`);
  device(front, back, { through });
  const server = open(rep());
  server.serve((body) => `<${text(body)}>`);
  await server.dial(b).ready;
  const client = open(req());
  client.dial(a);
  assert.is(text(await client.request("and")), "<and?>!");
  assert.is(text(await client.request("")), "<?>!");
  for (const socket of [client, server, front, back]) await socket.close();
});

test("it drops what it does not like", async () => {
  const { front, back, a, b } = await between(open(xpull()), open(xpush()));
  device(front, back, { through: (m, from) => (from.body(m)[0] === 0x6e ? undefined : m) });
  const [source, sink] = [open(push()), open(pull())];
  source.dial(a);
  sink.dial(b);
  for (const body of ["yes", "no", "never", "indeed"]) await source.send(body);
  assert.is(text(await sink.receive()), "yes");
  assert.is(text(await sink.receive()), "indeed");
  for (const socket of [source, sink, front, back]) await socket.close();
});

test("a router of ten lines sends each job where its first letter says", async () => {
  const front = open(xpull());
  const backs = [open(xpush()), open(xpush())] as const;
  const at = name();
  await front.listen(at);
  const sinks = await Promise.all(
    backs.map(async (back) => {
      const url = name();
      await back.listen(url);
      const sink = open(pull());
      await sink.dial(url).ready;
      return sink;
    }),
  );
  const routing = (async () => {
    for await (const m of front) await backs[text(front.body(m)) < "n" ? 0 : 1].send(m);
  })();
  const source = open(push());
  source.dial(at);
  for (const job of ["alpha", "zeta", "beta"]) await source.send(job);
  assert.is(text((await sinks[0]?.receive()) as Uint8Array), "alpha");
  assert.is(text((await sinks[0]?.receive()) as Uint8Array), "beta");
  assert.is(text((await sinks[1]?.receive()) as Uint8Array), "zeta");
  for (const socket of [source, front, ...backs, ...sinks]) await socket.close();
  await routing.catch(() => {});
});

test("hops are counted on, whatever becomes of the body", async () => {
  const { front, back, a, b } = await between(open(xpair1()), open(xpair1()));
  device(front, back, { through: (m, from) => from.rewrite(m, new Uint8Array(3)) });
  const [one, other] = [open(pair1()), open(pair1())];
  one.dial(a);
  other.dial(b);
  await one.send("a body that is longer");
  assert.equal(await other.receive(), new Uint8Array(3));
  for (const socket of [one, other, front, back]) await socket.close();
});

test("what has no protocol header is said to have none", async () => {
  const raw = open(xreq());
  const other = open(xpush());
  const { Message: Made } = await import("../../runtime/index.js");
  assert.throws(() => raw.body(Made.of(new Uint8Array(2))), /no protocol header/);
  assert.equal(other.body(Made.of(Uint8Array.of(1, 2))), Uint8Array.of(1, 2));
  for (const socket of [raw, other]) await socket.close();
});

test("two protocols that are no peers make no device: a header would pass for a body", async () => {
  const [front, back, end] = [open(xrep()), open(xpush()), open(xpull())];
  const why = async (a: Raw, b: Raw) =>
    device(a, b).then(
      () => "",
      (error: Error) => `${error.name}: ${error.message}`,
    );
  assert.is(
    await why(front, back),
    "StackError: a device of rep and push does not fit: they are no peers",
  );
  assert.match(await why(back, back), /push and push/);
  assert.match(await why(open(rep()) as never, front), /two raw sockets, as open\(xrep\(\)\)/);
  assert.match(await why(front, undefined as never), /two raw sockets/);
  await end.close();
  const passing = why(back, end);
  await Promise.all([front.close(), back.close()]);
  assert.is(await passing, "");
});

test.run();
