/** The world keeps its own laws: time, order, and what may happen to a connection. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Connection, Receiver } from "../../runtime/index.js";
import { acts } from "./acts.js";
import type { Conditions } from "./network.js";
import { play } from "./scene.js";
import { CALM, World } from "./world.js";

const test = suite("world");
const WHERE = { host: "10.0.0.1", port: 80 };

test("after an event come its ticks, then its promises, then their ticks, and only then the next", async () => {
  const world = new World({ seed: 1 });
  const said: string[] = [];
  const env = world.host("here");
  await world.run(async () => {
    world.clock.after(5, () => {
      Promise.resolve().then(async () => {
        for (let i = 0; i < 20; i++) await undefined;
        said.push("promise");
        env.tick(() => said.push("tick of the promise"));
      });
      env.tick(() => {
        said.push("tick");
        env.tick(() => said.push("tick of the tick"));
      });
      env.turn(() => said.push("turn"));
      said.push("event");
    });
    await world.sleep(5);
    await world.sleep(0.005);
    said.push("next");
  });
  assert.equal(said, [
    "event",
    "tick",
    "tick of the tick",
    "promise",
    "tick of the promise",
    "next",
    "turn",
  ]);
});

test("a day passes at once", async () => {
  const world = new World({ seed: 1 });
  await world.run(() => world.sleep(86_400_000));
  assert.is(world.clock.now, 86_400_000);
});

test("who waits for what never comes is named", async () => {
  const world = new World({ seed: 1 });
  const failure = await world
    .run(() => world.waits(new Promise<void>(() => {}), "godot"))
    .catch((error) => error);
  assert.match(failure.message, /somebody waits: godot/);
});

test("what is left behind is named", async () => {
  const world = new World({ seed: 1 });
  const failure = await world
    .run(async () => {
      await world.host("here").net.listen(WHERE, () => new Ear());
    })
    .catch((error) => error);
  assert.match(failure.message, /left behind: here: listening at 10.0.0.1:80/);
});

/** Hears all of a connection. */
class Ear implements Receiver {
  readonly said: string[] = [];
  readonly octetsHeard: number[] = [];
  connection!: Connection;
  opened(connection: Connection): void {
    this.connection = connection;
    this.said.push("opened");
  }
  octets(chunk: Uint8Array): void {
    this.octetsHeard.push(...chunk);
    this.said.push(`${chunk.length}`);
  }
  drained(): void {
    this.said.push("drained");
  }
  ended(): void {
    this.said.push("ended");
  }
  closed(error?: Error & { system?: string }): void {
    this.said.push(error === undefined ? "closed" : `closed: ${error.system}`);
  }
}

/** Two ends of a connection, under these conditions. */
async function connected(
  conditions: Partial<Conditions>,
  act: (one: Ear, two: Ear, world: World) => Promise<void>,
): Promise<[string[], string[]]> {
  const world = new World({ seed: 3, conditions: { ...CALM, delay: [1, 3], ...conditions } });
  const [one, two] = [new Ear(), new Ear()];
  await world.run(async () => {
    const listening = await world.host("two").net.listen(WHERE, () => two);
    world.host("one").net.connect(WHERE, one);
    await world.sleep(10);
    await act(one, two, world);
    await listening.close();
  });
  return [one.said, two.said];
}

const count = (n: number) => Uint8Array.from({ length: n }, (_, i) => i);

test("octets arrive in order however they are cut, then the end, then the close of both", async () => {
  const [one, two] = await connected({ chop: 7 }, async (a, b, world) => {
    a.connection.write([count(50), count(50)]);
    a.connection.end();
    await world.sleep(100);
    assert.equal(b.octetsHeard, [...count(50), ...count(50)]);
    b.connection.end();
  });
  assert.equal(one, ["opened", "ended", "closed"]);
  assert.ok(two.length > 15);
  assert.equal(two.slice(-2), ["ended", "closed"]);
});

test("a reader that pauses makes the writer wait, and resumes it", async () => {
  const [one, two] = await connected({ window: 10, mark: 20 }, async (a, b, world) => {
    b.connection.pause();
    assert.is(a.connection.write([count(15)]), true);
    assert.is(a.connection.write([count(30)]), false);
    await world.sleep(100);
    assert.equal(a.said, ["opened"]);
    assert.equal(b.said, ["opened"]);
    b.connection.resume();
    await world.sleep(100);
    assert.is(b.octetsHeard.length, 45);
    a.connection.end();
    b.connection.end();
  });
  assert.equal(one, ["opened", "drained", "ended", "closed"]);
  assert.is(two.at(-1), "closed");
});

test("a connection that is dropped loses what was on its way, and each end is told", async () => {
  const [one, two] = await connected({}, async (a, b, world) => {
    a.connection.write([count(9)]);
    for (const link of world.network.links) link.drop();
    await world.sleep(10);
    assert.equal(b.octetsHeard, []);
  });
  assert.equal(one, ["opened", "closed: ECONNRESET"]);
  assert.equal(two, ["opened", "closed: ECONNRESET"]);
});

test("a cable that is cut says nothing to anybody, until TCP gives up", async () => {
  const [one, two] = await connected({}, async (a, b, world) => {
    for (const link of world.network.links) link.cut = true;
    a.connection.write([count(9)]);
    await world.sleep(10_000);
    assert.equal(a.said, ["opened"]);
    assert.equal(b.said, ["opened"]);
    world.network.calm();
  });
  assert.is(one.at(-1), "closed: ETIMEDOUT");
  assert.is(two.at(-1), "closed: ETIMEDOUT");
});

test("who goes with octets unread resets the other, and nobody there refuses", async () => {
  const [one] = await connected({}, async (a, b, world) => {
    b.connection.pause();
    a.connection.write([count(9)]);
    await world.sleep(10);
    b.connection.destroy();
    const lost = new Ear();
    world.host("three").net.connect({ host: "10.0.0.9", port: 1 }, lost);
    await world.sleep(10);
    assert.equal(lost.said, ["closed: ECONNREFUSED"]);
  });
  assert.equal(one, ["opened", "closed: ECONNRESET"]);
});

test("octets that their writer changes after it handed them over arrive changed", async () => {
  await connected({ window: 4 }, async (a, b, world) => {
    const octets = count(8);
    a.connection.write([octets]);
    octets.fill(99);
    await world.sleep(50);
    assert.equal(b.octetsHeard, [0, 1, 2, 3, 99, 99, 99, 99]);
    a.connection.destroy();
    b.connection.destroy();
  });
});

test("the same seed is the same world, to the last step and the last chance", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const told = [];
    for (let twice = 0; twice < 2; twice++) {
      const { world, sights } = await play(seed, acts, {});
      told.push({ sights, now: world.clock.now, chance: world.random.word() });
    }
    assert.equal(told[0], told[1], `seed ${seed}`);
  }
});

test.run();
