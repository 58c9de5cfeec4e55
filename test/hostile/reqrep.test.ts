/** Requests and replies that no peer of ours sends. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Type } from "../../generated/sp/greeting.js";
import * as way from "../../generated/sp/request.js";
import { rep, req, type TtlOptions, WireError } from "../../runtime/index.js";
import { SCHEMES, type Scheme, type Stage, staged } from "../support/stage.js";
import { octetsOf, type Stranger } from "../support/stranger.js";
import { until } from "../support/until.js";
import { nothingThrown } from "./calm.js";
import { echo, stillAnswers, target, textOf } from "./target.js";

const test = nothingThrown(suite("reqrep"));

/** A way back of so many words, the last of them a request's number. */
function trace(words: number, last = 0x80000001): Uint8Array {
  const tags = [...Array.from({ length: words - 1 }, (_, i) => i + 1), last];
  const octets = new Uint8Array(way.size(tags));
  way.write(new DataView(octets.buffer), 0, tags);
  return octets;
}

/** That a message with these octets is answered: others were dropped, and the connection stayed. */
async function answered(stranger: Stranger, tags: Uint8Array, n: number): Promise<void> {
  await stranger.message(tags, Buffer.from("asked"));
  const reply = await stranger.take(n);
  assert.is(textOf(reply), `${textOf(tags)}asked`);
}

for (const scheme of SCHEMES) {
  for (const [what, octets] of [
    ["no octets", ""],
    ["one octet", "80"],
    ["three octets", "80 00 00"],
    ["a word that is not the last", "00 00 00 01"],
    ["eight words, none of them the last", "00000001".repeat(8)],
  ] as const) {
    test(
      `REP: a request of ${what} over ${scheme} ends the connection`,
      staged(async (stage) => {
        const t = await echo(stage, scheme);
        const stranger = await t.greet(Type.req);
        await stranger.message(octetsOf(octets));
        await stranger.ended();
        await until("the end of the connection", () => t.detached.length === 1);
        assert.instance(t.detached[0]?.error, WireError);
        assert.equal({ ...t.socket.stats().malformed }, { "sp.request": 1 });
        assert.is(t.socket.stats().received, 0);
        await stillAnswers(stage, t);
      }),
    );
  }

  test(
    `REP: 8 words over ${scheme} are answered, 9 and 16 are dropped and counted, and the connection stays`,
    staged(async (stage) => {
      const t = await echo(stage, scheme);
      const stranger = await t.greet(Type.req);
      await answered(stranger, trace(8), 0);
      await stranger.message(trace(9), Buffer.from("too far"));
      await stranger.message(trace(16), Buffer.from("too far"));
      await answered(stranger, trace(1), 1);
      const { dropped, received } = t.socket.stats();
      assert.equal({ ...dropped }, { ttl: 2 });
      assert.is(received, 2);
      await stillAnswers(stage, t);
    }),
  );

  for (const [ttl, most] of [
    [1, 1],
    [3, 3],
    [15, 15],
  ] as const) {
    test(
      `REP with ttl ${ttl} answers ${most} words over ${scheme}, and drops one more`,
      staged(async (stage) => {
        const t = await limited(stage, scheme, { ttl });
        const stranger = await t.greet(Type.req);
        await stranger.message(trace(most + 1), Buffer.from("too far"));
        await answered(stranger, trace(most), 0);
        assert.equal({ ...t.socket.stats().dropped }, { ttl: 1 });
      }),
    );
  }

  test(
    `REP: 17 words over ${scheme}, and 16 kB without an end, are dropped and counted; nothing of them is kept`,
    staged(async (stage) => {
      const t = await echo(stage, scheme);
      const stranger = await t.greet(Type.req);
      await stranger.message(octetsOf(`${"00000001".repeat(16)}80000001`), Buffer.from("too far"));
      await stranger.message(octetsOf("00000001".repeat(4096)));
      await answered(stranger, trace(1), 0);
      const { malformed, received } = t.socket.stats();
      assert.equal({ ...malformed }, { "sp.request.trace": 2 });
      assert.is(received, 1);
      await stillAnswers(stage, t);
    }),
  );

  test(
    `REP: a request over ${scheme} whose number and words are all ones is answered as it came`,
    staged(async (stage) => {
      const t = await echo(stage, scheme);
      const stranger = await t.greet(Type.req);
      await answered(stranger, octetsOf("7fffffff 00000000 ffffffff"), 0);
      await answered(stranger, octetsOf("80000000"), 1);
    }),
  );

  for (const octets of ["", "80", "80 00 00"]) {
    test(
      `REQ: a reply of ${octetsOf(octets).length} octets over ${scheme} ends the connection, and the request goes to the next`,
      staged(async (stage) => {
        const t = await target(stage, scheme, stage.open(req()));
        const stranger = await t.greet(Type.rep);
        const reply = t.socket.request("question", { timeout: 10_000 });
        const first = await stranger.take(0);
        await stranger.message(octetsOf(octets));
        await stranger.ended();
        await until("the end of the connection", () => t.detached.length === 1);
        assert.equal({ ...t.socket.stats().malformed }, { "sp.tag": 1 });
        const good = await t.greet(Type.rep);
        const again = await good.take(0);
        assert.equal(again, first);
        await good.message(again.subarray(0, 4), Buffer.from("answer"));
        assert.is(textOf(await reply), "answer");
      }),
    );
  }

  test(
    `REQ: replies over ${scheme} to another number, without the high bit, with a word too many, are dropped; the good one is taken`,
    staged(async (stage) => {
      const t = await target(stage, scheme, stage.open(req()));
      const stranger = await t.greet(Type.rep);
      const reply = t.socket.request("question", { timeout: 10_000 });
      const asked = await stranger.take(0);
      const number = asked.subarray(0, 4);
      const [a = 0, b = 0, c = 0, d = 0] = number;
      const bad = Buffer.from("bad");
      await stranger.message(Uint8Array.of(a, b, c, d ^ 1), bad);
      await stranger.message(Uint8Array.of(a & 127, b, c, d), bad);
      await stranger.message(octetsOf("00000001"), number, bad);
      await stranger.message(number, Buffer.from("good"));
      assert.is(textOf(await reply), "good");
      assert.equal({ ...t.socket.stats().malformed }, { "req: no such request": 3 });
      assert.is(t.detached.length, 0);
      const next = t.socket.request("next", { timeout: 10_000 });
      await stranger.message((await stranger.take(1)).subarray(0, 4), Buffer.from("fine"));
      assert.is(textOf(await next), "fine");
    }),
  );

  test(
    `REQ: of two replies over ${scheme} before the application reads, the first is taken`,
    staged(async (stage) => {
      const t = await target(stage, scheme, stage.open(req()));
      const stranger = await t.greet(Type.rep);
      const reply = t.socket.request("question", { timeout: 10_000 });
      const number = (await stranger.take(0)).subarray(0, 4);
      const one = stranger.framed(number, Buffer.from("one"));
      await stranger.send(Buffer.concat([one, stranger.framed(number, Buffer.from("two"))]));
      await until(
        "the second to be dropped",
        () => t.socket.stats().malformed["req: no such request"] === 1,
      );
      assert.is(textOf(await reply), "one");
    }),
  );
}

function limited(stage: Stage, scheme: Scheme, options: TtlOptions) {
  const socket = stage.open(rep(options));
  socket.serve((body) => body);
  return target(stage, scheme, socket);
}

test.run();
