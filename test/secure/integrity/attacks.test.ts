/** What somebody without the key can do to messages: none is taken that was not said so, then, and once. */
import { createHmac, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Alg, writeEnd } from "../../../generated/integrity/trailer.js";
import * as tag from "../../../generated/sp/tag.js";
import {
  integrity,
  type IntegrityKey as Key,
  type Raw,
  type Replier,
  type Requester,
  rep,
  req,
  respondent,
  stack,
  surveyor,
  xrep,
  xreq,
  xrespondent,
  xsurveyor,
} from "../../../runtime/index.js";
import type { Protocol } from "../../../runtime/layer.js";
import { Exchange } from "../../../runtime/message.js";
import { edited, edits, SEED, TIMES } from "../../laws/all.js";
import { body, segmented } from "../../laws/octets.js";
import { staged } from "../../support/stage.js";
import { until } from "../../support/until.js";
import { Desk, PAIR, PULL, PUSH, REP, REQ, RESPONDENT, SURVEYOR } from "./desk.js";

const test = suite("attacks");

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const shared: Key = { id: 1, secret: body(32, 1) };
const paired: Key = { id: 2, privateKey };
const known: Key = { id: 2, publicKey };
/** Octets of a trailer. */
const HMAC = 58;
const ED25519 = 90;

const desk = (protocol: Protocol, ...keys: readonly Key[]) =>
  new Desk(integrity({ keys: keys.length > 0 ? keys : [shared] }), protocol);

for (const [name, own, theirs, sizes] of [
  ["HMAC", shared, shared, [0, 1, 31, 200]],
  ["Ed25519", paired, known, [0, 5]],
] as const) {
  test(`${name}: of messages with any one bit of body and trailer flipped 0 are accepted`, () => {
    let tried = 0;
    for (const size of sizes) {
      const octets = desk(PUSH, own).send(body(size, 3));
      const far = desk(PULL, theirs);
      for (let bit = 0; bit < 8 * octets.length; bit++) {
        const flipped = octets.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        // Whole, and cut where it was changed.
        assert.not(far.take(bit % 2 === 0 ? flipped : segmented(flipped, [bit >> 3])));
        tried++;
      }
      const refused = Object.values(far.refused).reduce((a, b) => a + b, 0);
      assert.is(refused, 8 * octets.length, "each is counted");
      assert.ok(far.take(octets), "the true one is taken after all that");
    }
    assert.ok(tried > 1000);
  });
}

test("of 100,000 messages that were cut, lengthened, spliced or changed anyhow 0 are accepted", () => {
  const near = desk(PUSH);
  const sent = [0, 1, 20, 90, 300].flatMap((size) =>
    [1, 2].map((seed) => near.send(body(size, seed))),
  );
  const far = desk(PULL);
  const which = fc.nat(sent.length - 1);
  const change = fc.record({ one: which, other: which, at: fc.nat(), list: edits, cut: fc.nat() });
  const same = (octets: Uint8Array) => sent.some((s) => Buffer.compare(s, octets) === 0);
  let tried = 0;
  const run = (c: { one: number; other: number; at: number; list: never; cut: number }) => {
    const [a, b] = [sent[c.one] as Uint8Array, sent[c.other] as Uint8Array];
    const spliced = c.at % 4 === 0 ? Buffer.concat([a.subarray(0, c.at % a.length), b]) : a;
    const octets = edited(new Uint8Array(spliced), c.list);
    if (same(octets)) return;
    tried++;
    if (far.take(segmented(octets, [c.cut]))) throw new Error(Buffer.from(octets).toString("hex"));
  };
  fc.assert(fc.property(change as fc.Arbitrary<never>, run), {
    numRuns: 102_000 * TIMES,
    seed: SEED,
    endOnFailure: true,
  });
  assert.ok(tried >= 100_000 * TIMES, `${tried}`);
  assert.is(far.got.length, 0);
  const refused = Object.values(far.refused).reduce((a, b) => a + b, 0);
  assert.is(refused, tried, "each is counted");
  assert.ok((far.refused["integrity: wrong tag"] ?? 0) > 10_000, "most come as far as their tag");
});

test("each cut of a message into segments changes nothing", () => {
  for (const [own, theirs] of [
    [shared, shared],
    [paired, known],
  ] as const) {
    const [near, far] = [desk(PUSH, own), desk(PULL, theirs)];
    for (let at = 0; at <= 100; at += own === shared ? 1 : 9) {
      const octets = near.send(body(20, at));
      assert.ok(far.take(segmented(octets, [at, at + 3])));
      assert.equal(far.got.at(-1), body(20, at));
    }
    assert.equal(far.refused, {});
  }
});

test("of messages that come again 0 are accepted, in whatever order, and each is counted", () => {
  const [near, far] = [desk(PUSH), desk(PULL)];
  const sent = Array.from({ length: 3000 }, (_, i) => near.send(body(3, i)));
  // Neighbours come in the wrong order; none is lost.
  const order = sent.map((_, i) => i ^ 1);
  for (const i of order) assert.ok(far.take(sent[i] as Uint8Array));
  for (const octets of [...sent, ...sent.reverse()]) assert.not(far.take(octets));
  const seen = far.refused["integrity: came before"] ?? 0;
  assert.is(seen, 2 * 1025, "the newest, and as many before it as a window holds");
  assert.is(far.refused["integrity: too old to tell whether it came before"], 6000 - seen);
});

test("what we said ourselves, and what our own kind said, is not what a peer says", () => {
  const pair = desk(PAIR);
  assert.not(pair.take(pair.send(body(5, 1))));
  assert.equal(pair.refused, { "integrity: our own message": 1 });
  assert.not(desk(REQ).take(desk(REQ).send(body(5, 1))));
  assert.not(desk(PULL).take(desk(REQ).send(body(5, 1), new Exchange())));
});

test("a key that is not known, not good yet or good no more signs for nobody", () => {
  const at = (key: Partial<Key>, now: number) => {
    const far = desk(PULL, { ...shared, ...key } as Key);
    far.context.env.date = () => now;
    far.take(desk(PUSH).send(body(5, 1)));
    return Object.keys(far.refused);
  };
  assert.equal(at({ id: 3 }, 0), ["integrity: unknown key"]);
  assert.equal(at({ secret: body(32, 2) } as never, 0), ["integrity: wrong tag"]);
  assert.equal(at({ notBefore: 50_000 }, 39_999), ["integrity: the key is not good yet"]);
  assert.equal(at({ notBefore: 50_000 }, 40_000), [], "clocks differ");
  assert.equal(at({ notAfter: 50_000 }, 59_999), []);
  assert.equal(at({ notAfter: 50_000 }, 60_000), ["integrity: the key has expired"]);
  assert.equal(at({ notBefore: new Date(0), notAfter: new Date(20_000) }, 0), []);
});

test("the key decides the algorithm: its public half is no secret", () => {
  const raw = new Uint8Array(publicKey.export({ format: "der", type: "spki" }).subarray(-32));
  const near = desk(PUSH, { id: 2, secret: raw });
  const far = desk(PULL, known);
  const octets = near.send(body(5, 1));
  assert.not(far.take(octets));
  assert.equal(far.refused, { "integrity: not the key's algorithm": 1 });
  // As if it were a signature: 64 octets of a wrong one.
  const forged = new Uint8Array(5 + ED25519);
  const mac = createHmac("sha512", raw).digest();
  writeEnd(new DataView(forged.buffer), 5, 1, 2, 0, 2, new Uint8Array(mac), Alg.ed25519);
  assert.not(far.take(forged));
  assert.is(far.refused["integrity: wrong tag"], 1);
});

test("octets that are no trailer, or too few for one, are refused as such", () => {
  const far = desk(PULL);
  const octets = desk(PUSH).send(body(5, 1));
  for (let n = 0; n < HMAC; n++) assert.not(far.take(octets.slice(octets.length - n)));
  assert.not(far.take(new Uint8Array(200)));
  assert.equal(far.refused, { "integrity: no trailer": HMAC + 1 });
});

test("a reply answers its own request: 0 are accepted that were forged, moved, or come again", () => {
  for (const [asks, answers] of [
    [REQ, REP],
    [SURVEYOR, RESPONDENT],
  ] as const) {
    const [near, far] = [desk(asks), desk(answers)];
    // Two that are the same to the eye.
    const [one, other] = [new Exchange(), new Exchange()];
    const requests = [near.send(body(5, 1), one), near.send(body(5, 1), other)] as const;
    const replies = requests.map((octets) => {
      assert.ok(far.take(octets, new Exchange()));
      return far.send(body(9, 2), far.exchange);
    }) as [Uint8Array, Uint8Array];
    assert.not(near.take(replies[0], other), "moved to another request");
    assert.not(near.take(replies[1], one));
    assert.not(near.take(replies[0], new Exchange()), "moved to one that nobody asked");
    assert.not(near.take(desk(answers).send(body(9, 2)), one), "to no request at all");
    assert.not(
      near.take(desk(answers, { ...shared, secret: body(32, 9) } as Key).send(body(9, 2)), one),
    );
    assert.ok(near.take(replies[0], one));
    assert.not(near.take(replies[0], one), "a second time");
    assert.ok(near.take(replies[1], other));
    assert.is(near.got.length, 2);
  }
});

test("of two such layers each proves its own", () => {
  const inner = { id: 1, secret: body(32, 6) };
  const [near, far] = [REQ, REP].map((p) => {
    const [upper, lower] = [desk(p), desk(p, inner)];
    upper.element.below = lower.element;
    lower.element.above = upper.element;
    const ask = (octets: Uint8Array, exchange: Exchange) => {
      const before = lower.put.length;
      upper.send(octets, exchange);
      return lower.put[before] as Uint8Array;
    };
    return { upper, lower, ask };
  }) as [Twice, Twice];
  const [one, other] = [new Exchange(), new Exchange()];
  const asked = near.ask(body(3, 1), one);
  near.ask(body(3, 1), other);
  far.lower.take(asked, new Exchange());
  assert.is(far.upper.got.length, 1);
  const reply = far.ask(body(3, 2), far.upper.exchange as Exchange);
  near.lower.take(reply, other);
  assert.is(near.upper.got.length, 0);
  near.lower.take(reply, one);
  assert.equal(near.upper.got, [body(3, 2)]);
});

interface Twice {
  readonly upper: Desk;
  readonly lower: Desk;
  ask(octets: Uint8Array, exchange: Exchange): Uint8Array;
}

test("a request that is sent again is heard again, and either reply is right", () => {
  const [near, far] = [desk(REQ), desk(REP)];
  const asked = new Exchange();
  const request = near.send(body(5, 1), asked);
  assert.ok(far.take(request, new Exchange()));
  const first = far.exchange as Exchange;
  assert.ok(far.take(request, new Exchange()));
  const reply = far.send(body(5, 2), far.exchange);
  assert.ok(near.take(reply, asked));
  assert.ok(near.take(far.send(body(5, 2), first), asked));
});

test(
  "a forged reply takes nobody's place: the request waits for the true one",
  staged(async (stage) => {
    const keys = [shared];
    const client: Requester = stage.open(stack(integrity({ keys }), req()));
    const forger: Raw = stage.open(xrep());
    const server: Replier = stage.open(stack(integrity({ keys }), rep()));
    server.serve((question) => question);
    // In the middle: it passes on what it was asked, and answers before who was asked does.
    const { url } = await server.listen(stage.any("tcp"));
    const back = stage.open(xreq());
    await back.dial(url).ready;
    await client.dial((await forger.listen(stage.any("tcp"))).url).ready;
    const asked = client.request(body(9, 9));
    const question = await forger.receive();
    const octets = new Uint8Array(Buffer.concat(question.segments()));
    for (let i = 0; i < 60; i++) {
      const forged = octets.slice();
      forged[forged.length - 1 - i] = (forged[forged.length - 1 - i] as number) ^ 1;
      await forger.send(forged);
    }
    await until("the forged ones", () => refusedBy(client) === 60);
    await back.send(octets);
    const answer = await back.receive();
    // The way back of `back` ends where that of `forger` does.
    const reply = new Uint8Array(Buffer.concat(answer.segments()));
    assert.ok(reply.length > tag.MAX);
    await forger.send(reply);
    assert.equal(await asked, body(9, 9));
  }),
);

test(
  "a survey hears each answer once, whoever repeats it",
  staged(async (stage) => {
    const keys = [shared];
    const asker = stage.open(stack(integrity({ keys }), surveyor()));
    const one = stage.open(stack(integrity({ keys }), respondent()));
    one.serve((question) => question);
    // A device that says everything three times.
    const [front, back] = [stage.open(xrespondent()), stage.open(xsurveyor())] as const;
    await one.dial((await back.listen(stage.any("tcp"))).url).ready;
    await asker.dial((await front.listen(stage.any("tcp"))).url).ready;
    const answers: Uint8Array[] = [];
    const survey = asker.survey(body(5, 5), { surveyTime: 10_000 });
    const hearing = (async () => {
      for await (const answer of survey) answers.push(answer);
    })();
    await back.send(await front.receive());
    const answer = await back.receive();
    const octets = new Uint8Array(Buffer.concat(answer.segments()));
    for (let i = 0; i < 3; i++) await front.send(octets.slice());
    await until("the repeated ones", () => refusedBy(asker) === 2);
    await survey.return?.();
    await hearing;
    assert.equal(answers, [body(5, 5)]);
  }),
);

function refusedBy(port: { stats(): { malformed: Record<string, number> } }): number {
  return Object.values(port.stats().malformed).reduce((a, b) => a + b, 0);
}

test.run();
