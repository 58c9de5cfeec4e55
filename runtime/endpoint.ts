/**
 * Dialers and listeners: how connections of a socket come about, and what becomes of them.
 *
 * Each opens layer by layer, within one deadline for all of them, and takes part when its topmost
 * layer is open.
 */
import { after, chance, type Env, LONGEST, type Timer } from "./env.js";
import { CancelledError, ClosedError, PeerError, TimeoutError, WireError } from "./error.js";
import type { Pipe, PipeInfo, PipeOwner, Priority } from "./hub.js";
import type { Context, Element, Facts, Layer, Limits, PipeContext, Transport } from "./layer.js";
import { named, time } from "./option.js";
import type { Dialer, Listener, ListenOptions, Reconnect, SocketEvents } from "./port.js";

/** Connections of a listener that may be opening at a time; the oldest has to go. */
const OPENING = 256;

/**
 * What a dialer waits at most before it tries again, in `reconnect.min` (or 1 ms): at first, and when it lost a
 * connection. The second is so long because all who lost the same server lost it at the same moment:
 * by default no 100 ms see more than 5 % of them.
 */
const EAGER = 3;
const SPREAD = 40;

/** What an endpoint has of its socket. */
export interface Home {
  readonly env: Env;
  readonly context: Context;
  readonly closing: boolean;
  pipeContext(
    side: "dial" | "listen",
    layers: readonly Layer[],
    limits: Limits,
    url: string,
  ): PipeContext;
  /** Puts the layers of a connection on its transport's element. */
  raise(
    element: Element,
    layers: readonly Layer[],
    context: PipeContext,
    owner: PipeOwner,
    limits: Limits,
  ): Pipe;
  tell<K extends keyof SocketEvents>(name: K, e: SocketEvents[K]): void;
  /** A handler threw. */
  threw(error: unknown): void;
  /** This endpoint has no connection any more, and will have none. */
  forget(endpoint: End): void;
}

/** What `reconnect` comes to; throws RangeError. */
export function reconnectOf(given: Reconnect = {}): Required<Reconnect> {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`reconnect is { min, max }, in milliseconds; not ${given}`);
  }
  const { min = 100, max = 10_000 } = named("reconnect", given, { min: true, max: true });
  time("reconnect.min", min, 0, LONGEST);
  // Both 0 would mean to try without a pause.
  return { min, max: Math.max(min, time("reconnect.max", max, min > 0 ? 0 : 1)) };
}

/** What is agreed on for the connections of an address. */
export interface Terms {
  readonly layers: readonly Layer[];
  readonly limits: Limits;
  readonly priority: Priority | undefined;
  readonly accept: ListenOptions["accept"];
}

/** Where connections of a socket come from. */
export abstract class End implements PipeOwner {
  /** Connections that are opening, and the deadline of each. */
  readonly opening = new Map<Pipe, Timer>();
  /** Connections that take part. */
  readonly pipes = new Set<Pipe>();
  /** There will be no new ones. */
  over = false;

  constructor(
    readonly socket: Home,
    public url: string,
    readonly terms: Terms,
  ) {}

  get priority(): Priority | undefined {
    return this.terms.priority;
  }

  refuses(facts: Facts): string | undefined {
    const { accept } = this.terms;
    if (accept === undefined) return undefined;
    let said: unknown;
    try {
      said = accept(facts);
    } catch (error) {
      this.socket.threw(error);
    }
    if (said === true) return undefined;
    return typeof said === "string" ? said : "the application does not accept this peer";
  }

  get transport(): Transport {
    return this.terms.layers.at(-1)?.transport as Transport;
  }

  /** Follows a connection, which there is `since` then, until it takes part, or comes to nothing. */
  follow(element: Element, context: PipeContext, since = context.env.now()): Pipe {
    const { layers, limits } = this.terms;
    const pipe = this.socket.raise(element, layers, context, this, limits);
    const { openTimeout } = limits;
    const late = () =>
      pipe.close(new TimeoutError(`${this.url}: not open within ${openTimeout} ms`));
    const { env } = this.socket;
    const left = Math.max(0, since + openTimeout - env.now());
    this.opening.set(pipe, after(env, left, late, true));
    return pipe;
  }

  attached(pipe: Pipe): void {
    this.#settle(pipe);
    this.pipes.add(pipe);
    const { stats } = this.socket.context;
    stats.attached++;
    stats.refusal = "";
    this.socket.tell("attached", { pipe: pipe.info, url: this.url });
  }

  closed(pipe: Pipe, error: Error | undefined): void {
    this.#settle(pipe);
    const { stats } = this.socket.context;
    if (error instanceof WireError) stats.breach(error.rule);
    const took = this.pipes.delete(pipe);
    this.forgetIfOver();
    if (took) {
      stats.detached++;
      this.socket.tell("detached", { pipe: pipe.info, url: this.url, error });
      return;
    }
    if (this.socket.closing) return;
    stats.refused++;
    const why = error ?? new PeerError("the peer closed before it was open");
    stats.refusal = why.message;
    this.socket.tell("refused", { facts: pipe.facts, url: this.url, error: why });
  }

  #settle(pipe: Pipe): void {
    this.opening.get(pipe)?.cancel();
    this.opening.delete(pipe);
  }

  /** Lets the oldest go of those that are opening; it counts no more, though it closes later. */
  protected evict(): void {
    const [oldest] = this.opening.keys();
    if (oldest === undefined) return;
    this.#settle(oldest);
    const why = `more than ${OPENING} connections are opening, and this is the oldest`;
    oldest.close(new PeerError(why));
  }

  /** Drops every connection. */
  drop(): void {
    for (const pipe of [...this.opening.keys(), ...this.pipes]) pipe.close();
  }

  /** The socket is closing: what is lost now stays lost. */
  last(): void {}

  /** No new connections. */
  async close(): Promise<void> {
    this.over = true;
    await this.stop();
    this.forgetIfOver();
  }

  /** Nothing of it is left, so there is nothing to drop when the socket closes. */
  protected forgetIfOver(): void {
    if (this.over && this.pipes.size + this.opening.size === 0) this.socket.forget(this);
  }

  protected abstract stop(): Promise<void>;

  toString(): string {
    const below = this.terms.layers.map((l) => l.name).join(" ");
    const n = this.pipes.size;
    return `${this.verb} ${this.url} (${below}): ${n} connection${n === 1 ? "" : "s"}`;
  }
  abstract readonly verb: string;
}

/** Connects, and again. */
export class Connecting extends End implements Dialer {
  readonly verb = "dial";
  readonly ready: Promise<PipeInfo>;
  #resolve!: (pipe: PipeInfo) => void;
  #reject!: (error: Error) => void;
  #timer: Timer | undefined;
  readonly #min: number;
  readonly #max: number;
  /** What waits grow from: by doubling, so not from 0. */
  readonly #unit: number;
  /** The longest that it may have to wait next. */
  #most: number;

  constructor(
    socket: Home,
    url: string,
    terms: Terms,
    readonly rest: string,
    reconnect: Required<Reconnect>,
    /** Whether to try again. */
    readonly again = true,
  ) {
    super(socket, url, terms);
    this.#min = reconnect.min;
    this.#max = reconnect.max;
    this.#unit = Math.max(1, reconnect.min);
    this.#most = EAGER * this.#unit;
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Who does not wait for it need not handle it.
    this.ready.catch(() => {});
  }

  start(): void {
    const { layers, limits } = this.terms;
    const context = this.socket.pipeContext("dial", layers, limits, this.url);
    this.follow(this.transport.dial(this.rest, context, this.url), context);
  }

  override attached(pipe: Pipe): void {
    this.#most = SPREAD * this.#unit;
    super.attached(pipe);
    this.#resolve(pipe.info);
  }

  override closed(pipe: Pipe, error: Error | undefined): void {
    super.closed(pipe, error);
    if (this.over) return;
    if (!this.again || this.transport.once) {
      this.over = true;
      this.#reject(error ?? new ClosedError(`${this.url}: the peer closed before it was open`));
      return this.socket.forget(this);
    }
    // Full jitter: those who lost the same server do not come back together.
    const most = Math.min(this.#max, this.#most);
    this.#most = 2 * most;
    const delay = this.#min + chance(this.socket.env) * (most - this.#min);
    this.#timer = after(this.socket.env, delay, () => this.start());
  }

  override last(): void {
    this.over = true;
    this.#timer?.cancel();
    this.#reject(new CancelledError(`${this.url}: closed before it was connected`));
    this.forgetIfOver();
  }

  protected override async stop(): Promise<void> {
    this.last();
    for (const pipe of this.opening.keys()) pipe.close();
  }
}

/** Accepts connections. */
export class Accepting extends End implements Listener {
  readonly verb = "listen";
  #close: (() => Promise<void>) | undefined;

  async bind(rest: string): Promise<void> {
    const { transport, socket, terms } = this;
    const each = () => socket.pipeContext("listen", terms.layers, terms.limits, this.url);
    const bound = await transport.listen(rest, each(), (run, since) => {
      const context = each();
      const element = run(context);
      if (this.opening.size >= OPENING) this.evict();
      this.follow(element, context, since);
      return element;
    });
    this.url = this.url.slice(0, this.url.length - rest.length) + bound.rest;
    this.#close = () => bound.close();
    if (socket.closing) await bound.close();
  }

  protected override async stop(): Promise<void> {
    await this.#close?.();
  }
}
