/** Very many of something: connections, words, numbers that collide, replies that nobody asked for. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Type } from "../../generated/sp/greeting.js";
import * as tag from "../../generated/sp/tag.js";
import { Assembly } from "../../runtime/assembly.js";
import { device, pull, rep, req, xrep, xreq } from "../../runtime/index.js";
import { Stats } from "../../runtime/stats.js";
import { SCHEMES, staged } from "../support/stage.js";
import { octetsOf, Stranger } from "../support/stranger.js";
import { until } from "../support/until.js";
import { nothingThrown } from "./calm.js";
import { echo, stillAnswers, target, textOf } from "./target.js";

const test = nothingThrown(suite("flood"));

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Octets of buffers that are alive, after all that can go has gone. */
function buffers(): number {
  // What one collection finds, V8 lets go of in the background, or at the next.
  for (let i = 0; i < 3; i++) collect();
  return process.memoryUsage().arrayBuffers;
}

test(
  "500 connections that claim the largest message and send one octet hold 12 KiB each at most",
  staged(async (stage) => {
    const COUNT = 500;
    const socket = stage.open(pull());
    const t = await target(stage, "tcp", socket);
    const strangers: Stranger[] = [];
    while (strangers.length < COUNT) strangers.push(await t.greet(Type.push));
    await until("all to be attached", () => socket.stats().attached === COUNT);
    const before = buffers();
    const { allocations } = socket.stats();
    for (const stranger of strangers) {
      const claim = stranger.claim(2n ** 20n);
      stranger.send(Uint8Array.of(...claim, 0));
    }
    await until("all octets to be here", () => socket.stats().allocations >= allocations + COUNT);
    const each = (buffers() - before) / COUNT;
    assert.ok(each <= 12 * 1024, `${each} octets a connection`);
    // They are sound peers up to now: what they claim may come.
    assert.is(socket.stats().detached, 0);
  }),
);

test("a message in fragments holds no more than twice its octets, whatever lies between them", () => {
  const FRAGMENT = 8 * 1024;
  const before = buffers();
  const assembly = new Assembly(0, 0, new Stats(), false);
  for (let k = 0; k < 127; k++) {
    // As a record's padding or pings between frames make it: the rest of the chunk is of no use.
    const chunk = new Uint8Array(64 * 1024);
    assembly.extend(FRAGMENT, false);
    assembly.add(chunk, 100, 100 + FRAGMENT);
  }
  const held = buffers() - before;
  assert.ok(held <= 2 * assembly.length + 64 * 1024, `${held} octets`);
  assembly.extend(FRAGMENT, true);
  assembly.add(new Uint8Array(FRAGMENT), 0, FRAGMENT);
  assert.is(assembly.message().length, 128 * FRAGMENT);
});

test(
  "a message of 1 MiB in pieces of 100 octets holds no more than twice its octets",
  staged(async (stage) => {
    const socket = stage.open(pull());
    const t = await target(stage, "tcp", socket);
    const stranger = await t.greet(Type.push);
    const octets = stranger.framed(new Uint8Array(2 ** 20).fill(5));
    const before = buffers();
    const half = octets.length / 2;
    for (let at = 0; at < half; at += 100) await stranger.send(octets.subarray(at, at + 100));
    const held = buffers() - before;
    assert.ok(held < 2 * 2 ** 20 + 64 * 1024, `${held} octets`);
    await stranger.send(octets.subarray(Math.ceil(half / 100) * 100));
    assert.is((await socket.receive({ timeout: 10_000 })).length, 2 ** 20);
  }),
);

for (const scheme of SCHEMES) {
  test(
    `of 600 connections over ${scheme} that never greet 256 stay, the oldest go, and good peers are served`,
    staged(async (stage) => {
      const COUNT = 600;
      const STAY = 256;
      const t = await echo(stage, scheme);
      const strangers = await Promise.all(Array.from({ length: COUNT }, () => t.dial()));
      await until(
        () => `${COUNT - STAY} refusals; there are ${t.refused.length}`,
        () => t.refused.length >= COUNT - STAY,
      );
      await until("their connections to be closed", () => {
        return strangers.filter(({ closed }) => !closed).length <= STAY;
      });
      assert.is(t.refused.length, COUNT - STAY);
      assert.match(t.refused[0]?.error.message ?? "", "more than 256 connections are opening");
      // Half a greeting makes nobody younger.
      for (const stranger of strangers) stranger.send(octetsOf("00 53 50"));
      await stillAnswers(stage, t);
      await stillAnswers(stage, t);
    }),
  );
}

test(
  "a request that our devices pass round in a ring ends after its ttl",
  staged(async (stage) => {
    const [a, b] = [ring(), ring()];
    function ring() {
      const ends = { front: stage.open(xrep()), back: stage.open(xreq()) };
      device(ends.front, ends.back).catch((error) => assert.unreachable(String(error)));
      return ends;
    }
    const urls = [
      (await a.front.listen(stage.any("tcp"))).url,
      (await b.front.listen(stage.any("tcp"))).url,
    ] as const;
    await a.back.dial(urls[1]).ready;
    await b.back.dial(urls[0]).ready;
    const requester = stage.open(req());
    await requester.dial(urls[0]).ready;
    const lost = requester.request("round", { timeout: 60_000 });
    lost.catch(() => {});
    const drops = () => (a.front.stats().dropped.ttl ?? 0) + (b.front.stats().dropped.ttl ?? 0);
    await until("the request to be dropped", () => drops() > 0);
    const passed = a.front.stats().received + b.front.stats().received;
    assert.is(passed, 8);
    assert.is(drops(), 1);
  }),
);

test(
  "replies of a peer that was not asked are never taken, nor are 100,000 guesses",
  staged(async (stage) => {
    const socket = stage.open(req());
    const t = await target(stage, "tcp", socket);
    const honest = await t.greet(Type.rep);
    await until("the honest peer", () => socket.stats().attached === 1);
    const replies = [0, 1, 2, 3].map(() => socket.request("secret", { timeout: 60_000 }));
    await honest.take(3);
    const numbers = honest.messages.map((m) => m.subarray(0, 4));
    const forger = await t.greet(Type.rep);
    await until("the forger", () => socket.stats().attached === 2);
    for (const number of numbers) forger.message(number, Buffer.from("forged"));
    const GUESSES = 100_000;
    const word = new Uint8Array(tag.MAX);
    const view = new DataView(word.buffer);
    const one = forger.framed(word, Buffer.from("forged"));
    const all = new Uint8Array(one.length * GUESSES);
    for (let i = 0; i < GUESSES; i++) {
      tag.write(view, 0, true, Math.floor(Math.random() * 2 ** 31));
      one.set(word, one.length - word.length - "forged".length);
      all.set(one, i * one.length);
    }
    await forger.send(all);
    const breaches = () => {
      const { malformed } = socket.stats();
      return (malformed["req: was not asked"] ?? 0) + (malformed["req: no such request"] ?? 0);
    };
    await until(
      () => `all guesses; ${breaches()} came`,
      () => breaches() === GUESSES + 4,
    );
    assert.ok((socket.stats().malformed["req: was not asked"] ?? 0) >= 4);
    assert.is(socket.stats().received, 0);
    // Whom a forger's guess cannot hurt: the replies of who was asked.
    for (const number of numbers) honest.message(number, Buffer.from("true"));
    assert.equal((await Promise.all(replies)).map(textOf), ["true", "true", "true", "true"]);
  }),
);

test(
  "a late reply of who was asked first is taken, after the request went to another",
  staged(async (stage) => {
    const socket = stage.open(req({ resendTime: 20 }));
    const t = await target(stage, "tcp", socket);
    const slow = await t.greet(Type.rep);
    const reply = socket.request("question", { timeout: 60_000 });
    const number = (await slow.take(0)).subarray(0, 4);
    const other = await t.greet(Type.rep);
    await other.take(0);
    await slow.message(number, Buffer.from("late"));
    assert.is(textOf(await reply), "late");
  }),
);

test(
  "15,000 requests whose numbers collide in a hash table take no longer than others",
  staged(async (stage) => {
    const COUNT = 15_000;
    const colliding = collisions(COUNT);
    const random = Array.from({ length: COUNT }, () => Math.floor(Math.random() * 2 ** 31));
    const time = async (numbers: readonly number[]) => {
      const socket = stage.open(rep(), { recvBuffer: COUNT + 1 });
      const { url } = await socket.listen(stage.any("ipc"));
      const stranger = await Stranger.greet(url, Type.req);
      const word = new Uint8Array(tag.MAX);
      const view = new DataView(word.buffer);
      const all = Buffer.concat(
        numbers.map((number) => {
          tag.write(view, 0, true, number);
          return stranger.framed(word);
        }),
      );
      const start = process.cpuUsage();
      stranger.send(all);
      await until("all requests", () => socket.stats().received === COUNT);
      // All of them are under way at a time, and only then answered.
      for (let i = 0; i < COUNT; i++) (await socket.receive()).reply("");
      const { user, system } = process.cpuUsage(start);
      stranger.close();
      return user + system;
    };
    await time(random);
    const rounds: number[] = [];
    for (let i = 0; i < 2; i++) rounds.push((await time(colliding)) / (await time(random)));
    const ratio = Math.min(...rounds);
    assert.ok(ratio < 3, `${ratio} times as long`);
  }),
);

/** Numbers of 31 bits that V8's hash of integers puts into the same of 2^14 buckets. */
function collisions(count: number): number[] {
  const found: number[] = [];
  for (let n = 0; found.length < count; n++) if ((hash(n) & 0x3fff) === 0) found.push(n);
  return found;
}

function hash(n: number): number {
  let h = (~n + (n << 15)) | 0;
  h ^= h >>> 12;
  h = (h + (h << 2)) | 0;
  h ^= h >>> 4;
  h = Math.imul(h, 2057);
  return (h ^ (h >>> 16)) & 0x3fffffff;
}

test.run();
