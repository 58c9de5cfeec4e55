/**
 * A stack that runs: connections below the hub, one port above it. An address completes the stack
 * from a row of the scheme table.
 */
import { Block } from "./block.js";
import { Accepting, Connecting, type End, type Home, infoOf, type Reconnect } from "./endpoint.js";
import type { Env } from "./env.js";
import { ClosedError, StackError, type WirestackError } from "./error.js";
import { Guard } from "./guard.js";
import { type Hub, Pipe, type PipeOwner, type Priority } from "./hub.js";
import {
  CLOSE,
  type Context,
  type Down,
  Element,
  END,
  type Limits,
  type PipeContext,
  roomOf,
  STOP,
  type Transport,
  type Up,
} from "./layer.js";
import { type Message, type Room, Slab } from "./message.js";
import { node } from "./node.js";
import type { Dialer, Listener, RowOptions, Socket, SocketEvents } from "./port.js";
import { type AnyLayer, check, joint, lines } from "./stack.js";
import { Stats } from "./stats.js";

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
  readonly reconnect?: Reconnect;
  /** Milliseconds for a connection to open, all its layers together. Default: 10,000. */
  readonly openTimeout?: number;
  /** Milliseconds that `close` waits for what was handed off. Default: 1,000. */
  readonly linger?: number;
  /**
   * `contiguous` makes every connection copy each message into one piece; `scatter` refuses a stack
   * in which a layer insists on that. Default: as the layers need.
   */
  readonly mode?: "contiguous" | "scatter";
  /** Tells by `error` who writes to a body after it was sent. Slow: for debugging. */
  readonly guard?: boolean;
  /** Closes the socket when it is raised. */
  readonly signal?: AbortSignal;
  /** The world; another one in tests. */
  readonly env?: Env;
}

/** Their names, for who calls without types. */
const OPTIONS: ReadonlySet<string> = new Set<keyof SocketOptions>([
  "recvMax",
  "recvBuffer",
  "recvBufferOctets",
  "sendBuffer",
  "reconnect",
  "openTimeout",
  "linger",
  "mode",
  "guard",
  "signal",
  "env",
]);

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
  readonly port: object;
  readonly guard: Guard | undefined;
  room: Room;

  readonly env: Env;
  readonly #schemes: Schemes;
  readonly #options: SocketOptions;
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

  constructor(
    layers: readonly AnyLayer[],
    schemes: Schemes,
    options: SocketOptions,
    /** The hub that a new connection belongs to: this socket's, unless each has its own. */
    readonly hubOf: () => Hub = () => this.hub,
  ) {
    for (const name of Object.keys(options)) {
      if (!OPTIONS.has(name)) {
        throw new TypeError(`open has no option '${name}'; it has ${[...OPTIONS].join(", ")}`);
      }
    }
    this.#layers = layers;
    this.#schemes = schemes;
    this.#options = options;
    this.env = options.env ?? node;
    this.recvBuffer = count("recvBuffer", options.recvBuffer ?? 1024, 1);
    this.recvBufferOctets = count("recvBufferOctets", options.recvBufferOctets ?? 2 ** 21, 1);
    const at = layers.findIndex((l) => l.hub);
    if (at < 0) throw new StackError(`no layer of ${names(layers)} makes many connections one`);
    const hub = layers[at] as AnyLayer;
    this.#upper = layers.slice(0, at);
    this.#lower = layers.slice(at + 1);
    const limits: Limits = {
      recvMax: count("recvMax", options.recvMax ?? 2 ** 20, 0),
      sendBuffer: count("sendBuffer", options.sendBuffer ?? 128, 1),
      openTimeout: options.openTimeout ?? 10_000,
    };
    const stats = new Stats();
    const slab = new Slab(stats);
    const { protocol } = hub;
    // Without a protocol whoever knows text is spoken to by the application itself.
    const text = layers.some((l) => l.text === (protocol === undefined ? "known" : "wanted"));
    const told = new Set<string>();
    const reject = ({ pipe }: Message, error: WirestackError) => {
      if (told.has(error.message)) return;
      told.add(error.message);
      this.tell("rejected", { pipe: pipe && infoOf(pipe as Pipe), error });
    };
    this.context = { env: this.env, stats, slab, limits, protocol, text, reject };
    this.#modeOf(this.#lower);
    this.contiguous = this.#upper.some((l) => l.contiguous);
    this.room = roomOf(layers);
    this.guard = options.guard ? new Guard(this.env, (error) => this.threw(error)) : undefined;

    this.hub = made(hub, this.context) as Hub;
    let top: Element = this.hub;
    for (const layer of [...this.#upper].reverse()) top = put(made(layer, this.context), top);
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

  /** As `#way`, of layers that may be on that side. */
  #wayFor(side: "dial" | "listen", url: string, options: RowOptions) {
    const way = this.#way(url, options);
    for (const layer of way.layers) layer.check?.(side);
    this.#textOf([...this.#layers.slice(0, this.#upper.length + 1), ...way.layers], url);
    return { ...way, layers: folded(way.layers) };
  }

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
    // Looking through layers that stand on whatever they show.
    const lowest = this.#layers.findLast((l) => l.below.same === undefined) as AnyLayer;
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
    const { head, tail } = roomOf([...this.#layers.slice(0, this.#upper.length + 1), ...layers]);
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
  dial(url: string, options: RowOptions = {}, again = true): Dialer {
    this.#open();
    const { priority, ...rows } = options;
    ranked(priority);
    const { layers, rest } = this.#wayFor("dial", url, rows);
    const { reconnect } = this.#options;
    const dialer = new Connecting(this, url, layers, priority, rest, reconnect, again);
    this.#endpoints.add(dialer);
    dialer.start();
    return dialer;
  }

  async listen(url: string, options: RowOptions = {}): Promise<Listener> {
    this.#open();
    const { priority, ...rows } = options;
    ranked(priority);
    const { layers, rest } = this.#wayFor("listen", url, rows);
    const listener = new Accepting(this, url, layers, priority);
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

  pipeContext(side: "dial" | "listen", layers: readonly AnyLayer[]): PipeContext {
    const lend = layers.some((l) => l.borrows);
    return { ...this.context, side, block: new Block(this.context.stats), lend };
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
    const top = pile(transport, layers, context, highest);
    return put(new Pipe(this.hubOf(), owner), top);
  }

  get openTimeout(): number {
    return this.context.limits.openTimeout;
  }

  // --- the end ---

  /** `drain`: what was received may still be taken. */
  close(drain = false): Promise<void> {
    this.#closing ??= this.#close(drain);
    return this.#closing;
  }

  #close(drain: boolean): Promise<void> {
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#leave?.(new ClosedError("the socket is closed"), drain);
    return new Promise((done) => {
      let over = false;
      const finish = () => {
        if (over) return;
        over = true;
        timer.cancel();
        this.below.control(CLOSE);
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

/**
 * Puts layers on the element of their lowest; from `highest` down octets are in one piece. `lent`: who
 * stands on them will borrow.
 */
function pile(
  transport: Element,
  layers: readonly AnyLayer[],
  context: PipeContext,
  highest: number,
  lent = false,
): Element {
  let top = transport;
  let own = context;
  for (let i = layers.length - 1; i >= 0; i--) {
    const layer = layers[i] as AnyLayer;
    // It writes for itself, and for all that is above it.
    if (layer.borrows) {
      const lend = lent || layers.slice(0, i).some((l) => l.borrows);
      own = { ...context, block: new Block(context.stats), lend };
    }
    if (i < layers.length - 1) top = put(made(layer, own), top);
    if (i === highest) top = put(new Gather(own.block, roomOf(layers.slice(i))), top);
  }
  return top;
}

/** A layer that is `over` others, and those, become one: a transport. */
function folded(layers: readonly AnyLayer[]): readonly AnyLayer[] {
  const at = layers.findIndex((l) => l.over !== undefined);
  if (at < 0) return layers;
  const layer = layers[at] as AnyLayer;
  const below = layers.slice(at + 1);
  const name = below.map((l) => l.name).join(" ");
  const transport = layer.over?.(merged(below), name) as Transport;
  return [...layers.slice(0, at), { ...layer, name: `${layer.name} ${name}`, transport }];
}

/** Layers as one transport, whose connections will be borrowed. */
function merged(layers: readonly AnyLayer[]): Transport {
  const lowest = layers.at(-1)?.transport as Transport;
  const lent = (c: PipeContext) => ({ ...c, block: new Block(c.stats), lend: true });
  return {
    ...(lowest.paths ? { paths: true } : {}),
    dial(rest, context) {
      const own = lent(context);
      return pile(lowest.dial(rest, own), layers, own, -1, true);
    },
    listen(rest, context, accept) {
      return lowest.listen(rest, lent(context), (run) => {
        let element: ReturnType<typeof run> | undefined;
        accept((each) => {
          const own = lent(each);
          element = run(own);
          return pile(element, layers, own, -1, true);
        });
        return element as ReturnType<typeof run>;
      });
    },
  };
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

function names(layers: readonly AnyLayer[]): string {
  return layers.map((l) => `'${l.name}'`).join(", ");
}

function ranked({ send = 1, receive = 1 }: Priority = {}): void {
  for (const [name, n] of Object.entries({ send, receive })) {
    if (Number.isInteger(n) && n >= 1 && n <= 16) continue;
    throw new RangeError(`priority.${name} is a whole number from 1 to 16; not ${n}`);
  }
}

function count(name: string, n: number, least: number): number {
  if (Number.isSafeInteger(n) && n >= least) return n;
  throw new RangeError(`${name} is a whole number, ${least} or more; not ${n}`);
}
