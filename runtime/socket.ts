/**
 * A stack that runs: connections below the hub, one port above it.
 *
 * An address completes the stack from a row of the scheme table. Each connection opens layer by
 * layer, within one deadline for all of them, and takes part when its topmost layer is open.
 */
import { Block } from "./block.js";
import { chance, type Env, type Timer } from "./env.js";
import {
  CancelledError,
  ClosedError,
  PeerError,
  StackError,
  TimeoutError,
  WireError,
} from "./error.js";
import { type Hub, Pipe, type PipeOwner } from "./hub.js";
import {
  type Context,
  type Down,
  Element,
  END,
  type Face,
  type Limits,
  type PipeContext,
  type Ports,
  roomOf,
  STOP,
  type Transport,
  type Up,
} from "./layer.js";
import { type Message, type Room, Slab } from "./message.js";
import { node } from "./node.js";
import type { Dialer, Listener, PipeInfo, RowOptions, Socket, SocketEvents } from "./port.js";
import { type AnyLayer, check, joint, lines, type Stack } from "./stack.js";
import { Stats } from "./stats.js";

/** Connections of a listener that may be opening at a time; the oldest has to go. */
const OPENING = 256;

/**
 * What a dialer waits at most before it tries again, in `reconnect.min`: at first, and when it lost a
 * connection. The second is so long because all who lost the same server lost it at the same moment:
 * by default no 100 ms see more than 5 % of them.
 */
const EAGER = 3;
const SPREAD = 40;

export interface SocketOptions {
  /** Longest message from a peer, in octets with its protocol header. 0: no limit. Default: 1 MiB. */
  readonly recvMax?: number;
  /** Messages that wait for the application before peers are made to wait. Default: 1024. */
  readonly recvBuffer?: number;
  /** The same in octets. Default: 2 MiB. */
  readonly recvBufferOctets?: number;
  /** Messages held while there is no connection. Default: 128. */
  readonly sendBuffer?: number;
  /** Milliseconds between attempts to connect: from `min`, more each time, up to `max`, jittered. */
  readonly reconnect?: { readonly min?: number; readonly max?: number };
  /** Milliseconds for a connection to open, all its layers together. Default: 10,000. */
  readonly openTimeout?: number;
  /** Milliseconds that `close` waits for what was handed off. Default: 1,000. */
  readonly linger?: number;
  /**
   * `contiguous` makes every connection copy each message into one piece; `scatter` refuses a stack
   * in which a layer insists on that. Default: as the layers need.
   */
  readonly mode?: "contiguous" | "scatter";
  /** The world; another one in tests. */
  readonly env?: Env;
}

/** A row of the scheme table: makers of layers, the uppermost first. */
export type Row = readonly ((options?: never) => AnyLayer)[];
export type Schemes = Readonly<Record<`${string}://`, Row>>;

/** What `open` takes: a stack, or its upper end. */
export type Opening<T extends Face> = Stack<T> | { readonly above: T; readonly name: string };

/** Makes `open` for a table of schemes. */
export function opener(
  schemes: Schemes,
): <T extends keyof Ports>(stack: Opening<T>, options?: SocketOptions) => Ports[T] {
  return (given, options = {}) => {
    const layers = "layers" in given ? given.layers : [given as AnyLayer];
    return new Running(complete(layers), schemes, options).port as never;
  };
}

/** A list that ends in a cooked protocol stands on its raw one. */
function complete(layers: readonly AnyLayer[]): readonly AnyLayer[] {
  const raw = layers.at(-1)?.raw;
  const whole = raw === undefined ? layers : [...layers, raw()];
  return check(whole).layers;
}

class Running implements Socket, PipeOwner {
  readonly context: Context;
  readonly below: Down;
  readonly contiguous: boolean;
  readonly recvBuffer: number;
  readonly recvBufferOctets: number;
  readonly port: object;
  room: Room;

  readonly env: Env;
  readonly #schemes: Schemes;
  readonly #options: SocketOptions;
  readonly #layers: readonly AnyLayer[];
  /** Above the hub, and below it. */
  readonly #upper: readonly AnyLayer[];
  readonly #lower: readonly AnyLayer[];
  readonly #hub: Hub;
  readonly #top: Element;
  readonly #endpoints = new Set<End>();
  readonly #ears = new Map<string, Set<(e: never) => void>>();
  #leave: ((error: ClosedError) => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(layers: readonly AnyLayer[], schemes: Schemes, options: SocketOptions) {
    this.#layers = layers;
    this.#schemes = schemes;
    this.#options = options;
    this.env = options.env ?? node;
    this.recvBuffer = count("recvBuffer", options.recvBuffer ?? 1024, 1);
    this.recvBufferOctets = count("recvBufferOctets", options.recvBufferOctets ?? 2 ** 21, 1);
    const at = layers.findIndex((l) => l.protocol !== undefined);
    if (at < 0) throw new StackError(`no layer of ${names(layers)} makes many connections one`);
    const hub = layers[at] as AnyLayer;
    this.#upper = layers.slice(0, at);
    this.#lower = layers.slice(at + 1);
    const limits: Limits = {
      recvMax: count("recvMax", options.recvMax ?? 2 ** 20, 0),
      sendBuffer: count("sendBuffer", options.sendBuffer ?? 128, 1),
    };
    const stats = new Stats();
    const slab = new Slab(stats);
    this.context = { env: this.env, stats, slab, limits, protocol: hub.protocol };
    this.#modeOf(this.#lower);
    this.contiguous = this.#upper.some((l) => l.contiguous);
    this.room = roomOf(layers);

    this.#hub = made(hub, this.context) as Hub;
    let top: Element = this.#hub;
    for (const layer of [...this.#upper].reverse()) top = put(made(layer, this.context), top);
    this.#top = top;
    this.below = top;
    const { port } = layers.find((l) => l.above.same === undefined) as AnyLayer;
    if (port === undefined)
      throw new StackError(`'${layers[0]?.name}' shows no face to an application`);
    this.port = port(this as never);
    if (this.#hub.waits) this.#hub.event(STOP);
  }

  join(up: Up, closed: (error: ClosedError) => void): void {
    this.#top.above = up;
    this.#leave = closed;
  }

  // --- addresses ---

  /** The layers below the hub, for an address, and the part of it that is the transport's. */
  #way(url: string, options: RowOptions): { layers: readonly AnyLayer[]; rest: string } {
    const scheme = Object.keys(this.#schemes).find((s) => url.startsWith(s)) as
      | `${string}://`
      | undefined;
    if (scheme === undefined) {
      const known = Object.keys(this.#schemes).join(" ");
      throw new StackError(`'${url}' begins with no known scheme; known are ${known}`);
    }
    const row = (this.#schemes[scheme] as Row).map((make) =>
      make(...([options[make.name]] as unknown as [])),
    );
    const used = new Set(row.map((l) => l.name));
    for (const name of Object.keys(options)) {
      if (!used.has(name))
        throw new StackError(`${scheme} has no layer '${name}' to give options to`);
    }
    const lowest = this.#layers.at(-1) as AnyLayer;
    const rest = url.slice(scheme.length);
    if (lowest.transport !== undefined) {
      if (lowest.name === row.at(-1)?.name) return { layers: this.#lower, rest };
      throw new StackError(`the stack ends in '${lowest.name}', which cannot reach ${url}`);
    }
    const cut = row.findIndex((l) => l.above === lowest.below);
    if (cut < 0) throw new StackError(`${joint(lowest, row[0]?.above)}, at ${url}`);
    const layers = [...this.#lower, ...row.slice(cut)];
    const twice = layers.find((l, i) => layers.findIndex((k) => k.name === l.name) < i);
    if (twice !== undefined) {
      throw new StackError(`'${twice.name}' would occur twice: in the stack, and by ${scheme}`);
    }
    check([...this.#layers.slice(0, this.#upper.length + 1), ...layers]);
    this.#modeOf(layers);
    const head = roomOf([...this.#upper, this.#layers[this.#upper.length] as AnyLayer, ...layers]);
    this.room = {
      head: Math.max(this.room.head, head.head),
      tail: Math.max(this.room.tail, head.tail),
    };
    return { layers, rest };
  }

  #modeOf(layers: readonly AnyLayer[]): void {
    if (this.#options.mode !== "scatter") return;
    const insists = [...this.#upper, ...layers].find((l) => l.contiguous);
    if (insists !== undefined) {
      throw new StackError(`mode is scatter, but '${insists.name}' insists on octets in one piece`);
    }
  }

  dial(url: string, options: RowOptions = {}): Dialer {
    this.#open();
    const { layers, rest } = this.#way(url, options);
    const dialer = new Connecting(this, url, layers, rest, this.#options);
    this.#endpoints.add(dialer);
    dialer.start();
    return dialer;
  }

  async listen(url: string, options: RowOptions = {}): Promise<Listener> {
    this.#open();
    const { layers, rest } = this.#way(url, options);
    const listener = new Accepting(this, url, layers);
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
  }

  // --- connections ---

  pipeContext(side: "dial" | "listen"): PipeContext {
    return { ...this.context, side, block: new Block(this.context.stats) };
  }

  /** Puts the layers of a connection on its transport's element. */
  raise(
    transport: Element,
    layers: readonly AnyLayer[],
    context: PipeContext,
    owner: PipeOwner,
  ): Pipe {
    const always = this.#options.mode === "contiguous";
    const highest = always ? 0 : layers.findIndex((l) => l.contiguous);
    let top = transport;
    for (let i = layers.length - 1; i >= 0; i--) {
      if (i < layers.length - 1) top = put(made(layers[i] as AnyLayer, context), top);
      if (i === highest) top = put(new Gather(context.block, roomOf(layers.slice(i))), top);
    }
    return put(new Pipe(this.#hub, owner), top);
  }

  attached(_pipe: Pipe): void {}
  closed(_pipe: Pipe, _error: Error | undefined): void {}

  get openTimeout(): number {
    return this.#options.openTimeout ?? 10_000;
  }

  // --- the end ---

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #close(): Promise<void> {
    this.#leave?.(new ClosedError("the socket is closed"));
    return new Promise((done) => {
      let over = false;
      const finish = () => {
        if (over) return;
        over = true;
        timer.cancel();
        for (const e of this.#endpoints) e.drop();
        done(Promise.all([...this.#endpoints].map((e) => e.close())).then(() => {}));
      };
      const timer = this.env.timer(this.#options.linger ?? 1000, finish);
      this.#top.above = {
        up() {},
        event(e) {
          if (e.type === "ended") finish();
        },
      };
      for (const e of this.#endpoints) e.last();
      this.#top.control(END);
    });
  }

  get closing(): boolean {
    return this.#closing !== undefined;
  }

  // --- events ---

  on<K extends keyof SocketEvents>(name: K, hear: (e: SocketEvents[K]) => void): () => void {
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
    const stack = lines(this.#layers);
    const { head, tail } = this.room;
    const insists = this.#layers.find((l) => l.contiguous);
    const how =
      mode === "contiguous"
        ? "contiguous, as asked"
        : insists === undefined
          ? "scatter"
          : `contiguous from '${insists.name}' down`;
    const ends = [...this.#endpoints].map((e) => e.toString());
    return [...stack, `room ${head} before, ${tail} behind; ${how}`, ...ends].join("\n");
  }
}

/** What a pipe of this socket came from. */
abstract class End implements PipeOwner {
  /** Connections that are opening, and the deadline of each. */
  readonly opening = new Map<Pipe, Timer>();
  /** Connections that take part. */
  readonly pipes = new Set<Pipe>();
  /** There will be no new ones. */
  over = false;

  constructor(
    readonly socket: Running,
    public url: string,
    readonly layers: readonly AnyLayer[],
  ) {}

  get transport(): Transport {
    return this.layers.at(-1)?.transport as Transport;
  }

  /** Follows a new connection until it takes part, or comes to nothing. */
  follow(element: Element, context: PipeContext): Pipe {
    const pipe = this.socket.raise(element, this.layers, context, this);
    const { openTimeout } = this.socket;
    const late = () =>
      pipe.close(new TimeoutError(`${this.url}: not open within ${openTimeout} ms`));
    this.opening.set(pipe, this.socket.env.timer(openTimeout, late, true));
    return pipe;
  }

  attached(pipe: Pipe): void {
    this.#settle(pipe);
    this.pipes.add(pipe);
    this.socket.context.stats.attached++;
    this.socket.tell("attached", { pipe: infoOf(pipe), url: this.url });
  }

  closed(pipe: Pipe, error: Error | undefined): void {
    this.#settle(pipe);
    const { stats } = this.socket.context;
    if (error instanceof WireError) stats.breach(error.rule);
    const took = this.pipes.delete(pipe);
    this.#forgetIfOver();
    if (took) {
      stats.detached++;
      this.socket.tell("detached", { pipe: infoOf(pipe), url: this.url, error });
      return;
    }
    if (this.socket.closing) return;
    stats.refused++;
    const why = error ?? new PeerError(`${this.url}: the peer closed before it was open`);
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
    this.#forgetIfOver();
  }

  /** Nothing of it is left, so there is nothing to drop when the socket closes. */
  #forgetIfOver(): void {
    if (this.over && this.pipes.size + this.opening.size === 0) this.socket.forget(this);
  }

  protected abstract stop(): Promise<void>;

  toString(): string {
    const below = this.layers.map((l) => l.name).join(" ");
    const n = this.pipes.size;
    return `${this.verb} ${this.url} (${below}): ${n} connection${n === 1 ? "" : "s"}`;
  }
  abstract readonly verb: string;
}

/** Connects, and again. */
class Connecting extends End implements Dialer {
  readonly verb = "dial";
  readonly ready: Promise<PipeInfo>;
  #resolve!: (pipe: PipeInfo) => void;
  #reject!: (error: Error) => void;
  #timer: Timer | undefined;
  readonly #min: number;
  readonly #max: number;
  /** The longest that it may have to wait next. */
  #most: number;

  constructor(
    socket: Running,
    url: string,
    layers: readonly AnyLayer[],
    readonly rest: string,
    { reconnect: { min = 100, max = 10_000 } = {} }: SocketOptions,
  ) {
    super(socket, url, layers);
    this.#min = min;
    this.#max = Math.max(min, max);
    this.#most = EAGER * min;
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Who does not wait for it need not handle it.
    this.ready.catch(() => {});
  }

  start(): void {
    const context = this.socket.pipeContext("dial");
    this.follow(this.transport.dial(this.rest, context), context);
  }

  override attached(pipe: Pipe): void {
    this.#most = SPREAD * this.#min;
    super.attached(pipe);
    this.#resolve(infoOf(pipe));
  }

  override closed(pipe: Pipe, error: Error | undefined): void {
    super.closed(pipe, error);
    if (this.over) return;
    // Full jitter: those who lost the same server do not come back together.
    const most = Math.min(this.#max, this.#most);
    this.#most = 2 * most;
    const delay = this.#min + chance(this.socket.env) * (most - this.#min);
    this.#timer = this.socket.env.timer(delay, () => this.start());
  }

  override last(): void {
    this.over = true;
    this.#timer?.cancel();
    this.#reject(new CancelledError(`${this.url}: closed before it was connected`));
  }

  protected override async stop(): Promise<void> {
    this.last();
    for (const pipe of this.opening.keys()) pipe.close();
  }
}

/** Accepts connections. */
class Accepting extends End implements Listener {
  readonly verb = "listen";
  #close: (() => Promise<void>) | undefined;

  async bind(rest: string): Promise<void> {
    const { transport, socket } = this;
    const bound = await transport.listen(rest, socket.context, (run) => {
      const context = socket.pipeContext("listen");
      const element = run(context);
      if (this.opening.size >= OPENING) this.evict();
      this.follow(element, context);
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

/** Copies each message into one piece, with room for what is below. */
class Gather extends Element {
  constructor(
    readonly block: Block,
    readonly room: Room,
  ) {
    super();
  }

  override down(m: Message): void {
    this.below.down(this.block.gather(m, this.room));
  }
}

function put<E extends Element>(upper: E, lower: Element): E {
  upper.below = lower;
  lower.above = upper;
  return upper;
}

function made(layer: AnyLayer, context: Context): Element {
  if (layer.make === undefined)
    throw new StackError(`'${layer.name}' can only be the lowest layer`);
  return layer.make(context as PipeContext);
}

function infoOf(pipe: Pipe): PipeInfo {
  const { number, facts } = pipe;
  return { number, facts };
}

function names(layers: readonly AnyLayer[]): string {
  return layers.map((l) => `'${l.name}'`).join(", ");
}

function count(name: string, n: number, least: number): number {
  if (Number.isSafeInteger(n) && n >= least) return n;
  throw new RangeError(`${name} is a whole number, ${least} or more; not ${n}`);
}
