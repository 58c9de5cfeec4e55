/** What becomes of a message for who takes none now: the table of policies, at any moment. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as way from "../../generated/sp/request.js";
import {
  bus,
  device,
  open,
  pair0,
  pair1,
  pub,
  pull,
  push,
  type Raw,
  rep,
  req,
  respondent,
  star,
  surveyor,
  xbus,
  xpair0,
  xpair1,
  xpub,
  xpull,
  xpush,
  xrep,
  xreq,
  xrespondent,
  xstar,
  xsurveyor,
} from "../../runtime/index.js";
import type { Layer } from "../../runtime/layer.js";
import { Exchange } from "../../runtime/message.js";
import { check, TIMES } from "./all.js";
import { body, same } from "./octets.js";
import { type Far, Rig } from "./rig.js";

const test = suite("policy");
const RUNS = 500 * TIMES;

type Do =
  | { readonly what: "send" }
  | { readonly what: "attach" }
  | { readonly what: "turn"; readonly which: number; readonly go: boolean };

/** While a pipe takes the nth message, this pipe says stop, or go, or the application sends. */
interface Inside {
  readonly nth: number;
  readonly which: number;
  readonly what: "stop" | "go" | "send";
}

const doing: fc.Arbitrary<Do> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant("send" as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("attach" as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant("turn" as const),
      which: fc.nat(3),
      go: fc.boolean(),
    }),
  },
);
const inside: fc.Arbitrary<Inside> = fc.record({
  nth: fc.nat(20),
  which: fc.nat(3),
  what: fc.constantFrom("stop", "go", "send"),
});
const cases = fc.tuple(
  fc.array(doing, { maxLength: 60 }),
  fc.array(inside, { maxLength: 8 }),
  fc.boolean(),
);

const waiting: readonly (readonly [string, () => Layer[], pipes: number, head: number])[] = [
  ["push", () => [push(), xpush()], 4, 0],
  ["req", () => [req(), xreq()], 4, way.MIN],
  ["pair0", () => [pair0(), xpair0()], 1, 0],
  ["pair1", () => [pair1(), xpair1()], 1, 4],
];

for (const [name, layers, pipes, head] of waiting) {
  test(`${name} waits: stop and go at any moment lose, double and reorder nothing`, () => {
    const law = ([list, insides, obeys]: [Do[], Inside[], boolean]) => {
      const rig = new Rig(layers(), { sendBuffer: 5 });
      const sent: Uint8Array[] = [];
      const { fars } = rig;
      const send = () => {
        // Who does not mind a stop must lose nothing either.
        if (obeys && rig.stopped) return;
        const octets = body(3 + (sent.length % 5), sent.length);
        sent.push(octets);
        rig.send(octets, new Exchange());
      };
      const far = (which: number) => fars[which % Math.max(1, fars.length)];
      const attach = () => {
        if (fars.length === pipes) return;
        rig.attach(() => {
          for (const { what, which } of insides.filter((i) => i.nth === rig.taken.length)) {
            if (what === "send") send();
            else far(which)?.turn(what === "go");
          }
        });
      };
      for (const d of list) {
        if (d.what === "send") send();
        else if (d.what === "attach") attach();
        else far(d.which)?.turn(d.go);
        const held = sent.length - rig.taken.length;
        if (fars.some((f) => !f.stopped))
          assert.is(held, 0, "nothing waits while somebody is ready");
        if (obeys && fars.length === 0) assert.ok(held <= 5, `${held} are held for want of a pipe`);
        const stop = fars.length === 0 ? held >= 5 : fars.every((f) => f.stopped);
        assert.is(rig.stopped, stop, "the application is told stop when nobody takes more");
      }
      attach();
      insides = [];
      for (const f of fars) f.turn(true);
      assert.is(rig.taken.length, sent.length, "as many as were sent");
      assert.ok(
        rig.taken.every(({ octets }, i) => same(octets.subarray(head), sent[i] as Uint8Array)),
        "unchanged, and in order",
      );
    };
    check(cases, law, RUNS);
  });
}

const dropping: readonly (readonly [string, () => Layer[], head: number])[] = [
  ["pub", () => [pub(), xpub()], 0],
  ["bus", () => [bus(), xbus()], 0],
  ["star", () => [star(), xstar()], 4],
  ["surveyor", () => [surveyor(), xsurveyor()], 4],
];

for (const [name, layers, head] of dropping) {
  test(`${name} drops whole: who takes no more misses messages, all are counted, and order is kept`, () => {
    let [missed, closed] = [0, 0];
    const law = ([list, insides]: [Do[], Inside[], boolean]) => {
      const rig = new Rig(layers());
      const { fars } = rig;
      const here = new Set<Far>();
      let [sent, due] = [0, 0];
      const attach = () => {
        if (fars.length === 6) return;
        const far = rig.attach(() => {
          for (const { what, which } of insides.filter((i) => i.nth === rig.taken.length)) {
            const other = fars[which % fars.length] as Far;
            // In place of a message of its own: one of them goes, with the message or before it.
            if (what !== "send") other.turn(what === "go");
            else if (here.delete(other)) {
              other.close();
              closed++;
            }
          }
        });
        here.add(far);
      };
      for (let i = 0; i < 4; i++) attach();
      for (const d of list) {
        if (d.what === "attach") attach();
        else if (d.what === "turn") fars[d.which % Math.max(1, fars.length)]?.turn(d.go);
        else {
          due += here.size;
          rig.send(body(4 + (sent % 5), sent++), new Exchange());
        }
        assert.not.ok(rig.stopped, "who sends never waits");
        const lost = rig.dropped(`${name}: the peer takes no more`);
        assert.is(rig.taken.length + lost, due, "what is not taken is counted");
      }
      missed += due - rig.taken.length;
      const numbers = new Map(
        Array.from({ length: sent }, (_, i) => [body(4 + (i % 5), i).toString(), i]),
      );
      for (const { took } of fars) {
        const order = took.map((m) => numbers.get(m.subarray(head).toString()) ?? -1);
        const increasing = order.every((n, i) => n > (order[i - 1] ?? -1));
        assert.ok(increasing, `whole, once, and in order: ${order}`);
      }
    };
    check(cases, law, RUNS);
    assert.ok(missed > RUNS, `${missed} missed`);
    assert.ok(closed > RUNS / 10, `${closed} went amid a message`);
  });
}

const answering: readonly (readonly [string, () => Layer[]])[] = [
  ["rep", () => [rep(), xrep()]],
  ["respondent", () => [respondent(), xrespondent()]],
];

for (const [name, layers] of answering) {
  test(`${name} owes: stop and go at any moment lose no answer, and who takes none is asked for no more`, () => {
    const law = ([list, insides]: [Do[], Inside[], boolean]) => {
      const rig = new Rig(layers());
      const { fars } = rig;
      const want: Uint8Array[][] = [[], [], []];
      let asked = 0;
      const answer = () => {
        const which = asked % 3;
        const far = fars[which] as Far;
        // Requests that are on their way come all the same.
        far.say(requestOf(asked));
        const request = rig.got.pop();
        want[which]?.push(body(asked % 90, asked));
        rig.send(body(asked % 90, asked++), request?.exchange);
      };
      for (const _ of want) {
        const far = rig.attach(() => {
          for (const { what, which } of insides.filter((i) => i.nth === rig.taken.length)) {
            if (what === "send") answer();
            else fars[which % 3]?.turn(what === "go");
          }
        });
        far.patient = true;
      }
      for (const d of list) {
        if (d.what === "turn") fars[d.which % 3]?.turn(d.go);
        else answer();
        assert.not.ok(rig.stopped, "the side above never waits");
        assert.ok(fars.every((f) => f.quiet === f.stopped));
      }
      assert.equal({ ...rig.context.stats.dropped }, {});
      for (const [i, { took }] of fars.entries()) {
        const bodies = want[i] as Uint8Array[];
        assert.is(took.length, bodies.length);
        const right = took.every((m, k) => same(m.subarray(way.MIN), bodies[k] as Uint8Array));
        assert.ok(right, "whole, and in order");
      }
    };
    check(cases, law, RUNS);
  });

  test(`${name} owes 16 MiB to who reads nothing; what is beyond is dropped whole, and counted`, () => {
    const rig = new Rig(layers());
    const far = rig.attach();
    far.patient = true;
    far.turn(false);
    const answer = new Uint8Array(3 * 2 ** 20);
    for (let i = 0; i < 8; i++) {
      far.say(requestOf(i));
      rig.send(answer, rig.got.pop()?.exchange);
    }
    assert.is(far.took.length, 5);
    assert.is(rig.dropped(`${name}: the peer takes no more`), 3);
    far.turn(true);
    far.say(requestOf(9));
    rig.send(answer, rig.got.pop()?.exchange);
    assert.is(far.took.length, 6, "once it reads, it is owed nothing");
    assert.ok(far.took.every((m) => m.length === way.MIN + answer.length));
  });
}

function requestOf(number: number): Uint8Array {
  const octets = new Uint8Array(way.MIN + 3);
  way.write(new DataView(octets.buffer), 0, [0x80000000 + number]);
  return octets;
}

test("a slow client of a device blocks no other, and gets all answers once it reads", async () => {
  const front = open(xrep(), { recvBuffer: 8 });
  const back = open(xreq());
  const server = open(rep());
  const slow: Raw = open(xreq(), { recvBuffer: 1 });
  const quick = open(req());
  const passing = device(front, back);
  try {
    await front.listen("memory://policy/front");
    await server.listen("memory://policy/server");
    await back.dial("memory://policy/server").ready;
    await slow.dial("memory://policy/front").ready;
    await quick.dial("memory://policy/front").ready;
    server.serve((b) => b);
    // It asks for 32 MiB, and reads none of it: far more than lies in all queues on the way.
    const N = 1024;
    let asked = 0;
    const asking = (async () => {
      for (; asked < N; asked++) {
        const octets = new Uint8Array(32 * 1024);
        way.write(new DataView(octets.buffer), 0, [0x80000000 + asked]);
        await slow.send(octets);
      }
    })();
    await standstill(() => asked);
    assert.ok(asked < N / 2, `the slow one waits, at request ${asked}`);
    for (let i = 0; i < 200; i++) {
      const octets = body(100, i);
      assert.ok(same(await quick.request(octets.slice()), octets), "the quick one is answered");
    }
    for (let i = 0; i < N; i++) {
      const { view, start } = await slow.receive();
      assert.equal(way.read(view, start, start + 4).trace, [0x80000000 + i], "in order");
    }
    await asking;
    assert.equal({ ...front.stats().dropped }, {});
  } finally {
    await Promise.all([front, back, server, slow, quick].map((s) => s.close()));
    await passing;
  }
});

/** Waits until a figure stands still: as many turns without a change as there are queues on any way. */
async function standstill(figure: () => number): Promise<void> {
  for (let still = 0, before = -1; still < 50; before = figure()) {
    await new Promise((turn) => setImmediate(turn));
    still = figure() === before ? still + 1 : 0;
  }
}

test("a device makes the one side wait where the other waits: nothing is lost", async () => {
  const source = open(push());
  const front = open(xpull(), { recvBuffer: 4 });
  const back = open(xpush());
  const sink = open(pull(), { recvBuffer: 4 });
  const passing = device(front, back);
  try {
    await front.listen("memory://policy/in");
    await sink.listen("memory://policy/out");
    await back.dial("memory://policy/out").ready;
    await source.dial("memory://policy/in").ready;
    const N = 200;
    let sent = 0;
    const sending = (async () => {
      for (; sent < N; sent++) await source.send(body(32 * 1024, sent));
    })();
    await standstill(() => sent);
    assert.ok(sent < N / 2, `the source waits, at message ${sent}`);
    for (let i = 0; i < N; i++) {
      assert.ok(same(await sink.receive(), body(32 * 1024, i)), "unchanged, and in order");
    }
    await sending;
  } finally {
    await Promise.all([source, front, back, sink].map((s) => s.close()));
    await passing;
  }
});

test.run();
