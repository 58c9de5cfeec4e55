/**
 * Messages inside a process, handed over as they are: no octets, no framing, nothing copied.
 *
 * Never inside the sender's call: two who answer each other would fill the call stack. What is handed
 * over waits in a queue that is emptied once a tick, and after a bounded run lets other events by.
 */
import { StackError, SystemError } from "../error.js";
import { difference } from "../identity.js";
import {
  type Control,
  Element,
  GO,
  type Ground,
  type Layer,
  type PipeContext,
  STOP,
} from "../layer.js";
import type { Message } from "../message.js";

/** Messages on their way before the sender is made to wait. */
const MARK = 1024;
/** Messages handed over before other events have their turn. */
const RUN = 1024;

/**
 * Messages inside this process, shown as a link: `inproc://NAME`. `dial` and `listen` throw StackError without a
 * name, `listen` rejects with SystemError where somebody listens already; who dials before anybody listens is
 * refused, and tries again.
 */
export function inproc(): Layer<Ground, "link", "inproc"> {
  return {
    name: "inproc",
    below: "ground",
    above: "link",
    transport: {
      dial(rest, context) {
        const key = keyOf(rest);
        const near = new Side(context, key);
        // Never inside the caller's call: it is still putting layers on this one.
        context.env.tick(() => {
          if (near.closed) return;
          const accept = context.env.names.get(key) as (() => Side) | undefined;
          if (accept === undefined) {
            near.lose(new SystemError(`connect ${key}`, { code: "ECONNREFUSED" }));
            return;
          }
          const far = accept();
          near.other = far;
          far.other = near;
          // The very lists: here nothing need be said to be known.
          const error = difference(near.context.identity, far.context.identity);
          if (error !== undefined) {
            far.lose(difference(far.context.identity, near.context.identity));
            return near.lose(error);
          }
          // The listener first: what the dialer sends at once must find it open.
          far.open();
          near.open();
        });
        return near;
      },
      async listen(rest, { env: { names } }, accept) {
        const key = keyOf(rest);
        if (names.has(key)) throw new SystemError(`listen ${key}`, { code: "EADDRINUSE" });
        const take = () => accept((pipe) => new Side(pipe, key));
        names.set(key, take);
        const close = async () => {
          // It may be another's by now.
          if (names.get(key) === take) names.delete(key);
        };
        return { rest, close };
      },
    },
  };
}

/** One end. It holds what the other sent and this one has not yet passed up. */
class Side extends Element {
  other: Side | undefined;
  closed = false;
  #queue: Message[] = [];
  #from = 0;
  #paused = false;
  #scheduled = false;
  /** The other end was told to stop. */
  #owes = false;
  ended = false;
  #run = 0;

  constructor(
    readonly context: PipeContext,
    readonly name: string,
  ) {
    super();
  }

  open(): void {
    if (this.closed) return;
    const { name } = this;
    const type = this.other?.context.protocol?.type;
    const { identity } = this.context;
    const facts = { local: name, remote: name, identity, ...(type === undefined ? {} : { type }) };
    this.above.event({ type: "opened", facts });
  }

  override down(m: Message): void {
    const { other } = this;
    if (other === undefined || this.ended) return;
    // Who keeps it may send it again, while the other side takes this one apart.
    other.#put(m.kept ? m.fork(m.start - m.floor, this.context.slab) : m);
  }

  #put(m: Message): void {
    if (this.closed) return;
    this.#queue.push(m);
    this.#schedule();
    if (this.#owes || this.#queue.length - this.#from < MARK) return;
    this.#owes = true;
    this.other?.above.event(STOP);
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused) return;
    this.#scheduled = true;
    const { env } = this.context;
    if (this.#run < RUN) env.tick(this.#drain);
    else {
      this.#run = 0;
      env.turn(this.#drain);
    }
  }

  readonly #drain = (): void => {
    this.#scheduled = false;
    const until = this.#queue.length;
    while (this.#from < until && !this.#paused && !this.closed) {
      const m = this.#queue[this.#from] as Message;
      this.#queue[this.#from++] = undefined as never;
      this.#run++;
      this.above.up(m);
    }
    if (this.closed) return;
    if (this.#from === this.#queue.length) {
      this.#queue.length = this.#from = 0;
      if (this.#owes) {
        this.#owes = false;
        // The sender goes on after other events; see `Outlet`.
        this.other?.above.event(GO);
      }
      if (this.other?.ended) this.lose();
    } else this.#schedule();
  };

  override control(c: Control): void {
    switch (c.type) {
      case "stop":
        this.#paused = true;
        return;
      case "go":
        this.#paused = false;
        if (this.#from < this.#queue.length) this.#schedule();
        return;
      case "end":
        if (this.ended) return;
        this.ended = true;
        this.#paused = false;
        // The other side closes when it has taken all.
        if (this.other === undefined) this.lose();
        else this.other.#schedule();
        return;
      case "close":
        this.lose(c.error);
    }
  }

  /** The connection is gone, for both. */
  lose(error?: Error): void {
    if (this.closed) return;
    this.closed = true;
    this.#queue = [];
    const { other } = this;
    this.context.env.tick(() =>
      this.above.event(error === undefined ? { type: "closed" } : { type: "closed", error }),
    );
    other?.lose();
  }
}

function keyOf(rest: string): string {
  if (rest === "") throw new StackError("'inproc://' needs a name, as inproc://here");
  return `inproc://${rest}`;
}
