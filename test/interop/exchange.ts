/** Every protocol, in every role, with other software, over tcp, ipc and ws, at every size. */
import type { Test } from "uvu";
import * as assert from "uvu/assert";
import {
  type Ask,
  bus,
  type Exchanger,
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
}

const THEIRS = 1;
const OURS = 2;
const theirs = (sizes: readonly number[]) => sizes.map((n) => bodyOf(n, THEIRS));
const ours = (sizes: readonly number[]) => sizes.map((n) => bodyOf(n, OURS));

function launch({ stage, foreign, sizes }: Play, role: Role, sends: boolean) {
  const files = sends ? sizes.map((n) => fileOf(n, THEIRS)) : [];
  return (side: Side, url: string) => foreign.start(stage, role, side, url, files);
}

/** Waits until `done` says so of what a program has written, when that can be enough. */
async function arriving(
  program: Program,
  expected: readonly Uint8Array[],
  done: (got: readonly Uint8Array[]) => boolean,
): Promise<void> {
  const said = () => `${expected.length} messages at ${program}; ${received(program).length} came`;
  const octets = expected.reduce((n, body) => n + body.length, 0);
  await until(said, () => program.written > octets && done(received(program)));
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

async function pair(socket: Exchanger, role: "pair0" | "pair1", play: Play): Promise<void> {
  const { stage, side, scheme, sizes } = play;
  const program = await stage.meet(socket, side, scheme, launch(play, role, true));
  same(await take(socket, sizes.length), theirs(sizes));
  for (const body of ours(sizes)) await socket.send(body);
  await arrived(program, ours(sizes));
}

/** What each role of ours does with its opposite. */
const plays: Readonly<Record<Role, (play: Play) => Promise<void>>> = {
  async req(play) {
    const { stage, side, scheme, sizes, options } = play;
    const socket = stage.open(req(), options);
    const program = await stage.meet(socket, side, scheme, launch(play, "rep", true));
    const replies: Uint8Array[] = [];
    for (const body of ours(sizes)) replies.push(await socket.request(body, { timeout: 10_000 }));
    same(replies, theirs(sizes));
    await arrived(program, ours(sizes));
  },
  async rep(play) {
    const { stage, side, scheme, sizes, options } = play;
    const socket = stage.open(rep(), options);
    const program = await stage.meet(socket, side, scheme, launch(play, "req", true));
    same(await answer(socket, ours(sizes)), theirs(sizes));
    await arrived(program, ours(sizes));
  },
  async push(play) {
    const { stage, side, scheme, sizes, options } = play;
    const socket = stage.open(push(), options);
    const program = await stage.meet(socket, side, scheme, launch(play, "pull", false));
    for (const body of ours(sizes)) await socket.send(body);
    await arrived(program, ours(sizes));
  },
  async pull(play) {
    const { stage, side, scheme, sizes, options } = play;
    const socket = stage.open(pull(), options);
    await stage.meet(socket, side, scheme, launch(play, "push", true));
    same(await take(socket, sizes.length), theirs(sizes));
  },
  pair0: (play) => pair(play.stage.open(pair0(), play.options), "pair0", play),
  pair1: (play) => pair(play.stage.open(pair1(), play.options), "pair1", play),
  async pub(play) {
    const { stage, side, scheme, sizes, options } = play;
    const socket = stage.open(pub(), options);
    const program = await stage.meet(socket, side, scheme, launch(play, "sub", false));
    await met(socket);
    for (const body of ours(sizes)) await socket.send(body);
    await arrived(program, ours(sizes));
  },
  async sub(play) {
    const { stage, side, scheme, sizes, options } = play;
    const socket = stage.open(sub(), options);
    socket.subscribe("");
    await stage.meet(socket, side, scheme, launch(play, "pub", true));
    await gather(socket, theirs(sizes));
  },
  async surveyor(play) {
    const { stage, side, scheme, sizes, options } = play;
    const socket = stage.open(surveyor({ surveyTime: 10_000 }), options);
    const program = await stage.meet(socket, side, scheme, launch(play, "respondent", true));
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
    const { stage, side, scheme, sizes, options } = play;
    const socket = stage.open(respondent(), options);
    const [asked, responses] = [theirs(sizes), ours(sizes)];
    socket.serve((body) => responses[indexOf(body, asked)]);
    const strange: unknown[] = [];
    socket.on("error", ({ error }) => strange.push(error));
    const program = await stage.meet(socket, side, scheme, launch(play, "surveyor", true));
    await arriving(program, responses, (got) => covers(got, responses));
    assert.equal(strange, []);
  },
  async bus(play) {
    const { stage, side, scheme, sizes, options } = play;
    const socket = stage.open(bus(), options);
    const program = await stage.meet(socket, side, scheme, launch(play, "bus", true));
    await met(socket);
    for (const body of ours(sizes)) await socket.send(body);
    await gather(socket, theirs(sizes));
    await arrived(program, ours(sizes));
  },
};

/** Adds the tests with one foreigner. */
export function exchanges(test: Test, foreign: Foreign): void {
  for (const role of ROLES.filter((role) => foreign.roles.includes(OPPOSITE[role]))) {
    for (const scheme of [...SCHEMES, "ws"] as const) {
      const name = `${role} and ${foreign.name}'s ${OPPOSITE[role]} over ${scheme}, from 0 octets to 1 MiB, each side dialing`;
      peerTest(
        test,
        foreign.name,
        name,
        staged(async (stage) => {
          const sizes = sizesOf(role);
          const runs = foreign.many ? [sizes] : sizes.map((n) => [n]);
          await Promise.all(
            SIDES.flatMap((side) =>
              runs.map((sizes) =>
                plays[role]({ stage, foreign, side, scheme, sizes, options: {} }),
              ),
            ),
          );
        }),
      );
    }
    if (!foreign.large) continue;
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
