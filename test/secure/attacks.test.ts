// timeout: 120
/** Who does not have the keys is heard by nobody: what he changes, cuts, repeats or moves ends the connection. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Connection, TruncatedError, WireError } from "../../runtime/index.js";
import { nodeCrypto } from "../../runtime/node-crypto.js";
import { CipherState } from "../../runtime/secure/hop/noise.js";
import { TIMES } from "../laws/all.js";
import { body, same } from "../laws/octets.js";
import { Random } from "../world/random.js";
import { optionsOf, PATTERNS } from "./keys.js";
import { meet } from "./meeting.js";
import { changes, cuts, Middle, type Way } from "./middle.js";
import { Session } from "./session.js";

const test = suite("attacks");
const WAYS: readonly Way[] = ["there", "back"];
/** So that nobody dials twice while we look. */
const patient = { reconnect: { min: 100_000 } } as const;
const text = (s: string) => new TextEncoder().encode(s);

/** A listener that has the first so many records of one session, and then this. Answers whether that was heard. */
function heard(records: number, forged: (session: Session) => Uint8Array | undefined): boolean {
  const session = new Session().run();
  for (let i = 0; i < records; i++) {
    session.dial.record(text(`message ${i}`));
    session.run();
  }
  const { top, error } = session.listen;
  assert.is(top.got.length, records);
  assert.is(error, undefined);
  const octets = forged(session);
  if (octets === undefined) throw new Error("nothing to forge with");
  session.listen.hear(octets);
  const closed = session.listen.error;
  assert.instance(closed, WireError);
  // And nothing after it is heard either.
  session.listen.hear(session.dial.record(text("too late")));
  return session.listen.top.got.length > records;
}

test("every bit of a record, flipped: 0 of all are heard", () => {
  const { length } = new Session().run().dial.record(text("ping!"));
  let [tried, accepted] = [0, 0];
  for (let bit = 0; bit < 8 * length; bit++) {
    tried++;
    const forged = (s: Session) => {
      const octets = s.dial.record(text("ping!")).slice();
      octets[bit >> 3] = (octets[bit >> 3] as number) ^ (1 << (bit & 7));
      return octets;
    };
    if (heard(0, forged)) accepted++;
  }
  assert.equal([tried, accepted], [8 * length, 0]);
  assert.ok(tried >= 192);
});

test("records that are dropped, doubled, swapped, cut, longer, moved or sent back: 0 are heard", () => {
  const forgeries: Readonly<Record<string, (s: Session) => Uint8Array | undefined>> = {
    dropped(s) {
      s.dial.record(text("never comes"));
      return s.dial.record(text("the next"));
    },
    doubled: (s) => s.dial.wire.sent.at(-1),
    "doubled later": (s) => s.dial.wire.sent.at(-2),
    swapped(s) {
      s.dial.record(text("one"));
      return s.dial.record(text("other"));
    },
    cut: (s) => s.dial.record(text("whole")).subarray(0, -1),
    "cut in front": (s) => s.dial.record(text("whole")).subarray(1),
    "without a tag": (s) => s.dial.record(text("whole")).subarray(0, 15),
    empty: () => new Uint8Array(0),
    longer: (s) => Buffer.concat([s.dial.record(text("whole")), new Uint8Array(1)]),
    "longer than any": () => new Uint8Array(65_536),
    "sent back": (s) => s.listen.record(text("mine")),
    "of another session": (s) => {
      const other = new Session(77).run();
      while (other.dial.wire.sent.length < s.dial.wire.sent.length) other.dial.record(text("x"));
      return other.dial.record(text("spliced"));
    },
    "of the handshake": (s) => s.dial.wire.sent[0],
  };
  for (const [name, forged] of Object.entries(forgeries)) {
    for (const records of [1, 2, 5]) {
      assert.not.ok(heard(records, forged), `${name}, after ${records}`);
    }
  }
});

test("a key that was changed opens nothing that was sealed before, and the old one nothing after", () => {
  const often = () => ({ ...optionsOf("dial", "NNpsk0"), rekey: { records: 2 } });
  const session = new Session(1, often).run();
  const records = [0, 1, 2, 3, 4].map((i) => session.dial.record(text(`message ${i}`)));
  for (const skip of [1, 2, 3, 4]) {
    const other = new Session(1, often).run();
    for (const record of records.slice(0, skip - 1)) other.listen.hear(record);
    other.listen.hear(records[skip] as Uint8Array);
    assert.is(other.listen.top.got.length, skip - 1);
    assert.instance(other.listen.error, WireError);
  }
});

test("records changed anywhere, under the cipher that opens them: 0 are opened", () => {
  const random = new Random(7);
  const tries = 10_000 * TIMES;
  for (const name of ["AESGCM", "ChaChaPoly"] as const) {
    const none = new Uint8Array(0);
    const plain = new Uint8Array(100);
    random.fill(plain);
    const key = () => new Uint8Array(32).fill(9);
    const sealed = new Uint8Array(116);
    new CipherState(nodeCrypto, name, key()).seal(none, plain, sealed);
    const receive = new CipherState(nodeCrypto, name, key());
    let accepted = 0;
    for (let i = 0; i < tries; i++) {
      const changed = sealed.slice();
      for (let k = random.whole(1, 4); k > 0; k--) {
        const at = random.whole(0, 115);
        changed[at] = (changed[at] as number) ^ random.whole(1, 255);
      }
      receive.count = random.often(0.9) ? 0 : random.whole(1, 100);
      const opened = receive.open(none, changed);
      if (opened !== undefined && !(same(changed, sealed) && receive.count === 1)) accepted++;
    }
    assert.is(accepted, 0, `${name}: of ${tries}`);
    receive.count = 0;
    assert.equal(new Uint8Array(receive.open(none, sealed) ?? none), plain);
  }
});

for (const pattern of PATTERNS) {
  const means = { dial: optionsOf("dial", pattern), listen: optionsOf("listen", pattern) };

  test(`${pattern}: one octet changed anywhere in greeting and handshake, and nobody is attached`, async () => {
    const observer = new Middle();
    await meet({ ...means, middle: observer }, async ({ world, taking, sending }) => {
      await world.until(
        () => taking.attached.length + sending.attached.length === 2,
        () => "both to be attached",
      );
    });
    const lengths = { there: 0, back: 0 };
    // The first record of whoever waited for none is no part of the handshake.
    for (const way of WAYS) {
      const all = observer.seen[way].reduce((n, octets) => n + octets.length, 0);
      lengths[way] = all;
    }
    let [tried, accepted] = [0, 0];
    for (const way of WAYS) {
      const end = handshakeOf(pattern)[way];
      assert.ok(end <= lengths[way], `${end} of ${lengths[way]} octets are the handshake's`);
      for (let place = 0; place < end; place++) {
        const middle = new Middle(changes(way, place, 1 << (place & 7)));
        const options = { ...patient, linger: 0 };
        await meet({ ...means, middle, options }, async ({ world, sending, taking, taker }) => {
          await world.sleep(20_000);
          tried++;
          accepted += sending.attached.length + taking.attached.length;
          assert.is(taker.stats().received, 0);
          const refused = sending.refused.length + taking.refused.length;
          assert.is(refused, 2, `${way}, octet ${place}: both are told`);
        });
      }
    }
    assert.ok(tried >= 130);
    assert.is(accepted, 0, `of ${tried}`);
  });

  test(`${pattern}: what a dialer said, said again, opens nothing`, async () => {
    const observer = new Middle();
    await meet({ ...means, middle: observer }, async ({ sender, taker }) => {
      await sender.send("once");
      assert.equal(new Uint8Array(await taker.receive()), text("once"));
    });
    const said = new Uint8Array(Buffer.concat(observer.seen.there));
    await meet(
      { ...means, options: patient, seed: 2 },
      async ({ world, taker, taking, sending }) => {
        await world.until(
          () => sending.attached.length === 1,
          () => "the honest one",
        );
        let heard = 0;
        const closed = await new Promise<Error | undefined>((done) => {
          let parrot: Connection | undefined;
          const where = { host: "10.0.0.1", port: 5555 };
          world.host("parrot").net.connect(where, {
            opened: (c) => {
              parrot = c;
              c.write([said]);
            },
            octets: (chunk) => {
              heard += chunk.length;
            },
            drained() {},
            ended: () => parrot?.destroy(),
            closed: done,
          });
        });
        assert.is(closed, undefined);
        assert.ok(heard >= 8, "it was answered, with a greeting at least");
        assert.is(taking.attached.length, 1, "the parrot is not attached");
        assert.is(taking.refused.length, 1);
        assert.is(taker.stats().received, 0);
      },
    );
  });
}

/** Octets of greeting, list of layers and handshake, framed: for each message 8, 3 and its own. */
function handshakeOf(pattern: string): Readonly<Record<Way, number>> {
  const layers = `hop@1(${pattern},25519_AESGCM_SHA256)`.length;
  const framed = (...noise: number[]) =>
    [layers, ...noise].reduce((n, octets) => n + 11 + octets, 8);
  if (pattern === "XX") return { there: framed(32, 64), back: framed(96) };
  return { there: framed(pattern === "IK" ? 96 : 48), back: framed(48) };
}

test("a stream that ends anywhere without close is told as cut, and what was whole by then was heard", async () => {
  const means = { dial: optionsOf("dial", "NNpsk0"), listen: optionsOf("listen", "NNpsk0") };
  const sent = [body(5, 1), body(0, 2), body(40, 3)];
  const run = async (middle: Middle, look: (heard: number, error?: Error) => void) => {
    const options = { ...patient, linger: 5 };
    await meet({ ...means, middle, options }, async ({ world, sender, taker, taking, sending }) => {
      await world.until(
        () => sending.attached.length === 1,
        () => "a connection",
      );
      for (const octets of sent) {
        sender.send(octets).catch(() => {});
        await world.sleep(5);
      }
      let heard = 0;
      for (let m = taker.tryReceive(); m !== undefined; m = taker.tryReceive()) {
        assert.ok(same(m, sent[heard++] as Uint8Array));
      }
      await sender.close();
      await world.sleep(50);
      look(heard, taking.detached[0]?.error);
      assert.is(taking.attached.length, taking.detached.length);
    });
  };
  const whole = new Middle();
  await run(whole, (heard, error) => assert.equal([heard, error], [3, undefined]));
  const all = Buffer.concat(whole.seen.there).length;
  const handshake = handshakeOf("NNpsk0").there;
  const counts = new Set<number>();
  // After the dialer's first record the listener is open.
  for (let place = handshake + 8 + 17; place < all; place++) {
    await run(new Middle(cuts("there", place)), (heard, error) => {
      assert.instance(error, TruncatedError, `after ${place} of ${all} octets`);
      counts.add(heard);
    });
  }
  assert.equal([...counts].sort(), [0, 1, 2, 3]);
});

test.run();
