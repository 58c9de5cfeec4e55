/**
 * What integrity costs a message, to sign it and to prove it, against two bare HMACs over the same octets.
 *
 * Over `memory` in one process, with the layer and without. By CPU time, as the clock counts neighbours.
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
const WARM_UP = 3;

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

/** Two HMACs, as by who sends and who receives. */
function bare(octets: Uint8Array, n: number): void {
  const key = createSecretKey(secret);
  for (let i = 0; i < 2 * n; i++) createHmac("sha256", key).update(octets).digest();
}

let names = 0;

async function pushing(sender: Sender, taker: Taker, size: number) {
  const url = `memory://integrity/${names++}`;
  await taker.listen(url);
  await sender.dial(url).ready;
  const body = bodyOf(size);
  return {
    async pass(n: number) {
      const send = async () => {
        for (let i = 0; i < n; i++) if (!sender.trySend(body)) await sender.send(body);
      };
      const take = async () => {
        for (let i = 0; i < n; i++) check(taker.tryReceive() ?? (await taker.receive()), size);
      };
      await Promise.all([send(), take()]);
    },
    close: () => Promise.all([sender.close(), taker.close()]),
  };
}

async function asking(asker: Requester, answers: Replier, size: number) {
  const url = `memory://integrity/${names++}`;
  answers.serve((question) => question);
  await answers.listen(url);
  await asker.dial(url).ready;
  const body = bodyOf(size);
  return {
    async pass(n: number) {
      for (let i = 0; i < n; i += 50) {
        await Promise.all(Array.from({ length: 50 }, () => asker.request(body)));
      }
    },
    close: () => Promise.all([asker.close(), answers.close()]),
  };
}

interface Contest {
  readonly name: string;
  readonly without: { pass(n: number): Promise<void>; close(): Promise<unknown> };
  readonly with: { pass(n: number): Promise<void>; close(): Promise<unknown> };
  /** Octets that each tag of a message covers. */
  readonly covered: readonly number[];
}

export async function integrityRows({ rounds = 15, quick }: Options): Promise<Row[]> {
  const around = signed.MIN + signed.TAIL_MAX;
  const contests: Contest[] = [];
  for (const size of [64, 1024]) {
    contests.push({
      name: `push/${size}`,
      without: await pushing(open(push()), open(pull()), size),
      with: await pushing(open(stack(proven, push())), open(stack(proven, pull())), size),
      covered: [around + size],
    });
  }
  contests.push({
    name: "req/64",
    without: await asking(open(req()), open(rep()), 64),
    with: await asking(open(stack(proven, req())), open(stack(proven, rep())), 64),
    covered: [around + 64, around + 64 + 32],
  });
  const rows: Row[] = [];
  const n = quick ? SLICE / 5 : SLICE;
  for (const contest of contests) {
    const octets = contest.covered.map((size) => bodyOf(size));
    const runs = {
      without: () => contest.without.pass(n),
      with: () => contest.with.pass(n),
      bare: () => {
        for (const o of octets) bare(o, n);
      },
    };
    const taken = { without: [] as Taken[], with: [] as Taken[], bare: [] as Taken[] };
    for (let round = -WARM_UP; round < rounds; round++) {
      for (const who of shuffled(Object.keys(runs) as (keyof typeof runs)[])) {
        const t = await timed(n, runs[who]);
        if (round >= 0) taken[who].push(t);
      }
    }
    const less = (a: Taken, b: Taken | undefined): Taken => ({
      time: a.time - (b?.time ?? Number.NaN),
      work: a.work - (b?.work ?? Number.NaN),
    });
    const cost = taken.with.map((t, i) => less(t, taken.without[i]));
    const times = median(cost.map((t, i) => t.work / (taken.bare[i]?.work ?? Number.NaN)));
    const name = `integrity, ${contest.name}`;
    rows.push(row(name, "bare HMACs", taken.bare), {
      ...row(name, "the layer", cost, times),
      goal: { text: `≤ ${GOAL} ×`, met: times <= GOAL },
    });
    await contest.without.close();
    await contest.with.close();
  }
  return rows;
}

function row(name: string, who: string, taken: readonly Taken[], times = Number.NaN): Row {
  const clock = taken.map(({ time }) => time);
  return {
    name,
    who,
    median: median(clock),
    least: Math.min(...clock),
    ratios: [median(taken.map(({ work }) => work)), times],
  };
}
