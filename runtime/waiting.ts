/**
 * The waiting policy: nothing is lost, doubled or put in another order, whenever somebody below says
 * stop or go. What a protocol that waits extends.
 */
import { type Context, type Control, Element, END, type Event, GO, STOP } from "./layer.js";
import type { Message } from "./message.js";

export class Waiting extends Element {
  #queue: Message[] = [];
  #from = 0;
  /** Nobody below takes a message. So it is before the first connection. */
  #blocked = true;
  #pipes = 0;
  /** The side above has been told to stop. */
  #told = false;
  #passing = false;
  #ending = false;

  constructor(readonly context: Context) {
    super();
  }

  override down(m: Message): void {
    if (this.#blocked || this.#passing || this.#from < this.#queue.length) {
      this.#queue.push(m);
      this.#tell();
    } else this.pass(m);
  }

  /** Gives a message to somebody who takes it. */
  protected pass(m: Message): void {
    this.below.down(m);
  }

  override event(e: Event): void {
    switch (e.type) {
      case "stop":
        this.#blocked = true;
        return this.#tell();
      case "go":
        this.#blocked = false;
        return this.#drain();
      case "attached":
        this.#pipes++;
        break;
      case "detached":
        this.#pipes--;
        break;
    }
    this.above.event(e);
    if (e.type === "attached" || e.type === "detached") this.#tell();
  }

  override control(c: Control): void {
    if (c.type === "end" && this.#from < this.#queue.length) {
      this.#ending = true;
      return;
    }
    this.below.control(c);
  }

  /** Nobody wants what waits any more. */
  protected discard(): void {
    this.#queue = [];
    this.#from = 0;
  }

  #drain(): void {
    if (this.#passing) return;
    this.#passing = true;
    while (!this.#blocked && this.#from < this.#queue.length) {
      const m = this.#queue[this.#from] as Message;
      this.#queue[this.#from++] = undefined as never;
      this.pass(m);
    }
    this.#passing = false;
    if (this.#from === this.#queue.length || this.#from > 1024) {
      this.#queue.splice(0, this.#from);
      this.#from = 0;
    }
    this.#tell();
    if (this.#ending && this.#queue.length === 0) {
      this.#ending = false;
      this.below.control(END);
    }
  }

  /** Without a connection a socket holds up to `sendBuffer` messages; with one, the connection does. */
  #tell(): void {
    const { sendBuffer } = this.context.limits;
    const held = this.#queue.length - this.#from;
    const stop = this.#blocked && (this.#pipes > 0 || held >= sendBuffer);
    if (stop === this.#told) return;
    this.#told = stop;
    this.above.event(stop ? STOP : GO);
  }
}
