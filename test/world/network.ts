/**
 * Connections in memory, with what happens to connections: delay, octets cut anew, readers that are
 * slow, ends that are dropped, cables that are cut without a word, nobody there.
 *
 * Modelled on TCP as node shows it: what was written waits at the writer until the window has room,
 * travels, and waits at the reader while that is paused. Within a connection nothing overtakes.
 */
import type { Connection, Listening, Receiver, Where } from "../../runtime/index.js";
import { SystemError } from "../../runtime/index.js";
import type { Clock, Due } from "./clock.js";
import type { Random } from "./random.js";

export interface Conditions {
  /** Milliseconds that a chunk travels, at least and at most. */
  readonly delay: readonly [number, number];
  /** Octets of a chunk at most, drawn anew for each; 0: as they were written. */
  readonly chop: number;
  /** Octets on their way and not yet read. */
  readonly window: number;
  /** Octets that wait at the writer before it is told to stop. */
  readonly mark: number;
  /** Milliseconds that a reader takes for a chunk. */
  readonly reading: number;
  /** How often nobody answers at once, or ever, to who connects. */
  readonly refuses: number;
  readonly hangs: number;
}

/** Who in the world holds something: what must be gone when a socket has closed. */
export interface Owner {
  readonly live: Set<object>;
}

interface Binding {
  readonly where: Where;
  readonly owner: Owner;
  readonly accept: (connection: Connection) => Receiver;
  /** Refuses until then. */
  awayUntil: number;
}

export class Network {
  readonly links = new Set<Link>();
  /** All there ever were. */
  readonly history: Link[] = [];
  /** Hears of each attempt to connect. */
  hears: () => void = () => {};
  readonly #bindings = new Map<string, Binding>();
  #port = 40_000;

  constructor(
    readonly clock: Clock,
    readonly random: Random,
    public conditions: Conditions,
    /** Remembers what was written, to tell what was lost. */
    readonly remembers: boolean,
  ) {}

  delay(): number {
    return this.random.between(...this.conditions.delay);
  }

  connect(where: Where, to: Receiver, owner: Owner): { destroy(): void } {
    const { clock, random } = this;
    const name = nameOf(where);
    this.hears();
    let over = false;
    const attempt = {
      toString: () => `connecting to ${name}`,
      destroy: () => {
        if (over) return;
        fail();
      },
    };
    const fail = (error?: Error) => {
      over = true;
      owner.live.delete(attempt);
      clock.after(0, () => to.closed(error));
    };
    owner.live.add(attempt);
    if (random.often(this.conditions.hangs)) return attempt;
    clock.after(this.delay(), () => {
      if (over) return;
      const binding = this.#bindings.get(name);
      const away = binding === undefined || binding.awayUntil > clock.now;
      if (away || random.often(this.conditions.refuses)) {
        return fail(new SystemError(`connect ${name}`, { code: "ECONNREFUSED" }));
      }
      const link = new Link(this, name, owner, binding.owner);
      const { near, far } = link;
      far.open(binding.accept(far));
      const back = this.delay();
      // What the acceptor writes at once comes behind the news that it accepted.
      far.arriving = clock.now + back;
      clock.after(back, () => {
        if (over) return near.destroy();
        if (near.gone) return fail(new SystemError(`connect ${name}`, { code: "ECONNRESET" }));
        over = true;
        owner.live.delete(attempt);
        near.open(to);
      });
    });
    return attempt;
  }

  async listen(
    where: Where,
    accept: (connection: Connection) => Receiver,
    owner: Owner,
  ): Promise<Listening> {
    const local = "port" in where && where.port === 0 ? { ...where, port: this.#port++ } : where;
    const name = nameOf(local);
    if (this.#bindings.has(name)) throw new SystemError(`listen ${name}`, { code: "EADDRINUSE" });
    const binding: Binding = { where: local, owner, accept, awayUntil: 0 };
    const live = { toString: () => `listening at ${name}` };
    this.#bindings.set(name, binding);
    owner.live.add(live);
    return {
      local,
      close: async () => {
        if (this.#bindings.get(name) === binding) this.#bindings.delete(name);
        owner.live.delete(live);
      },
    };
  }

  /** Every listener refuses for that long. */
  outage(ms: number): void {
    for (const b of this.#bindings.values()) b.awayUntil = this.clock.now + ms;
  }

  /** From now on nothing goes wrong; what was cut without a word is noticed, as TCP does in time. */
  calm(): void {
    const wide = 64 * 1024;
    const { delay, chop } = this.conditions;
    this.conditions = { delay, chop, window: wide, mark: wide, reading: 0, refuses: 0, hangs: 0 };
    for (const b of this.#bindings.values()) b.awayUntil = 0;
    for (const link of this.links) if (link.cut) link.drop("ETIMEDOUT");
  }
}

/** A connection: two ends. */
export class Link {
  readonly near: End;
  readonly far: End;
  /** Nothing passes any more, and nobody knows. */
  cut = false;

  constructor(
    readonly network: Network,
    readonly name: string,
    dialer: Owner,
    acceptor: Owner,
  ) {
    this.near = new End(this, dialer, "dialer");
    this.far = new End(this, acceptor, "acceptor");
    network.links.add(this);
    if (network.remembers) network.history.push(this);
  }

  /** Each end finds out by itself that the connection is gone; what was on its way is lost. */
  drop(code = "ECONNRESET"): void {
    this.cut = true;
    const { clock } = this.network;
    for (const end of [this.near, this.far]) {
      clock.after(this.network.delay(), () => end.reset(code));
    }
  }
}

const NOBODY: Receiver = { opened() {}, octets() {}, drained() {}, ended() {}, closed() {} };

/** Octets before and behind each chunk in its buffer, which are nobody's. */
const MARGIN = 3;

export class End implements Connection {
  readonly local: string;
  readonly remote: string;
  to: Receiver = NOBODY;
  /** What was written, and how much of it the other end has read. Only if the network remembers. */
  readonly written: Uint8Array[] = [];
  read = 0;
  /** It may hold some of what it has read: it was told to wait, at some time. */
  holds = false;
  /** When the last thing that this end sent arrives. */
  arriving = 0;
  gone = false;
  #waiting: Uint8Array[] = [];
  #waitingOctets = 0;
  #flight = 0;
  #arrived: Uint8Array[] = [];
  #paused = false;
  #owes = false;
  #ending = false;
  #saidEnd = false;
  #hearsEnd = false;
  #heardEnd = false;
  #busy: Due | undefined;

  constructor(
    readonly link: Link,
    readonly owner: Owner,
    readonly role: "dialer" | "acceptor",
  ) {
    this.local = this.remote = link.name;
  }

  /** From now on somebody uses it. */
  open(to: Receiver): void {
    this.to = to;
    this.owner.live.add(this);
    to.opened(this);
  }

  get other(): End {
    return this.role === "dialer" ? this.link.far : this.link.near;
  }

  write(segments: readonly Uint8Array[]): boolean {
    const { mark } = this.link.network.conditions;
    if (this.link.network.remembers) this.written.push(...segments);
    if (this.gone || this.#ending) return true;
    for (const s of segments) {
      this.#waiting.push(s);
      this.#waitingOctets += s.length;
    }
    const more = this.#waitingOctets < mark;
    if (!more) this.#owes = true;
    this.#send();
    return more;
  }

  /** Puts on its way what the window has room for. */
  #send(): void {
    const { network } = this.link;
    const { clock, random, conditions } = network;
    while (this.#waitingOctets > 0 && this.#flight < conditions.window) {
      const room = conditions.window - this.#flight;
      const first = this.#waiting[0] as Uint8Array;
      // Uncut, a write's segments stay chunks; cut, they join, and part anywhere.
      const most = conditions.chop === 0 ? first.length : random.whole(1, conditions.chop);
      const chunk = this.#cut(Math.min(most, room, this.#waitingOctets));
      this.#flight += chunk.length;
      this.arriving = Math.max(this.arriving, clock.now + network.delay());
      clock.at(this.arriving, () => this.other.#arrive(chunk));
    }
    if (this.#waitingOctets > 0) return;
    if (this.#owes) {
      this.#owes = false;
      clock.after(0, () => {
        if (!this.gone) this.to.drained();
      });
    }
    if (this.#ending) this.#sayEnd();
  }

  /**
   * Takes so many octets off what waits. They are copied now and not when they were written: whoever
   * changes octets after it handed them over is found out. Around them lie octets of others.
   */
  #cut(n: number): Uint8Array {
    const buffer = new Uint8Array(n + 2 * MARGIN).fill(0xa5);
    for (let at = 0; at < n; ) {
      const first = this.#waiting[0] as Uint8Array;
      const k = Math.min(n - at, first.length);
      buffer.set(first.subarray(0, k), MARGIN + at);
      at += k;
      if (k < first.length) this.#waiting[0] = first.subarray(k);
      else this.#waiting.shift();
    }
    this.#waitingOctets -= n;
    return buffer.subarray(MARGIN, MARGIN + n);
  }

  #arrive(chunk: Uint8Array): void {
    if (this.link.cut) return;
    if (this.gone) {
      // Who writes to one that has gone is told so.
      this.link.network.clock.after(this.link.network.delay(), () => this.other.reset("EPIPE"));
      return;
    }
    this.#arrived.push(chunk);
    this.#deliver();
  }

  #deliver(): void {
    const { network } = this.link;
    while (this.#arrived.length > 0 && !this.#paused && !this.gone && this.#busy === undefined) {
      const { reading } = network.conditions;
      if (reading > 0) {
        this.#busy = network.clock.after(network.random.between(0, reading), () => {
          this.#busy = undefined;
          this.#deliver();
        });
      }
      const chunk = this.#arrived.shift() as Uint8Array;
      const { other } = this;
      other.#flight -= chunk.length;
      // Who has said the end reads on, and nobody looks at it.
      if (!this.#ending) other.read += chunk.length;
      network.clock.tick(() => {
        if (!other.gone) other.#send();
      });
      this.to.octets(chunk);
    }
    // Even when paused: node says the end as soon as nothing is left to read.
    if (this.#arrived.length > 0 || !this.#hearsEnd || this.#heardEnd || this.gone) return;
    this.#heardEnd = true;
    this.to.ended();
    this.#closeIfDone();
  }

  pause(): void {
    this.#paused = this.holds = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.link.network.clock.tick(() => this.#deliver());
  }

  end(): void {
    if (this.#ending || this.gone) return;
    this.#ending = true;
    this.#send();
  }

  #sayEnd(): void {
    if (this.#saidEnd) return;
    this.#saidEnd = true;
    const { clock } = this.link.network;
    this.arriving = Math.max(this.arriving, clock.now + this.link.network.delay());
    clock.at(this.arriving, () => this.other.#hearEnd());
    this.#closeIfDone();
  }

  #hearEnd(): void {
    if (this.link.cut || this.gone) return;
    this.#hearsEnd = true;
    this.#deliver();
  }

  #closeIfDone(): void {
    if (this.#saidEnd && this.#heardEnd) this.#leave();
  }

  destroy(): void {
    if (this.gone) return;
    // What this end had not read is lost, and the other is told; otherwise it hears the end.
    const unread = this.#arrived.length > 0;
    this.#leave();
    if (this.link.cut) return;
    const { clock } = this.link.network;
    if (unread) clock.after(this.link.network.delay(), () => this.other.reset("ECONNRESET"));
    else if (!this.#saidEnd) this.#sayEnd();
  }

  reset(code: string): void {
    if (this.gone) return;
    this.#leave(new SystemError(`connection ${this.link.name}`, { code }));
  }

  #leave(error?: Error): void {
    if (this.gone) return;
    this.gone = true;
    this.owner.live.delete(this);
    this.#waiting = [];
    this.#waitingOctets = 0;
    this.#arrived = [];
    if (this.#busy !== undefined) this.#busy.f = undefined;
    if (this.other.gone) this.link.network.links.delete(this.link);
    this.link.network.clock.after(0, () => this.to.closed(error));
  }

  toString(): string {
    return `connection at ${this.link.name}, the ${this.role}'s end`;
  }
}

function nameOf(where: Where): string {
  return "path" in where ? where.path : `${where.host}:${where.port}`;
}
