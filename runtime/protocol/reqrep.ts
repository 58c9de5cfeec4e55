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
import { Answering, Replier, type Way, XAnswering } from "../answering.js";
import { type Body, bodyOf } from "../body.js";
import { after, type Timer } from "../env.js";
import { type ClosedError, StateError, WireError } from "../error.js";
import { Hub, type Pipe } from "../hub.js";
import {
  type Context,
  type Control,
  type Event,
  type Layer,
  type Protocol,
  type TtlOptions,
  ttlOf,
} from "../layer.js";
import { Exchange, type Mark, type Message } from "../message.js";
import { named, time } from "../option.js";
import { Port, Raw, type Socket } from "../port.js";
import { cancelled, lateBy, Outlet, unfit, type Waits } from "../queues.js";
import { Slots } from "../slots.js";
import { Waiting } from "../waiting.js";

const asks: Protocol = { name: "req", type: Type.req, peer: Type.rep };
// By name: of a module that is handed on whole, a bundle for a page keeps all.
const codec: Way = {
  HEADER: way.HEADER,
  size: way.size,
  measure: way.measure,
  explain: way.explain,
  read: way.read,
  write: way.write,
};
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

/** REQ, raw: chooses a pipe for each request, each in its turn, and passes replies up. */
export function xreq(): Layer<"link", "raw", "xreq"> {
  return {
    name: "xreq",
    below: "link",
    above: "raw",
    hub: true,
    protocol: asks,
    port: (s: Socket) => new Raw(s, way.measure),
    make: (context) => new XReq(context, asks, true),
  };
}

/** REP, raw: puts the pipe's number before a request, and sends a reply to the pipe it names. */
export function xrep(options: TtlOptions = {}): Layer<"link", "raw", "xrep"> {
  const ttl = ttlOf(options);
  return {
    name: "xrep",
    below: "link",
    above: "raw",
    hub: true,
    protocol: answers,
    port: (s: Socket) => new Raw(s, way.measure),
    make: (context) => new XAnswering(context, answers, codec, ttl),
  };
}

// --- cooked ---

/** A request that has no reply yet. */
class Pending {
  number = 0;
  /** Behind its number, for the time that it is sent again. */
  mark: Mark | undefined;
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
  #ended = false;

  constructor(
    context: Context,
    readonly resendTime: number,
  ) {
    super(context);
    this.#slots = new Slots(context.env);
  }

  override down(given: Message): void {
    const { slab } = this.context;
    const exchange = given.exchange as Exchange;
    // Of a body in the window a write may be under way when it is sent again: headers go elsewhere.
    const m = given.rest.length > 0 ? given : given.fork(given.start - given.floor, slab);
    const pending = new Pending(m);
    const number = this.#slots.add(pending);
    if (number === undefined) {
      const error = new StateError("65536 requests are under way already");
      return this.above.event({ type: "failed", exchange, error });
    }
    m.push(tag.MAX, slab);
    tag.write(m.view, m.start, true, number);
    m.kept = true;
    pending.number = number;
    pending.mark = m.mark();
    exchange.tie = pending;
    super.down(m);
  }

  protected override pass(m: Message): void {
    const pending = (m.exchange as Exchange).tie as Pending;
    if (pending.over) return;
    pending.queued = false;
    m.reset(pending.mark as Mark);
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
    const exchange = pending.m.exchange as Exchange;
    m.exchange = exchange;
    this.above.up(m);
    // Who asks for proof may have dropped it. The true one can still come.
    if (exchange.over) this.#settle(pending);
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
      this.#timer?.cancel();
      this.#ended = true;
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

  // The list of those that wait for a reply, and the one timer for the first of them. A reply leaves the
  // timer as it is: it may wake for nobody, but costs nothing a request.

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
  }

  #arm(): void {
    const first = this.#first;
    if (this.#timer !== undefined || first === undefined || first.due === Infinity) return;
    if (this.#ended) return;
    const { env } = this.context;
    const wake = () => {
      this.#timer = undefined;
      const now = env.now();
      for (let p = this.#first; p !== undefined && p.due <= now; p = this.#first) this.#again(p);
      this.#arm();
    };
    this.#timer = after(env, Math.max(0, first.due - env.now()), wake, true);
  }
}

export interface ReqOptions {
  /**
   * Milliseconds after which a request is sent again if there is no reply. 0 or Infinity: never. Default:
   * 60,000.
   */
  readonly resendTime?: number;
}

/** REQ: `request`. */
export function req(options: ReqOptions = {}): Layer<"raw", "req", "req"> {
  const { resendTime = 60_000 } = named("req", options, { resendTime: true });
  time("resendTime", resendTime, 0);
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
export function rep(options: TtlOptions = {}): Layer<"raw", "rep", "rep"> {
  ttlOf(options);
  return {
    name: "rep",
    below: "raw",
    above: "rep",
    headers: [way.HEADER],
    raw: () => xrep(options),
    port: (s: Socket) => new Replier(s, false),
    make: (context) => new Answering(context, codec),
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
    const wrong = options && unfit("request", options);
    if (wrong !== undefined) return Promise.reject(wrong);
    const { timeout = this.#socket.receiveTimeout, signal } = options ?? {};
    if (timeout !== Infinity || signal !== undefined) this.#limit(call, timeout, signal);
    this.#calls.add(call);
    const sent = this.#outlet.send(body, options?.copy ? { copy: true } : undefined, call);
    if (sent !== Outlet.DONE) sent.catch((error) => this.#fail(call, error));
    return call.promise;
  }

  #limit(call: Call, timeout: number, signal: AbortSignal | undefined): void {
    const { env, stats } = this.#socket.context;
    const late = () => this.#give(call, lateBy("request: no reply", timeout, stats));
    const timer = after(env, timeout, late);
    const abort = () => this.#give(call, cancelled("request", signal as AbortSignal));
    signal?.addEventListener("abort", abort);
    call.undo = () => {
      timer.cancel();
      signal?.removeEventListener("abort", abort);
    };
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

declare module "../layer.js" {
  interface Ports {
    req: Requester;
    rep: Replier;
  }
}
