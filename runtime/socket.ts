/**
 * A stack that runs: connections below the hub, one port above it. An address completes the stack
 * from a row of the scheme table.
 */
import { Block } from "./block.js";
import { Accepting, Connecting, type End, type Home, reconnectOf, type Terms } from "./endpoint.js";
import { after, type Env, type Timer } from "./env.js";
import { ClosedError, StackError, type WirestackError } from "./error.js";
import { Guard } from "./guard.js";
import { type Hub, Pipe, type PipeOwner, type Priority } from "./hub.js";
import { framingOf, type Identity, identityOf } from "./identity.js";
import {
  CLOSE,
  type Context,
  type Down,
  type Element,
  END,
  type Limits,
  type PipeContext,
  roomOf,
  STOP,
  type Transport,
  type Up,
} from "./layer.js";
import { type Message, type Room, Slab } from "./message.js";
import { alikeOf } from "./multicast.js";
import { count, type Names, named, time } from "./option.js";
import { lends, made, pile, put } from "./pile.js";
import type {
  CloseOptions,
  Dialer,
  DialOptions,
  Listener,
  ListenOptions,
  Reconnect,
  Socket,
  SocketEvents,
} from "./port.js";
import { type AnyLayer, check, joint, lines, own } from "./stack.js";
import { Stats } from "./stats.js";

export interface SocketOptions {
  /** Longest message from a peer, in octets with its protocol header. 0: no limit. Default: 1 MiB. */
  readonly recvMax?: number;
  /** Messages that wait for the application before peers are made to wait. Default: 1024. */
  readonly recvBuffer?: number;
  /** The same in octets. Default: 2 MiB. */
  readonly recvBufferOctets?: number;
  /**
   * Messages held while there is no connection, by who waits (PUSH, REQ, PAIR). Then, with 0 at once,
   * `send` waits for one and `trySend` answers false. Default: 128.
   */
  readonly sendBuffer?: number;
  /** Milliseconds for a `send` that does not say its own. Default: Infinity. */
  readonly sendTimeout?: number;
  /** Milliseconds for a `receive` or `request` that does not say its own. Default: Infinity. */
  readonly receiveTimeout?: number;
  readonly reconnect?: Reconnect;
  /** Milliseconds for a connection to open, all its layers together; or Infinity. Default: 10,000. */
  readonly openTimeout?: number;
  /** Milliseconds that `close` waits for what was handed off, if it does not say its own. Default: 1,000. */
  readonly linger?: number;
  /**
   * `contiguous` makes every connection copy each message into one piece; `scatter` refuses a stack
   * in which a layer insists on that. Default: as the layers need.
   */
  readonly mode?: "contiguous" | "scatter";
  /**
   * There is no device between the ends, so layers above the protocol are compared when connecting, too.
   */
  readonly direct?: boolean;
  /** Tells by `error` who writes to a body after it was sent. Slow: for debugging. */
  readonly guard?: boolean;
  /** Closes the socket when it is raised. */
  readonly signal?: AbortSignal;
  /** The world; another one in tests. */
  readonly env?: Env;
}

/** In a world that is known. */
export type Settled = SocketOptions & { readonly env: Env };

/** Their names, for who calls without types. */
const OPTIONS: Names<SocketOptions> = {
  recvMax: true,
  recvBuffer: true,
  recvBufferOctets: true,
  sendBuffer: true,
  sendTimeout: true,
  receiveTimeout: true,
  reconnect: true,
  openTimeout: true,
  linger: true,
  mode: true,
  direct: true,
  guard: true,
  signal: true,
  env: true,
};

const EVENTS: Names<SocketEvents> = {
  attached: true,
  detached: true,
  refused: true,
  rejected: true,
  error: true,
};

/** A row of the scheme table: makers of layers, the uppermost first. */
export type Row = readonly ((options?: never) => AnyLayer)[];
export type Schemes = Readonly<Record<`${string}://`, Row>>;

/** A stack with a hub, and its connections. */
export class Running implements Socket, Home {
  readonly context: Context;
  readonly below: Down;
  readonly contiguous: boolean;
  readonly recvBuffer: number;
  readonly recvBufferOctets: number;
  readonly sendTimeout: number;
  readonly receiveTimeout: number;
  readonly port: object;
  readonly guard: Guard | undefined;
  room: Room;

  readonly env: Env;
  readonly #schemes: Schemes;
  readonly #options: Settled;
  readonly #reconnect: Required<Reconnect>;
  readonly #linger: number;
  readonly #layers: readonly AnyLayer[];
  /** Above the hub, and below it. */
  readonly #upper: readonly AnyLayer[];
  readonly #lower: readonly AnyLayer[];
  readonly hub: Hub;
  readonly #top: Element;
  readonly #endpoints = new Set<End>();
  readonly #ears = new Map<string, Set<(e: never) => void>>();
  #leave: ((error: ClosedError, drain: boolean) => void) | undefined;
  #closing: Promise<void> | undefined;
  /** While it closes: gives up what was handed off and is not yet written, and when. */
  #finish: (() => void) | undefined;
  #lingering: Timer | undefined;
  #endless = false;

  constructor(
    /** One of them is a hub. */
    layers: readonly AnyLayer[],
    schemes: Schemes,
    options: Settled,
    /** The hub that a new connection belongs to: this socket's, unless each has its own. */
    readonly hubOf: () => Hub = () => this.hub,
  ) {
    named("open", options, OPTIONS);
    this.#layers = layers;
    this.#schemes = schemes;
    this.#options = options;
    this.env = options.env;
    this.recvBuffer = count("recvBuffer", options.recvBuffer ?? 1024, 1);
    this.recvBufferOctets = count("recvBufferOctets", options.recvBufferOctets ?? 2 ** 21, 1);
    this.sendTimeout = time("sendTimeout", options.sendTimeout ?? Infinity, 0);
    this.receiveTimeout = time("receiveTimeout", options.receiveTimeout ?? Infinity, 0);
    this.#reconnect = reconnectOf(options.reconnect);
    this.#linger = time("linger", options.linger ?? 1000, 0);
    const at = layers.findIndex((l) => l.hub);
    const hub = layers[at] as AnyLayer;
    const { protocol } = hub;
    const cooked = layers.find((l) => l.raw);
    const half = cooked?.raw?.();
    // Both are raw, so the joint fits; but they would wait for what never comes.
    if (half && half.protocol?.type !== protocol?.type) {
      throw new StackError(joint({ ...cooked, below: half.name } as AnyLayer, hub.name as never));
    }
    this.#upper = layers.slice(0, at);
    this.#lower = layers.slice(at + 1);
    const limits = limitsOf(options, { recvMax: 2 ** 20, sendBuffer: 128, openTimeout: 10_000 });
    const stats = new Stats();
    const slab = new Slab(stats);
    // Without a protocol whoever knows text is spoken to by the application itself.
    const text = layers.some((l) => l.text === (protocol === undefined ? "known" : "wanted"));
    const told = new Set<string>();
    const reject = ({ pipe }: Message, error: WirestackError) => {
      if (told.has(error.message)) return;
      told.add(error.message);
      this.tell("rejected", { pipe: (pipe as Pipe | undefined)?.info, error });
    };
    const place = { layers, at };
    this.context = { env: this.env, stats, slab, limits, protocol, text, reject, place };
    this.#modeOf(this.#lower);
    this.contiguous = this.#upper.some((l) => l.contiguous);
    this.room = roomOf(layers);
    this.guard = options.guard ? new Guard(this.env, (error) => this.threw(error)) : undefined;

    this.hub = made(hub, this.context) as Hub;
    let top: Element = this.hub;
    for (const [at, layer] of [...this.#upper.entries()].reverse()) {
      top = put(made(layer, { ...this.context, place: { layers, at } }), top);
    }
    this.#top = top;
    this.below = top;
    const { port } = layers.find((l) => l.above.same === undefined) as AnyLayer;
    if (port === undefined)
      throw new StackError(`'${layers[0]?.name}' shows no face to an application`);
    this.port = port(this as never);
    if (this.hub.waits) this.hub.event(STOP);
    if (options.signal?.aborted) this.close();
    options.signal?.addEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => void this.close();

  join(up: Up, closed: (error: ClosedError, drain: boolean) => void): void {
    this.#top.above = up;
    this.#leave = closed;
  }

  // --- addresses ---

  /** What an address and its options come to, on that side, and the part of it that is the transport's. */
  #terms(
    side: "dial" | "listen",
    url: string,
    { priority, accept, recvMax, openTimeout, ...of }: ListenOptions,
  ): Terms & { readonly rest: string } {
    ranked(priority);
    const limits = limitsOf({ recvMax, openTimeout }, this.context.limits);
    if (accept !== undefined && typeof accept !== "function") {
      throw new TypeError(`accept is a function of a peer's facts; not ${accept}`);
    }
    const { layers, rest } = this.#way(side, url, of as Readonly<Record<string, object>>);
    for (const layer of layers) layer.check?.(side, this.env);
    this.#textOf(this.#whole(layers), url);
    return { layers: folded(layers), rest, limits, priority, accept };
  }

  /** All layers of a connection, of which these are below the hub. */
  #whole(layers: readonly AnyLayer[]): readonly AnyLayer[] {
    return [...this.#layers.slice(0, this.#upper.length + 1), ...layers];
  }

  /** The layers below the hub, for an address, and the part of it that is the transport's. */
  #way(
    side: "dial" | "listen",
    url: string,
    options: Readonly<Record<string, object>>,
  ): { layers: readonly AnyLayer[]; rest: string } {
    if (typeof url !== "string") {
      throw new TypeError(`an address is a string; not ${typeof url}`);
    }
    const scheme = Object.keys(this.#schemes).find((s) => url.startsWith(s)) as
      | `${string}://`
      | undefined;
    if (scheme === undefined) {
      const known = Object.keys(this.#schemes).join(" ");
      throw new StackError(`'${url}' begins with no known scheme; known are ${known}`);
    }
    const row = (this.#schemes[scheme] as Row).map((make) => {
      // By the layer's name, not the function's: that one a minifier changes.
      const plain = make();
      const given = options[plain.name];
      return given === undefined ? plain : make(...([given] as unknown as []));
    });
    // Looking through layers that stand on whatever they show.
    const lowest = this.#layers.findLast(own) as AnyLayer;
    const rest = url.slice(scheme.length);
    for (const name of Object.keys(options)) {
      if (row.some((l) => l.name === name)) continue;
      const neither = `and ${side} no option of that name`;
      throw new StackError(`${scheme} has no layer '${name}' to give options to, ${neither}`);
    }
    const cut = row.findIndex((l) => l.above === lowest.below);
    const left = lowest.transport === undefined ? row.slice(0, Math.max(0, cut)) : row;
    const lost = left.find((l) => l.name in options);
    if (lost !== undefined) {
      throw new StackError(
        `the stack ends in '${lowest.name}', so ${scheme} brings no '${lost.name}': give its options in the stack`,
      );
    }
    if (lowest.transport !== undefined) {
      const reaches = lowest.transport.schemes?.includes(scheme);
      if (reaches || lowest.name === row.at(-1)?.name) return { layers: this.#lower, rest };
      throw new StackError(`the stack ends in '${lowest.name}', which cannot reach ${url}`);
    }
    if (cut < 0) throw new StackError(`${joint(lowest, row[0]?.above)}, at ${url}`);
    const layers = [...this.#lower, ...row.slice(cut)];
    // Who shows what it stands on, as a tap, may stand anywhere, and as often as is wanted.
    const twice = layers.find(
      (l, i) => l.above.same === undefined && layers.findIndex((k) => k.name === l.name) < i,
    );
    if (twice !== undefined) {
      throw new StackError(`'${twice.name}' would occur twice: in the stack, and by ${scheme}`);
    }
    check(this.#whole(layers));
    this.identityOf(layers);
    this.#modeOf(layers);
    const { head, tail } = roomOf(this.#whole(layers));
    this.room = { head: Math.max(this.room.head, head), tail: Math.max(this.room.tail, tail) };
    return { layers, rest };
  }

  /** Text is text on the wire if somebody below knows it, and nobody puts other octets before it. */
  #textOf(layers: readonly AnyLayer[], url: string): void {
    const from = layers.findIndex((l) => l.text === "wanted");
    if (from < 0) return;
    const to = layers.findIndex((l) => l.text === "known");
    const who = `'${(layers[from] as AnyLayer).name}' wants text to be known`;
    if (to < 0) throw new StackError(`${who}, and nobody knows it at ${url}`);
    const adds = layers.slice(0, to).find((l) => (l.headers ?? []).length > 0);
    if (adds === undefined) return;
    throw new StackError(`${who}, and '${adds.name}' adds octets to it that are none`);
  }

  #modeOf(layers: readonly AnyLayer[]): void {
    if (this.#options.mode !== "scatter") return;
    const insists = [...this.#upper, ...layers].find((l) => l.contiguous);
    if (insists !== undefined) {
      throw new StackError(`mode is scatter, but '${insists.name}' insists on octets in one piece`);
    }
  }

  /** `again`: connects again when the connection is lost, or was not to be had. */
  dial(url: string, options: DialOptions = {}, again = true): Dialer {
    this.#open();
    const { reconnect, ...others } = options;
    const waits = reconnect === undefined ? this.#reconnect : reconnectOf(reconnect);
    const { rest, ...terms } = this.#terms("dial", url, others);
    const dialer = new Connecting(this, url, terms, rest, waits, again);
    // An address that its transport cannot read throws: then there is nothing to keep.
    dialer.start();
    this.#endpoints.add(dialer);
    return dialer;
  }

  async listen(url: string, options: ListenOptions = {}): Promise<Listener> {
    this.#open();
    const { rest, ...terms } = this.#terms("listen", url, options);
    const listener = new Accepting(this, url, terms);
    this.#endpoints.add(listener);
    try {
      await listener.bind(rest);
    } catch (error) {
      this.#endpoints.delete(listener);
      throw error;
    }
    return listener;
  }

  #open(): void {
    if (this.#closing !== undefined) throw new ClosedError("the socket is closed");
  }

  forget(endpoint: End): void {
    this.#endpoints.delete(endpoint);
    this.#finishIfNobody();
  }

  // --- connections ---

  pipeContext(
    side: "dial" | "listen",
    layers: readonly AnyLayer[],
    limits: Limits,
    url: string,
  ): PipeContext {
    const lend = lends(layers, layers.length - 1, false);
    const scheme = url.slice(0, url.indexOf("://") + 3);
    const longest = layers.find((l) => l.longest !== undefined)?.longest;
    const all = this.#whole(layers);
    return {
      ...this.context,
      limits: longest === undefined ? limits : { ...limits, recvMax: longest },
      side,
      scheme,
      block: new Block(this.context.stats),
      lend,
      identity: this.identityOf(layers),
      room: NO_ROOM,
      place: { layers: all, at: all.length - 1 },
    };
  }

  /** Which layers the peer must have, too: between hub and framing, and with `direct` above the hub. */
  identityOf(layers: readonly AnyLayer[]): Identity {
    // A cooked protocol is known by its raw one's number.
    const direct = this.#options.direct ? this.#upper.filter((l) => l.raw === undefined) : [];
    return identityOf([...direct, ...layers.slice(0, framingOf(layers))]);
  }

  /** Puts the layers of a connection on its transport's element. */
  raise(
    transport: Element,
    layers: readonly AnyLayer[],
    context: PipeContext,
    owner: PipeOwner,
    limits: Limits,
  ): Pipe {
    const always = this.#options.mode === "contiguous";
    const highest = always ? 0 : layers.findIndex((l) => l.contiguous);
    const top = pile(transport, layers, context, highest, false, limits);
    const alike = highest < 0 ? alikeOf(top, layers, context) : undefined;
    return put(new Pipe(this.hubOf(), owner, alike), top);
  }

  // --- the end ---

  /** `lost`: of a connection that is a socket by itself; what was received may still be taken. */
  close(
    { linger }: CloseOptions = {},
    lost?: { readonly error: Error | undefined },
  ): Promise<void> {
    if (linger !== undefined) time("linger", linger, 0);
    if (this.#closing === undefined) this.#closing = this.#close(linger ?? this.#linger, lost);
    else if (linger !== undefined) this.#wait(linger);
    return this.#closing;
  }

  #close(linger: number, lost?: { readonly error: Error | undefined }): Promise<void> {
    this.#options.signal?.removeEventListener("abort", this.#abort);
    const cause = lost?.error;
    const closed =
      cause === undefined
        ? new ClosedError("the socket is closed")
        : new ClosedError(`the connection is lost: ${cause.message}`, { cause });
    this.#leave?.(closed, lost !== undefined);
    return new Promise((done) => {
      const finish = () => {
        if (this.#finish === undefined) return;
        this.#finish = undefined;
        this.#lingering?.cancel();
        this.below.control(CLOSE);
        for (const e of this.#endpoints) e.drop();
        done(Promise.all([...this.#endpoints].map((e) => e.close())).then(() => {}));
      };
      this.#top.above = {
        up() {},
        event(e) {
          if (e.type === "ended") finish();
        },
      };
      for (const e of this.#endpoints) e.last();
      this.#finish = finish;
      this.#top.control(END);
      this.#wait(linger);
    });
  }

  #wait(linger: number): void {
    const finish = this.#finish;
    if (finish === undefined) return;
    this.#lingering?.cancel();
    this.#lingering = after(this.env, linger, finish);
    this.#endless = linger === Infinity;
    this.#finishIfNobody();
  }

  /** Without a limit there is one: that nobody is left to write to, and nobody will come. */
  #finishIfNobody(): void {
    if (this.#endless && this.#endpoints.size + this.hub.pipes.length === 0) this.#finish?.();
  }

  get closing(): boolean {
    return this.#closing !== undefined;
  }

  // --- events ---

  on<K extends keyof SocketEvents>(name: K, hear: (e: SocketEvents[K]) => void): () => void {
    if (!Object.hasOwn(EVENTS, name)) {
      throw new TypeError(`no event '${name}'; there are ${Object.keys(EVENTS).join(", ")}`);
    }
    const ears = this.#ears.get(name) ?? new Set();
    this.#ears.set(name, ears);
    ears.add(hear as never);
    return () => void ears.delete(hear as never);
  }

  tell<K extends keyof SocketEvents>(name: K, e: SocketEvents[K]): void {
    const ears = this.#ears.get(name) as Set<(e: SocketEvents[K]) => void> | undefined;
    for (const hear of ears ?? []) {
      try {
        hear(e);
      } catch (error) {
        if (name === "error") this.env.report(error);
        else this.threw(error);
      }
    }
  }

  threw(error: unknown): void {
    if ((this.#ears.get("error")?.size ?? 0) > 0) this.tell("error", { error });
    else this.env.report(error);
  }

  toString(): string {
    const { mode } = this.#options;
    const asked = mode === "contiguous" ? "contiguous, as asked" : undefined;
    return [...lines(this.#layers, this.room, asked), ...this.#endpoints].join("\n");
  }
}

const NO_ROOM: Room = { head: 0, tail: 0 };

/** A layer that is `over` others, and those, become one: a transport. */
function folded(layers: readonly AnyLayer[]): readonly AnyLayer[] {
  const at = layers.findIndex((l) => l.over !== undefined);
  if (at < 0) return layers;
  const layer = layers[at] as AnyLayer;
  const below = layers.slice(at + 1);
  const name = below.map((l) => l.name).join(" ");
  const transport = layer.over?.(below, name) as Transport;
  return [...layers.slice(0, at), { ...layer, name: `${layer.name} ${name}`, transport }];
}

/** These limits, and of what is not given, those. */
function limitsOf(
  given: { readonly [Name in keyof Limits]?: number | undefined },
  others: Limits,
): Limits {
  const { recvMax, sendBuffer, openTimeout } = given;
  return {
    recvMax: count("recvMax", recvMax ?? others.recvMax, 0),
    sendBuffer: count("sendBuffer", sendBuffer ?? others.sendBuffer, 0),
    openTimeout: time("openTimeout", openTimeout ?? others.openTimeout, 1),
  };
}

function ranked({ send = 1, receive = 1 }: Priority = {}): void {
  for (const [name, n] of Object.entries({ send, receive })) {
    if (Number.isInteger(n) && n >= 1 && n <= 16) continue;
    throw new RangeError(`priority.${name} is a whole number from 1 to 16; not ${n}`);
  }
}
