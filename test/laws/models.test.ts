/** Each raw protocol, held against a model of a few lines, whatever happens to it. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as tag from "../../generated/sp/tag.js";
import { PeerError } from "../../runtime/error.js";
import {
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
  xsub,
  xsurveyor,
} from "../../runtime/index.js";
import type { Layer } from "../../runtime/layer.js";
import { check, TIMES } from "./all.js";
import { body, joined, same } from "./octets.js";
import { type Far, Rig } from "./rig.js";

const test = suite("models");
const RUNS = 300 * TIMES;

/** What must come of a message: who takes it, what goes up, which rule drops it, who is closed. */
interface Outcome {
  /** One of these takes it. */
  readonly to?: readonly Far[];
  /** Each of these takes it. */
  readonly all?: readonly Far[];
  readonly octets?: Uint8Array;
  /** What those who take it are given, if that is not what goes up. */
  readonly on?: Uint8Array;
  readonly up?: boolean;
  readonly dropped?: string;
  /** So often. */
  readonly times?: number;
  readonly malformed?: string;
  readonly closed?: boolean;
}

abstract class Model {
  readonly pipes: Far[] = [];
  /** All that ever took part, gone or not. */
  readonly known: Far[] = [];
  /** The application takes no more. */
  quiet = false;
  abstract readonly waits: boolean;
  /** Who takes no answers is asked for no more requests; what it is owed it gets. */
  readonly holds: boolean = false;

  get ready(): Far[] {
    return this.pipes.filter((p) => !p.stopped);
  }
  /** Why no more pipes may take part. */
  get full(): boolean {
    return false;
  }
  /** What the application sends, to reach `far`. */
  address(_far: Far | undefined, octets: Uint8Array): Uint8Array {
    return octets;
  }
  abstract sent(octets: Uint8Array, to: Far | undefined): Outcome;
  abstract received(octets: Uint8Array, from: Far): Outcome;
}

/** One of those who are ready, in turn. */
const toOne = (ready: Far[], octets: Uint8Array, dropped: string): Outcome =>
  ready.length > 0 ? { to: ready, octets } : { dropped };

/** Each who is ready, but not who said it; who is not ready misses it, and that is counted. */
function toAll(m: Model, octets: Uint8Array, dropped: string, from?: Far): Outcome {
  const all = m.ready.filter((p) => p !== from);
  const others = m.pipes.filter((p) => p !== from).length;
  return { all, octets, dropped, times: others - all.length };
}

class Push extends Model {
  readonly waits = true;
  sent = (octets: Uint8Array) => toOne(this.ready, octets, "push: nobody is ready");
  received = () => ({ dropped: "push: received a message" });
}

class Pull extends Model {
  readonly waits = false;
  sent = () => ({ dropped: "pull: cannot send" });
  received = (octets: Uint8Array) => ({ up: true, octets });
}

class Pair0 extends Model {
  readonly waits = true;
  override get full() {
    return this.pipes.length === 1;
  }
  sent = (octets: Uint8Array) => toOne(this.ready, octets, "pair0: nobody is ready");
  received = (octets: Uint8Array) => ({ up: true, octets });
}

class Req extends Model {
  readonly waits = true;
  sent = (octets: Uint8Array) => toOne(this.ready, octets, "req: nobody is ready");
  received = (octets: Uint8Array) =>
    octets.length < tag.MIN ? { closed: true } : { up: true, octets };
}

const TTL = 8;

/** What counts hops: its reserved octets, and its count. */
function hopsOf(octets: Uint8Array): { reserved: boolean; hops: number } {
  const [a = 0, b = 0, c = 0, hops = 0] = octets;
  return { reserved: a + b + c > 0, hops };
}

class Pair1 extends Model {
  readonly waits = true;
  override get full() {
    return this.pipes.length === 1;
  }
  sent = (octets: Uint8Array) => toOne(this.ready, octets, "pair1: nobody is ready");
  received(octets: Uint8Array): Outcome {
    const { reserved, hops } = hopsOf(octets);
    if (octets.length < 4 || reserved) return { closed: true };
    return hops > TTL ? { dropped: "ttl" } : { up: true, octets };
  }
}

class Star extends Model {
  readonly waits = false;
  sent = (octets: Uint8Array) => toAll(this, octets, "star: the peer takes no more");
  received(octets: Uint8Array, from: Far): Outcome {
    const { reserved, hops } = hopsOf(octets);
    if (octets.length < 4) return { malformed: "sp.star" };
    if (reserved) return { malformed: "sp.star.reserved" };
    if (hops >= TTL) return { dropped: "ttl" };
    const on = octets.slice();
    on[3] = hops + 1;
    return { ...toAll(this, octets, "star: the peer takes no more", from), on, up: true };
  }
}

class Pub extends Model {
  readonly waits = false;
  sent = (octets: Uint8Array) => toAll(this, octets, "pub: the peer takes no more");
  received = () => ({ dropped: "pub: received a message" });
}

class Sub extends Model {
  readonly waits = false;
  sent = () => ({ dropped: "sub: cannot send" });
  received = (octets: Uint8Array) => ({ up: true, octets });
}

class Bus extends Model {
  readonly waits = false;
  sent = (octets: Uint8Array) => toAll(this, octets, "bus: the peer takes no more");
  received = (octets: Uint8Array) => ({ up: true, octets });
}

class Surveyor extends Model {
  readonly waits = false;
  sent = (octets: Uint8Array) => toAll(this, octets, "surveyor: the peer takes no more");
  received = (octets: Uint8Array) =>
    octets.length < tag.MIN ? { closed: true } : { up: true, octets };
}

class Rep extends Model {
  readonly waits = false;
  readonly name: string = "rep";
  readonly way: string = "sp.request.trace";
  override readonly holds = true;
  override address(far: Far | undefined, octets: Uint8Array) {
    return joined([word(far?.pipe.number ?? 12345), octets]);
  }
  sent(octets: Uint8Array, to: Far | undefined): Outcome {
    if (to === undefined || !this.pipes.includes(to)) {
      return { dropped: `${this.name}: the peer has gone` };
    }
    return { to: [to], octets: octets.subarray(tag.MAX) };
  }
  received(octets: Uint8Array, from: Far): Outcome {
    const words = Math.floor(octets.length / tag.MAX);
    const last = Array.from({ length: Math.min(words, 16) }, (_, i) => octets[i * 4] as number);
    const hops = last.findIndex((first) => first >= 0x80) + 1;
    if (hops === 0) return words >= 16 ? { malformed: this.way } : { closed: true };
    if (hops > TTL) return { dropped: "ttl" };
    return { up: true, octets: joined([word(from.pipe.number), octets]) };
  }
}

class Respondent extends Rep {
  override readonly name = "respondent";
  override readonly way = "sp.survey.trace";
}

function word(number: number): Uint8Array {
  const octets = new Uint8Array(tag.MAX);
  tag.write(new DataView(octets.buffer), 0, false, number);
  return octets;
}

type Command = fc.Command<Model, Rig>;

/** What a command does, and whether the counters and the flow of it are the model's. */
function command(name: string, run: (m: Model, r: Rig) => void, can = (_: Model) => true): Command {
  return {
    check: (m) => can(m),
    toString: () => name,
    run(m, r) {
      run(m, r);
      r.context.env.settle();
      assert.equal(
        r.hub.pipes.map((p) => p.below),
        m.pipes,
        "these take part",
      );
      assert.is(r.stopped, m.waits && m.ready.length === 0, "the side above knows whether to wait");
      for (const p of m.pipes) {
        assert.is(p.quiet, m.quiet || (m.holds && p.stopped), "pipes know whether to wait");
      }
    },
  };
}

const some = <T>(list: readonly T[], n: number): T | undefined =>
  list[n % Math.max(1, list.length)];

function attach(strange: boolean): Command {
  return command(`attach${strange ? " a stranger" : ""}`, (m, r) => {
    const [refused, events] = [r.refused.length, r.events.length];
    const far = strange ? r.attach(() => {}, 0xffff) : r.attach();
    r.context.env.settle();
    if (strange || m.full) {
      assert.is(r.refused.length, refused + 1);
      assert.instance(r.refused.at(-1), PeerError);
      assert.is(r.events.length, events, "nobody above hears of it");
      return;
    }
    far.patient = m.holds;
    m.pipes.push(far);
    m.known.push(far);
    const [attached] = r.events.slice(events).filter((e) => e.type === "attached");
    assert.is((attached as { pipe?: object } | undefined)?.pipe, far.pipe);
  });
}

function detach(which: number): Command {
  const run = (m: Model, r: Rig) => {
    const [far] = m.pipes.splice(which % m.pipes.length, 1) as [Far];
    far.close();
    // Stop may come before it, so that nobody sends into the void.
    assert.is(r.events.filter((e) => e.type === "detached" && e.pipe === far.pipe).length, 1);
  };
  return command(`detach ${which}`, run, (m) => m.pipes.length > 0);
}

function turn(which: number, go: boolean): Command {
  const run = (m: Model) => some(m.pipes, which)?.turn(go);
  return command(`${go ? "go" : "stop"} ${which}`, run);
}

function quiet(stop: boolean): Command {
  return command(`application: ${stop ? "stop" : "go"}`, (m, r) => {
    m.quiet = stop;
    r.top.control({ type: stop ? "stop" : "go" });
  });
}

/** Who was passed over while ready, how often: everybody has a turn. */
const passed = new WeakMap<Far, number>();

function send(which: number, length: number): Command {
  return command(`send ${length} octets to ${which}`, (m, r) => {
    const far = some(m.known, which);
    const octets = m.address(far, body(length, length));
    const want = m.sent(octets, far);
    const others = m.ready;
    outcome(m, r, want, undefined, () => r.send(octets));
    const taker = r.taken.at(-1)?.far;
    if (want.to === undefined || want.to.length === 1) return;
    for (const p of others) {
      const times = p === taker ? 0 : (passed.get(p) ?? 0) + 1;
      passed.set(p, times);
      assert.ok(times <= 2 * m.known.length, "each in its turn");
    }
  });
}

function receive(which: number, octets: Uint8Array): Command {
  const run = (m: Model, r: Rig) => {
    const far = some(m.pipes, which) as Far;
    const want = m.received(octets, far);
    outcome(m, r, want, far, () => far.say(octets));
    if (want.closed) m.pipes.splice(m.pipes.indexOf(far), 1);
  };
  const name = `receive ${Buffer.from(octets).toString("hex")} from ${which}`;
  return command(name, run, (m) => m.pipes.length > 0);
}

/** Does it, and sees that just this comes of it. */
function outcome(m: Model, r: Rig, want: Outcome, from: Far | undefined, act: () => void): void {
  const { stats } = r.context;
  const before = { taken: r.taken.length, got: r.got.length };
  const [dropped, malformed] = [{ ...stats.dropped }, { ...stats.malformed }];
  const { times = 1 } = want;
  if (want.dropped !== undefined && times > 0) {
    dropped[want.dropped] = (dropped[want.dropped] ?? 0) + times;
  }
  if (want.malformed !== undefined)
    malformed[want.malformed] = (malformed[want.malformed] ?? 0) + 1;
  act();
  r.context.env.settle();
  assert.equal({ ...stats.dropped }, dropped, "what is dropped is counted");
  assert.equal({ ...stats.malformed }, malformed, "what is malformed is counted");
  const taken = r.taken.slice(before.taken);
  if (want.all !== undefined) {
    const takers = new Set(taken.map((t) => t.far));
    assert.ok(
      want.all.every((far) => takers.has(far)),
      "all take it who may",
    );
    assert.is(taken.length, want.all.length, "each once");
  } else assert.is(taken.length, want.to === undefined ? 0 : 1, "one takes it, or nobody");
  for (const { far, octets } of taken) {
    assert.ok((want.all ?? want.to)?.includes(far), "it is one who may");
    assert.ok(same(octets, (want.on ?? want.octets) as Uint8Array), "unchanged, but for its hops");
  }
  const got = r.got.slice(before.got);
  assert.is(got.length, want.up ? 1 : 0, "it comes up, or does not");
  for (const one of got) {
    assert.is(one.pipe, from?.pipe, "with the pipe that it came from");
    assert.ok(
      same(joined(one.segments()), want.octets as Uint8Array),
      "with the octets that it had",
    );
  }
  if (want.closed) assert.not.ok(r.hub.pipes.includes(from?.pipe as never), "the pipe is closed");
  else assert.is(r.hub.pipes.length, m.pipes.length);
}

/** A way back of so many words, whole or not, and octets behind it. */
const octets = fc
  .tuple(fc.nat(17), fc.boolean(), fc.nat(9), fc.nat())
  .map(([words, whole, more, seed]) => {
    const said = body(4 * words + more, seed);
    for (let i = 0; i < words; i++) {
      const first = (said[i * 4] as number) & 0x7f;
      said[i * 4] = whole && i === words - 1 ? first | 0x80 : first;
    }
    return said;
  });

/** A count of hops, and octets behind it. */
const counted = fc
  .tuple(fc.nat(TTL + 3), fc.nat(9), fc.nat())
  .map(([hops, more, seed]) => joined([Uint8Array.of(0, 0, 0, hops), body(more, seed)]));

const commands = fc.commands(
  [
    fc.nat(9).map((n) => attach(n === 0)),
    fc.nat(9).map(detach),
    fc.tuple(fc.nat(9), fc.boolean()).map(([which, go]) => turn(which, go)),
    fc.boolean().map(quiet),
    fc.tuple(fc.nat(9), fc.nat(40)).map(([which, length]) => send(which, length)),
    fc.tuple(fc.nat(9), fc.oneof(octets, counted)).map(([which, said]) => receive(which, said)),
  ],
  { maxCommands: 60 },
);

const protocols: readonly (readonly [string, () => Layer, new () => Model])[] = [
  ["xpush", xpush, Push],
  ["xpull", xpull, Pull],
  ["xreq", xreq, Req],
  ["xrep", () => xrep({ ttl: TTL }), Rep],
  ["xpair0", xpair0, Pair0],
  ["xpair1", () => xpair1({ ttl: TTL }), Pair1],
  ["xpub", xpub, Pub],
  ["xsub", xsub, Sub],
  ["xbus", xbus, Bus],
  ["xstar", () => xstar({ ttl: TTL }), Star],
  ["xsurveyor", xsurveyor, Surveyor],
  ["xrespondent", () => xrespondent({ ttl: TTL }), Respondent],
];

for (const [name, layer, Expected] of protocols) {
  test(`${name} does as its model`, () => {
    const law = (list: Iterable<Command>) =>
      fc.modelRun(() => ({ model: new Expected(), real: new Rig([layer()]) }), list);
    check(commands, law, RUNS);
  });
}

test.run();
