/**
 * SURVEYOR and RESPONDENT: a question to everybody, and whatever answers come in time.
 *
 * nanomsg rfc/sp-surveyor-01. In front of each body stands the way back (`sp.survey`), as in REQ and REP.
 * Who takes no more is not asked, and it is counted. `stack(surveyor(), xsurveyor())`,
 * `stack(respondent(), xrespondent())`
 */
import { Type } from "../../generated/sp/greeting.js";
import * as way from "../../generated/sp/survey.js";
import * as tag from "../../generated/sp/tag.js";
import { Answering, Replier, type Way, XAnswering } from "../answering.js";
import { type Body, bodyOf } from "../body.js";
import { after } from "../env.js";
import { type ClosedError, StateError, WireError } from "../error.js";
import { Hub, type Pipe } from "../hub.js";
import {
  type Context,
  type Control,
  Element,
  type Event,
  type Layer,
  type Protocol,
  type TtlOptions,
  ttlOf,
} from "../layer.js";
import { Exchange, type Message } from "../message.js";
import { named } from "../option.js";
import { Port, Raw, type Socket } from "../port.js";
import { cancelled, Outlet } from "../queues.js";
import { Slots } from "../slots.js";

const asks: Protocol = { name: "surveyor", type: Type.surveyor, peer: Type.respondent };
// By name: of a module that is handed on whole, a bundle for a page keeps all.
const codec: Way = {
  HEADER: way.HEADER,
  size: way.size,
  measure: way.measure,
  explain: way.explain,
  read: way.read,
  write: way.write,
};
const answers: Protocol = { name: "respondent", type: Type.respondent, peer: Type.surveyor };

class XSurveyor extends Hub {
  override down(m: Message): void {
    this.spread(m, "surveyor: the peer takes no more");
  }

  override receive(m: Message, pipe: Pipe): void {
    let n = tag.measure(m.view, m.start, m.end);
    if (n < 0) n = m.measure(tag.measure, this.context.slab);
    if (n < 0)
      return pipe.close(new WireError("xsurveyor", tag.explain(n, m.view, m.start, m.end)));
    this.above.up(m);
  }
}

/** A survey that goes on. */
class Asked {
  number = 0;

  constructor(
    readonly exchange: Exchange,
    /** Connections that there had been when it was asked. */
    readonly known: number,
  ) {}
}

class Surveying extends Element {
  readonly #slots: Slots<Asked>;
  /** Connections by the order of their coming: who came later was not asked. */
  readonly #order = new WeakMap<object, number>();
  #known = 0;

  constructor(readonly context: Context) {
    super();
    this.#slots = new Slots(context.env);
  }

  override down(m: Message): void {
    const exchange = m.exchange as Exchange;
    const asked = new Asked(exchange, this.#known);
    const number = this.#slots.add(asked);
    if (number === undefined) {
      const error = new StateError("65536 surveys are under way already");
      return this.above.event({ type: "failed", exchange, error });
    }
    asked.number = number;
    exchange.tie = asked;
    m.push(tag.MAX, this.context.slab);
    tag.write(m.view, m.start, true, number);
    this.below.down(m);
  }

  override up(m: Message): void {
    const { view, start } = m;
    const asked = tag.getLast(view, start)
      ? this.#slots.get(tag.getNumber(view, start))
      : undefined;
    const { stats } = this.context;
    if (asked === undefined) return stats.breach("surveyor: no such survey");
    const order = this.#order.get(m.pipe as object);
    if (order === undefined || order > asked.known) return stats.breach("surveyor: was not asked");
    m.pop(tag.MAX);
    m.exchange = asked.exchange;
    this.above.up(m);
  }

  override event(e: Event): void {
    if (e.type === "attached") this.#order.set(e.pipe, ++this.#known);
    this.above.event(e);
  }

  override control(c: Control): void {
    if (c.type !== "cancel") return this.below.control(c);
    const asked = c.exchange.tie as Asked | undefined;
    if (asked !== undefined) this.#slots.delete(asked.number);
  }
}

/** SURVEYOR, raw: asks everybody, and passes responses up. */
export function xsurveyor(): Layer<"link", "raw", "xsurveyor"> {
  return {
    name: "xsurveyor",
    below: "link",
    above: "raw",
    hub: true,
    protocol: asks,
    port: (s: Socket) => new Raw(s, way.measure),
    make: (context) => new XSurveyor(context, asks, false),
  };
}

/** RESPONDENT, raw: puts the pipe's number before a survey, and sends a response to the pipe it names. */
export function xrespondent(options: TtlOptions = {}): Layer<"link", "raw", "xrespondent"> {
  const ttl = ttlOf(options);
  return {
    name: "xrespondent",
    below: "link",
    above: "raw",
    hub: true,
    protocol: answers,
    port: (s: Socket) => new Raw(s, way.measure),
    make: (context) => new XAnswering(context, answers, codec, ttl),
  };
}

export interface SurveyorOptions {
  /**
   * Milliseconds that a survey goes on, unless it says otherwise; Infinity: until somebody ends it.
   * Default: 1,000.
   */
  readonly surveyTime?: number;
}

/** SURVEYOR: `survey`. */
export function surveyor(options: SurveyorOptions = {}): Layer<"raw", "surveyor", "surveyor"> {
  const { surveyTime = 1000 } = named("surveyor", options, { surveyTime: true });
  checkTime(surveyTime);
  return {
    name: "surveyor",
    below: "raw",
    above: "surveyor",
    headers: [way.HEADER],
    raw: xsurveyor,
    port: (s: Socket) => new Surveyor(s, surveyTime),
    make: (context) => new Surveying(context),
  };
}

function checkTime(surveyTime: number): void {
  if (surveyTime > 0) return;
  throw new RangeError(`surveyTime is milliseconds, above 0; not ${surveyTime}`);
}

/** RESPONDENT: `serve`, or `for await` and `reply`; who keeps silent is not missed. */
export function respondent(options: TtlOptions = {}): Layer<"raw", "respondent", "respondent"> {
  ttlOf(options);
  return {
    name: "respondent",
    below: "raw",
    above: "respondent",
    headers: [way.HEADER],
    raw: () => xrespondent(options),
    port: (s: Socket) => new Replier(s, true),
    make: (context) => new Answering(context, codec),
  };
}

export interface SurveyOptions {
  /** Milliseconds that it goes on. */
  readonly surveyTime?: number;
  /** Ends it early, with CancelledError. */
  readonly signal?: AbortSignal;
  /** Copies the body, so that the caller may write to it again. */
  readonly copy?: boolean;
}

/** Responses as they come, until time is up. */
class Survey extends Exchange implements AsyncIterableIterator<Uint8Array> {
  readonly #queue: Uint8Array[] = [];
  /** Calls of `next` that wait; there may be many. */
  #waiting: (() => void)[] = [];
  #error: Error | undefined;
  undo: () => void = () => {};
  #octets = 0;

  constructor(readonly socket: Socket) {
    super();
  }

  /** As many responses may wait as messages of other sockets; peers decide how many there are. */
  put(body: Uint8Array): void {
    const { recvBuffer, recvBufferOctets, context } = this.socket;
    if (this.#queue.length >= recvBuffer || this.#octets >= recvBufferOctets) {
      return context.stats.drop("receive queue full");
    }
    this.#queue.push(body);
    this.#octets += body.length;
    this.#wake();
  }

  #wake(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  end(error?: Error): void {
    if (this.over) return;
    this.over = true;
    this.#error = error;
    this.undo();
    this.#wake();
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const value = this.#queue.shift();
      if (value !== undefined) {
        this.#octets -= value.length;
        return { done: false, value };
      }
      if (this.over) {
        const error = this.#error;
        this.#error = undefined;
        if (error !== undefined) throw error;
        return { done: true, value: undefined };
      }
      await new Promise<void>((go) => void this.#waiting.push(go));
    }
  }

  /** Whoever leaves the loop has heard enough. */
  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#queue.length = 0;
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** Asks everybody. */
export class Surveyor extends Port {
  readonly #socket: Socket;
  readonly #outlet: Outlet;
  readonly #surveys = new Set<Survey>();
  #closed: ClosedError | undefined;

  constructor(
    socket: Socket,
    readonly surveyTime: number,
  ) {
    super(socket);
    this.#socket = socket;
    this.#outlet = new Outlet(socket);
    const { stats } = socket.context;
    const up = (m: Message) => {
      stats.received++;
      stats.receivedOctets += m.length;
      (m.exchange as Survey).put(bodyOf(m, stats));
    };
    const event = (e: Event) => {
      if (e.type === "failed") (e.exchange as Survey).end(e.error);
      else this.#outlet.event(e);
    };
    socket.join({ up, event }, (error) => {
      this.#closed = error;
      this.#outlet.close(error);
      for (const survey of this.#surveys) survey.end(error);
    });
  }

  /**
   * Asks everybody who is connected now; yields their responses as they come, and ends when time is up.
   * Any number may be under way.
   */
  survey(body: Body, options: SurveyOptions = {}): AsyncIterableIterator<Uint8Array> {
    if (this.#closed !== undefined) throw this.#closed;
    const { surveyTime = this.surveyTime, signal, copy } = options;
    checkTime(surveyTime);
    const survey = new Survey(this.#socket);
    const { env } = this.#socket.context;
    this.#surveys.add(survey);
    const timer = after(env, surveyTime, () => survey.end());
    const abort = () => survey.end(cancelled("survey", signal as AbortSignal));
    signal?.addEventListener("abort", abort);
    survey.undo = () => {
      timer.cancel();
      signal?.removeEventListener("abort", abort);
      this.#surveys.delete(survey);
      this.#socket.below.control({ type: "cancel", exchange: survey });
    };
    if (signal?.aborted) abort();
    else this.#outlet.send(body, copy ? { copy } : undefined, survey).catch((e) => survey.end(e));
    return survey;
  }
}

declare module "../layer.js" {
  interface Ports {
    surveyor: Surveyor;
    respondent: Replier<Body | undefined>;
  }
}
