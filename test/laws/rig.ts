/** A protocol with nothing below it but the ends of pipes, and nothing above it but a notebook. */
import { type Hub, Pipe, type Priority } from "../../runtime/hub.js";
import { type Control, Element, type Event, type Layer, STOP } from "../../runtime/layer.js";
import { type Exchange, Message } from "../../runtime/message.js";
import { joined } from "./octets.js";
import { type Surroundings, surroundings } from "./still.js";

/** What a pipe stands on: the far end takes what comes down. */
export class Far extends Element {
  readonly took: Uint8Array[] = [];
  pipe!: Pipe;
  /** It was told to bring no more. */
  quiet = false;
  /** It takes messages although it said stop, as from who owes it answers. */
  patient = false;
  /** Said stop, and not yet go. */
  stopped = false;

  constructor(
    readonly rig: Rig,
    /** Runs in the middle of taking a message. */
    readonly taking: () => void,
  ) {
    super();
  }

  override down(m: Message): void {
    if (this.stopped && !this.patient) throw new Error("a message to a pipe that had said stop");
    const octets = joined(m.segments());
    this.took.push(octets);
    this.rig.taken.push({ far: this, octets });
    this.taking();
  }

  override control(c: Control): void {
    if (c.type === "stop" || c.type === "go") this.quiet = c.type === "stop";
    // What closes says so, later.
    if (c.type === "close") this.rig.context.env.tick(() => this.close());
  }

  turn(go: boolean): void {
    if (this.stopped === !go) return;
    this.stopped = !go;
    this.pipe.event({ type: go ? "go" : "stop" });
  }

  /** Says something. */
  say(octets: Uint8Array): void {
    this.pipe.up(Message.of(octets.slice()));
  }

  close(): void {
    this.pipe.event({ type: "closed" });
  }
}

export class Rig {
  readonly context: ReturnType<typeof surroundings>;
  readonly hub: Hub;
  readonly top: Element;
  /** What pipes took, in the order in which they did. */
  readonly taken: { readonly far: Far; readonly octets: Uint8Array }[] = [];
  /** What came up. */
  readonly got: Message[] = [];
  readonly events: Event[] = [];
  /** The top has been told to stop. */
  stopped = false;
  readonly refused: Error[] = [];
  readonly fars: Far[] = [];
  readonly #peer: number;

  /** The layers from the top down to the hub. */
  constructor(layers: readonly Layer[], given: Surroundings = {}) {
    const { protocol } = layers.at(-1) as Layer;
    this.#peer = protocol?.peer ?? 0;
    this.context = surroundings({ ...given, protocol });
    const elements = layers.map((l) => l.make?.(this.context) as Element);
    for (const [i, lower] of elements.slice(1).entries()) {
      const upper = elements[i] as Element;
      upper.below = lower;
      lower.above = upper;
    }
    this.hub = elements.at(-1) as Hub;
    this.top = elements[0] as Element;
    this.top.above = {
      up: (m) => void this.got.push(m),
      event: (e) => {
        this.events.push(e);
        if (e.type === "stop" || e.type === "go") this.stopped = e.type === "stop";
      },
    };
    // As a socket does before there is a pipe.
    if (this.hub.waits) this.hub.event(STOP);
  }

  /** A connection, what it does while it takes a message, the number that its greeting says, its priority. */
  attach(taking: () => void = () => {}, type = this.#peer, priority?: Priority): Far {
    const far = new Far(this, taking);
    this.fars.push(far);
    const pipe = new Pipe(this.hub, {
      priority,
      attached() {},
      closed: (_, error) => {
        if (error !== undefined) this.refused.push(error);
      },
    });
    far.pipe = pipe;
    far.above = pipe;
    pipe.below = far;
    pipe.event({ type: "opened", facts: { type } });
    this.context.env.settle();
    return far;
  }

  send(octets: Uint8Array, exchange?: Exchange): void {
    const m = Message.around(octets, 64, this.context.slab);
    if (exchange !== undefined) m.exchange = exchange;
    this.top.down(m);
  }

  dropped(rule: string): number {
    return this.context.stats.dropped[rule] ?? 0;
  }
}
