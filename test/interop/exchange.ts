/** Every protocol, in every role, with other software, over every transport that it has, at every size. */
import type { Test } from "uvu";
import * as assert from "uvu/assert";
import {
  type Ask,
  bus,
  type Exchanger,
  type LayerOptions,
  type Port,
  pair0,
  pair1,
  pub,
  pull,
  push,
  type Replier,
  rep,
  req,
  respondent,
  type SocketOptions,
  sub,
  surveyor,
  type Taker,
} from "../../runtime/index.js";
import { peerTest } from "../support/peers.js";
import {
  type Program,
  SCHEMES,
  type Scheme,
  SIDES,
  type Side,
  type Stage,
  staged,
} from "../support/stage.js";
import { until } from "../support/until.js";
import {
  bodyOf,
  covers,
  type Foreign,
  fileOf,
  indexOf,
  OPPOSITE,
  ROLES,
  type Role,
  received,
  secured,
  sends,
  termsOf,
} from "./foreign.js";

const MiB = 2 ** 20;
const LARGE = 20 * MiB;
/** Octets of the protocol header that counts towards a limit. */
const HEADER: Readonly<Partial<Record<Role, number>>> = {
  req: 4,
  rep: 4,
  surveyor: 4,
  respondent: 4,
  pair1: 4,
};

const sizesOf = (role: Role): number[] => [0, 1, 64 * 1024, MiB - (HEADER[role] ?? 0)];

/** One socket of ours and one process of theirs; what each sends are bodies of these sizes. */
interface Play {
  readonly stage: Stage;
  readonly foreign: Foreign;
  readonly side: Side;
  readonly scheme: Scheme;
  readonly sizes: readonly number[];
  readonly options: SocketOptions;
  /** For the layers of the address. */
  readonly row?: LayerOptions;
}

const THEIRS = 1;
const OURS = 2;
const theirs = (sizes: readonly number[]) => sizes.map((n) => bodyOf(n, THEIRS));
const ours = (sizes: readonly number[]) => sizes.map((n) => bodyOf(n, OURS));

/** Brings a socket of ours together with a process of theirs, of the opposite role. */
function meet(socket: Port, role: Role, play: Play): Promise<Program> {
  const { stage, foreign, side, scheme, sizes } = play;
  const theirs = OPPOSITE[role];
  const files = sends(theirs) ? sizes.map((n) => fileOf(n, THEIRS)) : [];
  const launch = (side: Side, url: string) => foreign.start(stage, theirs, side, url, files);
  return stage.meet(socket, side, scheme, launch, { ...termsOf(scheme), ...play.row });
}

/** Waits until `done` says so of what a program has written, when that can be enough. */
async function arriving(
  program: Program,
  expected: readonly Uint8Array[],
  done: (got: readonly Uint8Array[]) => boolean,
  ms?: number,
): Promise<void> {
  const said = () => `${expected.length} messages at ${program}; ${received(program).length} came`;
  const octets = expected.reduce((n, body) => n + body.length, 0);
  await until(said, () => program.written > octets && done(received(program)), ms);
}

async function arrived(program: Program, expected: readonly Uint8Array[]): Promise<void> {
  await arriving(program, expected, (got) => got.length >= expected.length);
  same(received(program), expected);
}

function same(got: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  assert.is(got.length, expected.length);
  for (const [i, body] of expected.entries()) {
    const other = got[i] as Uint8Array;
    if (Buffer.compare(other, body) === 0) continue;
    throw new Error(`of ${body.length} octets, other ones came: ${other.length}`);
  }
}

async function take(from: Taker | { receive: Taker["receive"] }, n: number): Promise<Uint8Array[]> {
  const bodies: Uint8Array[] = [];
  while (bodies.length < n) bodies.push(await from.receive({ timeout: 10_000 }));
  return bodies;
}

async function answer(replier: Replier, bodies: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const asked: Uint8Array[] = [];
  for (const body of bodies) {
    const ask: Ask = await replier.receive({ timeout: 10_000 });
    asked.push(ask.body);
    ask.reply(body);
  }
  return asked;
}

/** What is said before is heard by nobody, in the protocols that do not wait. */
function met(socket: Port): Promise<void> {
  return until("a connection", () => socket.stats().attached > 0);
}

/** Takes what somebody says again and again, until nothing is missing. */
async function gather(
  from: { receive: Taker["receive"] },
  expected: readonly Uint8Array[],
): Promise<void> {
  const missing = new Set(expected.keys());
  while (missing.size > 0)
    missing.delete(indexOf(await from.receive({ timeout: 10_000 }), expected));
}

/** Says one after the other until it is heard: who is busy, or has not subscribed yet, misses it. */
async function heard(
  socket: Pick<Exchanger, "send">,
  bodies: readonly Uint8Array[],
  program: Program,
): Promise<void> {
  for (const [i, body] of bodies.entries()) {
    const so = (got: readonly Uint8Array[]) => covers(got, bodies.slice(0, i + 1));
    for (let patience = 250; ; patience *= 2) {
      await socket.send(body);
      const waited = arriving(program, [body], so, patience);
      if (patience > 5000) await waited;
      if (await waited.then(...ANYHOW)) break;
    }
  }
}

const ANYHOW = [() => true, () => false] as const;

async function pair(socket: Exchanger, role: "pair0" | "pair1", play: Play): Promise<void> {
  const { sizes } = play;
  const program = await meet(socket, role, play);
  same(await take(socket, sizes.length), theirs(sizes));
  for (const body of ours(sizes)) await socket.send(body);
  await arrived(program, ours(sizes));
}

/** What each role of ours does with its opposite. */
const plays: Readonly<Record<Role, (play: Play) => Promise<void>>> = {
  async req(play) {
    const { stage, sizes, options } = play;
    const socket = stage.open(req(), options);
    const program = await meet(socket, "req", play);
    const replies: Uint8Array[] = [];
    for (const body of ours(sizes)) replies.push(await socket.request(body, { timeout: 10_000 }));
    same(replies, theirs(sizes));
    await arrived(program, ours(sizes));
  },
  async rep(play) {
    const { stage, sizes, options } = play;
    const socket = stage.open(rep(), options);
    const program = await meet(socket, "rep", play);
    same(await answer(socket, ours(sizes)), theirs(sizes));
    await arrived(program, ours(sizes));
  },
  async push(play) {
    const { stage, sizes, options } = play;
    const socket = stage.open(push(), options);
    const program = await meet(socket, "push", play);
    for (const body of ours(sizes)) await socket.send(body);
    await arrived(program, ours(sizes));
  },
  async pull(play) {
    const { stage, sizes, options } = play;
    const socket = stage.open(pull(), options);
    await meet(socket, "pull", play);
    same(await take(socket, sizes.length), theirs(sizes));
  },
  pair0: (play) => pair(play.stage.open(pair0(), play.options), "pair0", play),
  pair1: (play) => pair(play.stage.open(pair1(), play.options), "pair1", play),
  async pub(play) {
    const { stage, sizes, options } = play;
    const socket = stage.open(pub(), options);
    const program = await meet(socket, "pub", play);
    await met(socket);
    await heard(socket, ours(sizes), program);
  },
  async sub(play) {
    const { stage, sizes, options } = play;
    const socket = stage.open(sub(), options);
    socket.subscribe("");
    await meet(socket, "sub", play);
    await gather(socket, theirs(sizes));
  },
  async surveyor(play) {
    const { stage, sizes, options } = play;
    const socket = stage.open(surveyor({ surveyTime: 10_000 }), options);
    const program = await meet(socket, "surveyor", play);
    await met(socket);
    const responses: Uint8Array[] = [];
    for (const body of ours(sizes)) {
      for await (const response of socket.survey(body)) {
        responses.push(response);
        break;
      }
    }
    same(responses, theirs(sizes));
    await arrived(program, ours(sizes));
  },
  async respondent(play) {
    const { stage, sizes, options } = play;
    const socket = stage.open(respondent(), options);
    const [asked, responses] = [theirs(sizes), ours(sizes)];
    socket.serve((body) => responses[indexOf(body, asked)]);
    const strange: unknown[] = [];
    socket.on("error", ({ error }) => strange.push(error));
    const program = await meet(socket, "respondent", play);
    await arriving(program, responses, (got) => covers(got, responses));
    assert.equal(strange, []);
  },
  async bus(play) {
    const { stage, sizes, options } = play;
    const socket = stage.open(bus(), options);
    const program = await meet(socket, "bus", play);
    await met(socket);
    await heard(socket, ours(sizes), program);
    await gather(socket, theirs(sizes));
  },
};

/** Over TLS, and one process a size: some sizes with either side dialing. */
const FEWER: Readonly<Record<Side, (at: number) => boolean>> = {
  dial: (at) => at % 2 === 0,
  listen: (at) => at % 2 === 1,
};

function runsOf(foreign: Foreign, role: Role, scheme: Scheme, side: Side): number[][] {
  const sizes = sizesOf(role);
  if (foreign.many || !sends(OPPOSITE[role])) return [sizes];
  return sizes.filter((_, at) => !secured(scheme) || FEWER[side](at)).map((n) => [n]);
}

/** Adds the tests with these foreigners: those of 20 MiB last, as they make this process large to fork. */
export function exchanges(test: Test, foreigners: readonly Foreign[]): void {
  const all = foreigners.flatMap((foreign) =>
    ROLES.filter((role) => foreign.roles.includes(OPPOSITE[role])).map((role) => ({
      foreign,
      role,
    })),
  );
  for (const { foreign, role } of all) {
    for (const scheme of foreign.schemes) {
      peerTest(
        test,
        foreign.name,
        `${role} and ${foreign.name}'s ${OPPOSITE[role]} over ${scheme}, from 0 octets to 1 MiB, each side dialing`,
        staged(async (stage) => {
          await Promise.all(
            SIDES.flatMap((side) =>
              runsOf(foreign, role, scheme, side).map((sizes) =>
                plays[role]({ stage, foreign, side, scheme, sizes, options: {} }),
              ),
            ),
          );
        }),
      );
    }
  }
  const large = all.filter(({ foreign }) => foreign.large);
  for (const { foreign, role } of large.filter(({ role }) => role === "push" || role === "pull")) {
    peerTest(
      test,
      foreign.name,
      `${role} and ${foreign.name}'s ${OPPOSITE[role]} over ws: 20 MiB, where the limit is raised`,
      staged(async (stage) => {
        // NNG takes longer messages than 1 MiB, but no longer frames.
        const row = { ws: { maxFrame: MiB } };
        const options = { recvMax: 2 * LARGE };
        await plays[role]({
          stage,
          foreign,
          side: "listen",
          scheme: "ws",
          sizes: [LARGE],
          options,
          row,
        });
      }),
    );
  }
  for (const { foreign, role } of large) {
    peerTest(
      test,
      foreign.name,
      `${role} and ${foreign.name}'s ${OPPOSITE[role]}: 20 MiB, where the limit is raised`,
      staged(async (stage) => {
        const options = { recvMax: 2 * LARGE };
        await Promise.all(
          SCHEMES.map((scheme, i) => {
            const side = SIDES[i] as Side;
            return plays[role]({ stage, foreign, side, scheme, sizes: [LARGE], options });
          }),
        );
      }),
    );
  }
}
