/**
 * Sockets in circles: what goes round comes to rest, and each message comes as often as there are ways
 * for it within its ttl, no oftener.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  device,
  type Exchanger,
  open,
  type Raw,
  respondent,
  star,
  surveyor,
  xrespondent,
  xsurveyor,
} from "../../runtime/index.js";
import type { Random } from "./random.js";
import { World } from "./world.js";

const test = suite("topology");
const WORLDS = 150;

type Edge = readonly [from: number, to: number];

/** Between few, so that there are circles; two may be joined twice. */
function edges(random: Random, nodes: number, most: number): Edge[] {
  const node = () => random.whole(0, nodes - 1);
  return Array.from({ length: random.whole(1, most) }, () => [node(), node()] as const);
}

/** Walks of at most `most` edges from `start`, by where they end; `next` gives what may follow an edge. */
function walks(
  start: readonly Edge[],
  next: (e: Edge, at: Edge[]) => readonly Edge[],
  most: number,
): number[] {
  const ends: number[] = [];
  let heads = [...start];
  for (let length = 1; length <= most && heads.length > 0; length++) {
    for (const [, to] of heads) ends[to] = (ends[to] ?? 0) + 1;
    heads = heads.flatMap((e) => next(e, heads));
  }
  return ends;
}

test(`${WORLDS} stars full of circles: each member hears a message once for each way within ttl that does not turn back`, async () => {
  let circles = 0;
  for (let seed = 1; seed <= WORLDS; seed++) {
    const world = new World({ seed });
    const { random } = world;
    const nodes = random.whole(2, 5);
    const ttl = random.whole(1, 4);
    // A member may be joined with itself: then it hears itself.
    const joints = edges(random, nodes, 6);
    const both = joints.map(([a, b]) => [[a, b] as const, [b, a] as const] as const);
    const back = new Map<Edge, Edge>(both.flatMap(([x, y]) => [[x, y] as const, [y, x] as const]));
    const ways = [...back.keys()];
    const want = walks(
      ways.filter(([from]) => from === 0),
      (e) => ways.filter((f) => f[0] === e[1] && f !== back.get(e)),
      ttl,
    );
    await world.run(async () => {
      const members: Exchanger[] = [];
      for (let i = 0; i < nodes; i++) {
        members.push(open(star({ ttl }), { env: world.host(`member ${i}`), recvBuffer: 10_000 }));
      }
      for (const [k, [a, b]] of joints.entries()) {
        await members[a]?.listen(`inproc://${k}`);
        await members[b]?.dial(`inproc://${k}`).ready;
      }
      await world.sleep(1);
      await members[0]?.send("round and round");
      await world.sleep(1000);
      for (const [i, member] of members.entries()) {
        let got = 0;
        while (member.tryReceive() !== undefined) got++;
        assert.is(
          got,
          want[i] ?? 0,
          `seed ${seed}: member ${i} of ${nodes}, ttl ${ttl}: ${joints}`,
        );
      }
      if (members.some((m) => (m.stats().dropped.ttl ?? 0) > 0)) circles++;
      await Promise.all(members.map((m) => m.close()));
    });
  }
  assert.ok(circles > WORLDS / 4, `${circles} in which something was stopped by its ttl`);
});

test(`${WORLDS} times devices in circles: a survey comes to rest, and every one that came somewhere is answered`, async () => {
  let circles = 0;
  for (let seed = 1; seed <= WORLDS; seed++) {
    const world = new World({ seed });
    const { random } = world;
    const nodes = random.whole(1, 3);
    const ttl = random.whole(1, 4);
    const joints = edges(random, nodes, 4);
    // Node `nodes` answers. It stands behind one device; who asks stands before another.
    const first = [-1, random.whole(0, nodes - 1)] as const;
    const all: Edge[] = [...joints, [random.whole(0, nodes - 1), nodes]];
    const want = walks([first], (e) => all.filter(([from]) => from === e[1]), ttl)[nodes] ?? 0;
    await world.run(async () => {
      const fronts: Raw[] = [];
      const backs: Raw[] = [];
      for (let i = 0; i < nodes; i++) {
        const front = open(xrespondent({ ttl }), { env: world.host(`front ${i}`) });
        const back = open(xsurveyor(), { env: world.host(`back ${i}`) });
        void device(front, back);
        fronts.push(front);
        backs.push(back);
      }
      const end = open(respondent({ ttl }), { env: world.host("end") });
      end.serve((body) => body);
      const asks = open(surveyor({ surveyTime: 1000 }), { env: world.host("asks") });
      for (const [k, [from, to]] of [first, ...all].entries()) {
        const lower = to === nodes ? end : fronts[to];
        await lower?.listen(`inproc://${k}`);
        await (from < 0 ? asks : backs[from])?.dial(`inproc://${k}`).ready;
      }
      await world.sleep(1);
      let got = 0;
      for await (const _ of asks.survey("who is there?")) got++;
      assert.is(end.stats().received, want, `seed ${seed}: surveys; ttl ${ttl}, ${all}`);
      assert.is(got, want, `seed ${seed}: responses; ttl ${ttl}, ${all}`);
      if (fronts.some((f) => (f.stats().dropped.ttl ?? 0) > 0)) circles++;
      await Promise.all([...fronts, ...backs, end, asks].map((s) => s.close()));
    });
  }
  assert.ok(circles > WORLDS / 4, `${circles} in which something was stopped by its ttl`);
});

test.run();
