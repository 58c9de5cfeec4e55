/** Every protocol, in every role, with every other software, over tcp, ipc and ws, at every size. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type Ask,
  pair0,
  pull,
  push,
  type Replier,
  rep,
  req,
  type SocketOptions,
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
  type Foreign,
  fileOf,
  foreigners,
  OPPOSITE,
  type Role,
  received,
} from "./foreign.js";

const test = suite("exchange");

const MiB = 2 ** 20;
const LARGE = 20 * MiB;
/** Octets of the protocol header that counts towards a limit. */
const HEADER: Readonly<Record<Role, number>> = { req: 4, rep: 4, push: 0, pull: 0, pair0: 0 };

const sizesOf = (role: Role): number[] => [0, 1, 64 * 1024, MiB - HEADER[role]];

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

async function arrived(program: Program, expected: readonly Uint8Array[]): Promise<void> {
  const count = () => received(program).length;
  const said = () => `${expected.length} messages at ${program}; ${count()} came`;
  const octets = expected.reduce((n, body) => n + body.length, 0);
  await until(said, () => program.written > octets && count() >= expected.length);
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
  async pair0(play) {
    const { stage, side, scheme, sizes, options } = play;
    const socket = stage.open(pair0(), options);
    const program = await stage.meet(socket, side, scheme, launch(play, "pair0", true));
    same(await take(socket, sizes.length), theirs(sizes));
    for (const body of ours(sizes)) await socket.send(body);
    await arrived(program, ours(sizes));
  },
};

for (const foreign of foreigners) {
  for (const role of Object.keys(plays) as Role[]) {
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

test.run();
