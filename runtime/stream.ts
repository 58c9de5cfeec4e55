/**
 * Octets over a connection of the system's: the element of every transport that has one.
 *
 * What a tick brings is one write. A block is written at once when it is full, otherwise when the
 * current piece of work is done: never from a microtask, so that promises cannot starve it, and never
 * by a timer, so that nothing waits.
 */
import { BLOCK } from "./block.js";
import type { Connection, Listening, Receiver, Settings, Where } from "./env.js";
import { type Control, Element, type Facts, GO, type PipeContext, STOP } from "./layer.js";
import { Message } from "./message.js";

export class Stream extends Element implements Receiver {
  #connection: Connection | undefined;
  #scheduled = false;
  #full = false;
  #paused = false;
  /** The peer said the end while the side above took no more: what it has not taken comes first. */
  #heardEnd = false;
  #ending = false;
  #closed = false;
  #error: Error | undefined;
  readonly #flush = (): void => {
    this.#scheduled = false;
    this.#write();
  };

  /** Whom it was told to reach: a name, or an address of the network. */
  host: string | undefined;

  constructor(
    readonly context: PipeContext,
    /** Gives up an attempt to connect. */
    public abandon: () => void = () => {},
  ) {
    super();
  }

  override down(m: Message): void {
    if (this.#ending || this.#closed) return;
    const { block } = this.context;
    block.put(m);
    if (block.length >= BLOCK) this.#write();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      this.context.env.tick(this.#flush);
    }
  }

  #write(): void {
    const { block } = this.context;
    if (block.length === 0 || this.#connection === undefined || this.#closed) return;
    if (this.#connection.write(block.take()) || this.#full) return;
    this.#full = true;
    this.above.event(STOP);
  }

  override control(c: Control): void {
    switch (c.type) {
      case "stop":
        this.#paused = true;
        return this.#connection?.pause();
      case "go":
        this.#paused = false;
        if (this.#heardEnd) return this.ended();
        return this.#connection?.resume();
      case "end":
        return this.#end();
      case "close":
        this.#error ??= c.error;
        return this.#destroy();
      case "lend": {
        // One that was not made for that is read already.
        const duplex = this.context.lend ? this.#connection?.lend?.() : undefined;
        // Whose it is now tells of its end, too.
        this.#closed = duplex !== undefined;
        return c.to(duplex, (error, heard) => this.meaning(error, heard));
      }
    }
  }

  /** What an error of its connection means to who has borrowed that. */
  protected meaning(error: Error, _heard: boolean): Error {
    return error;
  }

  /** Writes what waits, says the end, and reads on until the peer says it too. */
  #end(): void {
    if (this.#ending) return;
    if (this.#connection === undefined) return this.#destroy();
    this.#write();
    this.#ending = true;
    this.#connection.end();
    // A connection closed with unread octets is reset, and the peer loses what it has not read.
    this.#connection.resume();
  }

  #destroy(): void {
    if (this.#closed) return;
    if (this.#connection === undefined) this.abandon();
    else this.#connection.destroy();
  }

  opened(connection: Connection): void {
    this.#connection = connection;
    this.above.event({ type: "opened", facts: this.learnt(connection) });
  }

  /** What is known when it is open. */
  protected learnt({ local, remote }: Connection): Facts {
    const { host } = this;
    return host === undefined ? { local, remote } : { local, remote, host };
  }

  octets(chunk: Uint8Array): void {
    if (!this.#ending && !this.#closed) this.above.up(Message.of(chunk));
  }

  drained(): void {
    if (!this.#full || this.#heardEnd) return;
    this.#full = false;
    this.above.event(GO);
  }

  ended(): void {
    // When both sides have said the end, the connection closes by itself, once all is written.
    if (this.#ending) return;
    this.#write();
    if (!this.#paused) return this.#connection?.destroy();
    this.#heardEnd = this.#full = true;
    this.above.event(STOP);
  }

  closed(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    const why = this.#error ?? error;
    this.above.event(why === undefined ? { type: "closed" } : { type: "closed", error: why });
  }
}

/** Begins to connect. */
export function dialStream(where: Where, context: PipeContext, settings: Settings = {}): Stream {
  const stream = new Stream(context);
  if ("host" in where) stream.host = where.host;
  const attempt = context.env.net.connect(where, stream, context.lend, settings);
  stream.abandon = () => attempt.destroy();
  return stream;
}

/** Runs a stream for every connection that comes. */
export function listenStream(
  where: Where,
  context: PipeContext,
  accept: (run: (context: PipeContext) => Stream) => Stream,
  settings: Settings = {},
): Promise<Listening> {
  const each = () => accept((p) => new Stream(p));
  return context.env.net.listen(where, each, context.lend, settings);
}
