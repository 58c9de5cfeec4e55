/** SURVEYOR and RESPONDENT: everybody is asked, and what comes in time is heard. */
import { getEventListeners } from "node:events";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as way from "../../generated/sp/survey.js";
import {
  CancelledError,
  ClosedError,
  device,
  type Raw,
  respondent,
  StateError,
  surveyor,
  xrespondent,
  xsurveyor,
} from "../../runtime/index.js";
import { type Place, placed, SCHEMES, text } from "./place.js";

const test = suite("survey");

async function heard(survey: AsyncIterable<Uint8Array>): Promise<string[]> {
  const got: string[] = [];
  for await (const body of survey) got.push(text(body));
  return got;
}

async function rejected(promise: Promise<unknown>, type: new (m: string) => Error): Promise<void> {
  assert.instance(await promise.catch((error) => error), type);
}

/** Respondents that answer with their name after so many milliseconds. */
async function staff(place: Place, asks: ReturnType<Place["open"]>, ...delays: number[]) {
  const all = delays.map(() => place.open(respondent()));
  for (const [i, r] of all.entries()) {
    r.serve(async (body) => {
      await place.world.sleep(delays[i] as number);
      return `${text(body)} ${i}`;
    });
    await place.join(r, asks as never);
  }
  return all;
}

for (const scheme of SCHEMES) {
  test(
    `over ${scheme} all are asked; responses come as they are given, until time is up; who is late is dropped, and counted`,
    placed(scheme, async (place) => {
      const asks = place.open(surveyor({ surveyTime: 100 }));
      await staff(place, asks, 30, 5, 300, 60);
      const began = place.world.clock.now;
      assert.equal(await heard(asks.survey("q")), ["q 1", "q 0", "q 3"]);
      const took = place.world.clock.now - began;
      assert.ok(Math.abs(took - 100) <= 1.1, `it took ${took} ms`);
      await place.world.sleep(300);
      const { received, malformed } = asks.stats();
      assert.is(received, 3);
      assert.equal({ ...malformed }, { "surveyor: no such survey": 1 });
    }),
  );
}

test(
  "surveys at the same time keep their responses apart, and their times",
  placed("tcp", async (place) => {
    const asks = place.open(surveyor());
    await staff(place, asks, 20, 40);
    const [one, two] = await Promise.all([
      heard(asks.survey("one", { surveyTime: 30 })),
      heard(asks.survey("two", { surveyTime: 50 })),
    ]);
    assert.equal(one, ["one 0"]);
    assert.equal(two, ["two 0", "two 1"]);
  }),
);

test(
  "a survey that nobody hears ends when its time is up, after a second if nobody says otherwise",
  placed("tcp", async (place) => {
    const asks = place.open(surveyor());
    const began = place.world.clock.now;
    assert.equal(await heard(asks.survey("anybody?")), []);
    assert.ok(Math.abs(place.world.clock.now - began - 1000) <= 1.1);
  }),
);

test(
  "a signal ends a survey, after what had come; none is left to hear of it",
  placed("tcp", async (place) => {
    const asks = place.open(surveyor());
    const [silent] = await staff(place, asks, 5, 500);
    const stop = new AbortController();
    const survey = asks.survey("q", { signal: stop.signal });
    await place.world.sleep(20);
    stop.abort("enough");
    assert.is(text((await survey.next()).value), "q 0");
    const error = await survey.next().catch((e) => e);
    assert.instance(error, CancelledError);
    assert.is(error.cause, "enough");
    assert.equal(await survey.next(), { done: true, value: undefined });
    const before = silent?.stats().received;
    const never = asks.survey("never asked", { signal: stop.signal });
    await rejected(never.next(), CancelledError);
    await place.settle();
    assert.is(silent?.stats().received, before);
    assert.is(getEventListeners(stop.signal, "abort").length, 0);
  }),
);

test(
  "who leaves the loop has heard enough: what comes later is dropped, and no timer is left",
  placed("tcp", async (place) => {
    const asks = place.open(surveyor({ surveyTime: Number.POSITIVE_INFINITY }));
    await staff(place, asks, 1, 1, 50);
    const survey = asks.survey("q");
    for await (const body of survey) {
      assert.is(text(body), "q 0");
      break;
    }
    assert.equal(await survey.next(), { done: true, value: undefined });
    await place.world.sleep(100);
    const { received, malformed } = asks.stats();
    assert.is(received + (malformed["surveyor: no such survey"] ?? 0), 3);
    assert.ok((malformed["surveyor: no such survey"] ?? 0) >= 1);
  }),
);

test(
  "Infinity is no time limit; a time that is none is refused",
  placed("tcp", async (place) => {
    const asks = place.open(surveyor({ surveyTime: Number.POSITIVE_INFINITY }));
    await staff(place, asks, 100_000);
    const survey = asks.survey("q");
    assert.is(text((await survey.next()).value), "q 0");
    for (const surveyTime of [0, -1, Number.NaN]) {
      assert.throws(() => surveyor({ surveyTime }), /^surveyTime is milliseconds, above 0; not /);
      assert.throws(() => asks.survey("q", { surveyTime }), /^surveyTime is milliseconds, above 0/);
    }
    await survey.return?.();
  }),
);

test(
  "many may call next at once: each gets a response, in order, and all end",
  placed("tcp", async (place) => {
    const asks = place.open(surveyor({ surveyTime: 50 }));
    await staff(place, asks, 5, 10);
    const survey = asks.survey("q");
    const calls = [1, 2, 3, 4].map(() => place.world.waits(survey.next(), "next"));
    const got = (await Promise.all(calls)).map(({ value }) => value && text(value));
    assert.equal(got, ["q 0", "q 1", undefined, undefined]);
  }),
);

test(
  "who has nothing to say keeps silent; who answers answers once",
  placed("tcp", async (place) => {
    const asks = place.open(surveyor({ surveyTime: 50 }));
    const [mute, shy, late] = [1, 2, 3].map(() => place.open(respondent()));
    mute?.serve(() => undefined);
    shy?.serve(async () => undefined);
    for (const r of [mute, shy, late]) await place.join(r as never, asks);
    const survey = asks.survey("q");
    const ask = await late?.receive();
    ask?.reply("here");
    assert.throws(
      () => ask?.reply("again"),
      (e: unknown) => e instanceof StateError,
    );
    assert.equal(await heard(survey), ["here"]);
  }),
);

test(
  "a socket that closes ends its surveys",
  placed("tcp", async (place) => {
    const asks = place.open(surveyor({ surveyTime: 60_000 }));
    const next = asks.survey("q").next();
    const closed = rejected(next, ClosedError);
    await asks.close();
    await closed;
    assert.throws(
      () => asks.survey("q"),
      (e: unknown) => e instanceof ClosedError,
    );
  }),
);

/** A response by hand: the way back to who asked, and a body. */
async function answer(raw: Raw, trace: number[], body: string, times = 1): Promise<void> {
  const octets = new Uint8Array(way.size(trace) + body.length);
  const at = way.write(new DataView(octets.buffer), 0, trace);
  assert.is(at, way.size(trace));
  octets.set(new TextEncoder().encode(body), at);
  for (let i = 0; i < times; i++) await raw.send(octets.slice());
}

async function asked(raw: Raw): Promise<number[]> {
  const m = await raw.receive();
  return way.read(m.view, m.start, m.end).trace;
}

test(
  "whoever answers without end fills no memory: a survey holds as much as a socket may",
  placed("memory", async (place) => {
    const asks = place.open(surveyor({ surveyTime: 200 }), { recvBuffer: 5 });
    const raw = place.open(xrespondent());
    await place.join(raw, asks);
    const survey = asks.survey("q");
    await answer(raw, await asked(raw), "flood", 100);
    await place.settle();
    assert.is(asks.stats().dropped["receive queue full"], 95);
    assert.is((await heard(survey)).length, 5);
  }),
);

test(
  "who came after the question was not asked: its responses are dropped, and counted",
  placed("memory", async (place) => {
    const asks = place.open(surveyor({ surveyTime: 200 }));
    const [good, bad] = [place.open(xrespondent()), place.open(xrespondent())];
    await place.join(good, asks);
    const survey = asks.survey("q");
    const [pipe = 0, number = 0] = await asked(good);
    await place.join(bad, asks);
    const second = asks.survey("second");
    const [own = 0] = await asked(bad);
    await answer(bad, [own, number], "forged");
    await place.settle();
    await answer(good, [pipe, number], "good");
    assert.equal(await heard(survey), ["good"]);
    assert.equal({ ...asks.stats().malformed }, { "surveyor: was not asked": 1 });
    await second.return?.();
  }),
);

for (const scheme of ["inproc", "tcp"] as const) {
  test(
    `over ${scheme} a device asks all who are behind it, and brings all their responses back`,
    placed(scheme, async (place) => {
      const asks = [place.open(surveyor()), place.open(surveyor())];
      const [front, back] = [place.open(xrespondent()), place.open(xsurveyor())];
      for (const a of asks) await place.join(a, front);
      await staff(place, back, 1, 2, 3);
      void device(front, back);
      const got = await Promise.all(
        asks.map((a, i) => heard(a.survey(`${i}`, { surveyTime: 100 }))),
      );
      assert.equal(got, [
        ["0 0", "0 1", "0 2"],
        ["1 0", "1 1", "1 2"],
      ]);
    }),
  );
}

test(
  "a survey goes through as many devices as ttl allows, and no further",
  placed("tcp", async (place) => {
    for (const [ttl, want] of [
      [3, ["q 0"]],
      [2, []],
    ] as const) {
      const asks = place.open(surveyor({ surveyTime: 200 }));
      const end = place.open(respondent({ ttl }));
      end.serve((body) => `${text(body)} 0`);
      let before: Raw | typeof asks = asks;
      for (let i = 0; i < 2; i++) {
        const [front, back] = [place.open(xrespondent()), place.open(xsurveyor())];
        await place.join(before, front);
        void device(front, back);
        before = back;
      }
      await place.join(before, end);
      assert.equal(await heard(asks.survey("q")), want);
      assert.equal(end.stats().dropped.ttl, want.length > 0 ? undefined : 1);
    }
  }),
);

test.run();
