/** A PUSH that dials and a PULL that listens, each over a hop, in a world of their own. */
import {
  type Env,
  type HopOptions,
  hop,
  open,
  pull,
  push,
  type Sender,
  type SocketEvents,
  type SocketOptions,
  stack,
  type Taker,
  xpull,
  xpush,
} from "../../runtime/index.js";
import type { Conditions } from "../world/network.js";
import { CALM, type Host, World } from "../world/world.js";
import type { Middle } from "./middle.js";

export const URL = "tcp://10.0.0.1:5555";

export interface Means {
  readonly dial: HopOptions;
  readonly listen: HopOptions;
  readonly middle?: Middle;
  readonly conditions?: Partial<Conditions>;
  readonly options?: SocketOptions;
  /** What the hosts' worlds are made into. */
  readonly env?: (host: Host) => Env;
  readonly seed?: number;
}

/** What became of the connections of a socket. */
class Story {
  readonly attached: SocketEvents["attached"][] = [];
  readonly detached: SocketEvents["detached"][] = [];
  readonly refused: SocketEvents["refused"][] = [];

  constructor(socket: Sender | Taker) {
    for (const name of ["attached", "detached", "refused"] as const) {
      socket.on(name, (e) => void this[name].push(e as never));
    }
  }
}

export interface Meeting {
  readonly world: World;
  readonly sender: Sender;
  readonly taker: Taker;
  readonly sending: Story;
  readonly taking: Story;
}

/** Runs in a new world; what is held by then is closed. */
export async function meet(means: Means, run: (m: Meeting) => Promise<void>): Promise<void> {
  const { middle, conditions, options = {}, env = (host: Host) => host, seed = 1 } = means;
  const world = new World({ seed, conditions: { ...CALM, ...conditions } });
  await world.run(async () => {
    const near = env(world.host("push"));
    const from = middle === undefined ? near : middle.env(near);
    const sender = open(stack(push(), xpush(), hop(means.dial)), { env: from, ...options });
    const taker = open(stack(pull(), xpull(), hop(means.listen)), {
      env: env(world.host("pull")),
      ...options,
    });
    const meeting = { world, sender, taker, sending: new Story(sender), taking: new Story(taker) };
    await taker.listen(URL);
    sender.dial(URL);
    await run(meeting);
    await Promise.all([sender.close(), taker.close()]);
  });
}
