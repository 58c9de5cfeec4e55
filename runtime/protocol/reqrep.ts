/**
 * REQ and REP: questions, each answered once. Many may be under way on one socket.
 *
 * nanomsg rfc/sp-request-reply-01. In front of each body stands the way back (`sp.request`): the
 * request's own number, and before it one of a pipe for each device on the way. The raw halves choose
 * a pipe and keep the way back; the cooked ones tie replies to requests, and send again what got lost.
 * `stack(req(), xreq())`, `stack(rep(), xrep())`
 */
import { Type } from "../../generated/sp/greeting.js";
import * as way from "../../generated/sp/request.js";
import * as tag from "../../generated/sp/tag.js";
import type { Timer } from "../env.js";
import { type ClosedError, StateError, TimeoutError, WireError } from "../error.js";
import { Hub, type Pipe } from "../hub.js";
import {
  type Context,
  type Control,
  Element,
  type Event,
  type Layer,
  type Protocol,
} from "../layer.js";
import { Exchange, type Message } from "../message.js";
import {
  type Body,
  bodyOf,
  cancelled,
  compose,
  Inlet,
  Outlet,
  Port,
  Raw,
  type Socket,
  type Waits,
} from "../port.js";
import { Slots } from "../slots.js";
import { Waiting } from "../waiting.js";

const asks: Protocol = { name: "req", type: Type.req, peer: Type.rep };
const answers: Protocol = { name: "rep", type: Type.rep, peer: Type.req };

// --- raw ---

class XReq extends Hub {
  override down(m: Message): void {
    const pipe = this.turn();
    if (pipe === undefined) this.context.stats.drop("req: nobody is ready");
    else pipe.down(m);
  }

  override receive(m: Message, pipe: Pipe): void {
    const { slab } = this.context;
    let n = tag.measure(m.view, m.start, m.end);
    if (n < 0) n = m.measure(tag.measure, slab);
    if (n < 0) return pipe.close(new WireError("xreq", tag.explain(n, m.view, m.start, m.end)));
    this.above.up(m);
  }
}

class XRep extends Hub {
  constructor(
    context: Context,
    readonly ttl: number,
  ) {
    super(context, answers, false);
  }

  override receive(m: Message, pipe: Pipe): void {
    const { slab, stats } = this.context;
    let n = way.measure(m.view, m.start, m.end);
    if (n < 0) n = m.measure(way.measure, slab);
    if (n <= -0x1000000) return stats.breach("sp.request.trace");
    if (n < 0) return pipe.close(new WireError("xrep", way.explain(n, m.view, m.start, m.end)));
    if (n > this.ttl * tag.MAX) return stats.drop("ttl");
    m.push(tag.MAX, slab);
    tag.write(m.view, m.start, false, pipe.number);
    this.above.up(m);
  }

  override down(m: Message): void {
    const { slab, stats } = this.context;
    let n = tag.measure(m.view, m.start, m.end);
    if (n < 0) n = m.measure(tag.measure, slab);
    const pipe = n < 0 ? undefined : this.pipe(tag.getNumber(m.view, m.start));
    // Who asked has gone: nobody waits for this.
    if (pipe === undefined) return stats.drop("rep: the peer has gone");
    if (!pipe.ready) return stats.drop("rep: the peer takes no more");
    m.pop(n);
    pipe.down(m);
  }
}

/** REQ, raw: chooses a pipe for each request, each in its turn, and passes replies up. */
export function xreq(): Layer<"link", "raw", "xreq"> {
  return {
    name: "xreq",
    below: "link",
    above: "raw",
    protocol: asks,
    port: (s: Socket) => new Raw(s),
    make: (context) => new XReq(context, asks, true),
  };
}

export interface HopOptions {
  /** Hops, this one included, after which a request is dropped: 1 to 15. Default: 8. */
  readonly ttl?: number;
}

/** REP, raw: puts the pipe's number before a request, and sends a reply to the pipe it names. */
export function xrep({ ttl = 8 }: HopOptions = {}): Layer<"link", "raw", "xrep"> {
  if (!Number.isInteger(ttl) || ttl < 1 || ttl > 15) {
    throw new RangeError(`ttl is a whole number from 1 to 15; not ${ttl}`);
  }
  return {
    name: "xrep",
    below: "link",
    above: "raw",
    protocol: answers,
    port: (s: Socket) => new Raw(s),
    make: (context) => new XRep(context, ttl),
  };
}

// --- cooked ---

/** A request that has no reply yet. */
class Pending {
  number = 0;
  /** Its window after its number was put in front, for the time that it is sent again. */
  start = 0;
  rest: readonly Uint8Array[] = [];
  /** Who was asked: only they may answer. The last is who has it now. */
  readonly asked: object[] = [];
  due = 0;
  queued = true;
  over = false;
  before: Pending | undefined;
  after: Pending | undefined;

  constructor(readonly m: Message) {}
}

class Req extends Waiting {
  readonly #slots: Slots<Pending>;
  /** Those that were sent, the oldest first: all wait equally long, so this is their order of time. */
  #first: Pending | undefined;
  #last: Pending | undefined;
  #timer: Timer | undefined;

  constructor(
    context: Context,
    readonly resendTime: number,
  ) {
    super(context);
    this.#slots = new Slots(context.env);
  }

  override down(m: Message): void {
    const exchange = m.exchange as Exchange;
    const pending = new Pending(m);
    const number = this.#slots.add(pending);
    if (number === undefined) {
      const error = new StateError("65536 requests are under way already");
      return this.above.event({ type: "failed", exchange, error });
    }
    m.push(tag.MAX, this.context.slab);
    tag.write(m.view, m.start, true, number);
    m.kept = true;
    pending.number = number;
    pending.start = m.start;
    pending.rest = m.rest;
    exchange.tie = pending;
    super.down(m);
  }

  protected override pass(m: Message): void {
    const pending = (m.exchange as Exchange).tie as Pending;
    if (pending.over) return;
    pending.queued = false;
    m.start = pending.start;
    m.rest = pending.rest;
    this.#link(pending);
    this.below.down(m);
    if (m.pipe !== undefined) pending.asked.push(m.pipe);
  }

  override up(m: Message): void {
    const { stats } = this.context;
    const { view, start } = m;
    const pending = tag.getLast(view, start)
      ? this.#slots.get(tag.getNumber(view, start))
      : undefined;
    // A number that is not ours, was answered already, or comes from somebody who was not asked.
    if (pending === undefined) return stats.breach("req: no such request");
    if (!pending.asked.includes(m.pipe as object)) return stats.breach("req: was not asked");
    m.pop(tag.MAX);
    m.exchange = pending.m.exchange;
    this.#settle(pending);
    this.above.up(m);
  }

  override event(e: Event): void {
    if (e.type === "detached") {
      const lost: Pending[] = [];
      for (let p = this.#first; p !== undefined; p = p.after) {
        if (p.asked.at(-1) === e.pipe) lost.push(p);
      }
      super.event(e);
      for (const p of lost) this.#again(p);
      return;
    }
    super.event(e);
  }

  override control(c: Control): void {
    if (c.type === "cancel") return this.#settle(c.exchange.tie as Pending);
    if (c.type === "end") {
      // Nobody waits for replies any more.
      for (const p of [...this.#slots.values()]) this.#settle(p);
      this.discard();
    }
    super.control(c);
  }

  #again(p: Pending): void {
    if (p.over || p.queued) return;
    p.queued = true;
    this.#unlink(p);
    super.down(p.m);
  }

  #settle(p: Pending | undefined): void {
    if (p === undefined || p.over) return;
    p.over = true;
    this.#slots.delete(p.number);
    if (!p.queued) this.#unlink(p);
  }

  // The list of those that wait for a reply, and the one timer for the first of them.

  #link(p: Pending): void {
    if (this.resendTime === 0) p.due = Number.POSITIVE_INFINITY;
    else p.due = this.context.env.now() + this.resendTime;
    p.before = this.#last;
    p.after = undefined;
    if (this.#last === undefined) this.#first = p;
    else this.#last.after = p;
    this.#last = p;
    this.#arm();
  }

  #unlink(p: Pending): void {
    if (p.before === undefined) this.#first = p.after;
    else p.before.after = p.after;
    if (p.after === undefined) this.#last = p.before;
    else p.after.before = p.before;
    p.before = p.after = undefined;
    if (this.#first === undefined) {
      this.#timer?.cancel();
      this.#timer = undefined;
    }
  }

  #arm(): void {
    const first = this.#first;
    if (this.#timer !== undefined || first === undefined || first.due === Infinity) return;
    const { env } = this.context;
    const wake = () => {
      this.#timer = undefined;
      const now = env.now();
      for (let p = this.#first; p !== undefined && p.due <= now; p = this.#first) this.#again(p);
      this.#arm();
    };
    this.#timer = env.timer(Math.max(0, first.due - env.now()), wake, true);
  }
}

class Rep extends Element {
  constructor(readonly context: Context) {
    super();
  }

  override up(m: Message): void {
    let n = way.measure(m.view, m.start, m.end);
    if (n < 0) n = m.measure(way.measure, this.context.slab);
    // xrep put its own number before a way of `ttl` words at most, which it has checked.
    if (n < 0) return this.context.stats.breach("sp.request.trace");
    m.exchange = new Exchange();
    m.exchange.tie = way.read(m.view, m.start, m.end).trace;
    m.pop(n);
    this.above.up(m);
  }

  override down(m: Message): void {
    const trace = (m.exchange as Exchange).tie as number[];
    m.push(way.size(trace), this.context.slab);
    way.write(m.view, m.start, trace);
    this.below.down(m);
  }
}

export interface ReqOptions {
  /** Milliseconds after which a request is sent again if there is no reply. 0: never. Default: 60,000. */
  readonly resendTime?: number;
}

/** REQ: `request`. */
export function req({ resendTime = 60_000 }: ReqOptions = {}): Layer<"raw", "req", "req"> {
  if (!(resendTime >= 0))
    throw new RangeError(`resendTime is milliseconds, 0 or more; not ${resendTime}`);
  return {
    name: "req",
    below: "raw",
    above: "req",
    headers: [way.HEADER],
    raw: xreq,
    port: (s: Socket) => new Requester(s),
    make: (context) => new Req(context, resendTime === Infinity ? 0 : resendTime),
  };
}

/** REP: `serve`, or `for await` and `reply`. */
export function rep(options: HopOptions = {}): Layer<"raw", "rep", "rep"> {
  return {
    name: "rep",
    below: "raw",
    above: "rep",
    headers: [way.HEADER],
    raw: () => xrep(options),
    port: (s: Socket) => new Replier(s),
    make: (context) => new Rep(context),
  };
}

// --- what the application holds ---

/** A request, from the side of who asked. */
class Call extends Exchange {
  resolve!: (body: Uint8Array) => void;
  reject!: (error: Error) => void;
  readonly promise = new Promise<Uint8Array>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
  undo: (() => void) | undefined;
}

export interface RequestOptions extends Waits {
  /** Copies the body, so that the caller may write to it again. */
  readonly copy?: boolean;
}

/** Asks. */
export class Requester extends Port {
  readonly #socket: Socket;
  readonly #outlet: Outlet;
  readonly #calls = new Set<Call>();
  #closed: ClosedError | undefined;

  constructor(socket: Socket) {
    super(socket);
    this.#socket = socket;
    this.#outlet = new Outlet(socket);
    const { stats } = socket.context;
    const up = (m: Message) => {
      const call = m.exchange as Call;
      stats.received++;
      stats.receivedOctets += m.length;
      if (this.#settle(call)) call.resolve(bodyOf(m, stats));
    };
    const event = (e: Event) => {
      if (e.type === "failed") this.#fail(e.exchange as Call, e.error);
      else this.#outlet.event(e);
    };
    socket.join({ up, event }, (error) => {
      this.#closed = error;
      this.#outlet.close(error);
      for (const call of this.#calls) this.#fail(call, error);
    });
  }

  /**
   * Asks one of those who answer, in turn; resolves with the reply. Any number may be under way. A
   * request is sent again when its connection is lost, and after `resendTime`: whoever answers must
   * bear to be asked twice. Without a connection it waits for one; `timeout` or `signal` end that.
   */
  request(body: Body, options?: RequestOptions): Promise<Uint8Array> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const call = new Call();
    if (options !== undefined && !this.#limit(call, options)) return call.promise;
    this.#calls.add(call);
    const sent = this.#outlet.send(body, options?.copy ? { copy: true } : undefined, call);
    if (sent !== Outlet.DONE) sent.catch((error) => this.#fail(call, error));
    return call.promise;
  }

  #limit(call: Call, { timeout, signal }: RequestOptions): boolean {
    const { env } = this.#socket.context;
    if (signal?.aborted) {
      call.reject(cancelled("request", signal));
      return false;
    }
    if (timeout === undefined && signal === undefined) return true;
    const late = () => this.#give(call, new TimeoutError(`request: no reply within ${timeout} ms`));
    const timer = timeout === undefined ? undefined : env.timer(timeout, late);
    const abort = () => this.#give(call, cancelled("request", signal as AbortSignal));
    signal?.addEventListener("abort", abort);
    call.undo = () => {
      timer?.cancel();
      signal?.removeEventListener("abort", abort);
    };
    return true;
  }

  /** Gives up a call. */
  #give(call: Call, error: Error): void {
    this.#fail(call, error);
    this.#socket.below.control({ type: "cancel", exchange: call });
  }

  #fail(call: Call, error: Error): void {
    if (this.#settle(call)) call.reject(error);
  }

  #settle(call: Call): boolean {
    if (call.over) return false;
    call.over = true;
    call.undo?.();
    this.#calls.delete(call);
    return true;
  }
}

/** A request, from the side of who answers. */
export class Ask {
  readonly #socket: Socket;
  readonly #exchange: Exchange;

  constructor(
    socket: Socket,
    readonly body: Uint8Array,
    exchange: Exchange,
  ) {
    this.#socket = socket;
    this.#exchange = exchange;
  }

  /** Answers, once. If who asked has gone, nothing happens. */
  reply(body: Body, { copy = false }: { readonly copy?: boolean } = {}): void {
    if (this.#exchange.over) throw new StateError("this request has its reply already");
    const m = compose(body, this.#socket, copy);
    this.#exchange.over = true;
    m.exchange = this.#exchange;
    const { stats } = this.#socket.context;
    stats.sent++;
    stats.sentOctets += m.length;
    this.#socket.below.down(m);
  }
}

export type Handler = (body: Uint8Array, ask: Ask) => Body | Promise<Body>;

export interface ServeOptions {
  /** Requests that the handler has at a time. Default: 256. */
  readonly concurrency?: number;
}

/** Answers. */
export class Replier extends Port {
  readonly #socket: Socket;
  readonly #inlet: Inlet<Ask>;
  #handler: Handler | undefined;
  #concurrency = 0;
  #active = 0;

  constructor(socket: Socket) {
    super(socket);
    this.#socket = socket;
    const inlet = new Inlet<Ask>(socket, (ask) => ask.body.length);
    this.#inlet = inlet;
    const { stats } = socket.context;
    const up = (m: Message) => {
      const ask = new Ask(socket, bodyOf(m, stats), m.exchange as Exchange);
      inlet.put(ask);
      if (this.#handler !== undefined) this.#work();
    };
    socket.join({ up, event() {} }, (error) => inlet.close(error));
  }

  /** The next request, from whomever; answer it with `reply`. */
  receive(options?: Waits): Promise<Ask> {
    return this.#inlet.receive(options);
  }

  /** Request by request, until the socket closes. */
  [Symbol.asyncIterator](): AsyncIterator<Ask> {
    return this.#inlet[Symbol.asyncIterator]();
  }

  /**
   * Answers each request with what the handler gives. A handler that throws answers nothing: the
   * socket goes on, and `error` tells.
   */
  serve(handler: Handler, { concurrency = 256 }: ServeOptions = {}): void {
    if (this.#handler !== undefined) throw new StateError("this socket is served already");
    this.#handler = handler;
    this.#concurrency = concurrency;
    this.#work();
  }

  #work(): void {
    while (this.#active < this.#concurrency) {
      const ask = this.#inlet.tryReceive();
      if (ask === undefined) return;
      try {
        const reply = (this.#handler as Handler)(ask.body, ask);
        if (reply instanceof Promise) this.#later(ask, reply);
        else ask.reply(reply);
      } catch (error) {
        this.#socket.threw(error);
      }
    }
  }

  async #later(ask: Ask, reply: Promise<Body>): Promise<void> {
    this.#active++;
    try {
      ask.reply(await reply);
    } catch (error) {
      this.#socket.threw(error);
    } finally {
      this.#active--;
      this.#work();
    }
  }
}

declare module "../layer.js" {
  interface Ports {
    req: Requester;
    rep: Replier;
  }
}
