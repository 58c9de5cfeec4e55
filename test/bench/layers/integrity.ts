/**
 * What integrity costs a message, to sign it and to prove it, against bare HMACs over the same octets: made
 * by the application where the layer makes its own, and, for who wants to know, in a loop of their own,
 * whose caches nobody disturbs.
 *
 * Over `memory` in one process; what the sockets cost without is taken off. By CPU time, as the clock
 * counts neighbours.
 */
import { createHmac, createSecretKey, randomBytes } from "node:crypto";
import * as signed from "../../../generated/integrity/signed.js";
import {
  integrity,
  open,
  pull,
  push,
  type Replier,
  type Requester,
  rep,
  req,
  type Sender,
  stack,
  type Taker,
} from "../../../runtime/index.js";
import { median, shuffled } from "../race.js";
import type { Options, Row } from "../report.js";
import { bodyOf, check } from "../sockets/side.js";

/** Times as long as bare HMACs. */
const GOAL = 1.3;
const SLICE = 10_000;
const WARM_UP = 10;

interface Taken {
  /** Nanoseconds a message: by the clock, and of work. */
  readonly time: number;
  readonly work: number;
}

async function timed(n: number, run: () => unknown): Promise<Taken> {
  const before = process.cpuUsage();
  const start = performance.now();
  await run();
  const time = ((performance.now() - start) * 1e6) / n;
  const { user, system } = process.cpuUsage(before);
  return { time, work: ((user + system) * 1000) / n };
}

const secret = randomBytes(32);
const proven = integrity({ keys: [{ id: 1, secret: createSecretKey(secret) }] });

const key = createSecretKey(secret);
const hmac = (octets: Uint8Array) => createHmac("sha256", key).update(octets).digest();
/** Octets that a tag covers beside a body. */
const AROUND = signed.MIN + signed.TAIL_MAX;
const TAG = 32;

let names = 0;
const place = () => `memory://integrity/${names++}`;

interface Run {
  pass(n: number): Promise<void>;
  close(): Promise<unknown>;
}

/** `bare`: with an HMAC on either side. */
async function pushing(sender: Sender, taker: Taker, size: number, bare = false): Promise<Run> {
  const url = place();
  await taker.listen(url);
  await sender.dial(url).ready;
  const body = bodyOf(size);
  const octets = bodyOf(AROUND + size);
  return {
    async pass(n) {
      const send = async () => {
        for (let i = 0; i < n; i++) {
          if (bare) hmac(octets);
          if (!sender.trySend(body)) await sender.send(body);
        }
      };
      const take = async () => {
        for (let i = 0; i < n; i++) {
          check(taker.tryReceive() ?? (await taker.receive()), size);
          if (bare) hmac(octets);
        }
      };
      await Promise.all([send(), take()]);
    },
    close: () => Promise.all([sender.close(), taker.close()]),
  };
}

/** Requests under way at a time. */
const CROWD = 50;

async function asking(asker: Requester, server: Replier, size: number, bare = false): Promise<Run> {
  const url = place();
  const [question, answer] = [bodyOf(AROUND + size), bodyOf(AROUND + size + TAG)];
  server.serve((body) => {
    if (bare) {
      hmac(question);
      hmac(answer);
    }
    return body;
  });
  await server.listen(url);
  await asker.dial(url).ready;
  const body = bodyOf(size);
  const ask = async () => {
    if (bare) hmac(question);
    check(await asker.request(body), size);
    if (bare) hmac(answer);
  };
  return {
    async pass(n) {
      for (let i = 0; i < n; i += CROWD) await Promise.all(Array.from({ length: CROWD }, ask));
    },
    close: () => Promise.all([asker.close(), server.close()]),
  };
}

interface Contest {
  readonly name: string;
  readonly without: Run;
  readonly bare: Run;
  readonly layer: Run;
  /** Octets that the tags of a message cover. */
  readonly covered: readonly number[];
}

async function contests(): Promise<Contest[]> {
  const made: Contest[] = [];
  for (const size of [64, 1024]) {
    made.push({
      name: `push/${size}`,
      without: await pushing(open(push()), open(pull()), size),
      bare: await pushing(open(push()), open(pull()), size, true),
      layer: await pushing(open(stack(proven, push())), open(stack(proven, pull())), size),
      covered: [AROUND + size, AROUND + size],
    });
  }
  made.push({
    name: "req/64",
    without: await asking(open(req()), open(rep()), 64),
    bare: await asking(open(req()), open(rep()), 64, true),
    layer: await asking(open(stack(proven, req())), open(stack(proven, rep())), 64),
    covered: [64, 64, 64 + TAG, 64 + TAG].map((n) => AROUND + n),
  });
  return made;
}

export async function integrityRows({ rounds = 15, quick }: Options): Promise<Row[]> {
  const rows: Row[] = [];
  const n = quick ? SLICE / 5 : SLICE;
  for (const { name, without, bare, layer, covered } of await contests()) {
    const octets = covered.map((size) => bodyOf(size));
    const runs = {
      without: () => without.pass(n),
      bare: () => bare.pass(n),
      layer: () => layer.pass(n),
      loop: () => {
        for (let i = 0; i < n; i++) for (const o of octets) hmac(o);
      },
    };
    const taken: Record<keyof typeof runs, Taken[]> = {
      without: [],
      bare: [],
      layer: [],
      loop: [],
    };
    for (let round = -WARM_UP; round < rounds; round++) {
      for (const who of shuffled(Object.keys(runs) as (keyof typeof runs)[])) {
        const t = await timed(n, runs[who]);
        if (round >= 0) taken[who].push(t);
      }
    }
    const more = (all: readonly Taken[]): Taken[] =>
      all.map(({ time, work }, i) => ({
        time: time - (taken.without[i]?.time ?? Number.NaN),
        work: work - (taken.without[i]?.work ?? Number.NaN),
      }));
    const cost = more(taken.layer);
    const times = (than: readonly Taken[]) =>
      median(cost.map((t, i) => t.work / (than[i]?.work ?? Number.NaN)));
    const against = more(taken.bare);
    const ratio = times(against);
    rows.push(
      row(`integrity, ${name}`, "bare HMACs", against),
      row(`integrity, ${name}`, "in a loop", taken.loop),
      {
        ...row(`integrity, ${name}`, "the layer", cost, [ratio, times(taken.loop)]),
        goal: { text: `≤ ${GOAL} × bare`, met: ratio <= GOAL },
      },
    );
    for (const run of [without, bare, layer]) await run.close();
  }
  return rows;
}

function row(name: string, who: string, taken: readonly Taken[], times: number[] = []): Row {
  const clock = taken.map(({ time }) => time);
  return {
    name,
    who,
    median: median(clock),
    least: Math.min(...clock),
    ratios: [median(taken.map(({ work }) => work)), ...times],
  };
}
