/** Lengths and kinds that cannot be, and messages in the smallest pieces. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Type } from "../../generated/sp/greeting.js";
import { pull, push, type SocketOptions, type Taker, WireError } from "../../runtime/index.js";
import { SCHEMES, type Scheme, type Stage, staged } from "../support/stage.js";
import { octetsOf } from "../support/stranger.js";
import { until } from "../support/until.js";
import { nothingThrown } from "./calm.js";
import { type Target, target, textOf } from "./target.js";

const test = nothingThrown(suite("framing"));

const MiB = 2 ** 20;

function taker(stage: Stage, scheme: Scheme, options: SocketOptions = {}) {
  const socket = stage.open(pull(), options);
  return target(stage, scheme, socket);
}

/** The stranger's connection is gone, for that rule, and a good peer is welcome. */
async function brokeRule({ socket, detached, greet }: Target<Taker>, rule: string) {
  await until("the end of the connection", () => detached.length === 1);
  const error = detached[0]?.error;
  assert.instance(error, WireError);
  assert.is((error as WireError).rule, rule);
  assert.equal({ ...socket.stats().malformed }, { [rule]: 1 });
  const good = await greet(Type.push);
  await good.message(Buffer.from("good"));
  assert.is(textOf(await socket.receive({ timeout: 10_000 })), "good");
}

const lengths: readonly [name: string, length: bigint][] = [
  ["2^64-1", 2n ** 64n - 1n],
  ["2^63", 2n ** 63n],
  ["2^60", 2n ** 60n],
  ["2^53", 2n ** 53n],
  ["2^53-1", 2n ** 53n - 1n],
  ["2^40", 2n ** 40n],
  ["2^32", 2n ** 32n],
];

for (const scheme of SCHEMES) {
  const header = scheme === "ipc" ? "sp.ipc" : "sp.tcp";

  for (const [name, length] of [...lengths, ["1 MiB + 1", 2n ** 20n + 1n] as const]) {
    test(
      `a message over ${scheme} that claims ${name} octets ends the connection`,
      staged(async (stage) => {
        const t = await taker(stage, scheme);
        const stranger = await t.greet(Type.push);
        await stranger.send(stranger.claim(length));
        await stranger.ended();
        await brokeRule(t, length >= 2n ** 53n ? `${header}.length` : "recvMax");
      }),
    );
  }

  for (const [name, length] of lengths) {
    test(
      `a claim of ${name} octets over ${scheme} ends the connection, also without a limit`,
      staged(async (stage) => {
        const t = await taker(stage, scheme, { recvMax: 0 });
        const stranger = await t.greet(Type.push);
        await stranger.send(stranger.claim(length));
        await stranger.ended();
        await brokeRule(t, length >= 2n ** 53n ? `${header}.length` : "recvMax");
      }),
    );
  }

  test(
    `a message of 1 MiB over ${scheme} is not too long, and none of 0 octets too short`,
    staged(async (stage) => {
      const { socket, greet } = await taker(stage, scheme);
      const stranger = await greet(Type.push);
      await stranger.message(Buffer.alloc(MiB, 7));
      await stranger.message();
      assert.equal(await socket.receive({ timeout: 10_000 }), new Uint8Array(MiB).fill(7));
      assert.equal(await socket.receive({ timeout: 10_000 }), new Uint8Array(0));
      assert.equal({ ...socket.stats().malformed }, {});
    }),
  );

  test(
    `messages over ${scheme}, an octet in each write, arrive whole`,
    staged(async (stage) => {
      const { socket, greet } = await taker(stage, scheme);
      const stranger = await greet(Type.push);
      await stranger.dribble(stranger.framed(Buffer.from("first")));
      await stranger.dribble(stranger.framed());
      await stranger.dribble(stranger.framed(Buffer.from("last")));
      const got = [0, 1, 2].map(() => socket.receive({ timeout: 10_000 }));
      assert.equal((await Promise.all(got)).map(textOf), ["first", "", "last"]);
    }),
  );

  test(
    `who leaves over ${scheme} amid a message takes only that one along`,
    staged(async (stage) => {
      const t = await taker(stage, scheme);
      const stranger = await t.greet(Type.push);
      await stranger.message(Buffer.from("whole"));
      await stranger.send(stranger.framed(Buffer.from("cut off")).subarray(0, 12));
      assert.is(textOf(await t.socket.receive({ timeout: 10_000 })), "whole");
      stranger.close();
      await until("the end of the connection", () => t.detached.length === 1);
      assert.is(t.socket.tryReceive(), undefined);
      assert.equal({ ...t.socket.stats().malformed }, {});
    }),
  );

  test(
    `PUSH drops what it is sent over ${scheme}, counts it, and stays`,
    staged(async (stage) => {
      const socket = stage.open(push());
      const t = await target(stage, scheme, socket);
      const stranger = await t.greet(Type.pull);
      await stranger.message(Buffer.from("hello?"));
      await until("a drop", () => t.socket.stats().dropped["push: received a message"] === 1);
      await t.socket.send("still here");
      assert.is(textOf(await stranger.take(0)), "still here");
    }),
  );
}

for (const kind of ["00", "02", "ff"]) {
  test(
    `a message of kind 0x${kind} over ipc ends the connection`,
    staged(async (stage) => {
      const t = await taker(stage, "ipc");
      const stranger = await t.greet(Type.push);
      await stranger.send(octetsOf(`${kind} 00 00 00 00 00 00 00 04 74 65 73 74`));
      await stranger.ended();
      await brokeRule(t, "sp.ipc.kind");
      assert.is(t.socket.tryReceive(), undefined);
    }),
  );
}

test.run();
