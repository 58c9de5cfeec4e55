/** Messages that no peer of ours sends to a PAIR 1. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Type } from "../../generated/sp/greeting.js";
import { pair1, WireError } from "../../runtime/index.js";
import { SCHEMES, staged } from "../support/stage.js";
import { octetsOf } from "../support/stranger.js";
import { until } from "../support/until.js";
import { nothingThrown } from "./calm.js";
import { target, textOf } from "./target.js";

const test = nothingThrown(suite("pair1"));
const body = Buffer.from("body");

for (const scheme of SCHEMES) {
  for (const [what, octets, rule] of [
    ["no octets", "", "sp.pair1"],
    ["one octet", "00", "sp.pair1"],
    ["three octets", "00 00 00", "sp.pair1"],
    ["a reserved bit", "80 00 00 01 41", "sp.pair1.reserved"],
    ["the lowest reserved bit", "00 00 01 01 41", "sp.pair1.reserved"],
  ] as const) {
    test(
      `a message of ${what} over ${scheme} ends the connection, and the next peer is heard`,
      staged(async (stage) => {
        const t = await target(stage, scheme, stage.open(pair1()));
        const stranger = await t.greet(Type.pair1);
        await stranger.message(octetsOf(octets));
        await stranger.ended();
        await until("the end of the connection", () => t.detached.length === 1);
        assert.instance(t.detached[0]?.error, WireError);
        assert.equal({ ...t.socket.stats().malformed }, { [rule]: 1 });
        assert.is(t.socket.stats().received, 0);
        const good = await t.greet(Type.pair1);
        await good.message(octetsOf("00 00 00 01"), body);
        assert.is(textOf(await t.socket.receive({ timeout: 10_000 })), "body");
      }),
    );
  }

  test(
    `counts of 0, 1 and 8 over ${scheme} are taken, of 9 and 255 dropped and counted, and the connection stays`,
    staged(async (stage) => {
      const t = await target(stage, scheme, stage.open(pair1()));
      const stranger = await t.greet(Type.pair1);
      for (const hops of ["00", "01", "08", "09", "ff"]) {
        await stranger.message(octetsOf(`00 00 00 ${hops}`), Buffer.from(hops));
      }
      await stranger.message(octetsOf("00 00 00 01"), Buffer.from("last"));
      const got: string[] = [];
      for (let i = 0; i < 4; i++) got.push(textOf(await t.socket.receive({ timeout: 10_000 })));
      assert.equal(got, ["00", "01", "08", "last"]);
      assert.equal({ ...t.socket.stats().dropped }, { ttl: 2 });
      assert.is(t.detached.length, 0);
      await t.socket.send("answer");
      assert.equal(Buffer.from(await stranger.take(0)), Buffer.from("\0\0\0\u0001answer"));
    }),
  );
}

test.run();
