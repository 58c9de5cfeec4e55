/**
 * What the application holds: promises and iterators on top of a stack.
 *
 * A port is made of an `Outlet` (what goes down, and waits while somebody below says stop) and an
 * `Inlet` (what came up, and says stop when there is too much of it), or of what a protocol puts in
 * their place.
 */
import { after } from "./env.js";
import {
  CancelledError,
  ClosedError,
  StateError,
  TimeoutError,
  type WirestackError,
} from "./error.js";
import type { Guard } from "./guard.js";
import type { Pipe, PipeInfo, Priority } from "./hub.js";
import {
  type Context,
  type Down,
  type Event,
  type Facts,
  GO,
  type LayerOptions,
  type Protocol,
  STOP,
  type Up,
} from "./layer.js";
import { allocate, type Exchange, Message, type Room } from "./message.js";
import { time } from "./option.js";
import type { Stats } from "./stats.js";

/**
 * Messages up to here are copied out of the chunk they came in, which they would keep alive: up to 64
 * octets to an array of their own, which V8 makes for next to nothing, beyond to a pool. From 1 KiB on
 * a copy costs more than all the rest of receiving.
 */
const COPY = 512;
const OWN = 64;
const POOL = 16 * 1024;
/** Calls of `send` that may wait at a time; more are a mistake. */
const WAITING = 65_536;
/** Calls that wait, when those that were given up are first looked for. */
const LOOK = 64;

/** Again when there are twice as many: so those given up never outnumber the others by much. */
function lookAgain(waiting: number): number {
  return Math.min(WAITING, Math.max(LOOK, 2 * waiting));
}

/** Octets, or text, which goes as UTF-8, or what `message(n)` gave. */
export type Body = Uint8Array | string | Draft;

/** Room for a body amid a message: fill `body`, and send this. Once. */
export interface Draft {
  readonly body: Uint8Array;
}

export interface Waits {
  /** Milliseconds from now; then TimeoutError. Infinity: no limit. Default: the socket's, if it has one. */
  readonly timeout?: number;
  /** When it is raised: CancelledError. */
  readonly signal?: AbortSignal;
}

export interface SendOptions extends Waits {
  /** Copies the body, so that the caller may write to it again. Otherwise it belongs to the socket. */
  readonly copy?: boolean;
}

/** Whatever time the socket has for others. */
export const FOREVER: Waits = { timeout: Infinity };

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

class Drafted implements Draft {
  readonly body: Uint8Array;
  message: Message | undefined;

  constructor(m: Message) {
    this.message = m;
    this.body = m.bytes.subarray(m.start, m.end);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A body that came as text: WebSocket tells it from other octets, where `opcodes()` or a stack without a
 * protocol asks for it. There strings, and what is of this class, are sent as text.
 */
export class Utf8 extends Uint8Array {
  override toString(): string {
    return decoder.decode(this);
  }
}

/** A message of this body. */
export function compose(body: Body | Message, socket: Socket, copy = false): Message {
  if (body instanceof Message) return body;
  if (body instanceof Drafted) {
    const m = body.message;
    if (m === undefined) throw new StateError("this message was sent already; take another");
    body.message = undefined;
    return m;
  }
  const octets = typeof body === "string" ? encoder.encode(body) : (body as Uint8Array);
  if (!(octets instanceof Uint8Array)) {
    throw new TypeError(`a body is a Uint8Array, a string, or of message(n); not ${typeof body}`);
  }
  const { context, room } = socket;
  if (!copy) socket.guard?.watch(octets);
  const borrowed = !copy && !socket.contiguous;
  const m = borrowed
    ? Message.around(octets, room.head, context.slab)
    : Message.blank(octets.length, room, context.slab);
  m.text = context.text && (typeof body === "string" || body instanceof Utf8);
  if (borrowed) return m;
  m.bytes.set(octets, m.start);
  context.stats.copies++;
  context.stats.copiedOctets += octets.length;
  return m;
}

let pool: Uint8Array = new Uint8Array(0);
let poolFill = 0;

/** The octets of a message that came up, for the application to keep. */
export function bodyOf(m: Message, stats: Stats): Uint8Array {
  const octets = octetsOf(m, stats);
  if (!m.text) return octets;
  return new Utf8(octets.buffer as ArrayBuffer, octets.byteOffset, octets.length);
}

function octetsOf(m: Message, stats: Stats): Uint8Array {
  const { rest } = m;
  const n = m.end - m.start;
  if (rest.length === 0) {
    if (!m.shared || n > COPY) return m.bytes.subarray(m.start, m.end);
    stats.copies++;
    stats.copiedOctets += n;
    if (n <= OWN) {
      stats.allocations++;
      return m.bytes.slice(m.start, m.end);
    }
    if (poolFill + n > pool.length) {
      pool = allocate(POOL, stats);
      poolFill = 0;
    }
    const body = pool.subarray(poolFill, poolFill + n);
    poolFill += n;
    body.set(m.bytes.subarray(m.start, m.end));
    return body;
  }
  if (n === 0 && rest.length === 1) return rest[0] as Uint8Array;
  const all = allocate(m.length, stats);
  let at = 0;
  for (const s of m.segments()) {
    all.set(s, at);
    at += s.length;
  }
  stats.copies++;
  stats.copiedOctets += at;
  return all;
}

/** Waits for something, no longer than the caller wants. */
class Waiter<T> {
  readonly promise: Promise<T>;
  #resolve!: (value: T) => void;
  #reject!: (error: Error) => void;
  #undo: (() => void) | undefined;
  settled = false;

  constructor({ env }: Context, doing: string, timeout: number, signal: AbortSignal | undefined) {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (timeout === Infinity && signal === undefined) return;
    const late = () => this.reject(new TimeoutError(`${doing}: nothing within ${timeout} ms`));
    const timer = after(env, timeout, late);
    const abort = () => this.reject(cancelled(doing, signal as AbortSignal));
    signal?.addEventListener("abort", abort);
    this.#undo = () => {
      timer.cancel();
      signal?.removeEventListener("abort", abort);
    };
  }

  resolve(value: T): void {
    this.#settle();
    this.#resolve(value);
  }

  reject(error: Error): void {
    if (this.settled) return;
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    this.settled = true;
    this.#undo?.();
  }
}

/** Why nobody waits so: a time that is none, or a signal that was raised before. */
export function unfit(doing: string, { timeout, signal }: Waits): Error | undefined {
  try {
    if (timeout !== undefined) time("timeout", timeout, 0);
  } catch (error) {
    return error as RangeError;
  }
  return signal?.aborted ? cancelled(doing, signal) : undefined;
}

export function cancelled(doing: string, signal: AbortSignal): CancelledError {
  return new CancelledError(`${doing}: cancelled`, { cause: signal.reason });
}

/** Sends, one message behind the other. */
export class Outlet {
  /** What `send` answers when nobody has to wait. */
  static readonly DONE = Promise.resolve();
  #stopped = false;
  #releasing = false;
  #closed: ClosedError | undefined;
  #waiting: { m: Message; waiter: Waiter<void> }[] = [];
  #look = LOOK;

  constructor(readonly socket: Socket) {}

  /** Hands it off. Resolves at once while the connection takes more, else when it does again. */
  send(body: Body | Message, options?: SendOptions, exchange?: Exchange): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const wrong = options && unfit("send", options);
    if (wrong !== undefined) return Promise.reject(wrong);
    let m: Message;
    try {
      m = compose(body, this.socket, options?.copy);
    } catch (error) {
      return Promise.reject(error);
    }
    if (exchange !== undefined) m.exchange = exchange;
    if (!this.#stopped && this.#waiting.length === 0) {
      this.#give(m);
      return Outlet.DONE;
    }
    if (this.#waiting.length >= this.#look) {
      this.#waiting = this.#waiting.filter((w) => !w.waiter.settled && !w.m.exchange?.over);
      this.#look = lookAgain(this.#waiting.length);
    }
    if (this.#waiting.length >= WAITING) {
      return Promise.reject(
        new StateError(`${WAITING} sends are waiting: await send(), or use trySend()`),
      );
    }
    // Whoever asks has a time for the answer, which covers this.
    const most = exchange === undefined ? this.socket.sendTimeout : Infinity;
    const { timeout = most, signal } = options ?? {};
    const waiter = new Waiter<void>(this.socket.context, "send", timeout, signal);
    this.#waiting.push({ m, waiter });
    return waiter.promise;
  }

  /** Hands it off and answers true, or answers false and takes nothing. */
  trySend(
    body: Body | Message,
    options?: { readonly copy?: boolean },
    exchange?: Exchange,
  ): boolean {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#stopped || this.#waiting.length > 0) return false;
    const m = compose(body, this.socket, options?.copy);
    if (exchange !== undefined) m.exchange = exchange;
    this.#give(m);
    return true;
  }

  #give(m: Message): void {
    const { stats } = this.socket.context;
    stats.sent++;
    stats.sentOctets += m.length;
    this.socket.below.down(m);
  }

  /** The side below says stop, or go. */
  event(e: Event): void {
    if (e.type === "stop") this.#stopped = true;
    else if (e.type === "go") {
      this.#stopped = false;
      if (this.#waiting.length > 0) this.#release();
    }
  }

  /**
   * Whoever waits goes on after other events have had their turn: a loop of sends to somebody fast
   * would otherwise never let go of the process.
   */
  #release(): void {
    if (this.#releasing) return;
    this.#releasing = true;
    this.socket.context.env.turn(() => {
      this.#releasing = false;
      const waiting = this.#waiting;
      let n = 0;
      for (; n < waiting.length && !this.#stopped; n++) {
        const { m, waiter } = waiting[n] as { m: Message; waiter: Waiter<void> };
        if (waiter.settled || m.exchange?.over) continue;
        this.#give(m);
        waiter.resolve();
      }
      waiting.splice(0, n);
    });
  }

  close(error: ClosedError): void {
    this.#closed = error;
    for (const { waiter } of this.#waiting.splice(0)) waiter.reject(error);
  }
}

/** What gives way when the receive queue is full: peers wait, or a message is dropped and counted. */
export type Overflow = "wait" | "drop-old" | "drop-new";

/** Holds what came until the application takes it. */
export class Inlet<T> {
  #queue: (T | undefined)[] = [];
  #from = 0;
  #octets = 0;
  #stopped = false;
  #closed: ClosedError | undefined;
  #waiting: Waiter<T>[] = [];
  #look = LOOK;

  constructor(
    readonly socket: Socket,
    /** Octets of an item. */
    readonly size: (item: T) => number,
    readonly overflow: Overflow = "wait",
  ) {}

  put(item: T): void {
    const { stats } = this.socket.context;
    const n = this.size(item);
    stats.received++;
    stats.receivedOctets += n;
    for (let w = this.#waiting.shift(); w !== undefined; w = this.#waiting.shift()) {
      if (w.settled) continue;
      w.resolve(item);
      return;
    }
    if (this.#closed !== undefined) return;
    // A long message may take the room of many short ones.
    while (this.overflow !== "wait" && this.#full()) {
      stats.drop("receive queue full");
      if (this.overflow === "drop-new") return;
      this.tryReceive();
    }
    this.#queue.push(item);
    this.#octets += n;
    if (this.#stopped || this.overflow !== "wait" || !this.#full()) return;
    this.#stopped = true;
    this.socket.below.control(STOP);
  }

  #full(): boolean {
    const { recvBuffer, recvBufferOctets } = this.socket;
    return this.#queue.length - this.#from >= recvBuffer || this.#octets >= recvBufferOctets;
  }

  /** What came first; undefined if there is nothing. */
  tryReceive(): T | undefined {
    if (this.#from === this.#queue.length) return undefined;
    const item = this.#queue[this.#from] as T;
    this.#queue[this.#from++] = undefined;
    this.#octets -= this.size(item);
    if (this.#from === this.#queue.length) {
      this.#queue.length = this.#from = 0;
      if (this.#stopped) {
        this.#stopped = false;
        this.socket.below.control(GO);
      }
    } else if (this.#from >= 1024 && this.#from * 2 >= this.#queue.length) {
      // A queue that is never empty must not keep the places of what it held.
      this.#queue.splice(0, this.#from);
      this.#from = 0;
    }
    return item;
  }

  /** What came first, or what comes next. */
  receive(options?: Waits): Promise<T> {
    const wrong = options && unfit("receive", options);
    if (wrong !== undefined) return Promise.reject(wrong);
    const item = this.tryReceive();
    if (item !== undefined) return Promise.resolve(item);
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (this.#waiting.length >= this.#look) {
      this.#waiting = this.#waiting.filter((w) => !w.settled);
      this.#look = lookAgain(this.#waiting.length);
    }
    const { timeout = this.socket.receiveTimeout, signal } = options ?? {};
    const waiter = new Waiter<T>(this.socket.context, "receive", timeout, signal);
    this.#waiting.push(waiter);
    return waiter.promise;
  }

  /** Waits however long; ends when the socket closes. Leaving the loop leaves the socket open. */
  [Symbol.asyncIterator](): AsyncIterator<T> {
    const ended = (error: unknown): IteratorResult<T> => {
      // A connection that was lost for a reason did not end.
      if (error instanceof ClosedError && error.cause === undefined) {
        return { done: true, value: undefined };
      }
      throw error;
    };
    return {
      next: () => {
        const item = this.tryReceive();
        if (item !== undefined) return Promise.resolve({ done: false, value: item });
        return this.receive(FOREVER).then((value) => ({ done: false, value }), ended);
      },
    };
  }

  close(error: ClosedError, drain = false): void {
    this.#closed = error;
    if (!drain) this.#queue.length = this.#from = 0;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(error);
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
    m.rest = [typeof body === "string" ? encoder.encode(body) : body];
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
