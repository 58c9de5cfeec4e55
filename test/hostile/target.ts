/** A socket of ours that strangers send octets to. */
import * as assert from "uvu/assert";
import {
  type Port,
  type Replier,
  rep,
  req,
  type SocketEvents,
  type SocketOptions,
} from "../../runtime/index.js";
import type { Scheme, Stage } from "../support/stage.js";
import { Stranger } from "../support/stranger.js";

export interface Target<P extends Port> {
  readonly socket: P;
  readonly url: string;
  readonly refused: SocketEvents["refused"][];
  readonly detached: SocketEvents["detached"][];
  /** A stranger who connects, and says no more than it is told to. */
  dial(): Promise<Stranger>;
  /** A stranger who has greeted with this number. */
  greet(type: number): Promise<Stranger>;
}

export async function target<P extends Port>(
  stage: Stage,
  scheme: Scheme,
  socket: P,
): Promise<Target<P>> {
  const refused: SocketEvents["refused"][] = [];
  const detached: SocketEvents["detached"][] = [];
  socket.on("refused", (e) => refused.push(e));
  socket.on("detached", (e) => detached.push(e));
  const { url } = await socket.listen(stage.any(scheme));
  const keep = (stranger: Stranger) => {
    stage.after(() => stranger.close());
    return stranger;
  };
  return {
    socket,
    url,
    refused,
    detached,
    dial: async () => keep(await Stranger.dial(url)),
    greet: async (type) => keep(await Stranger.greet(url, type)),
  };
}

/** A REP that answers each request with its body. */
export function echo(
  stage: Stage,
  scheme: Scheme,
  options: SocketOptions = {},
): Promise<Target<Replier>> {
  const socket = stage.open(rep(), options);
  socket.serve((body) => body);
  return target(stage, scheme, socket);
}

/** A good peer still has its answer. */
export async function stillAnswers(stage: Stage, { url }: Target<Replier>): Promise<void> {
  const requester = stage.open(req());
  requester.dial(url);
  assert.is(textOf(await requester.request("well?", { timeout: 10_000 })), "well?");
}

export function textOf(octets: Uint8Array): string {
  return Buffer.from(octets).toString("latin1");
}
