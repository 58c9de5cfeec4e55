/** Surveys and responses that no peer of ours sends. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Type } from "../../generated/sp/greeting.js";
import * as way from "../../generated/sp/survey.js";
import { respondent, surveyor, WireError } from "../../runtime/index.js";
import { SCHEMES, type Scheme, type Stage, staged } from "../support/stage.js";
import { octetsOf, type Stranger } from "../support/stranger.js";
import { until } from "../support/until.js";
import { nothingThrown } from "./calm.js";
import { target, textOf } from "./target.js";

const test = nothingThrown(suite("survey"));

function trace(words: number): Uint8Array {
  const tags = [...Array.from({ length: words - 1 }, (_, i) => i + 1), 0x80000001];
  const octets = new Uint8Array(way.size(tags));
  way.write(new DataView(octets.buffer), 0, tags);
  return octets;
}

/** A respondent that answers with the question. */
function echo(stage: Stage, scheme: Scheme) {
  const socket = stage.open(respondent());
  socket.serve((body) => body);
  return target(stage, scheme, socket);
}

async function answered(stranger: Stranger, tags: Uint8Array, n: number): Promise<void> {
  await stranger.message(tags, Buffer.from("asked"));
  assert.is(textOf(await stranger.take(n)), `${textOf(tags)}asked`);
}

for (const scheme of SCHEMES) {
  for (const [what, octets] of [
    ["no octets", ""],
    ["three octets", "80 00 00"],
    ["a word that is not the last", "00 00 00 01"],
  ] as const) {
    test(
      `RESPONDENT: a survey of ${what} over ${scheme} ends the connection, and others are answered`,
      staged(async (stage) => {
        const t = await echo(stage, scheme);
        const stranger = await t.greet(Type.surveyor);
        await stranger.message(octetsOf(octets));
        await stranger.ended();
        await until("the end of the connection", () => t.detached.length === 1);
        assert.instance(t.detached[0]?.error, WireError);
        assert.equal({ ...t.socket.stats().malformed }, { "sp.survey": 1 });
        await answered(await t.greet(Type.surveyor), trace(1), 0);
      }),
    );
  }

  test(
    `RESPONDENT: 8 words over ${scheme} are answered; 9, 16, 17 and 16 kB without an end are dropped and counted`,
    staged(async (stage) => {
      const t = await echo(stage, scheme);
      const stranger = await t.greet(Type.surveyor);
      await answered(stranger, trace(8), 0);
      await stranger.message(trace(9), Buffer.from("too far"));
      await stranger.message(trace(16), Buffer.from("too far"));
      await stranger.message(octetsOf(`${"00000001".repeat(16)}80000001`));
      await stranger.message(octetsOf("00000001".repeat(4096)));
      await answered(stranger, trace(1), 1);
      const { dropped, malformed, received } = t.socket.stats();
      assert.equal({ ...dropped }, { ttl: 2 });
      assert.equal({ ...malformed }, { "sp.survey.trace": 2 });
      assert.is(received, 2);
    }),
  );

  for (const octets of ["", "80 00 00"]) {
    test(
      `SURVEYOR: a response of ${octetsOf(octets).length} octets over ${scheme} ends the connection, and others are heard`,
      staged(async (stage) => {
        const t = await target(stage, scheme, stage.open(surveyor({ surveyTime: 60_000 })));
        const [bad, good] = [await t.greet(Type.respondent), await t.greet(Type.respondent)];
        await until("two connections", () => t.socket.stats().attached === 2);
        const survey = t.socket.survey("question");
        const number = (await good.take(0)).subarray(0, 4);
        assert.equal(await bad.take(0), await good.take(0));
        await bad.message(octetsOf(octets));
        await bad.ended();
        await until("the end of the connection", () => t.detached.length === 1);
        assert.equal({ ...t.socket.stats().malformed }, { "sp.tag": 1 });
        await good.message(number, Buffer.from("good"));
        assert.is(textOf((await survey.next()).value), "good");
        await survey.return?.();
      }),
    );
  }

  test(
    `SURVEYOR: responses over ${scheme} to another number, without the high bit, with a word too many, or too late are dropped, and the good one is heard`,
    staged(async (stage) => {
      const t = await target(stage, scheme, stage.open(surveyor({ surveyTime: 60_000 })));
      const stranger = await t.greet(Type.respondent);
      await until("a connection", () => t.socket.stats().attached === 1);
      const survey = t.socket.survey("question");
      const number = (await stranger.take(0)).subarray(0, 4);
      const [a = 0, b = 0, c = 0, d = 0] = number;
      const bad = Buffer.from("bad");
      await stranger.message(Uint8Array.of(a, b, c, d ^ 1), bad);
      await stranger.message(Uint8Array.of(a & 127, b, c, d), bad);
      await stranger.message(octetsOf("00000001"), number, bad);
      await stranger.message(number, Buffer.from("good"));
      assert.is(textOf((await survey.next()).value), "good");
      await survey.return?.();
      await stranger.message(number, Buffer.from("late"));
      await until(
        "the late one to be counted",
        () => t.socket.stats().malformed["surveyor: no such survey"] === 4,
      );
      assert.is(t.socket.stats().received, 1);
      assert.is(t.detached.length, 0);
    }),
  );
}

test.run();
