/** Two hops and nothing between them but a test: it says what is delivered. */

import type { Crypto } from "../../runtime/crypto.js";
import { type HopOptions, hop } from "../../runtime/index.js";
import { type Control, Element, type Event } from "../../runtime/layer.js";
import { Message } from "../../runtime/message.js";
import { joined } from "../laws/octets.js";
import { Still, surroundings } from "../laws/still.js";
import { optionsOf, type Side } from "./keys.js";

class Top extends Element {
  readonly got: Uint8Array[] = [];
  readonly events: Event[] = [];
  override up(m: Message): void {
    this.got.push(joined(m.segments()));
  }
  override event(e: Event): void {
    this.events.push(e);
  }
}

class Wire extends Element {
  readonly sent: Uint8Array[] = [];
  readonly controls: Control[] = [];
  /** Runs when a record was taken. */
  taking: () => void = () => {};
  override down(m: Message): void {
    this.sent.push(joined(m.segments()));
    this.taking();
  }
  override control(c: Control): void {
    this.controls.push(c);
  }
}

export class End {
  readonly top = new Top();
  readonly wire = new Wire();
  readonly context: ReturnType<typeof surroundings>;

  constructor(options: HopOptions, side: Side, env: Still, recvMax?: number) {
    this.context = surroundings({ env, side, ...(recvMax === undefined ? {} : { recvMax }) });
    const element = hop(options).make?.(this.context) as Element;
    this.top.below = element;
    element.above = this.top;
    element.below = this.wire;
    this.wire.above = element;
  }

  get open(): boolean {
    return this.top.events.some((e) => e.type === "opened");
  }

  /** Why it dropped the connection, if it did. */
  get error(): Error | undefined {
    const close = this.wire.controls.find((c) => c.type === "close");
    return close?.type === "close" ? close.error : undefined;
  }

  send(octets: Uint8Array): void {
    this.top.below.down(Message.around(octets, 64, this.context.slab));
  }

  /** One record with these messages. */
  record(...messages: readonly Uint8Array[]): Uint8Array {
    for (const octets of messages) this.send(octets);
    this.context.env.settle();
    return this.wire.sent.at(-1) as Uint8Array;
  }

  hear(octets: Uint8Array): void {
    this.wire.above.up(Message.of(octets.slice()));
  }
}

export class Session {
  readonly dial: End;
  readonly listen: End;
  readonly env: Still;
  readonly #carried = { dial: 0, listen: 0 };

  constructor(
    seed = 1,
    options: (side: Side) => HopOptions = (side) => optionsOf(side, "NNpsk0"),
    recvMax?: number,
    crypto?: Crypto,
  ) {
    this.env = new Still(seed);
    if (crypto !== undefined) this.env.crypto = crypto;
    this.dial = new End(options("dial"), "dial", this.env, recvMax);
    this.listen = new End(options("listen"), "listen", this.env, recvMax);
    for (const end of [this.listen, this.dial]) {
      end.wire.above.event({ type: "opened", facts: {} });
    }
  }

  /** Carries all that was sent, and what comes of it, over. */
  run(): this {
    for (let before = -1; before !== this.#carried.dial + this.#carried.listen; ) {
      before = this.#carried.dial + this.#carried.listen;
      this.env.settle();
      for (const [from, to] of [
        ["dial", "listen"],
        ["listen", "dial"],
      ] as const) {
        const { sent } = this[from].wire;
        while (this.#carried[from] < sent.length) {
          this[to].hear(sent[this.#carried[from]++] as Uint8Array);
        }
      }
    }
    return this;
  }
}
