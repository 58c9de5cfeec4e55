/**
 * The one place where many connections become one: what a raw protocol extends.
 *
 * A raw protocol chooses a pipe, prefixes and reports; it never stores a message. Out of band it tells
 * who took one (`m.pipe`), who went (`detached`) and who is ready (`stop`, `go`).
 */
import { PeerError } from "./error.js";
import {
  CLOSE,
  type Context,
  type Control,
  Element,
  END,
  ENDED,
  type Event,
  type Facts,
  GO,
  type Layer,
  type Protocol,
  STOP,
} from "./layer.js";
import type { Message } from "./message.js";
import { type Alike, Group } from "./multicast.js";
import { Ranks } from "./ranks.js";
import { Slots } from "./slots.js";

/** Which connections come first: 1 is the best, 16 the last. Default: 8. */
export interface Priority {
  /** Of those who are ready only the best are sent to, each in its turn: PUSH, REQ. */
  readonly send?: number;
  /** Of those whose messages wait for the application the best are heard first, each in its turn. */
  readonly receive?: number;
}

const MIDDLE = 8;

/** A connection, as the application sees it: always the same object. */
export interface PipeInfo {
  /** Its number in backtraces. */
  readonly number: number;
  readonly facts: Facts;
  /**
   * Drops it, and what was not yet written to it; `detached` hears `error`. A dialer connects again, until
   * it is closed itself.
   */
  close(error?: Error): void;
}

/** Who made a pipe, and hears how it fares. */
export interface PipeOwner {
  readonly priority?: Priority | undefined;
  /** Why the application does not want a peer of whom these things are known, if it does not. */
  refuses?(facts: Facts): string | undefined;
  attached(pipe: Pipe): void;
  /** Closed, or refused before it took part. Heard once. */
  closed(pipe: Pipe, error: Error | undefined): void;
}

/** A connection, as the hub sees it: the element on top of its layers. */
export class Pipe extends Element {
  /** Its number in backtraces: 31 bits, of no meaning to anybody else. */
  number = 0;
  facts: Facts = {};
  /** It takes messages now. */
  ready = false;
  attached = false;
  /** Its hub takes nothing from it. */
  held = false;
  /** Those with whom it shares what is given to all. */
  group: Group | undefined;
  #closed = false;
  #why: Error | undefined;
  #info: PipeInfo | undefined;

  constructor(
    readonly hub: Hub,
    readonly owner: PipeOwner,
    readonly alike?: Alike,
  ) {
    super();
  }

  /** Of one that takes part, or did. */
  get info(): PipeInfo {
    const { number, facts } = this;
    this.#info ??= { number, facts, close: (error) => this.close(error) };
    return this.#info;
  }

  /** Whether it misses a message now: 1 or 0. */
  get idle(): number {
    return this.ready ? 0 : 1;
  }

  override down(m: Message): void {
    // What was given to all before comes first.
    this.group?.flush();
    m.pipe = this;
    this.below.down(m);
  }

  override up(m: Message): void {
    if (!this.attached) return;
    m.pipe = this;
    this.hub.receive(m, this);
  }

  override event(e: Event): void {
    switch (e.type) {
      case "opened":
        return this.#opened(e.facts);
      case "closed":
        return this.#gone(e.error);
      case "stop":
      case "go":
        return this.hub.turned(this, e.type === "go");
    }
  }

  #opened(facts: Facts): void {
    this.facts = facts;
    const refusal = this.hub.attach(this);
    if (refusal !== undefined) this.close(refusal);
    else this.owner.attached(this);
  }

  /** Drops it; the owner hears `error`. */
  close(error?: Error): void {
    this.#why ??= error;
    // It is gone only when the system says so; what is sent until then goes to others.
    this.hub.turned(this, false);
    this.below.control(error === undefined ? CLOSE : { type: "close", error });
  }

  #gone(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    const why = this.#why ?? error;
    const took = this.attached;
    if (took) this.hub.detach(this, why);
    this.owner.closed(this, why);
    if (!took) this.hub.missed();
  }
}

export abstract class Hub extends Element {
  readonly pipes: Pipe[] = [];
  readonly #numbers: Slots<Pipe>;
  readonly #takers = new Ranks<Pipe>();
  readonly #givers = new Ranks<Pipe>();
  /** Of connections on the same layers, by the lowest of these. */
  readonly #groups = new Map<Layer, Group>();
  /** Groups, and pipes that are in none; undefined if it has to be seen anew. */
  #audience: readonly (Group | Pipe)[] | undefined;
  #ready = 0;
  #stopped = false;
  #ending = false;

  constructor(
    readonly context: Context,
    readonly protocol: Protocol | undefined,
    /** It says `stop` when no pipe is ready. The others drop, and count. */
    readonly waits: boolean,
  ) {
    super();
    this.#numbers = new Slots(context.env);
  }

  /** A message came up. */
  receive(m: Message, _pipe: Pipe): void {
    this.above.up(m);
  }

  /** Why this pipe may not take part, if it may not. */
  refuses(_pipe: Pipe): string | undefined {
    return undefined;
  }

  /** The pipe of that number, if it is still there. */
  pipe(number: number): Pipe | undefined {
    return this.#numbers.get(number);
  }

  /** The next pipe that is ready, of the best priority in which one is; each in its turn. */
  turn(): Pipe | undefined {
    return this.#takers.turn();
  }

  /**
   * Gives a message to every pipe but the one it came from, each, or each group of them, with a head of
   * its own and the body shared. Who takes no more misses it, and it is counted by `rule`.
   */
  spread(m: Message, rule: string): void {
    const { pipes } = this;
    const { stats, slab } = this.context;
    // What a device brings came by another hub's connection: here nobody has it yet.
    const from = m.pipe instanceof Pipe && m.pipe.hub === this ? m.pipe : undefined;
    let takers: readonly (Group | Pipe)[] = pipes;
    if (from !== undefined) takers = pipes.filter((pipe) => pipe !== from);
    else if (pipes.length > 1) takers = this.#audience ??= this.#seated();
    const last = takers.length - 1;
    for (let i = 0; i <= last; i++) {
      const taker = takers[i] as Group | Pipe;
      // Asked when its turn comes: a pipe may stop, or go, while another takes the message.
      stats.drop(rule, taker.idle);
      if (taker.ready) taker.down(i === last ? m : m.fork(m.start - m.floor, slab));
    }
  }

  /** Every pipe, or its group where others are in it, too. */
  #seated(): readonly (Group | Pipe)[] {
    for (const pipe of this.pipes) {
      const key = pipe.alike?.layers.at(-1);
      if (key === undefined || pipe.group !== undefined) continue;
      const group = this.#groups.get(key) ?? new Group(pipe.alike as Alike);
      this.#groups.set(key, group);
      pipe.group = group;
      group.add(pipe);
    }
    const seat = (pipe: Pipe) => {
      const { group } = pipe;
      return group === undefined || group.size === 1 ? pipe : group;
    };
    return [...new Set(this.pipes.map(seat))];
  }

  /** Takes a pipe in; answers why not. */
  attach(pipe: Pipe): Error | undefined {
    const { protocol } = this;
    const { type } = pipe.facts;
    if (type !== undefined && protocol !== undefined && type !== protocol.peer) {
      return PeerError.stranger(type, protocol);
    }
    // Whom the application asks may close the socket.
    const unwanted = pipe.owner.refuses?.(pipe.facts);
    if (this.#ending) return new PeerError("the socket is closing");
    const reason = unwanted ?? this.refuses(pipe);
    if (reason !== undefined) return new PeerError(reason);
    const number = this.#numbers.add(pipe);
    if (number === undefined) return new PeerError("there are 65536 connections already");
    pipe.number = number;
    pipe.attached = true;
    this.pipes.push(pipe);
    this.#audience = undefined;
    this.#takers.add(pipe, pipe.owner.priority?.send ?? MIDDLE);
    this.#givers.add(pipe, pipe.owner.priority?.receive ?? MIDDLE);
    if (this.#stopped) pipe.below.control(STOP);
    this.event({ type: "attached", pipe });
    this.turned(pipe, true);
    return undefined;
  }

  /** Takes nothing from this pipe for now, whatever the others do; or takes from it again. */
  hold(pipe: Pipe, held: boolean): void {
    if (pipe.held === held) return;
    pipe.held = held;
    if (!this.#stopped) pipe.below.control(held ? STOP : GO);
  }

  /** A pipe takes messages, or takes no more. */
  turned(pipe: Pipe, ready: boolean): void {
    if (!pipe.attached || pipe.ready === ready) return;
    pipe.ready = ready;
    pipe.group?.turned(pipe, ready);
    this.#ready += ready ? 1 : -1;
    if (!this.waits) return;
    if (ready && this.#ready === 1) this.event(GO);
    else if (!ready && this.#ready === 0) this.event(STOP);
  }

  detach(pipe: Pipe, error: Error | undefined): void {
    this.turned(pipe, false);
    pipe.attached = false;
    this.#audience = undefined;
    pipe.group?.delete(pipe);
    if (pipe.group?.size === 0) this.#groups.delete(pipe.alike?.layers.at(-1) as Layer);
    pipe.group = undefined;
    this.pipes.splice(this.pipes.indexOf(pipe), 1);
    this.#takers.delete(pipe, pipe.owner.priority?.send ?? MIDDLE);
    this.#givers.delete(pipe, pipe.owner.priority?.receive ?? MIDDLE);
    this.#numbers.delete(pipe.number);
    this.event({ type: "detached", pipe, ...(error === undefined ? {} : { error }) });
    if (this.#ending && this.pipes.length === 0) this.event(ENDED);
  }

  /** A connection came to nothing: it never took part. */
  missed(): void {}

  override control(c: Control): void {
    switch (c.type) {
      case "stop":
        this.#stopped = true;
        break;
      case "go":
        this.#stopped = false;
        return this.#resume();
      case "end":
        this.#ending = true;
        for (const group of this.#groups.values()) group.flush();
        if (this.pipes.length === 0) return this.event(ENDED);
        return this.#all(END);
      case "cancel":
        return;
    }
    this.#all(c);
  }

  /** The first to go on matters: what it holds may be all that the side above takes. */
  #resume(): void {
    this.#givers.each((pipe) => {
      if (!pipe.held) pipe.below.control(GO);
      return !this.#stopped;
    });
  }

  #all(c: Control): void {
    for (const pipe of [...this.pipes]) pipe.below.control(c);
  }
}
