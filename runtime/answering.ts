/**
 * Those who answer: REP and RESPONDENT. They differ in their numbers, and in that a respondent may keep
 * silent.
 *
 * In front of a request stands the way back to who asked. The raw half puts the pipe's number before it
 * and sends an answer to the pipe that it names; the cooked half keeps the way until there is an answer.
 */
import * as tag from "../generated/sp/tag.js";
import { type Body, bodyOf, compose } from "./body.js";
import { StateError, WireError } from "./error.js";
import { Hub, type Pipe, type PipeInfo } from "./hub.js";
import { type Context, Element, type HeaderFacts, type Protocol } from "./layer.js";
import { Exchange, type Message } from "./message.js";
import { count } from "./option.js";
import { Port, type Socket } from "./port.js";
import { Inlet, type Waits } from "./queues.js";

/** The generated codec of a way back. */
export interface Way {
  readonly HEADER: HeaderFacts;
  size(trace: number[]): number;
  measure(v: DataView, o: number, end: number): number;
  explain(n: number, v: DataView, o: number, end: number): string;
  read(v: DataView, o: number, end: number): { trace: number[] };
  write(v: DataView, o: number, trace: number[]): number;
}

/** Octets of answers that are kept for a peer who reads none. */
const OWED = 16 * 1024 * 1024;

/**
 * The raw half. A peer that takes no more answers is asked for no more requests: what it is owed then
 * is bounded by what it has asked, and is written all the same. Beyond a limit answers are dropped.
 */
export class XAnswering extends Hub {
  readonly #owed = new WeakMap<Pipe, number>();

  constructor(
    context: Context,
    override readonly protocol: Protocol,
    readonly way: Way,
    readonly ttl: number,
  ) {
    super(context, protocol, false);
  }

  override turned(pipe: Pipe, ready: boolean): void {
    super.turned(pipe, ready);
    if (!pipe.attached) return;
    if (ready) this.#owed.delete(pipe);
    this.hold(pipe, !ready);
  }

  override receive(m: Message, pipe: Pipe): void {
    const { way, protocol } = this;
    const { slab, stats } = this.context;
    let n = way.measure(m.view, m.start, m.end);
    if (n < 0) n = m.measure(way.measure, slab);
    if (n <= -0x1000000) return stats.breach(`${way.HEADER.name}.trace`);
    if (n < 0)
      return pipe.close(new WireError(`x${protocol.name}`, way.explain(n, m.view, m.start, m.end)));
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
    if (pipe === undefined) return stats.drop(`${this.protocol.name}: the peer has gone`);
    if (!pipe.ready) {
      const owed = (this.#owed.get(pipe) ?? 0) + m.length;
      if (owed > OWED) return stats.drop(`${this.protocol.name}: the peer takes no more`);
      this.#owed.set(pipe, owed);
    }
    m.pop(n);
    pipe.down(m);
  }
}

/** The cooked half. */
export class Answering extends Element {
  constructor(
    readonly context: Context,
    readonly way: Way,
  ) {
    super();
  }

  override up(m: Message): void {
    const { way } = this;
    let n = way.measure(m.view, m.start, m.end);
    if (n < 0) n = m.measure(way.measure, this.context.slab);
    // The raw half put its own number before a way of `ttl` words at most, which it has checked.
    if (n < 0) return this.context.stats.breach(`${way.HEADER.name}.trace`);
    m.exchange = new Exchange();
    m.exchange.tie = way.read(m.view, m.start, m.end).trace;
    m.pop(n);
    this.above.up(m);
  }

  override down(m: Message): void {
    const { way } = this;
    const trace = (m.exchange as Exchange).tie as number[];
    m.push(way.size(trace), this.context.slab);
    way.write(m.view, m.start, trace);
    this.below.down(m);
  }
}

/** A request, from the side of who answers. */
export class Ask {
  readonly #socket: Socket;
  readonly #exchange: Exchange;
  readonly #pipe: Pipe;

  constructor(
    socket: Socket,
    readonly body: Uint8Array,
    exchange: Exchange,
    pipe: Pipe,
  ) {
    this.#socket = socket;
    this.#exchange = exchange;
    this.#pipe = pipe;
  }

  /**
   * The connection that it came by: its facts say who asks, as far as the opening told, and it can be
   * closed. Behind a device that is the device's. It may have gone since.
   */
  get pipe(): PipeInfo {
    return this.#pipe.info;
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

/** Gives the answer to a request, or a promise of it. */
export type Handler<Answer = Body> = (body: Uint8Array, ask: Ask) => Answer | Promise<Answer>;

export interface ServeOptions {
  /** Requests that the handler has at a time. Default: 256. */
  readonly concurrency?: number;
}

/** Answers. `Answer` is undefined too for who may keep silent. */
export class Replier<Answer extends Body | undefined = Body> extends Port {
  readonly #socket: Socket;
  readonly #inlet: Inlet<Ask>;
  #handler: Handler<Answer> | undefined;
  #concurrency = 0;
  #active = 0;

  constructor(
    socket: Socket,
    /** A handler that gives nothing answers nothing; otherwise that is a mistake. */
    readonly maySkip: boolean,
  ) {
    super(socket);
    this.#socket = socket;
    const inlet = new Inlet<Ask>(socket, (ask) => ask.body.length);
    this.#inlet = inlet;
    const { stats } = socket.context;
    const up = (m: Message) => {
      const ask = new Ask(socket, bodyOf(m, stats), m.exchange as Exchange, m.pipe as Pipe);
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
  serve(handler: Handler<Answer>, { concurrency = 256 }: ServeOptions = {}): void {
    if (this.#handler !== undefined) throw new StateError("this socket is served already");
    if (typeof handler !== "function") {
      throw new TypeError(`serve takes a function of the body; not ${typeof handler}`);
    }
    this.#concurrency = count("concurrency", concurrency, 1);
    this.#handler = handler;
    this.#work();
  }

  #work(): void {
    while (this.#active < this.#concurrency) {
      const ask = this.#inlet.tryReceive();
      if (ask === undefined) return;
      try {
        const reply = (this.#handler as Handler<Answer>)(ask.body, ask);
        if (reply instanceof Promise) this.#later(ask, reply);
        else this.#answer(ask, reply);
      } catch (error) {
        this.#socket.threw(error);
      }
    }
  }

  async #later(ask: Ask, reply: Promise<Answer>): Promise<void> {
    this.#active++;
    try {
      this.#answer(ask, await reply);
    } catch (error) {
      this.#socket.threw(error);
    } finally {
      this.#active--;
      this.#work();
    }
  }

  #answer(ask: Ask, body: Answer): void {
    if (body === undefined && this.maySkip) return;
    ask.reply(body as Body);
  }
}
