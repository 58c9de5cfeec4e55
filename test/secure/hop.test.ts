/** Encryption by hops: who is let in, what an observer sees, and how a connection ends. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type HopFacts,
  type HopOptions,
  hop,
  hopKeys,
  inproc,
  open,
  PeerError,
  pull,
  push,
  rep,
  req,
  StackError,
  sp,
  stack,
  TimeoutError,
  TruncatedError,
  tcp,
  xpull,
  xpush,
  xrep,
  xreq,
} from "../../runtime/index.js";
import { body, same } from "../laws/octets.js";
import { KEYS, optionsOf, PATTERNS, PSK, SUITES } from "./keys.js";
import { type Means, meet, URL } from "./meeting.js";
import { cuts, Middle } from "./middle.js";
import { Session } from "./session.js";
import { spied } from "./spied.js";

const test = suite("hop");
const text = (octets: Uint8Array) => new TextDecoder().decode(octets);
const both = (pattern: HopOptions["pattern"] = "NNpsk0", more: object = {}): Means => ({
  dial: optionsOf("dial", pattern, more),
  listen: optionsOf("listen", pattern, more),
});

// --- who is let in ---

for (const pattern of PATTERNS) {
  for (const suiteName of SUITES) {
    test(`${pattern}, ${suiteName}: both learn who is there, and have one hash in common`, async () => {
      await meet(
        both(pattern, { suite: suiteName }),
        async ({ sender, taker, sending, taking }) => {
          await sender.send("secret");
          assert.is(text(await taker.receive()), "secret");
          const [near, far] = [sending, taking].map(
            ({ attached }) => attached[0]?.pipe.facts.hop as HopFacts,
          ) as [HopFacts, HopFacts];
          for (const facts of [near, far]) {
            assert.equal([facts.pattern, facts.suite], [pattern, suiteName]);
          }
          const keyed = pattern !== "NNpsk0";
          assert.is(near.peer, keyed ? KEYS.listen.publicKey : undefined);
          assert.is(far.peer, keyed ? KEYS.dial.publicKey : undefined);
          assert.is(near.handshakeHash.length, 32);
          assert.ok(same(near.handshakeHash, far.handshakeHash));
        },
      );
    });
  }
}

const patient = { reconnect: { min: 100_000 } } as const;

/** Two who do not find together: what each is told. */
async function refusal(means: Means): Promise<{ near: Error; far: Error }> {
  const told: Error[] = [];
  await meet({ ...means, options: patient }, async ({ world, sender, taker, sending, taking }) => {
    sender.send("secret").catch(() => {});
    await world.sleep(12_000);
    assert.equal([sending.attached.length, taking.attached.length], [0, 0]);
    assert.is(taker.stats().received, 0);
    assert.is(sender.stats().sent, 1, "it waits for who may have it");
    for (const { refused } of [sending, taking]) {
      assert.is(refused.length, 1);
      told.push(refused[0]?.error as Error);
    }
    await sender.close();
  });
  return { near: told[0] as Error, far: told[1] as Error };
}

for (const pattern of ["XX", "IK", "KK"] as const) {
  test(`${pattern}: a key that is not on the list is refused, whoever has it`, async () => {
    const { stranger, dial, listen } = KEYS;
    const means = both(pattern);
    const dialer = await refusal({
      ...means,
      dial: optionsOf("dial", pattern, { key: stranger.privateKey }),
    });
    assert.match(dialer.near.message, "our key may be none of its 'peers'");
    if (pattern === "KK") assert.match(dialer.far.message, "its key is none of 'peers'");
    else assert.match(dialer.far.message, `the key ${stranger.publicKey}, which 'peers' does not`);

    const listener = await refusal({
      ...means,
      listen: optionsOf("listen", pattern, { key: stranger.privateKey }),
    });
    if (pattern === "XX") {
      assert.instance(listener.near, PeerError);
      assert.match(listener.near.message, stranger.publicKey);
      assert.match(listener.far.message, "our key may be none of its 'peers'");
    } else assert.match(listener.far.message, "hop.handshake.seal");

    // By a function, which hears the key as it is written in lists.
    const asked: string[] = [];
    const never = (key: string) => {
      asked.push(key);
      return false;
    };
    if (pattern === "KK") return;
    const decided = await refusal({
      ...means,
      listen: optionsOf("listen", pattern, { peers: never, peer: dial.publicKey }),
    });
    assert.instance(decided.far, PeerError);
    assert.equal(asked, [dial.publicKey]);
    const own = await refusal({
      ...means,
      dial: optionsOf("dial", pattern, { peers: never, peer: listen.publicKey }),
    });
    assert.match(own.near.message, `the key ${listen.publicKey}, which 'peers' does not`);
  });
}

test("who cannot decide lets nobody in, and the socket goes on", async () => {
  const reports: unknown[] = [];
  const env = (host: object) =>
    Object.create(host, { report: { value: (e: unknown) => reports.push(e) } });
  let asked = 0;
  const peers = () => {
    if (asked++ === 0) throw new Error("the list is not here yet");
    return true;
  };
  const listen = optionsOf("listen", "XX", { peers });
  await meet({ ...both("XX"), listen, env }, async ({ sender, taker, taking }) => {
    await sender.send("later");
    assert.is(text(await taker.receive()), "later");
    assert.is(taking.refused.length, 1);
  });
  assert.is(String(reports[0]), "Error: the list is not here yet");
});

test("KK: one listener tells several dialers by their keys", async () => {
  const peers = [KEYS.stranger.publicKey, KEYS.listen.publicKey, KEYS.dial.publicKey];
  await meet({ ...both("KK"), listen: optionsOf("listen", "KK", { peers }) }, async (m) => {
    await m.sender.send("mine");
    assert.is(text(await m.taker.receive()), "mine");
    assert.is(m.taking.attached[0]?.pipe.facts.hop?.peer, KEYS.dial.publicKey);
  });
});

test("KK: a listener tries no more keys than it can afford, and says so", async () => {
  const peers = Array.from({ length: 65 }, (_, i) => new Uint8Array(32).fill(i + 1));
  const server = open(
    stack(pull(), xpull(), hop({ pattern: "KK", key: KEYS.listen.privateKey, peers })),
  );
  await server.listen("memory://kk").then(
    () => assert.unreachable(),
    (e: Error) => assert.match(e.message, /'hop' with KK tries each of 'peers' .* 64 at most/),
  );
  await server.close();
});

test("another secret, pattern or suite is refused, and both are told what to look at", async () => {
  const wrong = await refusal({ ...both(), dial: { pattern: "NNpsk0", psk: new Uint8Array(32) } });
  assert.match(wrong.far.message, "the peer has another 'psk'");
  assert.match(wrong.near.message, "it may have another 'psk'");
  const pattern = await refusal({ ...both(), dial: optionsOf("dial", "XX") });
  assert.match(pattern.far.message, "'hop@1(NNpsk0,25519_AESGCM_SHA256)' is 'hop@1(XX,");
  const suite = { suite: "25519_ChaChaPoly_SHA256" };
  const other = await refusal({ ...both(), dial: optionsOf("dial", "NNpsk0", suite) });
  assert.match(other.far.message, "is 'hop@1(NNpsk0,25519_ChaChaPoly_SHA256)' at the peer");
});

test("who speaks no hop is refused, and its messages are heard by nobody", async () => {
  await meet({ ...both(), options: patient }, async ({ world, taker, taking }) => {
    const plain = open(push(), { env: world.host("plain"), ...patient });
    plain.dial(URL);
    plain.trySend("in clear");
    await world.sleep(100);
    assert.match(taking.refused[0]?.error.message ?? "", "the peer, which is a plain socket");
    assert.is(taker.tryReceive()?.length, undefined);
    await plain.close();
  });
});

test("what options do not go together says so, with what would mend it", () => {
  const { privateKey: key, publicKey } = KEYS.dial;
  const peers = [publicKey];
  const bad: readonly (readonly [object, string | RegExp])[] = [
    [{ key }, /'peers' whose key may be at the other end, by a list or by \(key\) => boolean/],
    [{ pattern: "IK", key, peers: [] }, /'hop' with IK proves who is there/],
    [{ peers }, /needs 'key', our own: hopKeys\(\) makes one/],
    [{ key, peers, psk: PSK }, /'hop' with XX has no use for 'psk'/],
    [{ pattern: "NNpsk0" }, /needs 'psk'/],
    [{ pattern: "NNpsk0", psk: PSK, peers }, /'hop' with NNpsk0 has no use for 'peers'/],
    [{ pattern: "NK", key, peers }, /'pattern' of 'hop' is one of XX, IK, KK, NNpsk0; not NK/],
    [{ suite: "448", key, peers }, /'suite' of 'hop' is one of/],
    [{ padding: 17, key, peers }, /'padding' of 'hop' is one of none, 16, buckets; not 17/],
    [{ key, peers: publicKey }, /'peers' of 'hop' is a list of public keys/],
  ];
  for (const [options, said] of bad) {
    assert.throws(
      () => hop(options as HopOptions),
      (e: Error) => e instanceof StackError && said instanceof RegExp && said.test(e.message),
      JSON.stringify(options),
    );
  }
  for (const more of [
    { rekey: { records: 0 } },
    { rekey: { records: 65_537 } },
    { rekey: { octets: 2 ** 30 + 1 } },
    { lifetime: { time: 86_400_001 } },
    { lifetime: { octets: 5 } },
    { rekey: { time: 0.5 } },
  ]) {
    assert.throws(() => hop({ key, peers, ...more } as HopOptions), /of 'hop' has/);
  }
});

test("keys that are none, or not enough for that side, are refused before anything is dialed", async () => {
  const { privateKey: key, publicKey } = KEYS.dial;
  const any = () => true;
  const dial: readonly (readonly [HopOptions, RegExp])[] = [
    [{ key: "no key", peers: any }, /cannot use its 'key': an X25519 private key is 32 octets/],
    [{ key: publicKey, peers: ["?"] }, /cannot use its 'peers'/],
    [{ pattern: "IK", key, peers: any }, /'hop' with IK has to know whom it dials: .* as 'peer'/],
    [{ pattern: "KK", key, peers: [publicKey, publicKey] }, /has to know whom it dials/],
    [{ pattern: "NNpsk0", psk: "password" }, /a word that people choose is guessed/],
    [{ pattern: "NNpsk0", psk: new Uint8Array(31) }, /32 unpredictable octets/],
  ];
  for (const [options, said] of dial) {
    const socket = open(stack(push(), xpush(), hop(options)));
    assert.throws(() => socket.dial("tcp://127.0.0.1:1"), said);
    await socket.close();
  }
  const socket = open(stack(pull(), xpull(), hop({ pattern: "KK", key, peers: any })));
  const error = await socket.listen("tcp://127.0.0.1:0").catch((e) => e);
  assert.instance(error, StackError);
  assert.match(error.message, "has to know all who may dial: give 'peers' as a list");
  await socket.close();
  const { crypto: _, ...bare } = (await import("../../runtime/index.js")).node;
  const without = open(stack(pull(), xpull(), hop({ pattern: "NNpsk0", psk: PSK })), { env: bare });
  const none = await without.listen("tcp://127.0.0.1:0").catch((e) => e);
  assert.match(none.message, "'hop' needs cryptography, and this world has none");
  await without.close();
});

test("keys are had in every form, and printed in one", async () => {
  const { createPrivateKey, createPublicKey } = await import("node:crypto");
  const { privateKey, publicKey } = hopKeys();
  assert.match(privateKey, /^-----BEGIN PRIVATE KEY-----\n/);
  assert.match(publicKey, /^[A-Za-z0-9+/]{43}=$/);
  const object = createPrivateKey(privateKey);
  const raw = new Uint8Array(Buffer.from(object.export({ format: "jwk" }).d ?? "", "base64url"));
  const forms = [
    privateKey,
    Buffer.from(privateKey),
    object,
    raw,
    Buffer.from(raw).toString("base64"),
  ];
  for (const form of forms) assert.equal(hopKeys(form), { privateKey, publicKey });
  const theirs = createPublicKey(object);
  const octets = new Uint8Array(Buffer.from(publicKey, "base64"));
  const pem = theirs.export({ format: "pem", type: "spki" }) as string;
  for (const peer of [publicKey, octets, pem, Buffer.from(pem), theirs]) {
    const listen = optionsOf("listen", "XX", { key: object });
    await meet({ dial: optionsOf("dial", "XX", { peers: [peer] }), listen }, async (m) => {
      await m.sender.send("hello");
      assert.is(text(await m.taker.receive()), "hello");
    });
  }
  assert.throws(() => hopKeys(publicKey.slice(1)), TypeError);
  const { privateKey: rsa } = (await import("node:crypto")).generateKeyPairSync("ed25519");
  assert.throws(() => hopKeys(rsa), TypeError);
});

test("a stack says which layer wants octets in one piece, and refuses to be scattered", () => {
  const layers = stack(req(), xreq(), hop({ pattern: "NNpsk0", psk: PSK }), sp(), tcp());
  assert.match(layers.toString(), /^hop {3}link → link.*insists on one piece$/m);
  assert.match(layers.toString(), "contiguous from 'hop' down");
  assert.throws(() => open(layers, { mode: "scatter" }), /mode is scatter, but 'hop' insists/);
});

// --- what is on the wire ---

test("an opening and messages cut anywhere are the same opening and messages", async () => {
  for (const pattern of PATTERNS) {
    for (const chop of [1, 7]) {
      await meet({ ...both(pattern), conditions: { chop } }, async ({ sender, taker }) => {
        for (let i = 0; i < 20; i++) await sender.send(body(i * 9, i));
        for (let i = 0; i < 20; i++) assert.ok(same(await taker.receive(), body(i * 9, i)));
      });
    }
  }
});

/** Sizes of the messages that the hop gave to what frames it, of a stream of sp's. */
function sizes(stream: readonly Uint8Array[]): number[] {
  const octets = Buffer.concat(stream);
  const found: number[] = [];
  for (let at = 8; at < octets.length; ) {
    const n = Number(octets.readBigUInt64BE(at));
    found.push(n);
    at += 8 + n;
  }
  return found;
}

test("filled up, records have at most six sizes, whatever the messages are", async () => {
  const lengths = [...Array(300).keys(), 900, 1000, 4000, 5000, 16_000, 17_000, 66_000, 200_000];
  for (const [padding, allowed] of [
    ["buckets", (n: number) => [64, 256, 1024, 4096, 16_384, 65_535].includes(n)],
    [16, (n: number) => n % 16 === 0 || n === 65_535],
  ] as const) {
    const middle = new Middle();
    await meet({ ...both("NNpsk0", { padding }), middle }, async ({ world, sender, taker }) => {
      for (const n of lengths) {
        await sender.send(body(n, n));
        await world.sleep(1);
        assert.ok(same(await taker.receive(), body(n, n)));
      }
    });
    // Behind the list of layers and the handshake.
    const records = sizes(middle.seen.there).slice(2);
    assert.ok(records.length >= lengths.length);
    assert.equal(
      records.filter((n) => !allowed(n)),
      [],
    );
    const different = new Set(records).size;
    if (padding === "buckets") assert.is(different, 6);
    else assert.ok(different > 6);
  }
});

test("a message has other octets on each of two hops, and nothing of it is to be seen on either", async () => {
  const hops = [new Middle(), new Middle()];
  const secret = "a message long enough that nobody finds it by chance";
  const said = async (middle: Middle, seed: number) => {
    await meet({ ...both("XX"), middle, seed }, async ({ sender, taker }) => {
      await sender.send(secret);
      assert.is(text(await taker.receive()), secret);
    });
    return Buffer.concat(middle.seen.there);
  };
  const [one, other] = [await said(hops[0] as Middle, 1), await said(hops[1] as Middle, 2)];
  for (const octets of [one, other]) assert.is(octets.includes(secret.slice(0, 8)), false);
  // The last records: the message, and close.
  const tail = (b: Buffer) => b.subarray(-(secret.length + 19 + 8 + 17));
  const equal = tail(one).filter((octet, i) => octet === tail(other)[i]).length;
  assert.ok(equal < 8 + 8 + 10, `${equal} octets are alike, of which 16 are lengths`);
});

test("new keys all the time, from both sides at once; and no nonce is used twice with a key", async () => {
  for (const [dial, listen] of [
    [2, 3],
    [3, 2],
    [1, 1],
  ] as const) {
    const spy = spied();
    const [a, b] = [
      optionsOf("dial", "XX", { rekey: { records: dial } }),
      optionsOf("listen", "XX", { rekey: { records: listen } }),
    ];
    const session = new Session(
      1,
      (side) => (side === "dial" ? a : b),
      undefined,
      spy.crypto,
    ).run();
    for (let i = 0; i < 50; i++) {
      session.dial.record(body(i, i));
      session.listen.record(body(i, -i));
      if (i % 7 === 0) session.run();
    }
    session.run();
    for (const [end, sign] of [
      [session.listen, 1],
      [session.dial, -1],
    ] as const) {
      assert.is(end.top.got.length, 50);
      assert.ok(end.top.got.every((m, i) => same(m, body(i, sign * i))));
    }
    assert.is(spy.doubled, 0, `of ${spy.seals} seals`);
    assert.ok(spy.seals > 100);
    assert.ok(spy.keys >= 2 + Math.floor(50 / dial) + Math.floor(50 / listen), `${spy.keys} keys`);
  }
});

test("a key is changed after so many octets, and when it is old and used", async () => {
  const spy = spied();
  const octets = { ...optionsOf("dial", "NNpsk0"), rekey: { octets: 1000 } };
  const session = new Session(1, () => octets, undefined, spy.crypto).run();
  const before = spy.keys;
  for (let i = 0; i < 30; i++) session.dial.record(body(100, i));
  session.run();
  assert.is(session.listen.top.got.length, 30);
  // Ten records of 103 are more than 1000; who opens has the same keys.
  assert.is(spy.keys - before, 2 * 3);

  const aged = spied();
  const env = (host: object) => Object.create(host, { crypto: { value: aged.crypto } });
  await meet({ ...both(), env }, async ({ world, sender, taker }) => {
    for (const [wait, keys] of [
      [119_000, 0],
      [2000, 2],
      [119_000, 0],
      [500_000, 2],
    ] as const) {
      await sender.send("first");
      await taker.receive();
      const before = aged.keys;
      await world.sleep(wait);
      await sender.send("then");
      await taker.receive();
      assert.is(aged.keys - before, keys, `after ${wait} ms`);
    }
  });
});

// --- the end ---

test("who closes says so: nobody is told of a cut, and all that was sent is there", async () => {
  await meet(both(), async ({ world, sender, taker, taking, sending }) => {
    for (let i = 0; i < 100; i++) await sender.send(body(1000, i));
    await sender.close();
    for (let i = 0; i < 100; i++) assert.ok(same(await taker.receive(), body(1000, i)));
    await world.sleep(100);
    for (const story of [taking, sending]) {
      assert.equal(
        story.detached.map((e) => e.error),
        [undefined],
      );
    }
  });
  await meet(both(), async ({ world, sender, taker, sending }) => {
    await sender.send("x");
    await taker.receive();
    await taker.close();
    await world.sleep(50);
    assert.is(sending.detached[0]?.error, undefined, "and so if the listener does");
  });
});

test("a connection that is lost is told as cut; the dialer comes back", async () => {
  await meet(both(), async ({ world, sender, taker, taking, sending }) => {
    await sender.send("one");
    assert.is(text(await taker.receive()), "one");
    for (const link of world.network.links) link.drop();
    await world.sleep(20_000);
    for (const { detached } of [taking, sending]) {
      const error = detached[0]?.error as TruncatedError;
      assert.instance(error, TruncatedError);
      assert.is(error.code, "ERR_TRUNCATED");
      assert.match(String((error.cause as Error).message), "ECONNRESET");
    }
    await sender.send("two");
    assert.is(text(await taker.receive()), "two");
    assert.is(taking.attached.length, 2);
  });
});

test("after so many records both say close and the dialer dials again; nothing is lost or doubled", async () => {
  for (const records of [1, 2, 10]) {
    const means = both("NNpsk0", { lifetime: { records } });
    const options = { reconnect: { min: 1, max: 5 } };
    await meet({ ...means, options }, async ({ world, sender, taker, taking, sending }) => {
      for (let i = 0; i < 40; i++) {
        await sender.send(body(i === 20 ? 500_000 : 10, i));
        await world.sleep(3);
      }
      for (let i = 0; i < 40; i++) {
        assert.ok(same(await taker.receive(), body(i === 20 ? 500_000 : 10, i)), `message ${i}`);
      }
      assert.ok(taking.attached.length > 2, `${taking.attached.length} connections`);
      for (const { detached } of [taking, sending]) {
        assert.equal(
          detached.flatMap((e) => e.error ?? []),
          [],
        );
      }
    });
  }
});

test("after a day it is enough, also for who says nothing", async () => {
  await meet(both("NNpsk0", { lifetime: { time: 60_000 } }), async ({ world, taking, sending }) => {
    await world.sleep(200_000);
    assert.ok(taking.attached.length >= 3, `${taking.attached.length} connections`);
    const errors = [...taking.detached, ...sending.detached].flatMap((e) => e.error ?? []);
    assert.equal(errors, []);
  });
});

test("a peer that never says close is waited for, but not for ever", async () => {
  const middle = new Middle();
  const means = { ...both("NNpsk0", { lifetime: { time: 1000 } }), middle };
  const dial = optionsOf("dial", "NNpsk0", { lifetime: { time: 1000 } });
  const listen = optionsOf("listen", "NNpsk0");
  await meet({ ...means, dial, listen, options: patient }, async ({ world, sending, taking }) => {
    await world.until(
      () => taking.attached.length === 1,
      () => "a connection",
    );
    // Nothing reaches the dialer any more, nor what it says the listener.
    for (const link of world.network.links) link.cut = true;
    await world.sleep(20_000);
    assert.instance(sending.detached[0]?.error, TimeoutError);
    for (const link of world.network.links) link.drop();
    await world.sleep(1000);
  });
});

test("amid a message there is no close: who is cut there is told so, and gets no part of it", async () => {
  const middle = new Middle(cuts("there", 300_000));
  await meet({ ...both(), middle, options: patient }, async ({ world, sender, taker, taking }) => {
    sender.send(body(1_000_000, 1)).catch(() => {});
    await world.sleep(1000);
    assert.is(taker.tryReceive(), undefined);
    assert.instance(taking.detached[0]?.error, TruncatedError);
  });
});

// --- limits ---

test("recvMax is of messages, whatever records are; what is longer closes, and is counted", async () => {
  for (const recvMax of [100, 70_000]) {
    const options = { ...patient, recvMax };
    await meet({ ...both(), options }, async ({ world, sender, taker, taking }) => {
      // Records of many times that.
      for (let i = 0; i < 1000; i++) await sender.send(body(100, i));
      for (let i = 0; i < 1000; i++) assert.ok(same(await taker.receive(), body(100, i)));
      await sender.send(body(recvMax, 1));
      assert.ok(same(await taker.receive(), body(recvMax, 1)));
      await sender.send(body(recvMax + 1, 1));
      await world.sleep(100);
      assert.match(
        taking.detached[0]?.error?.message ?? "",
        `recvMax: a message of ${recvMax + 1}`,
      );
      assert.equal(taker.stats().malformed, { recvMax: 1 });
      assert.is(taker.tryReceive(), undefined);
    });
  }
});

test("what a peer with the keys may not say closes, and says which rule it was", async () => {
  const { Forger } = await import("./forger.js");
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[""], /hop\.record: 1 more octet is needed/],
    [["03"], /hop\.record\.type, octet 0: is none of data, rekey, close/],
    [["00 0005 61626364"], /hop\.piece\.length: is more than the record has/],
    [["00 7fff"], /hop\.piece: 2 more octets are needed/],
    [["00 7fff0001 61"], /hop\.piece\.length, octet 2: is not in its shortest form/],
    [["00 8001 61 0001 62"], /hop\.piece\.more: a message goes on in the next record/],
    [["00 8001 61", "02"], /hop\.record\.type: close amid a message/],
    [["02", "00"], /hop\.record: one more after close/],
  ];
  for (const [records, said] of cases) {
    const forger = new Forger();
    for (const hex of records) forger.say(hex);
    assert.equal(forger.got, [], records.join());
    assert.match(forger.error?.message ?? "nothing", said);
  }
  // What looks odd, and is not.
  const forger = new Forger();
  for (const hex of [
    "00",
    "00 00",
    "00 8000 ffff",
    "00 0000",
    "01 0001 61",
    "00 8001 62",
    "00",
    "00 0000",
  ]) {
    forger.say(hex);
  }
  assert.is(forger.error, undefined);
  assert.equal(forger.got, ["", "61", "62"]);
});

test("a message that goes on is held while the side below is full, and no other is", () => {
  const session = new Session().run();
  const { dial, listen } = session;
  const before = dial.wire.sent.length;
  let stopped = false;
  dial.wire.taking = () => {
    if (stopped) return;
    stopped = true;
    dial.wire.above.event({ type: "stop" });
  };
  const go = () => {
    stopped = false;
    dial.wire.above.event({ type: "go" });
  };
  const told = () =>
    dial.top.events.filter((e) => e.type === "stop" || e.type === "go").map((e) => e.type);
  dial.send(body(300_000, 1));
  session.env.settle();
  assert.is(dial.wire.sent.length - before, 1, "one record, and the rest is held");
  assert.equal(told(), ["stop"]);
  go();
  assert.is(dial.wire.sent.length - before, 2);
  assert.equal(told(), ["stop", "stop"], "it is not told to go on only to be stopped again");
  // Who sends though it was told to stop is not kept waiting in here.
  dial.send(body(10, 2));
  session.env.settle();
  assert.is(dial.wire.sent.length - before, 5);
  go();
  assert.is(told().at(-1), "go");
  session.run();
  assert.is(listen.top.got.length, 2);
  assert.ok(same(listen.top.got[0] as Uint8Array, body(300_000, 1)));
  assert.ok(same(listen.top.got[1] as Uint8Array, body(10, 2)));
});

test("who has said stop amid a record gets the rest of it before the end of the connection", () => {
  const session = new Session().run();
  const { top, wire } = session.listen;
  const take = top.up;
  top.up = (m) => {
    take.call(top, m);
    top.below.control({ type: "stop" });
  };
  const messages = ["one", "two", "three"].map((word) => new TextEncoder().encode(word));
  session.listen.hear(session.dial.record(...messages));
  assert.is(top.got.length, 1);
  wire.above.event({ type: "closed" });
  const closed = () => top.events.filter((e) => e.type === "closed");
  for (const n of [2, 3]) {
    assert.equal(closed(), []);
    top.below.control({ type: "go" });
    assert.is(top.got.length, n);
  }
  assert.equal(closed(), []);
  top.below.control({ type: "go" });
  assert.is(closed().length, 1);
  assert.instance((closed()[0] as { error?: Error }).error, TruncatedError);
});

test("messages over inproc are sealed too", async () => {
  const names = () => stack(rep(), xrep(), hop({ pattern: "NNpsk0", psk: PSK }), inproc());
  const server = open(names());
  server.serve((b) => b);
  await server.listen("inproc://hop");
  const client = open(stack(req(), xreq(), hop({ pattern: "NNpsk0", psk: PSK }), inproc()));
  client.dial("inproc://hop");
  for (const n of [0, 5, 100_000]) assert.ok(same(await client.request(body(n, n)), body(n, n)));
  assert.ok(client.stats().sealed >= 4);
  await client.close();
  await server.close();
});

test.run();
