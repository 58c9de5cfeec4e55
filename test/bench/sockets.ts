/**
 * Sockets beside other people's, and beside the limit of what node can do; two processes each.
 *
 * All contenders of a contest are up at the same time, and run in turn, in slices: what slows the
 * machine down slows all of them. Ratios are medians of the rounds' own ratios.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median, shuffled } from "./race.js";
import { circumstances, type Goal, type Options, type Report, type Row } from "./report.js";
import {
  type Contender,
  type Contest,
  contests,
  DEALER,
  LIMIT,
  NANOMSG,
  PROGRAMS,
  WS,
  ZEROMQ,
} from "./sockets/contest.js";
import { type Command, Pair, type Taken } from "./sockets/pair.js";
import { compile, install, programOf } from "./sockets/rivals.js";
import { burstOf } from "./sockets/side.js";

/**
 * Nanoseconds of a slice, of the stretch before it that does not count, and of warming up. The last is
 * CPU time: on a busy machine other time passes without making anything warm.
 */
export interface Span {
  readonly slice: number;
  readonly lead: number;
  readonly warmUp: number;
}
const LONG: Span = { slice: 200e6, lead: 40e6, warmUp: 1200e6 };
const SHORT: Span = { slice: 100e6, lead: 20e6, warmUp: 1000e6 };
/** What `--quick` leaves if nothing is chosen: where goals are. */
const QUICK = /^((push\/(64|256k)|req\/\d+|pub\/1000)\/tcp|push\/64\/ws\/...)$/;
/** Rounds before all processes are started anew: what the compiler makes of one is luck, too. */
const HEAT = 2;
/** What is compiled before it runs warms up so much sooner. */
const COMPILED = 5;
/** Ports below those that the system gives to who connects: a thousand at a time do here. */
const LOWEST = 10_000;
const PORTS = 20_000;

const isOurs = ({ by }: Contender): boolean => by === "wirestack";

export async function sockets(
  { rounds, only, against, quick }: Options,
  span = quick ? SHORT : LONG,
): Promise<Report> {
  const all = contests();
  // A whole name is one contest's, though others' names may hold it.
  const exact = all.filter(({ name }) => name === only);
  const within = all.filter(
    ({ name }) => name.includes(only) && (!quick || only !== "" || QUICK.test(name)),
  );
  const chosen = exact.length > 0 ? exact : within;
  const wantedOf = ({ contenders }: Contest) =>
    contenders.filter((c) => isOurs(c) || c.who.includes(against));
  const installed = new Set(chosen.flatMap(wantedOf).map(({ by }) => by));
  for (const by of installed) {
    const library = PROGRAMS[by];
    const there =
      library !== undefined ? compile(by, library) : by !== "zeromq" || install(by, "6");
    if (!there) installed.delete(by);
  }
  const rows: Row[] = [];
  const goals: Goal[] = [];
  for (const contest of chosen) {
    const wanted = wantedOf(contest);
    console.error(`${contest.name} …`);
    const outcome = await hold(
      contest,
      wanted.filter(({ by }) => installed.has(by)),
      rounds ?? 4,
      span,
    );
    for (const { who, by } of wanted) {
      if (!installed.has(by)) outcome.failed.set(who, "is not installed");
    }
    rows.push(...rowsOf(contest, wanted, outcome));
    goals.push(...goalsOf(contest, outcome));
  }
  return { columns: COLUMNS, rows, goals, note: circumstances() };
}

// --- one contest ---

interface Outcome {
  /** One for each round, in order. */
  readonly taken: ReadonlyMap<string, readonly Taken[]>;
  readonly failed: Map<string, string>;
}

async function hold(
  contest: Contest,
  contenders: readonly Contender[],
  rounds: number,
  span: Span,
): Promise<Outcome> {
  const taken = new Map<string, Taken[]>(contenders.map(({ who }) => [who, []]));
  const failed = new Map<string, string>();
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  try {
    for (let first = 0; first < rounds; first += HEAT) {
      const runners = contenders
        .filter(({ who }) => !failed.has(who))
        .map((c) => new Runner(c, contest));
      const attempt = async (runner: Runner, doing: () => Promise<void>) => {
        if (failed.has(runner.who)) return;
        await doing().catch((error: Error) => {
          console.error(`${contest.name}, ${runner.who}: ${error.message}`);
          failed.set(runner.who, "failed");
          taken.delete(runner.who);
        });
      };
      for (const [i, r] of runners.entries()) {
        await attempt(r, async () =>
          r.start(await urlOf(r.contender.scheme ?? contest.scheme, folder, `${first}-${i}`)),
        );
        await attempt(r, () => r.warmUp(span));
      }
      for (let round = first; round < Math.min(first + HEAT, rounds); round++) {
        for (const r of shuffled(runners)) {
          await attempt(r, async () => void taken.get(r.who)?.push(await r.round(span)));
        }
      }
      await Promise.all(runners.map((r) => r.end()));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return { taken, failed };
}

/** A contender while its processes are up. */
class Runner {
  readonly who: string;
  readonly #pair = new Pair();
  /** Nanoseconds an operation, as measured last. */
  #pace = Number.NaN;

  /** Operations of which only a multiple can be run. */
  readonly #step: number;

  constructor(
    readonly contender: Contender,
    readonly contest: Contest,
  ) {
    this.who = contender.who;
    const { kind, peers } = contest;
    this.#step = kind === "pub" ? burstOf(peers) * peers : 1;
  }

  async start(url: string): Promise<void> {
    const { scheme, size, peers } = this.contest;
    const { by, parts, starts = 1 } = this.contender;
    const command = (part: string, side: "listen" | "dial"): Command => {
      if (by in PROGRAMS) return [programOf(by), part, url, String(size)];
      const peer = fileURLToPath(new URL("./sockets/peer.js", import.meta.url));
      const [module, own] = part.includes(":") ? part.split(":") : [by, part];
      return [process.execPath, peer, `${module}`, `${own}`, url, String(size), side, `${peers}`];
    };
    const [first, second] = parts;
    if (scheme === "inproc") {
      return this.#pair.start([command(`${first}+${second}`, "listen")], 0);
    }
    await this.#pair.start([command(first, "listen"), command(second, "dial")], starts);
  }

  async warmUp(span: Span): Promise<void> {
    const { slice } = span;
    const warmUp = this.contender.by in PROGRAMS ? span.warmUp / COMPILED : span.warmUp;
    let spent = 0;
    for (let n = this.#whole(128); spent < warmUp; n = this.#fit(slice / 2, n * 8)) {
      const { time, work } = await this.#pair.run(n);
      this.#pace = time;
      spent += work * n;
    }
  }

  async round({ slice, lead }: Span): Promise<Taken> {
    this.#pace = (await this.#pair.run(this.#fit(lead))).time;
    const taken = await this.#pair.run(this.#fit(slice));
    this.#pace = taken.time;
    return taken;
  }

  /** Operations that take about so many nanoseconds. */
  #fit(ns: number, most = Number.POSITIVE_INFINITY): number {
    return this.#whole(Math.max(16, Math.min(most, ns / this.#pace)));
  }

  #whole(n: number): number {
    return this.#step * Math.max(1, Math.round(n / this.#step));
  }

  end(): Promise<void> {
    return this.#pair.end();
  }
}

async function urlOf(scheme: string, folder: string, name: string): Promise<string> {
  if (scheme === "inproc") return "inproc://bench";
  if (scheme === "ipc") return `ipc://${join(folder, `${name}.sock`)}`;
  // Not every rival can say which one the system chose.
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * PORTS);
    const free = await new Promise<boolean>((done) => {
      const probe = createServer()
        .once("error", () => done(false))
        .listen(port, "127.0.0.1", () => probe.close(() => done(true)));
    });
    if (free) return `${scheme}://127.0.0.1:${port}`;
  }
}

// --- what it came to ---

const COLUMNS = [
  "ns of CPU",
  "spread %",
  "of limit",
  "of limit, by CPU",
  "await is ×",
  "try/serve is ×",
];

/** How many times as fast `a` is as `b`; or as thrifty, of the work of all processes. */
function speed({ taken }: Outcome, a: string, b: string, by: keyof Taken = "time"): number {
  const [of, to] = [taken.get(a) ?? [], taken.get(b) ?? []];
  return median(of.map((t, round) => (to[round]?.[by] ?? Number.NaN) / t[by]));
}

function rowsOf(contest: Contest, wanted: readonly Contender[], outcome: Outcome): Row[] {
  const [first = "", second = ""] = wanted.filter(isOurs).map(({ who }) => who);
  return wanted.map(({ who }): Row => {
    const { name, limit } = contest;
    const note = outcome.failed.get(who);
    if (note !== undefined) return { name, who, note };
    const taken = outcome.taken.get(who) ?? [];
    const times = taken.map(({ time }) => time);
    return {
      name,
      who,
      median: median(times),
      least: Math.min(...times),
      ratios: [
        median(taken.map(({ work }) => work)),
        spread(times),
        speed(outcome, who, limit),
        speed(outcome, who, limit, "work"),
        speed(outcome, first, who),
        speed(outcome, second, who),
      ],
    };
  });
}

/** From the first quartile to the third, in percent of the median. */
function spread(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.round((sorted.length - 1) * part)] ?? Number.NaN;
  return (100 * (at(0.75) - at(0.25))) / median(times);
}

/** The goals that this contest decides, each for the better one of the two forms. */
function goalsOf(contest: Contest, outcome: Outcome): Goal[] {
  const { name, kind, scheme, size, contenders } = contest;
  if (contest.goals !== undefined) return contest.goals((a, b) => speed(outcome, a, b));
  const forms = contenders.filter(isOurs).flatMap(({ who }) => (outcome.taken.has(who) ? who : []));
  const atLeast = (least: number, rival: string): Goal[] => {
    if (!outcome.taken.has(rival)) return [];
    const [x, form] = forms
      .map((who): [number, string] => [speed(outcome, who, rival), who])
      .reduce((a, b) => (b[0] > a[0] ? b : a), [0, "neither form ran"]);
    const text = `${name}: ${x.toFixed(2)} × ${rival} (${form}), goal ≥ ${least}`;
    return [{ text, met: x >= least }];
  };
  if (kind === "pub") return atLeast(0.5, LIMIT);
  if (scheme === "ws") return size > 64 ? [] : atLeast(1.5, WS);
  if (scheme === "wss") return [];
  if (kind === "push") {
    if (size >= 256 * 1024) return atLeast(0.9, LIMIT);
    if (size > 64) return [];
    return [...atLeast(0.4, LIMIT), ...atLeast(8, ZEROMQ), ...atLeast(2, NANOMSG)];
  }
  if (kind === "reqs") return [...atLeast(3, ZEROMQ), ...atLeast(1.5, DEALER)];
  if (!outcome.taken.has(LIMIT)) return [];
  const x = Math.min(...forms.map((who) => 1 / speed(outcome, who, LIMIT)));
  return [{ text: `${name}: ${x.toFixed(2)} × the time of ${LIMIT}, goal ≤ 1.2`, met: x <= 1.2 }];
}
