/** Marks, deadlines and limits, in virtual time: what is bounded, and by how much. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  ClosedError,
  type Connection,
  open,
  pair0,
  pull,
  push,
  type Receiver,
  rep,
  req,
  TimeoutError,
} from "../../runtime/index.js";
import { SHORTEST, write } from "./letter.js";
import { CALM, World } from "./world.js";

const test = suite("flow");
const URL = "tcp://10.0.0.1:5555";
const WHERE = { host: "10.0.0.1", port: 5555 };

test("without a connection a socket holds sendBuffer messages, and not one more", async () => {
  const world = new World({ seed: 1 });
  await world.run(async () => {
    const one = open(push(), { env: world.host("push"), sendBuffer: 5, linger: 0 });
    let held = 0;
    while (one.trySend("x")) held++;
    assert.is(held, 5);
    await one.close();
  });
});

for (const size of [SHORTEST, 500, 40_000]) {
  test(`who sends ${size} octets at a time waits for who does not read, and loses nothing`, async () => {
    const window = 10_000;
    const mark = 20_000;
    const world = new World({ seed: 1, conditions: { ...CALM, window, mark } });
    await world.run(async () => {
      const recvBuffer = 10;
      const one = open(push(), { env: world.host("push") });
      const two = open(pull(), { env: world.host("pull"), recvBuffer });
      await two.listen(URL);
      await one.dial(URL).ready;
      let sent = 0;
      const sending = (async () => {
        for (; sent < 20_000; sent++) await one.send(write({ sender: 0, number: sent }, size));
      })();
      sending.catch((error) => assert.instance(error, ClosedError));
      await world.sleep(5000);
      const before = sent;
      await world.sleep(5000);
      assert.is(sent, before, "it goes on, though nobody reads");
      // A block of 64 KiB beyond the mark, what is under way, what waits; and each may pass by a message.
      const octets = mark + 65_536 + 2 * window + 3 * (size + 8);
      assert.ok(sent <= recvBuffer + 2 + octets / (size + 8), `${sent} were taken`);
      assert.ok(sent >= recvBuffer, `${sent} were taken`);
      for (let number = 0; number < before + 1000; number++) {
        assert.equal(await two.receive(), write({ sender: 0, number }, size));
      }
      await Promise.all([one.close(), two.close()]);
    });
  });
}

test("sends and receives that were given up leave nothing behind, however many they are", async () => {
  const heap = collected();
  const world = new World({ seed: 1 });
  await world.run(async () => {
    const one = open(push(), { env: world.host("push"), sendBuffer: 1, linger: 0 });
    const two = open(pull(), { env: world.host("pull") });
    const three = open(req(), { env: world.host("req"), sendBuffer: 1, linger: 0 });
    await one.send("held");
    const late = (error: unknown) => assert.instance(error, TimeoutError);
    for (let n = 0; n < 70_000; n++) {
      one.send(new Uint8Array(9), { timeout: 5 }).catch(late);
      two.receive({ timeout: 5 }).catch(late);
      three.request(new Uint8Array(9), { timeout: 5 }).catch(late);
      if (n % 100 === 0) await world.sleep(10);
    }
    await world.sleep(10);
    const grown = collected() - heap;
    assert.ok(grown < 8_000_000, `${grown} octets more in the heap`);
    await Promise.all([one.close(), two.close(), three.close()]);
  });
});

test("who closes with questions that nobody heard does not linger for them", async () => {
  const world = new World({ seed: 1 });
  await world.run(async () => {
    const one = open(req(), { env: world.host("req") });
    const asked = one.request("anybody?").catch((error) => error);
    const began = world.clock.now;
    await one.close();
    assert.instance(await asked, ClosedError);
    assert.ok(world.clock.now - began < 10, `it took ${world.clock.now - began} ms`);
  });
});

for (const url of ["tcp://10.0.0.1:1", "ipc://place", "memory://place", "inproc://place"]) {
  test(`over ${url.split(":")[0]}, who closes and has handed all over does not linger`, async () => {
    const world = new World({ seed: 1 });
    await world.run(async () => {
      const one = open(push(), { env: world.host("push") });
      const two = open(pull(), { env: world.host("pull") });
      await two.listen(url);
      await one.dial(url).ready;
      for (let n = 0; n < 10; n++) await one.send("x");
      const began = world.clock.now;
      await one.close();
      assert.ok(world.clock.now - began < 10, `it took ${world.clock.now - began} ms`);
      for (let n = 0; n < 10; n++) await two.receive();
      await two.close();
    });
  });
}

test("of a thousand who connect at once and say nothing, 256 are borne, for openTimeout at most", async () => {
  const world = new World({ seed: 1, conditions: { ...CALM, delay: [1, 1] } });
  await world.run(async () => {
    const host = world.host("rep");
    const socket = open(rep(), { env: host, openTimeout: 2000 });
    await socket.listen(URL);
    const [silent, drop] = crowd();
    const elsewhere = world.host("crowd");
    for (let n = 0; n < 1000; n++) elsewhere.net.connect(WHERE, silent);
    await world.sleep(100);
    const open256 = host.left().filter((x) => x.includes("connection at")).length;
    assert.ok(open256 <= 256, `${open256} are borne`);
    assert.is(socket.stats().refused, 1000 - open256);
    await world.sleep(2000);
    assert.is(socket.stats().refused, 1000);
    drop();
    await socket.close();
  });
});

test("a connection that dribbles its greeting has one deadline for all of it", async () => {
  const world = new World({ seed: 1 });
  await world.run(async () => {
    const socket = open(pair0(), { env: world.host("pair") });
    await socket.listen(URL);
    const [silent, drop] = crowd(async (connection) => {
      for (const octet of [0, 0x53, 0x50, 0, 0, 0x10, 0]) {
        connection.write([Uint8Array.of(octet)]);
        await world.sleep(2000);
      }
    });
    world.host("slow").net.connect(WHERE, silent);
    await world.sleep(9990);
    assert.is(socket.stats().refused, 0);
    await world.sleep(20);
    assert.is(socket.stats().refused, 1);
    drop();
    await socket.close();
  });
});

/** Receivers that say nothing, or what they are told to; and how to end them all. */
function crowd(say: (c: Connection) => void = () => {}): [Receiver, () => void] {
  const all: Connection[] = [];
  const receiver: Receiver = {
    opened: (connection) => {
      all.push(connection);
      say(connection);
    },
    octets() {},
    drained() {},
    ended() {},
    closed() {},
  };
  return [receiver, () => all.forEach((c) => void c.destroy())];
}

/** Octets in the heap after what nobody holds has gone. */
function collected(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

test.run();
