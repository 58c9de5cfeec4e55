/** Greetings that no peer of ours sends: each ends the connection, is counted, and harms nobody else. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Type } from "../../generated/sp/greeting.js";
import {
  PeerError,
  type Replier,
  type SocketEvents,
  TimeoutError,
  WireError,
} from "../../runtime/index.js";
import { SCHEMES, staged } from "../support/stage.js";
import { greetingOf, octetsOf } from "../support/stranger.js";
import { until } from "../support/until.js";
import { nothingThrown } from "./calm.js";
import { Clock } from "./clock.js";
import { echo, stillAnswers, type Target, textOf } from "./target.js";

const test = nothingThrown(suite("greeting"));

const broken: readonly [what: string, octets: string, rule: string][] = [
  ["a first octet that is not zero", "01 53 50 00 00 30 00 00", "sp.greeting.magic"],
  ["no SP", "00 53 51 00 00 30 00 00", "sp.greeting.magic"],
  ["an HTTP request", "47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a", "sp.greeting.magic"],
  ["another version", "00 53 50 01 00 30 00 00", "sp.greeting.version"],
  ["a last field of 2", "00 53 50 00 00 30 00 02", "sp.greeting.stack"],
  ["a last field of 0xffff", "00 53 50 00 00 30 ff ff", "sp.greeting.stack"],
];

for (const scheme of SCHEMES) {
  for (const [what, octets, rule] of broken) {
    test(
      `${what} over ${scheme} ends the connection, and counts as ${rule}`,
      staged(async (stage) => {
        const t = await echo(stage, scheme);
        const stranger = await t.dial();
        await stranger.send(octetsOf(octets));
        await stranger.ended();
        await until("a refusal", () => t.refused.length === 1);
        const { error, facts } = theOne(t);
        assert.instance(error, WireError);
        assert.is((error as WireError).rule, rule);
        assert.is(facts.type, undefined);
        const { malformed, refused, attached } = t.socket.stats();
        assert.equal({ ...malformed }, { [rule]: 1 });
        assert.is(refused, 1);
        assert.is(attached, 0);
        await stillAnswers(stage, t);
      }),
    );
  }

  test(
    `who announces layers over ${scheme} is refused by a plain socket`,
    staged(async (stage) => {
      const t = await echo(stage, scheme);
      const stranger = await t.dial();
      await stranger.send(octetsOf("00 53 50 00 00 30 00 01"));
      await stranger.ended();
      await until("a refusal", () => t.refused.length === 1);
      const { error } = theOne(t);
      assert.instance(error, PeerError);
      assert.match(error.message, "the peer has layers above its framing, and here are none");
      await stillAnswers(stage, t);
    }),
  );

  test(
    `a peer of another protocol over ${scheme} is refused by both numbers`,
    staged(async (stage) => {
      const t = await echo(stage, scheme);
      for (const type of [Type.rep, Type.push, Type.pair0, 0, 0xffff]) {
        const stranger = await t.greet(type);
        await stranger.ended();
        await until("a refusal", () => t.refused.length === 1);
        const { error, facts } = t.refused.pop() as SocketEvents["refused"];
        assert.instance(error, PeerError);
        assert.is(facts.type, type);
        assert.match(error.message, `0x${type.toString(16)}; rep (0x31) talks to 0x30`);
      }
      assert.equal({ ...t.socket.stats().malformed }, {});
      await stillAnswers(stage, t);
    }),
  );

  test(
    `who leaves over ${scheme} before its greeting is whole is refused`,
    staged(async (stage) => {
      const t = await echo(stage, scheme);
      const stranger = await t.dial();
      await stranger.send(octetsOf("00 53 50"));
      stranger.close();
      await until("a refusal", () => t.refused.length === 1);
      assert.match(theOne(t).error.message, "closed before it was open");
      await stillAnswers(stage, t);
    }),
  );

  test(
    `five octets over ${scheme}, then silence: closed after 10 s, not before`,
    staged(async (stage) => {
      const clock = new Clock();
      const t = await echo(stage, scheme, { env: clock.env });
      const stranger = await t.dial();
      await stranger.send(octetsOf("00 53 50 00 00"));
      await until("the deadline to be set", () => clock.armed === 1);
      clock.advance(9_999);
      await stillAnswers(stage, t);
      assert.not(stranger.closed);
      assert.is(t.refused.length, 0);
      clock.advance(1);
      await stranger.ended();
      await until("a refusal", () => t.refused.length === 1);
      assert.instance(theOne(t).error, TimeoutError);
    }),
  );

  test(
    `a greeting over ${scheme} of an octet now and then has the same 10 s in all`,
    staged(async (stage) => {
      const clock = new Clock();
      const t = await echo(stage, scheme, { env: clock.env });
      const stranger = await t.dial();
      await until("the deadline to be set", () => clock.armed === 1);
      for (const octet of octetsOf("00 53 50 00 00 30")) {
        await stranger.send(Uint8Array.of(octet));
        clock.advance(1_500);
      }
      await stillAnswers(stage, t);
      assert.not(stranger.closed);
      await stranger.send(Uint8Array.of(0));
      clock.advance(1_000);
      await stranger.ended();
      await until("a refusal", () => t.refused.length === 1);
      assert.instance(theOne(t).error, TimeoutError);
      await stillAnswers(stage, t);
    }),
  );

  test(
    `a greeting and a request over ${scheme}, an octet in each write, are answered`,
    staged(async (stage) => {
      const t = await echo(stage, scheme);
      const stranger = await t.dial();
      await stranger.dribble(greetingOf(Type.req));
      await stranger.dribble(stranger.framed(octetsOf("80 00 00 07"), Buffer.from("slow")));
      assert.is(textOf(await stranger.take(0)), "\x80\0\0\x07slow");
    }),
  );
}

function theOne({ refused }: Target<Replier>): SocketEvents["refused"] {
  return refused[0] as SocketEvents["refused"];
}

test.run();
