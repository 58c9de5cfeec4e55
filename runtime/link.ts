/** Stacks without a hub: each connection is a socket of its own to the application. */
import { ClosedError } from "./error.js";
import { Hub, type Pipe } from "./hub.js";
import type { Context, Layer } from "./layer.js";
import type { Message } from "./message.js";
import {
  type CloseOptions,
  type Endpoint,
  Exchanger,
  type ListenOptions,
  type Socket,
  type SocketEvents,
} from "./port.js";
import { Running, type Schemes, type Settled } from "./socket.js";
import type { AnyLayer } from "./stack.js";

/** One connection: messages both ways. It is not connected again; when it is lost, the link closes. */
export type Link = Omit<Exchanger, "dial" | "listen">;

export interface LinkListener extends Endpoint, AsyncIterable<Link> {
  /**
   * Hears of connections here: `refused` says who was sent away, and why; `attached` and `detached` who
   * came and went. Answers how to hear no more.
   */
  on<K extends keyof SocketEvents>(name: K, hear: (e: SocketEvents[K]) => void): () => void;
}

/** Accepted links that wait to be taken: each holds what it received, even when its peer has gone. */
const WAITING = 256;

/** A hub of one connection. */
class Single extends Hub {
  constructor(
    context: Context,
    readonly unwanted: () => string | undefined,
    readonly opened: () => void,
    readonly lost: (error?: Error) => void,
  ) {
    super(context, undefined, true);
  }

  override refuses(): string | undefined {
    return this.pipes.length > 0 ? "a link is one connection" : this.unwanted();
  }

  override attach(pipe: Pipe): Error | undefined {
    const refusal = super.attach(pipe);
    if (refusal === undefined) this.opened();
    return refusal;
  }

  override detach(pipe: Pipe, error: Error | undefined): void {
    super.detach(pipe, error);
    this.lost(error);
  }

  override missed(): void {
    // A second one, if the first is there.
    if (this.pipes.length === 0) this.lost();
  }

  override down(m: Message): void {
    const pipe = this.turn();
    if (pipe === undefined) this.context.stats.drop("link: closed");
    else pipe.down(m);
  }
}

/** What a stack without a hub opens as. */
export class Links {
  readonly #all = new Set<Running>();
  #closed: Promise<void> | undefined;

  constructor(
    readonly layers: readonly AnyLayer[],
    readonly schemes: Schemes,
    readonly options: Settled,
  ) {}

  /** Connects, once: resolves when every layer is open, or rejects with what prevented it. */
  async dial(url: string, options?: ListenOptions): Promise<Link> {
    const one = this.#run(
      () => {},
      () => undefined,
    );
    try {
      await one.dial(url, options, false).ready;
    } catch (error) {
      await one.close();
      throw error;
    }
    return one.port as Exchanger;
  }

  /** Accepts connections at `url`; resolves when bound. `for await` yields them. */
  async listen(url: string, options?: ListenOptions): Promise<LinkListener> {
    const arrived = new Arrivals();
    // Each connection belongs to a hub of its own from its first octet on.
    const each = () => {
      const one: Running = this.#run(
        () => arrived.put(one.port as Exchanger),
        () => arrived.full,
      );
      return one.hub;
    };
    const door = this.#run(
      () => {},
      () => undefined,
      each,
    );
    const endpoint = await door.listen(url, options);
    arrived.url = endpoint.url;
    arrived.on = (name, hear) => door.on(name, hear);
    arrived.close = async () => {
      arrived.end();
      await endpoint.close();
    };
    return arrived;
  }

  /** Closes all links and listeners, each as its own `close` does. */
  async close(options?: CloseOptions): Promise<void> {
    const all = [...this.#all].map((one) => one.close(options));
    this.#closed ??= Promise.all(all).then(() => {});
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #run(opened: () => void, unwanted: () => string | undefined, hubOf?: () => Hub): Running {
    if (this.#closed !== undefined) throw new ClosedError("the socket is closed");
    const lost = (error?: Error) => {
      this.#all.delete(one);
      one.close({}, { error });
    };
    const single: Layer<"link", "raw", "link"> = {
      name: "link",
      below: "link",
      above: "raw",
      hub: true,
      port: (s: Socket) => new Exchanger(s),
      make: (context) => new Single(context, unwanted, opened, lost),
    };
    const one: Running = new Running([single, ...this.layers], this.schemes, this.options, hubOf);
    this.#all.add(one);
    return one;
  }
}

/** Links that were accepted and wait to be taken. */
class Arrivals implements LinkListener {
  url = "";
  on: LinkListener["on"] = () => () => {};
  close: () => Promise<void> = async () => {};
  readonly #waiting: Link[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  /** Why no more may come, if none may. */
  get full(): string | undefined {
    if (this.#waiting.length < WAITING) return undefined;
    return `${WAITING} links wait for the application to take them`;
  }

  put(link: Link): void {
    this.#waiting.push(link);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Link, void> {
    for (;;) {
      const link = this.#waiting.shift();
      if (link !== undefined) yield link;
      else if (this.#ended) return;
      else await new Promise<void>((wake) => (this.#wake = wake));
    }
  }
}

declare module "./layer.js" {
  interface Ports {
    link: Links;
  }
}
