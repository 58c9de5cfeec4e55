/** PUB and SUB: who gets what, and what gives way when it is too much. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { device, pub, sub, xpub, xsub } from "../../runtime/index.js";
import { all, placed, SCHEMES, text } from "./place.js";

const test = suite("pubsub");

for (const scheme of SCHEMES) {
  test(
    `over ${scheme} a message comes to everybody with a topic that it begins with, once, and to nobody else`,
    placed(scheme, async (place) => {
      const publisher = place.open(pub());
      const [none, every, some, many] = [1, 2, 3, 4].map(() => place.open(sub()));
      const subscribers = [none, every, some, many].map((s) => s as NonNullable<typeof s>);
      every?.subscribe("");
      some?.subscribe("a/");
      for (const topic of ["a", "a/b", "c", "a"]) many?.subscribe(topic);
      many?.subscribe(Uint8Array.of(0xff));
      for (const s of subscribers) await place.join(s, publisher);
      const bodies = ["a/b", "a", "b", "", "c/long".repeat(5000)];
      for (const body of bodies) await publisher.send(body);
      await publisher.send(Uint8Array.of(0xff, 1));
      const draft = publisher.message(3);
      draft.body.set(new TextEncoder().encode("a/x"));
      await publisher.send(draft);
      await place.settle();
      const [a, b, c, d] = subscribers.map(all);
      assert.equal(a, []);
      assert.equal(b, [...bodies, "\ufffd\u0001", "a/x"]);
      assert.equal(c, ["a/b", "a/x"]);
      assert.equal(d, ["a/b", "a", bodies[4], "\ufffd\u0001", "a/x"]);
      assert.equal({ ...none?.stats().dropped }, { "sub: no such topic": 7 });
      assert.is(publisher.stats().sent, 7);
    }),
  );
}

test(
  "a topic that was given up is wanted no more, unless a shorter one is; twice wanted is wanted once",
  placed("inproc", async (place) => {
    const [publisher, subscriber] = [place.open(pub()), place.open(sub())];
    await place.join(subscriber, publisher);
    const got = async () => {
      for (const body of ["ab", "a", "b"]) await publisher.send(body);
      await place.settle();
      return all(subscriber);
    };
    subscriber.subscribe("ab");
    subscriber.subscribe("ab");
    subscriber.subscribe("a");
    assert.equal(await got(), ["ab", "a"]);
    subscriber.unsubscribe("ab");
    assert.equal(await got(), ["ab", "a"]);
    subscriber.unsubscribe("a");
    assert.equal(await got(), []);
    subscriber.unsubscribe("never wanted");
    subscriber.subscribe("b");
    assert.equal(await got(), ["b"]);
    subscriber.subscribe("");
    for (const body of ["ab", "b"]) await publisher.send(body);
    await place.settle();
    subscriber.unsubscribe("");
    assert.equal(all(subscriber), ["ab", "b"], "what has come already stays");
  }),
);

test(
  "a topic belongs to the socket: the caller may write to its octets again",
  placed("inproc", async (place) => {
    const [publisher, subscriber] = [place.open(pub()), place.open(sub())];
    await place.join(subscriber, publisher);
    const topic = Uint8Array.of(97);
    subscriber.subscribe(topic);
    topic[0] = 98;
    await publisher.send("a");
    assert.is(text(await subscriber.receive()), "a");
  }),
);

const overflows = [
  [undefined, ["3", "4", "5"], 2],
  ["drop-old", ["3", "4", "5"], 2],
  ["drop-new", ["1", "2", "3"], 2],
  ["wait", ["1", "2", "3", "4", "5"], 0],
] as const;

for (const [overflow, want, dropped] of overflows) {
  test(
    `of five messages, ${overflow ?? "by default"}, a subscriber with room for three keeps ${want.join(" ")}`,
    placed("inproc", async (place) => {
      const publisher = place.open(pub());
      const subscriber = place.open(sub(overflow && { overflow }), { recvBuffer: 3 });
      subscriber.subscribe("");
      await place.join(subscriber, publisher);
      for (const body of ["1", "2", "3", "4", "5"]) await publisher.send(body);
      await place.settle();
      const got: string[] = [];
      for (const _ of want) got.push(text(await subscriber.receive()));
      assert.equal(got, want);
      assert.is(subscriber.tryReceive(), undefined);
      assert.is(subscriber.stats().dropped["receive queue full"] ?? 0, dropped);
    }),
  );
}

test(
  "drop-old keeps to its octets: a long message takes the room of many short ones",
  placed("inproc", async (place) => {
    const publisher = place.open(pub());
    const subscriber = place.open(sub(), { recvBufferOctets: 1000 });
    subscriber.subscribe("");
    await place.join(subscriber, publisher);
    for (let i = 0; i < 10; i++) await publisher.send(new Uint8Array(100));
    for (let i = 0; i < 10; i++) await publisher.send(new Uint8Array(900));
    await place.settle();
    const held = all(subscriber).reduce((n, m) => n + m.length, 0);
    assert.ok(held >= 900 && held < 1900, `${held} octets were held`);
  }),
);

for (const scheme of ["memory", "tcp"] as const) {
  test(
    `who waits over ${scheme} makes the publisher drop for it, and for nobody else`,
    placed(scheme, async (place) => {
      const publisher = place.open(pub());
      const slow = place.open(sub({ overflow: "wait" }), { recvBuffer: 2 });
      const quick = place.open(sub());
      for (const s of [slow, quick]) {
        s.subscribe("");
        await place.join(s, publisher);
      }
      const N = 200;
      for (let i = 0; i < N; i++) {
        await publisher.send(new Uint8Array(20_000).fill(i));
        assert.is((await quick.receive())[0], i);
        if (i % 10 === 0) await place.settle();
      }
      await place.settle();
      const dropped = publisher.stats().dropped["pub: the peer takes no more"] ?? 0;
      assert.ok(dropped > 0 && dropped < N, `${dropped} dropped`);
      const got: number[] = [];
      for (let i = 0; i < N - dropped; i++) {
        const m = await slow.receive();
        assert.is(m.length, 20_000);
        got.push(m[0] as number);
      }
      assert.equal(
        got,
        [...got].sort((a, b) => a - b),
        "in order",
      );
      await place.settle();
      assert.is(slow.tryReceive(), undefined, "and no other");
    }),
  );
}

test(
  "topics are chosen behind a device as before it",
  placed("tcp", async (place) => {
    const [publisher, subscriber] = [place.open(pub()), place.open(sub())];
    const [front, back] = [place.open(xsub()), place.open(xpub())];
    await place.join(front, publisher);
    await place.join(subscriber, back);
    void device(front, back);
    subscriber.subscribe("yes");
    for (const body of ["no", "yes", "yes, too"]) await publisher.send(body);
    await place.settle();
    assert.equal(all(subscriber), ["yes", "yes, too"]);
  }),
);

test(
  "what a subscriber sends is dropped, and counted, by itself and by who publishes",
  placed("tcp", async (place) => {
    const [publisher, subscriber] = [place.open(pub()), place.open(xsub())];
    await place.join(subscriber, publisher);
    await subscriber.send(Uint8Array.of(1));
    assert.equal({ ...subscriber.stats().dropped }, { "sub: cannot send": 1 });
  }),
);

test.run();
