/**
 * What a socket does in each role, with the opposite one at the other end: the same in a page and here.
 * Each side sends bodies of these sizes, and knows those that it has to get.
 */
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
  type Requester,
  rep,
  req,
  respondent,
  type Sender,
  type Subscriber,
  type Surveyor,
  star,
  sub,
  surveyor,
  type Taker,
} from "wirestack";
import { bodyOf } from "../support/body.js";

const SOON = { timeout: 20_000 };

/** What each role runs. */
export const layers = {
  req,
  rep,
  push,
  pull,
  pair0,
  pair1,
  pub,
  sub,
  surveyor: () => surveyor({ surveyTime: 20_000 }),
  respondent,
  bus,
  star,
} as const;

export type Role = keyof typeof layers;

export interface Part {
  readonly role: Role;
  readonly sizes: readonly number[];
  /** Of the bodies that this side sends, and of those that it gets. */
  readonly mine: number;
  readonly theirs: number;
}

/** Which of `expected` it is. */
function indexOf(body: Uint8Array, expected: readonly Uint8Array[]): number {
  const i = expected.findIndex(
    (other) => other.length === body.length && other.every((x, at) => x === body[at]),
  );
  if (i < 0) throw new Error(`of ${body.length} octets, and nobody sent that`);
  return i;
}

/** What is said before is heard by nobody, in the protocols that do not wait. */
function met(socket: Port): Promise<void> {
  return new Promise((done) => {
    if (socket.stats().attached > 0) done();
    else socket.on("attached", () => done());
  });
}

/** Takes what somebody says, be it again and again, until nothing is missing. */
async function gather(from: Pick<Taker, "receive">, expected: readonly Uint8Array[]) {
  const missing = new Set(expected.keys());
  while (missing.size > 0) missing.delete(indexOf(await from.receive(SOON), expected));
}

/** Plays a part, to its end; throws what went wrong. */
export async function play(socket: Port, { role, sizes, mine, theirs }: Part): Promise<void> {
  const ours = sizes.map((n) => bodyOf(n, mine).slice());
  const expected = sizes.map((n) => bodyOf(n, theirs));
  const same = (body: Uint8Array, i: number) => {
    if (indexOf(body, expected) !== i) throw new Error(`message ${i} is another`);
  };
  if (role === "sub") (socket as Subscriber).subscribe("");
  await met(socket);
  switch (role) {
    case "req":
      for (const [i, body] of ours.entries()) {
        same(await (socket as Requester).request(body, SOON), i);
      }
      return;
    case "surveyor":
      for (const [i, body] of ours.entries()) {
        for await (const answer of (socket as Surveyor).survey(body)) {
          same(answer, i);
          break;
        }
      }
      return;
    case "rep":
    case "respondent": {
      const missing = new Set(expected.keys());
      while (missing.size > 0) {
        const ask: Ask = await (socket as Replier).receive(SOON);
        const i = indexOf(ask.body, expected);
        missing.delete(i);
        ask.reply((ours[i] as Uint8Array).slice());
      }
      return;
    }
    case "sub":
    case "pull":
      return gather(socket as Taker, expected);
    case "push":
    case "pub":
      for (const body of ours) await (socket as Sender).send(body);
      return;
    default:
      for (const body of ours) await (socket as Exchanger).send(body);
      return gather(socket as Exchanger, expected);
  }
}
