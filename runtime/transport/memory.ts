/** Octets inside a process: what is written at one end is read at the other, as over TCP. */
import type { Connection, Receiver } from "../env.js";
import { StackError, SystemError } from "../error.js";
import type { Context, Ground, Layer } from "../layer.js";
import { Stream } from "../stream.js";

/** Octets on their way before the writer is made to wait. */
const IN_FLIGHT = 1024 * 1024;

type Accept = () => Stream;

/** Octets inside this process, as if over TCP: `memory://NAME`. Errors are those of `inproc`. */
export function memory(): Layer<Ground, "octets", "memory"> {
  return {
    name: "memory",
    below: "ground",
    above: "octets",
    transport: {
      dial(rest, context) {
        const key = keyOf(rest);
        const stream = new Stream(context);
        let abandoned = false;
        stream.abandon = () => {
          abandoned = true;
          context.env.tick(() => stream.closed());
        };
        // Never inside the caller's call: it is still putting layers on this one.
        context.env.tick(() => {
          if (abandoned) return;
          const accept = context.env.names.get(key) as Accept | undefined;
          if (accept === undefined) {
            stream.closed(new SystemError(`connect ${key}`, { code: "ECONNREFUSED" }));
            return;
          }
          connect(stream, accept(), key, context);
        });
        return stream;
      },
      async listen(rest, { env: { names } }, accept) {
        const key = keyOf(rest);
        if (names.has(key)) throw new SystemError(`listen ${key}`, { code: "EADDRINUSE" });
        const take = () => accept((pipe) => new Stream(pipe));
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

function connect(dialer: Stream, listener: Stream, name: string, context: Context): void {
  const near = new Half(dialer, name, context);
  const far = new Half(listener, name, context);
  near.other = far;
  far.other = near;
  listener.opened(far);
  dialer.opened(near);
}

/** One end. It holds what the other wrote and this one has not read. */
class Half implements Connection {
  readonly local: string;
  readonly remote: string;
  other!: Half;
  #held: Uint8Array[] = [];
  #octets = 0;
  #paused = false;
  #scheduled = false;
  #ended = false;
  #over = false;
  /** The other end waits until this one has read. */
  #owes = false;

  constructor(
    readonly to: Receiver,
    name: string,
    readonly context: Context,
  ) {
    this.local = this.remote = name;
  }

  write(segments: readonly Uint8Array[]): boolean {
    return this.other.#receive(segments);
  }

  #receive(segments: readonly Uint8Array[]): boolean {
    if (this.#over) return true;
    for (const s of segments) {
      this.#held.push(s);
      this.#octets += s.length;
    }
    this.#schedule();
    this.#owes = this.#octets >= IN_FLIGHT;
    return !this.#owes;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // After other events: two ends that answer one another would never let go of the process.
    this.context.env.turn(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (this.#held.length > 0 && !this.#paused && !this.#over) {
      const chunk = this.#held.shift() as Uint8Array;
      this.#octets -= chunk.length;
      this.to.octets(chunk);
    }
    if (this.#held.length > 0 || this.#over) return;
    if (this.#owes) {
      this.#owes = false;
      if (!this.other.#over) this.other.to.drained();
    }
    if (this.other.#ended && !this.#over) {
      this.to.ended();
      if (this.#ended) this.#both();
    }
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#held.length > 0) this.#schedule();
  }

  end(): void {
    this.#ended = true;
    this.other.#schedule();
    if (this.other.#ended) this.#schedule();
  }

  /** Both sides have said the end, and read all. */
  #both(): void {
    this.#close();
    if (this.other.#held.length === 0) this.other.#close();
  }

  destroy(): void {
    this.#close();
    this.other.#close();
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#held = [];
    this.context.env.turn(() => this.to.closed());
  }
}

function keyOf(rest: string): string {
  if (rest === "") throw new StackError("'memory://' needs a name, as memory://here");
  return `memory://${rest}`;
}
