/**
 * What a tap costs a message of 64 octets that passes it, file and all: above the framing and below it.
 *
 * Over `memory` in one process, with a tap at the sender; what the sockets cost without is taken off.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  memory,
  open,
  pull,
  push,
  type Sender,
  sp,
  stack,
  type Taker,
  tap,
  xpull,
  xpush,
} from "../../../runtime/index.js";
import { median, shuffled } from "../race.js";
import type { Options, Row } from "../report.js";
import { bodyOf, check } from "../sockets/side.js";

const SIZE = 64;
/** Nanoseconds a message. */
const GOAL = 2000;
const SLICE = 50_000;
const WARM_UP = 10;

interface Taken {
  readonly time: number;
  readonly work: number;
}

const body = bodyOf(SIZE);

async function pass(sender: Sender, taker: Taker, n: number): Promise<Taken> {
  const send = async () => {
    for (let i = 0; i < n; i++) if (!sender.trySend(body)) await sender.send(body);
  };
  const take = async () => {
    for (let i = 0; i < n; i++) check(taker.tryReceive() ?? (await taker.receive()), SIZE);
  };
  const before = process.cpuUsage();
  const start = performance.now();
  await Promise.all([send(), take()]);
  const time = ((performance.now() - start) * 1e6) / n;
  const { user, system } = process.cpuUsage(before);
  return { time, work: ((user + system) * 1000) / n };
}

export async function tapRows({ rounds = 15, quick }: Options): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), "wirestack-"));
  const to = (name: string) => tap({ file: join(folder, name), files: 1 });
  const senders: Record<string, Sender> = {
    without: open(stack(push(), xpush(), sp(), memory())),
    link: open(stack(push(), xpush(), to("link"), sp(), memory())),
    octets: open(stack(push(), xpush(), sp(), to("octets"), memory())),
  };
  const runs = new Map<string, { run: (n: number) => Promise<Taken>; taken: Taken[] }>();
  const takers: Taker[] = [];
  for (const [name, sender] of Object.entries(senders)) {
    const taker = open(stack(pull(), xpull(), sp(), memory()));
    takers.push(taker);
    await taker.listen(`memory://tap/${name}`);
    await sender.dial(`memory://tap/${name}`).ready;
    runs.set(name, { run: (n) => pass(sender, taker, n), taken: [] });
  }
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const [, { run, taken }] of shuffled([...runs])) {
      const t = await run(quick ? SLICE / 5 : SLICE);
      if (round >= 0) taken.push(t);
    }
  }
  await Promise.all([...Object.values(senders), ...takers].map((s) => s.close()));
  rmSync(folder, { recursive: true });
  const taken = (name: string) => runs.get(name)?.taken ?? [];
  const without = taken("without");
  const more = (name: string): Taken[] =>
    taken(name).map(({ time, work }, i) => ({
      time: time - (without[i]?.time ?? Number.NaN),
      work: work - (without[i]?.work ?? Number.NaN),
    }));
  return [
    row("tap", "without", without),
    ...["link", "octets"].map((joint) => {
      const cost = row(`tap/${joint}`, "the layer", more(joint));
      const met = (cost.median ?? Number.NaN) <= GOAL;
      return { ...cost, goal: { text: `≤ ${GOAL}`, met } };
    }),
  ];
}

function row(name: string, who: string, taken: readonly Taken[]): Row {
  const times = taken.map(({ time }) => time);
  return {
    name,
    who,
    median: median(times),
    least: Math.min(...times),
    ratios: [median(taken.map(({ work }) => work))],
  };
}
