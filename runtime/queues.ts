/**
 * Messages that wait, and who waits for them: an `Outlet` puts what is to be sent together with stop and go
 * from below, an `Inlet` holds what came until it is taken, and says stop when that is too much.
 */
import { type Body, compose } from "./body.js";
import { after } from "./env.js";
import { CancelledError, ClosedError, StateError, TimeoutError } from "./error.js";
import { type Context, type Event, GO, STOP } from "./layer.js";
import type { Exchange, Message } from "./message.js";
import { time } from "./option.js";
import type { Socket } from "./port.js";
import type { Stats } from "./stats.js";

/** Calls of `send` that may wait at a time; more are a mistake. */
const WAITING = 65_536;
/** Calls that wait, when those that were given up are first looked for. */
const LOOK = 64;

/** Again when there are twice as many: so those given up never outnumber the others by much. */
function lookAgain(waiting: number): number {
  return Math.min(WAITING, Math.max(LOOK, 2 * waiting));
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

/** Says, too, why there is no connection, if one was refused: who waits for it need not have heard. */
export function lateBy(what: string, ms: number, { refusal }: Stats): TimeoutError {
  const why = refusal && `; the last connection was refused: ${refusal}`;
  return new TimeoutError(`${what} within ${ms} ms${why}`);
}

/** Waits for something, no longer than the caller wants. */
class Waiter<T> {
  readonly promise: Promise<T>;
  #resolve!: (value: T) => void;
  #reject!: (error: Error) => void;
  #undo: (() => void) | undefined;
  settled = false;

  constructor(
    { env, stats }: Context,
    doing: string,
    timeout: number,
    signal: AbortSignal | undefined,
  ) {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (timeout === Infinity && signal === undefined) return;
    const late = () => this.reject(lateBy(`${doing}: nothing`, timeout, stats));
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
