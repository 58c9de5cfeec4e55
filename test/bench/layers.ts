/**
 * What one more layer costs a message: eight that only pass it on against none, over `memory` in one
 * process, both directions together.
 *
 * Beside the clock's time stands the process's CPU time: on a machine of its own the two agree; on a
 * busy one the clock counts the neighbours, too.
 *
 * The layer is as a user would write it. Its header has four octets that a generated codec checks.
 */
import * as star from "../../generated/sp/star.js";
import {
  Element,
  hop,
  type Layer,
  type Message,
  open,
  pull,
  push,
  type Sender,
  stack,
  type Taker,
  WireError,
  xpull,
  xpush,
} from "../../runtime/index.js";
import type { PipeContext } from "../../runtime/layer.js";
import { integrityRows } from "./layers/integrity.js";
import { tapRows } from "./layers/tap.js";
import { median, shuffled } from "./race.js";
import { circumstances, type Options, type Report, type Row } from "./report.js";
import { bodyOf, check } from "./sockets/side.js";

const SIZE = 64;
const LAYERS = 8;
/** Nanoseconds a message that one layer may cost. */
const GOAL = 30;
/** Messages of a slice, and slices before the first that counts. */
const SLICE = 100_000;
const WARM_UP = 10;

class Passing extends Element {
  constructor(
    readonly name: string,
    readonly context: PipeContext,
  ) {
    super();
  }

  override down(m: Message): void {
    m.push(star.MAX, this.context.slab);
    star.write(m.view, m.start, 1);
    this.below.down(m);
  }

  override up(m: Message): void {
    let n = star.measure(m.view, m.start, m.end);
    if (n < 0) n = m.measure(star.measure, this.context.slab);
    if (n < 0) {
      const error = new WireError(this.name, star.explain(n, m.view, m.start, m.end));
      return this.below.control({ type: "close", error });
    }
    if (star.getHops(m.view, m.start) !== 1) return;
    m.pop(n);
    this.above.up(m);
  }
}

const passing = <N extends string>(name: N): Layer<"link", "link", N> => ({
  name,
  below: "link",
  above: "link",
  headers: [star.HEADER],
  make: (context) => new Passing(name, context),
});

/** Each by a name of its own: no layer may occur twice. */
const eight = () =>
  [
    passing("one"),
    passing("two"),
    passing("three"),
    passing("four"),
    passing("five"),
    passing("six"),
    passing("seven"),
    passing("eight"),
  ] as const;

/** Sealed, and opened: beside what it costs, the layer that is most work. */
const sealed = () => hop({ pattern: "NNpsk0", psk: new Uint8Array(32) });

interface Ends {
  readonly sender: Sender;
  readonly taker: Taker;
}

async function connected(name: string, taker: Taker, sender: Sender): Promise<Ends> {
  await taker.listen(`memory://${name}`);
  await sender.dial(`memory://${name}`).ready;
  return { sender, taker };
}

/** Nanoseconds a message: by the clock, and of work. */
interface Taken {
  readonly time: number;
  readonly work: number;
}

const body = bodyOf(SIZE);

async function pass({ sender, taker }: Ends, n: number): Promise<Taken> {
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

export async function layers(options: Options): Promise<Report> {
  const { rounds = 15, quick, only } = options;
  const ends = new Map([
    ["none", await connected("none", open(pull()), open(push()))],
    [
      "eight",
      await connected(
        "eight",
        open(stack(pull(), xpull(), ...eight())),
        open(stack(push(), xpush(), ...eight())),
      ),
    ],
    [
      "hop",
      await connected(
        "hop",
        open(stack(pull(), xpull(), sealed())),
        open(stack(push(), xpush(), sealed())),
      ),
    ],
  ]);
  const taken = new Map([...ends.keys()].map((who) => [who, [] as Taken[]]));
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const [who, pair] of shuffled([...ends])) {
      const t = await pass(pair, quick ? SLICE / 4 : SLICE);
      if (round >= 0) taken.get(who)?.push(t);
    }
  }
  for (const { sender, taker } of ends.values()) {
    await sender.close();
    await taker.close();
  }
  const none = taken.get("none") ?? [];
  const moreThanNone = (who: string, layers: number): readonly Taken[] =>
    (taken.get(who) ?? []).map(({ time, work }, round) => ({
      time: (time - (none[round]?.time ?? Number.NaN)) / layers,
      work: (work - (none[round]?.work ?? Number.NaN)) / layers,
    }));
  const more = moreThanNone("eight", LAYERS);
  const cost = median(more.map(({ time }) => time));
  return {
    columns: ["ns of CPU", "× bare", "× loop"],
    rows: [
      row("no layer", none),
      row("eight layers", taken.get("eight") ?? []),
      { ...row("one layer", more), goal: { text: `≤ ${GOAL}`, met: cost <= GOAL } },
      row("a hop", moreThanNone("hop", 1)),
      ...(only === "" ? await integrityRows(options) : []),
      ...(only === "" ? await tapRows(options) : []),
    ],
    note: circumstances(),
  };
}

function row(who: string, taken: readonly Taken[]): Row {
  const times = taken.map(({ time }) => time);
  return {
    name: "layers",
    who,
    median: median(times),
    least: Math.min(...times),
    ratios: [median(taken.map(({ work }) => work))],
  };
}
