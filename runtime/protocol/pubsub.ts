/**
 * PUB and SUB: each message to everybody; who subscribes takes those that begin with a topic of theirs.
 *
 * nanomsg rfc/sp-publish-subscribe-01. No header on the wire: a topic is the body's first octets, and
 * only the subscriber filters. Who takes no more misses messages, and they are counted.
 * `stack(pub(), xpub())`, `stack(sub(), xsub())`
 */
import { Type } from "../../generated/sp/greeting.js";
import { Hub, type Pipe } from "../hub.js";
import { type Context, type Control, Element, type Layer, type Protocol } from "../layer.js";
import type { Message } from "../message.js";
import { named } from "../option.js";
import { Raw, Sender, type Socket, Taker } from "../port.js";
import type { Overflow } from "../queues.js";
import { Topics } from "../topics.js";

const publishes: Protocol = { name: "pub", type: Type.pub, peer: Type.sub };
const subscribes: Protocol = { name: "sub", type: Type.sub, peer: Type.pub };

class XPub extends Hub {
  override down(m: Message): void {
    this.spread(m, "pub: the peer takes no more");
  }

  /** Who subscribes has nothing to say. */
  override receive(_m: Message, _pipe: Pipe): void {
    this.context.stats.drop("pub: received a message");
  }
}

class XSub extends Hub {
  override down(_m: Message): void {
    this.context.stats.drop("sub: cannot send");
  }
}

class Sub extends Element {
  readonly #topics = new Topics();

  constructor(readonly context: Context) {
    super();
  }

  override up(m: Message): void {
    if (this.#topics.size > 0 && this.#topics.match(m.segments())) this.above.up(m);
    else this.context.stats.drop("sub: no such topic");
  }

  override control(c: Control): void {
    if (c.type === "subscribe") this.#topics.add(c.topic);
    else if (c.type === "unsubscribe") this.#topics.delete(c.topic);
    else this.below.control(c);
  }
}

/** PUB, raw. */
export function xpub(): Layer<"link", "raw", "xpub"> {
  return {
    name: "xpub",
    below: "link",
    above: "raw",
    hub: true,
    protocol: publishes,
    port: (s: Socket) => new Raw(s),
    make: (context) => new XPub(context, publishes, false),
  };
}

/** SUB, raw: everything, whatever it begins with. */
export function xsub(): Layer<"link", "raw", "xsub"> {
  return {
    name: "xsub",
    below: "link",
    above: "raw",
    hub: true,
    protocol: subscribes,
    port: (s: Socket) => new Raw(s),
    make: (context) => new XSub(context, subscribes, false),
  };
}

/** PUB: `send`. */
export function pub(): Layer<"raw", "pub", "pub"> {
  return {
    name: "pub",
    below: "raw",
    above: "pub",
    raw: xpub,
    port: (s: Socket) => new Sender(s),
    make: () => new Element(),
  };
}

export interface SubOptions {
  /**
   * What gives way when more has come than the application takes: the oldest message (`drop-old`, as
   * NNG), the newest (`drop-new`), or nothing: `wait` makes the publisher's connection stop, and the
   * publisher drop. Default: `drop-old`.
   */
  readonly overflow?: Overflow;
}

const OVERFLOWS: readonly Overflow[] = ["drop-old", "drop-new", "wait"];

/** SUB: `subscribe`, then `receive` or `for await`. */
export function sub(options: SubOptions = {}): Layer<"raw", "sub", "sub"> {
  const { overflow = "drop-old" } = named("sub", options, { overflow: true });
  if (!OVERFLOWS.includes(overflow)) {
    throw new RangeError(`overflow is one of ${OVERFLOWS.join(", ")}; not ${overflow}`);
  }
  return {
    name: "sub",
    below: "raw",
    above: "sub",
    raw: xsub,
    port: (s: Socket) => new Subscriber(s, overflow),
    make: (context) => new Sub(context),
  };
}

const utf8 = new TextEncoder();
function octetsOf(topic: string | Uint8Array): Uint8Array {
  if (typeof topic === "string") return utf8.encode(topic);
  if (topic instanceof Uint8Array) return new Uint8Array(topic);
  throw new TypeError(`a topic is a string or a Uint8Array; not ${typeof topic}`);
}

/** Receives what begins with a topic. */
export class Subscriber extends Taker {
  readonly #socket: Socket;

  constructor(socket: Socket, overflow: Overflow) {
    super(socket, overflow);
    this.#socket = socket;
  }

  /** Takes messages that begin with `topic`; with "" all. */
  subscribe(topic: string | Uint8Array): void {
    this.#socket.below.control({ type: "subscribe", topic: octetsOf(topic) });
  }

  /** Takes them no more, unless they begin with another topic. */
  unsubscribe(topic: string | Uint8Array): void {
    this.#socket.below.control({ type: "unsubscribe", topic: octetsOf(topic) });
  }
}

declare module "../layer.js" {
  interface Ports {
    pub: Sender;
    sub: Subscriber;
  }
}
