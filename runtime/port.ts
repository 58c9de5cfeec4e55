/**
 * What the application holds: promises and iterators on top of a stack.
 *
 * A port is made of an `Outlet` (what goes down, and waits while somebody below says stop) and an
 * `Inlet` (what came up, and says stop when there is too much of it), or of what a protocol puts in
 * their place.
 */
import { type Body, bodyOf, type Draft, Drafted, octetsOf } from "./body.js";
import { type ClosedError, StateError, type WirestackError } from "./error.js";
import type { Guard } from "./guard.js";
import type { Pipe, PipeInfo, Priority } from "./hub.js";
import type { Context, Down, Event, Facts, LayerOptions, Protocol, Up } from "./layer.js";
import { Message, type Room } from "./message.js";
import { Inlet, Outlet, type Overflow, type SendOptions, type Waits } from "./queues.js";
import type { Stats } from "./stats.js";

/** Milliseconds between attempts to connect: from `min`, more each time, up to `max`, jittered. */
export interface Reconnect {
  /** Default: 100. 0: at once, and then from 1 on. */
  readonly min?: number;
  /** Default: 10,000. Below `min`: always `min`. */
  readonly max?: number;
}

/** What can happen to a socket. */
export interface SocketEvents {
  /** A connection takes part. */
  attached: { readonly pipe: PipeInfo; readonly url: string };
  /** A connection takes part no more; `error` says why, if there is a reason. */
  detached: { readonly pipe: PipeInfo; readonly url: string; readonly error: Error | undefined };
  /** A connection came to nothing: what was learnt of the peer up to then, and why. */
  refused: { readonly facts: Facts; readonly url: string; readonly error: Error };
  /** A message was dropped: the first for this reason, and `stats()` counts the rest. `pipe`: if it came by one. */
  rejected: { readonly pipe: PipeInfo | undefined; readonly error: WirestackError };
  /** A handler of the application's threw. */
  error: { readonly error: unknown };
}

export interface Endpoint {
  /** As bound or dialed; a listener's has the port that the system chose. */
  readonly url: string;
  /** No new connections. Those that there are stay. */
  close(): Promise<void>;
}

export interface Dialer extends Endpoint {
  /** The first connection. What fails is tried again, and told by `refused`. */
  readonly ready: Promise<PipeInfo>;
}

export type Listener = Endpoint;

/**
 * Options of an address: of the layers that it brings, by their names, and of its connections:
 * `listen(url, { tls: { ca, cert, key }, recvMax: 1024 })`.
 */
export interface ListenOptions extends LayerOptions {
  readonly priority?: Priority;
  /** As the socket's, which is the default. */
  readonly recvMax?: number;
  readonly openTimeout?: number;
  /**
   * Asked for each peer whose protocol is right, before its connection takes part, with what its opening
   * has told: its address, its certificate. Anything but `true` refuses it, and a text says why; so does
   * throwing, which `error` tells. `refused` has the reason; the peer only sees its connection closed.
   */
  readonly accept?: (facts: Facts) => boolean | string;
}

export interface DialOptions extends ListenOptions {
  /** As the socket's, which is the default. */
  readonly reconnect?: Reconnect;
}

export interface CloseOptions {
  /**
   * Milliseconds that it waits for what was handed off; Infinity: until that is written, or nobody is left
   * to write to. Default: the socket's. A later call with another time puts that in its place.
   */
  readonly linger?: number;
}

/** What a port has of its socket. */
export interface Socket {
  readonly context: Context;
  /** What is below the port. */
  readonly below: Down;
  /** Room for a message made now. */
  readonly room: Room;
  /** A layer above the hub needs each message's octets in one piece. */
  readonly contiguous: boolean;
  /** Messages, and octets of them, that may wait for the application. */
  readonly recvBuffer: number;
  readonly recvBufferOctets: number;
  /** Milliseconds that calls wait which do not say how long; Infinity: no limit. */
  readonly sendTimeout: number;
  readonly receiveTimeout: number;
  /** Watches bodies that were sent, if the user asked for it. */
  readonly guard: Guard | undefined;
  /**
   * Puts what is to hear from below in its place. `closed` runs when the socket closes; `drain` says
   * that it was the peer's doing, and what was received may still be taken.
   */
  join(up: Up, closed: (error: ClosedError, drain: boolean) => void): void;
  dial(url: string, options?: DialOptions): Dialer;
  listen(url: string, options?: ListenOptions): Promise<Listener>;
  close(options?: CloseOptions): Promise<void>;
  on<K extends keyof SocketEvents>(name: K, hear: (e: SocketEvents[K]) => void): () => void;
  /** A handler threw: told by `error`, or by the process's warnings if nobody listens. */
  threw(error: unknown): void;
  toString(): string;
}

/** What every port can do. */
export abstract class Port {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * Connects to `url`, and again whenever the connection is lost, until closed. May be called many
   * times, with different schemes. Throws StackError if the address does not fit under the stack.
   */
  dial(url: string, options?: DialOptions): Dialer {
    return this.#socket.dial(url, options);
  }

  /** Accepts connections at `url`; resolves when bound. */
  listen(url: string, options?: ListenOptions): Promise<Listener> {
    return this.#socket.listen(url, options);
  }

  /** Ends it: what was handed off is still written, for `linger` milliseconds at most. */
  async close(options?: CloseOptions): Promise<void> {
    return this.#socket.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Hears of an event; the answer stops it. */
  on<K extends keyof SocketEvents>(name: K, hear: (e: SocketEvents[K]) => void): () => void {
    return this.#socket.on(name, hear);
  }

  /** Octets before and behind the body of a message made now: what all headers take at most. */
  get room(): Room {
    return this.#socket.room;
  }

  /** What was counted up to now. */
  stats(): Stats {
    const { stats } = this.#socket.context;
    return Object.assign(Object.create(Object.getPrototypeOf(stats)) as Stats, stats, {
      dropped: { ...stats.dropped },
      malformed: { ...stats.malformed },
    });
  }

  /** A body of `n` octets with room for every header around it: nothing is copied on its way down. */
  message(n: number): Draft {
    return new Drafted(Message.blank(n, this.#socket.room, this.#socket.context.slab));
  }

  /** Its stack, a layer a line, and its endpoints. */
  toString(): string {
    return this.#socket.toString();
  }
}

/** Sends messages: PUSH, PUB. */
export class Sender extends Port {
  readonly #outlet: Outlet;

  constructor(socket: Socket) {
    super(socket);
    const outlet = new Outlet(socket);
    this.#outlet = outlet;
    socket.join({ up() {}, event: (e) => outlet.event(e) }, (error) => outlet.close(error));
  }

  /**
   * Hands a message off. Resolves at once while the connection holds less than its mark, otherwise
   * when it does again. The body belongs to the socket from now on, unless `copy`.
   */
  send(body: Body, options?: SendOptions): Promise<void> {
    return this.#outlet.send(body, options);
  }

  /**
   * As `send`, at once or not at all: false if it would have had to wait. PUSH, REQ and PAIR hold
   * `sendBuffer` messages for want of a connection, so without one it answers true as often, and with
   * `sendBuffer: 0` never. PUB waits for nobody: always true, and who is not there misses it.
   */
  trySend(body: Body, options?: { readonly copy?: boolean }): boolean {
    return this.#outlet.trySend(body, options);
  }
}

const lengthOf = (b: Uint8Array): number => b.length;

class Bodies implements Up {
  readonly inlet: Inlet<Uint8Array>;
  readonly #stats: Stats;

  constructor(
    socket: Socket,
    readonly outlet: Outlet | undefined,
    overflow?: Overflow,
  ) {
    this.inlet = new Inlet(socket, lengthOf, overflow);
    this.#stats = socket.context.stats;
    socket.join(this, (error, drain) => {
      this.inlet.close(error, drain);
      outlet?.close(error);
    });
  }

  up(m: Message): void {
    this.inlet.put(bodyOf(m, this.#stats));
  }

  event(e: Event): void {
    this.outlet?.event(e);
  }
}

/** Receives messages: PULL, SUB. */
export class Taker extends Port {
  readonly #inlet: Inlet<Uint8Array>;

  constructor(socket: Socket, overflow?: Overflow) {
    super(socket);
    this.#inlet = new Bodies(socket, undefined, overflow).inlet;
  }

  /** The next message, from whomever. */
  receive(options?: Waits): Promise<Uint8Array> {
    return this.#inlet.receive(options);
  }

  /** A message that is here already; undefined if there is none. */
  tryReceive(): Uint8Array | undefined {
    return this.#inlet.tryReceive();
  }

  /** Message by message, until the socket closes. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#inlet[Symbol.asyncIterator]();
  }
}

/** Sends and receives: PAIR, BUS, STAR. */
export class Exchanger extends Port {
  readonly #bodies: Bodies;
  readonly #outlet: Outlet;

  constructor(socket: Socket, overflow?: Overflow) {
    super(socket);
    this.#outlet = new Outlet(socket);
    this.#bodies = new Bodies(socket, this.#outlet, overflow);
  }

  /** As `Sender.send`. */
  send(body: Body, options?: SendOptions): Promise<void> {
    return this.#outlet.send(body, options);
  }

  /** As `Sender.trySend`. */
  trySend(body: Body, options?: { readonly copy?: boolean }): boolean {
    return this.#outlet.trySend(body, options);
  }

  /** As `Taker.receive`. */
  receive(options?: Waits): Promise<Uint8Array> {
    return this.#bodies.inlet.receive(options);
  }

  /** As `Taker.tryReceive`. */
  tryReceive(): Uint8Array | undefined {
    return this.#bodies.inlet.tryReceive();
  }

  /** Message by message, until the socket closes. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#bodies.inlet[Symbol.asyncIterator]();
  }
}

/** A codec's: octets of a header, or less than 0 where there is none. */
type Measure = (v: DataView, o: number, end: number) => number;

/**
 * A raw protocol: messages with their protocol headers, as they came; `m.pipe` says from where. For
 * devices, and for who wants to look inside.
 */
export class Raw extends Port {
  readonly #outlet: Outlet;
  readonly #inlet: Inlet<Message>;
  readonly #context: Context;
  readonly #measure: Measure;

  /** `measure`: octets of the protocol's header in front of a message. */
  constructor(socket: Socket, measure: Measure = () => 0) {
    super(socket);
    this.#context = socket.context;
    this.#measure = measure;
    const outlet = new Outlet(socket);
    const inlet = new Inlet<Message>(socket, (m) => m.length);
    this.#outlet = outlet;
    this.#inlet = inlet;
    socket.join({ up: (m) => inlet.put(m), event: (e) => outlet.event(e) }, (error) => {
      outlet.close(error);
      inlet.close(error);
    });
  }

  /** What it speaks, and with whom. */
  get protocol(): Protocol | undefined {
    return this.#context.protocol;
  }

  /** The connection that a message came by: its facts, and how to close it. */
  from(m: Message): PipeInfo | undefined {
    return (m.pipe as Pipe | undefined)?.info;
  }

  /** The octets of a message behind its protocol header, trailers of layers that are not here among them. */
  body(m: Message): Uint8Array {
    // First: it may bring the header to another place.
    const n = this.#head(m);
    const { start } = m;
    m.start = start + n;
    const body = bodyOf(m, this.#context.stats);
    m.start = start;
    return body;
  }

  /** Puts another body in its place, which is the socket's from then on; its way and its hops stay. */
  rewrite(m: Message, body: Uint8Array | string): Message {
    const n = this.#head(m);
    m.end = m.ceiling = m.start + n;
    m.rest = [octetsOf(body)];
    m.trailers = 0;
    return m;
  }

  #head(m: Message): number {
    const n = m.measure(this.#measure, this.#context.slab);
    if (n < 0) throw new StateError("this message has no protocol header");
    return n;
  }

  /** Sends a message that another raw socket received, or octets that begin with a protocol header. */
  send(m: Message | Uint8Array, options?: SendOptions): Promise<void> {
    return this.#outlet.send(m, options);
  }

  /** The next message. */
  receive(options?: Waits): Promise<Message> {
    return this.#inlet.receive(options);
  }

  /** Message by message, until the socket closes. */
  [Symbol.asyncIterator](): AsyncIterator<Message> {
    return this.#inlet[Symbol.asyncIterator]();
  }
}

declare module "./layer.js" {
  interface Ports {
    raw: Raw;
  }
}
