/**
 * PUSH and PULL: each message to one of those who pull, in turn. Waits while nobody takes more.
 *
 * nanomsg rfc/sp-pipeline-01. No header on the wire. `stack(push(), xpush())`, `stack(pull(), xpull())`
 */
import { Type } from "../../generated/sp/greeting.js";
import { Hub, type Pipe } from "../hub.js";
import { Element, type Layer, type Protocol } from "../layer.js";
import type { Message } from "../message.js";
import { Raw, Sender, type Socket, Taker } from "../port.js";
import { Waiting } from "../waiting.js";

const pushes: Protocol = { name: "push", type: Type.push, peer: Type.pull };
const pulls: Protocol = { name: "pull", type: Type.pull, peer: Type.push };

class XPush extends Hub {
  override down(m: Message): void {
    const pipe = this.turn();
    if (pipe === undefined) this.context.stats.drop("push: nobody is ready");
    else pipe.down(m);
  }

  /** Who pulls has nothing to say. */
  override receive(_m: Message, _pipe: Pipe): void {
    this.context.stats.drop("push: received a message");
  }
}

class XPull extends Hub {
  override down(_m: Message): void {
    this.context.stats.drop("pull: cannot send");
  }
}

/** PUSH, raw. */
export function xpush(): Layer<"link", "raw", "xpush"> {
  return {
    name: "xpush",
    below: "link",
    above: "raw",
    hub: true,
    protocol: pushes,
    port: (s: Socket) => new Raw(s),
    make: (context) => new XPush(context, pushes, true),
  };
}

/** PULL, raw. */
export function xpull(): Layer<"link", "raw", "xpull"> {
  return {
    name: "xpull",
    below: "link",
    above: "raw",
    hub: true,
    protocol: pulls,
    port: (s: Socket) => new Raw(s),
    make: (context) => new XPull(context, pulls, false),
  };
}

/** PUSH: `send`. */
export function push(): Layer<"raw", "push", "push"> {
  return {
    name: "push",
    below: "raw",
    above: "push",
    raw: xpush,
    port: (s: Socket) => new Sender(s),
    make: (context) => new Waiting(context),
  };
}

/** PULL: `receive`, or `for await`. */
export function pull(): Layer<"raw", "pull", "pull"> {
  return {
    name: "pull",
    below: "raw",
    above: "pull",
    raw: xpull,
    port: (s: Socket) => new Taker(s),
    make: () => new Element(),
  };
}

declare module "../layer.js" {
  interface Ports {
    push: Sender;
    pull: Taker;
  }
}
