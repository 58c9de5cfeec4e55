/** Integrity as a layer: the laws, its place in a stack, what it costs, and what others have signed. */
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  integrity,
  type IntegrityKey as Key,
  KeyRing,
  node,
  opcodes,
  open,
  pair0,
  pull,
  push,
  req,
  type Stack,
  StackError,
  StateError,
  sp,
  stack,
  tcp,
  WireError,
  xpush,
  xreq,
} from "../../runtime/index.js";
import { layerChecks } from "../../runtime/kit/index.js";
import type { Protocol } from "../../runtime/layer.js";
import { Exchange } from "../../runtime/message.js";
import { nodeCrypto } from "../../runtime/node-crypto.js";
import { check as checked } from "../../runtime/stack.js";
import { TIMES } from "../laws/all.js";
import { body } from "../laws/octets.js";
import { RUNS } from "../laws/runs.js";
import { Still } from "../laws/still.js";
import { staged } from "../support/stage.js";
import { until } from "../support/until.js";
import { Desk, PUB, PULL, PUSH, REP, REQ, RESPONDENT, SURVEYOR } from "./integrity/desk.js";

const test = suite("integrity");
const secret = body(32, 7);
const keys: readonly Key[] = [{ id: 1, secret }];

// The trailer of an HMAC is 32 octets shorter than that of a signature.
const hmac = { make: () => integrity({ keys }), spare: 32 };
const privateKey = body(32, 8);
// A signature copies the body once, and so does who verifies it. It takes 0.3 ms.
const signature = {
  make: () => integrity({ keys: [{ id: 1, privateKey }] }),
  copies: 2,
  runs: 10 * TIMES,
};
for (const [by, options] of Object.entries({ hmac, signature })) {
  for (const { name, run } of layerChecks({ ...RUNS, crypto: nodeCrypto, ...options })) {
    test(`by ${by}, ${name}`, run);
  }
}

test("it stands on a protocol, and below one it says what to do", () => {
  const below = "but the one below it offers";
  const hint = "put integrity above req: devices rewrite what is below";
  const layer = integrity({ keys });
  for (const [list, face] of [
    [[req(), layer, xreq()], "raw"],
    [[req(), xreq(), layer, sp()], "link"],
    [[req(), xreq(), sp(), layer, tcp()], "octets"],
  ] as const) {
    assert.throws(
      () => checked(list),
      `'integrity' stands on 'ports', ${below} '${face}': ${hint}`,
    );
  }
  assert.is(
    stack(layer, req(), xreq()).toString(),
    [
      "integrity  ports → same    integrity.trailer (90 behind)",
      "req        raw → req       sp.request (64 before)",
      "xreq       link → raw",
      "room 64 before, 90 behind; scatter; stands on 'link'",
    ].join("\n"),
  );
});

test("a world without cryptography opens no such stack", () => {
  const { crypto, ...bare } = node;
  assert.ok(crypto);
  const make = () => open(stack(integrity({ keys }), push()), { env: bare });
  assert.throws(make, (e: unknown) => e instanceof StackError && /env.crypto/.test(e.message));
});

test("an HMAC copies no body, and a signature each once, which is counted", () => {
  for (const [list, copies] of [
    [keys, 0],
    [[{ id: 1, privateKey }], 1],
  ] as const) {
    const [near, far] = [desk(PUSH, { keys: list }), desk(PULL, { keys: list })];
    assert.ok(far.take(near.send(body(3000, 1))));
    for (const { context } of [near, far]) {
      assert.equal([context.stats.copies, context.stats.copiedOctets], [copies, 3000 * copies]);
    }
  }
});

test("a trailer is no text, wherever text is wanted", async () => {
  const layer = integrity({ keys });
  for (const list of [
    [opcodes(), layer, pair0()],
    [layer, opcodes(), pair0()],
  ]) {
    const socket = open(checked(list) as Stack<"pair0">);
    assert.throws(
      () => socket.dial("ws://127.0.0.1:1"),
      /'integrity' adds octets to it that are none/,
    );
    await socket.close();
  }
});

test("options that are none are refused", () => {
  assert.throws(() => integrity({ keys, window: -1 }), /window is a whole number/);
  assert.throws(() => integrity({ keys, window: 2 ** 20 + 1 }), /window is 1048576 at most/);
  assert.throws(() => integrity({ keys, window: 1.5 }), /window is a whole number/);
  assert.throws(() => integrity({ keys, skew: -1 }), /skew is milliseconds/);
});

test("a window is for who wants it: requests too, or no messages at all", () => {
  const same = (near: Desk, far: Desk, exchange?: () => Exchange): boolean[] => {
    const octets = near.send(body(3, 1), exchange?.());
    return [1, 2].map(() => far.take(octets, exchange?.()));
  };
  const asked = () => new Exchange();
  assert.equal(same(desk(PUSH), desk(PULL)), [true, false]);
  assert.equal(same(desk(PUSH), desk(PULL, { window: 0 })), [true, true]);
  assert.equal(same(desk(REQ), desk(REP), asked), [true, true]);
  assert.equal(same(desk(REQ), desk(REP, { window: 5 }), asked), [true, false]);
  assert.equal(same(desk(SURVEYOR), desk(RESPONDENT), asked), [true, true]);
  const [near, far] = [desk(PUSH), desk(PULL, { window: 5 })];
  const sent = Array.from({ length: 7 }, () => near.send(body(3, 1)));
  assert.ok(far.take(sent[6] as Uint8Array));
  assert.not(far.take(sent[0] as Uint8Array));
  assert.ok(far.take(sent[1] as Uint8Array));
});

type Options = Partial<Parameters<typeof integrity>[0]>;
function desk(protocol: ConstructorParameters<typeof Desk>[1], options: Options = {}): Desk {
  return new Desk(integrity({ keys, ...options }), protocol);
}

test("without a key that signs now a message is dropped and counted, and a request fails", () => {
  const late = [{ id: 1, secret, notBefore: 5 }];
  const near = desk(REQ, { keys: late });
  const exchange = new Exchange();
  assert.is(near.send(body(3, 1), exchange), undefined);
  const [failed] = near.events;
  assert.ok(failed?.type === "failed" && failed.exchange === exchange);
  assert.instance(failed.error, StateError);
  assert.is(near.send(body(3, 1)), undefined);
  assert.equal({ ...near.context.stats.dropped }, { "integrity: no key signs now": 2 });
  near.context.env.date = () => 5;
  assert.ok(near.send(body(3, 1), exchange));
});

test("what Python has signed is taken, and signed alike", () => {
  const ring = [
    { id: 7, secret: Uint8Array.from({ length: 32 }, (_, i) => i) },
    { id: 2 ** 53 - 1, secret: Uint8Array.from({ length: 32 }, (_, i) => i) },
    {
      id: 8,
      privateKey: hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
    },
  ];
  const lines = (name: string) =>
    readFileSync(`test/vectors/integrity/${name}.txt`, "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
  const covered = lines("signed");
  /** Who asked last, and what. */
  let asker: { readonly desk: Desk; readonly exchange: Exchange; octets: Uint8Array } | undefined;
  for (const [i, line] of lines("trailer").entries()) {
    const [, payload = "", trailer = ""] = (line.split(" | ")[0] as string).split(" ");
    const octets = hex(payload + trailer);
    const number = (name: string) =>
      Number(new RegExp(` ${name}=(\\d+)`).exec(`${line} ${covered[i]}`)?.[1]);
    const protocol = [PUSH, REQ, REP, PUB, SURVEYOR, RESPONDENT].find(
      ({ type }) => type === number("type"),
    ) as Protocol;
    const answers = number("requestLength") > 0;
    const env = new Still();
    env.random = (to) =>
      void new Uint32Array(to.buffer).set([number("epochHigh"), number("epochLow")]);
    const near = new Desk(integrity({ keys: ring, sign: number("keyId") }), protocol, env);
    const far = new Desk(integrity({ keys: ring }), {
      name: "peer",
      type: protocol.peer,
      peer: protocol.type,
    });
    const exchange = new Exchange();
    if (answers) assert.ok(near.take(asker?.octets as Uint8Array, exchange));
    if (number("seq") === 0) assert.equal(near.send(hex(payload), exchange), octets, line);
    if (answers) assert.ok(asker?.desk.take(octets, asker.exchange), line);
    else assert.ok(far.take(octets, new Exchange()), line);
    assert.equal((answers ? asker?.desk : far)?.got[0], hex(payload));
    asker = { desk: near, exchange, octets };
  }
  assert.is(covered.length, 7);
});

const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));

test(
  "the first message that is refused is told, once a reason, and all are counted",
  staged(async (stage) => {
    const sink = stage.open(stack(integrity({ keys }), pull()));
    const told: string[] = [];
    sink.on("rejected", ({ pipe, error }) => {
      assert.instance(error, WireError);
      assert.type(pipe?.facts.remote, "string");
      told.push(error.message);
    });
    const { url } = await sink.listen(stage.any("tcp"));
    const bare = stage.open(push());
    const other = stage.open(stack(integrity({ keys: [{ id: 2, secret }] }), push()));
    await Promise.all([bare.dial(url).ready, other.dial(url).ready]);
    for (let i = 0; i < 5; i++) {
      await bare.send("canary");
      await other.send("canary");
    }
    const counted = { "integrity: no trailer": 5, "integrity: unknown key": 5 };
    await until("ten refused", () => {
      const { malformed } = sink.stats();
      return Object.values(malformed).reduce((a, b) => a + b, 0) === 10;
    });
    assert.equal({ ...sink.stats().malformed }, counted);
    assert.equal(told.sort(), Object.keys(counted));
    assert.is(sink.stats().received, 0);
    const signer = stage.open(stack(integrity({ keys: new KeyRing(keys) }), push(), xpush()));
    await signer.dial(url).ready;
    await signer.send("canary");
    assert.is(Buffer.from(await sink.receive()).toString(), "canary");
  }),
);

test.run();
