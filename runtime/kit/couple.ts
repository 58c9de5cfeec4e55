/**
 * Two of a layer, face to face: each between a top that sends and hears, and a wire that delays, cuts and
 * says stop.
 *
 * What is wrong is written down by who sees it, and thrown when the step is done: the layer's own code is
 * in between, and might catch it.
 */
import {
  type Control,
  Element,
  type Event,
  type Facts,
  type Layer,
  type Limits,
  roomOf,
} from "../layer.js";
import { Message, type Room } from "../message.js";
import { made, pile, put } from "../pile.js";
import { type About, Broken } from "./chance.js";
import { judged } from "./declared.js";
import { body, cut, difference, joined, segmented } from "./octets.js";
import { enter } from "./outside.js";
import { type Face, opposite, SIDES, type Side, type Terms } from "./terms.js";
import { contextOf, type KitContext, socketOf, World } from "./world.js";

export type Mode = "scatter" | "contiguous";
export const MODES: readonly Mode[] = ["scatter", "contiguous"];

/** Where a body lies: behind the headers in their window; in one segment; a little in the window, and segments. */
export type Shape = "window" | "borrowed" | "pieces";
export const SHAPES: readonly Shape[] = ["window", "borrowed", "pieces"];
/** Octets of a body in pieces that lie in the window. */
const FIRST = 8;

/** Octets that the wire delivers at a time, if nobody says otherwise. */
const CHUNK = 70_000;
/** Seconds that nobody waits longer than. */
const LONG = 60;
/** Deliveries after which the two are thought to answer each other for ever. */
const ENDLESS = { octets: 100_000, link: 20_000, ports: 20_000 } as const;
const NOTHING = new Uint8Array(0);

/** Says that something is wrong, and how to mend it. The first word counts. */
export type Blame = (said: string, about?: About) => void;

/** Of what comes of other mistakes, too. */
const SYMPTOM: About = { symptom: true };

/** Says stop in the middle of taking its nth message; and go again, still in it, or later. */
export interface Inside {
  readonly side: Side;
  /** The top while it takes one, or the wire. */
  readonly of: "top" | "wire";
  readonly nth: number;
  readonly again: boolean;
}

export const octets = (n: number): string => `${n} octet${n === 1 ? "" : "s"}`;
const ordinal = (i: number) => `message ${i + 1}`;

/** What was left on a message, or taken off it, if that is all; `behind`: there, if it may be either. */
function offcut(got: Uint8Array, want: Uint8Array, behind: boolean): string | undefined {
  const n = Math.abs(got.length - want.length);
  const [long, short] = got.length > want.length ? [got, want] : [want, got];
  const how = got === long ? "too many" : "too few";
  const atEnd = difference(long.subarray(0, short.length), short) < 0;
  if (difference(long.subarray(n), short) < 0 && !(atEnd && behind)) {
    return `${n} ${how} in front: look at \`pop\`, which takes off what the peer pushed, no more and no less`;
  }
  if (atEnd) {
    return `${n} ${how} at its end: look at \`chop\`, which takes off what the peer appended, no more and no less`;
  }
  return undefined;
}

/** Stands above: sends, and holds what comes up against what the other side sent. */
export class Top extends Element {
  open = false;
  stopped = false;
  /** The last that was heard from below. */
  told: "stop" | "go" = "go";
  readonly events: Event[] = [];
  insides: readonly Inside[] = [];
  /** Messages that came up; where there are no boundaries, runs of octets. */
  readonly got: Uint8Array[] = [];
  /** The next that is due. */
  #due = 0;
  /** A message is going down just now; so many are being taken. */
  sending = false;
  taking = 0;
  /** Looks at each message that comes up, before anybody else does; has it when all others are done. */
  look: (m: Message) => void = () => {};
  use: (m: Message) => void = () => {};
  /** Whether what comes up is held against what was sent. */
  strict = true;

  /** What the other side sent. */
  sent: readonly Uint8Array[] = [];

  constructor(
    readonly face: Face,
    readonly peer: number,
    /** What the layer puts beside a body it puts behind it. */
    readonly trails: boolean,
    readonly blame: Blame,
  ) {
    super();
  }

  /** How often `closed` was heard. */
  get closed(): number {
    return this.events.filter((e) => e.type === "closed").length;
  }

  override up(m: Message): void {
    const { blame } = this;
    if (!this.open) {
      blame(
        "a message came up before `opened`: what is above does not listen yet; say `opened` first",
      );
    }
    if (this.closed > 0) {
      blame(
        "a message came up after `closed`: that is the last that is heard of a connection",
        SYMPTOM,
      );
    }
    // Octets that were read already may come after it; messages may not.
    if (this.stopped && this.face !== "octets") {
      blame(
        "a message came up between `stop` and `go`: hold what is here when `stop` comes down, also in the middle of your `up`, and go on at `go`",
        SYMPTOM,
      );
    }
    this.taking++;
    this.look(m);
    const nth = this.got.length;
    const all = joined(m.segments());
    this.got.push(all);
    if (this.strict && this.face !== "octets") this.#compare(all);
    this.use(m);
    for (const { again } of this.insides.filter((i) => i.of === "top" && i.nth === nth)) {
      this.turn(false);
      if (again) this.turn(true);
    }
    this.taking--;
  }

  #compare(got: Uint8Array): void {
    const { sent } = this;
    const due = this.#due++;
    const want = sent[due];
    if (want !== undefined && difference(got, want) < 0) return;
    const same = (s: Uint8Array) => difference(got, s) < 0;
    const before = sent.slice(0, due).findIndex(same);
    const later = sent.findIndex((s, i) => i > due && same(s));
    if (later >= 0) {
      return this.blame(
        `${ordinal(later)} came up where ${ordinal(due)} was due: messages keep their order, and none is lost`,
        SYMPTOM,
      );
    }
    // An empty one is what is left of another, rather.
    if (before >= 0 && (got.length > 0 || want === undefined)) {
      return this.blame(`${ordinal(before)} came up twice: pass each on once`, SYMPTOM);
    }
    if (want === undefined) {
      return this.blame(
        `a message of ${octets(got.length)} came up that nobody sent: pass up what the peer's \`down\` was given, once, and nothing else`,
        SYMPTOM,
      );
    }
    const at = difference(got, want);
    if (got.length === want.length) {
      return this.blame(`${ordinal(due)} came up changed: it differs from octet ${at} on`, SYMPTOM);
    }
    const has = `${ordinal(due)} came up changed: it has ${octets(got.length)} instead of ${want.length}`;
    const mend = offcut(got, want, this.trails);
    if (mend === undefined) {
      return this.blame(`${has}, and differs from octet ${at} on`, SYMPTOM);
    }
    this.blame(`${has}, ${mend}`, { symptom: true, reason: mend });
  }

  override event(e: Event): void {
    if (this.closed > 0) {
      this.blame(
        e.type === "closed"
          ? "`closed` was passed on twice: it is said once"
          : `'${e.type}' was said after \`closed\`, which is the last that is heard of a connection`,
        SYMPTOM,
      );
    }
    if (e.type === "opened") this.#opened(e.facts);
    if (e.type === "stop" || e.type === "go") this.told = e.type;
    this.events.push(e);
  }

  #opened({ type = this.peer }: Facts): void {
    if (this.open)
      this.blame("`opened` was said twice: say it once, when your own opening is done");
    this.open = true;
    if (type === this.peer || !this.strict) return;
    this.blame(
      `\`opened\` tells the peer's protocol as ${type}, and it is ${this.peer}: \`facts.type\` is the number that the peer sent`,
    );
  }

  turn(go: boolean): void {
    if (this.stopped !== go) return;
    this.stopped = !go;
    this.below.control({ type: go ? "go" : "stop" });
  }
}

/** Something that is on its way. */
interface Carried {
  readonly octets: Uint8Array;
  readonly text: boolean;
  readonly exchange: Message["exchange"];
}

/** Stands below: carries what comes down to the other side, when told. */
export class Wire extends Element {
  other!: Wire;
  open = false;
  closed = false;
  /** It was told to bring no more; it has said that it takes no more. */
  paused = false;
  full = false;
  /** The end was said: the connection ends when all that was said before has come. */
  ending = false;
  insides: readonly Inside[] = [];
  /** All that was ever put on it. */
  readonly put: Uint8Array[] = [];
  /** What is on its way here, and how many octets, or messages, have come. */
  coming: Carried[] = [];
  came = 0;
  readonly controls: Control[] = [];
  #taken = 0;
  /** Looks at each message that comes down, before it is carried. */
  look: (m: Message) => void = () => {};
  /** A message of what has come: of octets, or cut at `n`. */
  form: (octets: Uint8Array, n: number) => Message = (octets, n) =>
    this.face === "octets" ? Message.of(octets) : segmented(octets, n > octets.length ? [] : [n]);
  /** Has each message that has come, just before it goes up. */
  bring: (m: Message) => void = () => {};

  constructor(
    readonly face: Face,
    readonly context: KitContext,
    readonly blame: Blame,
  ) {
    super();
  }

  override down(m: Message): void {
    if (!this.open) {
      this.blame(
        "a message went down before the layer below had said `opened`: begin your own opening when that comes",
      );
    }
    this.look(m);
    const nth = this.#taken++;
    // A transport of octets keeps no message, only what a block gives it.
    if (this.face === "octets") this.context.block.put(m);
    else this.carry(joined(m.segments()), m);
    for (const { again } of this.insides.filter((i) => i.of === "wire" && i.nth === nth)) {
      this.turn(false);
      if (again) this.turn(true);
    }
  }

  carry(octets: Uint8Array, { text = false, exchange }: Partial<Message> = {}): void {
    this.put.push(octets);
    this.other.coming.push({ octets, text, exchange });
  }

  flush(): void {
    enter(this.context.env);
    this.context.env.settle();
    if (this.face !== "octets") return;
    for (const piece of this.context.block.take()) this.carry(piece.slice());
  }

  /** Brings so many octets; or a message, cut there. */
  deliver(n: number): void {
    this.other.flush();
    if (this.closed || this.coming.length === 0) return;
    enter(this.context.env);
    if (this.face === "octets") {
      const now = joined(this.#next(n));
      this.came += now.length;
      return this.above.up(this.form(now, n));
    }
    const { octets, text, exchange } = this.coming.shift() as Carried;
    this.came++;
    const m = this.form(octets, n);
    m.text = text;
    m.exchange = exchange;
    this.bring(m);
    this.above.up(m);
  }

  /** The next `n` octets; all there are, if fewer. */
  #next(n: number): Uint8Array[] {
    const now: Uint8Array[] = [];
    for (let want = n; want > 0; ) {
      const first = this.coming.shift();
      if (first === undefined) break;
      const { octets } = first;
      now.push(octets.subarray(0, want));
      if (octets.length > want) this.coming.unshift({ ...first, octets: octets.subarray(want) });
      want -= octets.length;
    }
    return now;
  }

  turn(go: boolean): void {
    if (this.full !== go) return;
    this.full = !go;
    this.above.event({ type: go ? "go" : "stop" });
  }

  /** The connection is gone. */
  lose(error?: Error): void {
    if (this.closed) return;
    this.closed = true;
    enter(this.context.env);
    this.above.event(error === undefined ? { type: "closed" } : { type: "closed", error });
  }

  override control(c: Control): void {
    this.controls.push(c);
    switch (c.type) {
      case "stop":
        this.paused = true;
        break;
      case "go":
        this.paused = false;
        break;
      case "end":
        this.ending = true;
        break;
      case "close":
        // What closes says so, later.
        this.context.env.tick(() => this.lose(c.error));
        break;
      case "lend":
        c.to(undefined);
    }
  }
}

/** One side: the layer, and what is under it, between a top and a wire. */
export class End {
  readonly top: Top;
  readonly wire: Wire;
  /** Room for the headers of all that is between. */
  readonly room: Room;
  readonly sent: Uint8Array[] = [];
  readonly context: KitContext;

  constructor(
    readonly terms: Terms,
    readonly side: Side,
    readonly mode: Mode,
    blame: Blame,
    { poison, seed = terms.seed, recvMax }: Manner,
  ) {
    const { crypto, protocols, wire } = terms;
    const layers = terms.layers(side).map(judged);
    // Below who takes longer messages, or shorter ones, that is the limit.
    const longest = layers.find((l) => l.longest !== undefined)?.longest;
    const limits =
      recvMax === undefined || side === "dial" ? terms.limits : { ...terms.limits, recvMax };
    this.context = contextOf({
      world: new World(seed * 2 + SIDES.indexOf(side), crypto),
      side,
      protocol: protocols[side],
      limits: longest === undefined ? limits : { ...limits, recvMax: longest },
      text: layers.some((l) => l.text !== undefined),
      place: { layers: [...layers, groundOf(wire)], at: layers.length },
      poison,
    });
    enter(this.context.env);
    this.room = roomOf(layers);
    this.wire = new Wire(wire, this.context, blame);
    this.top = new Top(terms.top, protocols[side].peer, this.room.head === 0, blame);
    put(this.top, wire === "ports" ? this.#above(layers) : this.#below(layers, limits));
  }

  /** On a protocol: once a socket, which has no side and no block. */
  #above(layers: readonly Layer[]): Element {
    const context = socketOf(this.context);
    let top: Element = this.wire;
    for (const [at, layer] of [...layers.entries()].reverse()) {
      top = put(made(layer, { ...context, place: { ...context.place, at } }), top);
    }
    return top;
  }

  #below(layers: readonly Layer[], limits: Limits): Element {
    const insists = layers.findIndex((l) => l.contiguous);
    const highest = this.mode === "contiguous" ? 0 : insists;
    const all = [...layers, groundOf(this.terms.wire)];
    return pile(this.wire, all, this.context, highest, false, limits);
  }

  /** Sends a body that nobody has sent before. */
  send(length: number, shape: Shape, at = 0, also: (m: Message) => void = () => {}): void {
    const own = body(length, this.sent.length * 2 + 1 + SIDES.indexOf(this.side));
    this.sent.push(own);
    const m = this.draft(own.slice(), shape, at);
    also(m);
    this.down(m);
  }

  down(m: Message): void {
    enter(this.context.env);
    this.top.sending = true;
    this.top.below.down(m);
    this.top.sending = false;
  }

  /** A message of these octets, as one comes down from above; with more room, as for others below. */
  draft(octets: Uint8Array, shape: Shape, at: number, more = 0): Message {
    const { slab } = this.context;
    const [head, tail] = [this.room.head + more, this.room.tail + more];
    // Where messages are in one piece the port makes them so.
    const whole = this.terms.wire === "ports" && this.mode === "contiguous";
    if (shape === "window" || whole) {
      const m = Message.blank(octets.length, { head, tail }, slab);
      m.bytes.set(octets, m.start);
      return m;
    }
    if (shape === "borrowed") return Message.around(octets, head, slab);
    const n = Math.min(octets.length, FIRST);
    const m = Message.around(NOTHING, head + n, slab);
    m.push(n, slab);
    m.bytes.set(octets.subarray(0, n), m.start);
    // Two places alike leave a piece without octets.
    m.rest = cut(octets.subarray(n), [at, at, 7 * at + 3]);
    return m;
  }
}

export interface Manner {
  /** What windows hold before they are written. */
  readonly poison?: number | undefined;
  readonly seed?: number;
  /** The longest message that may come to the listener, in octets. */
  readonly recvMax?: number;
}

/** How many octets come next to a wire, or where its next message is cut; 0: nothing. */
export type Next = (wire: Wire) => number;

export class Couple {
  readonly dial: End;
  readonly listen: End;
  #wrong: Broken | undefined;
  readonly blame: Blame = (said, about) => {
    this.#wrong ??= new Broken(said, about);
  };

  constructor(
    readonly terms: Terms,
    mode: Mode = "scatter",
    manner: Manner = {},
  ) {
    this.dial = new End(terms, "dial", mode, this.blame, manner);
    this.listen = new End(terms, "listen", mode, this.blame, manner);
    for (const side of SIDES) {
      const other = this[opposite[side]];
      this[side].top.sent = other.sent;
      this[side].wire.other = other.wire;
    }
  }

  /** The listener first: what the dialer says at once must find it there. */
  get ends(): readonly End[] {
    return [this.listen, this.dial];
  }

  /** Throws what somebody said is wrong. */
  judge(): void {
    if (this.#wrong !== undefined) throw this.#wrong;
  }

  /** What is below is open. */
  begin(facts: Facts = {}): this {
    for (const { wire, top } of this.ends) {
      enter(wire.context.env);
      wire.open = true;
      if (this.terms.wire === "ports") {
        top.open = true;
        wire.above.event({ type: "attached", pipe: wire });
      } else wire.above.event({ type: "opened", facts });
    }
    return this;
  }

  /** Both openings, to their end. */
  open(next?: Next, facts?: Facts): this {
    this.begin(facts).run(next);
    if (this.ends.some(({ top }) => !top.open)) this.pass();
    for (const { top, side } of this.ends) {
      if (!top.open) {
        throw new Broken(
          `the ${side}ing side never said \`opened\`, though all that the other said has come: say it when your own opening is done; who has none passes the event on`,
        );
      }
    }
    return this;
  }

  /** Delivers all there is, and what comes of that. */
  run(next: Next = () => CHUNK): this {
    for (let i = 0; i < ENDLESS[this.terms.wire]; i++) {
      for (const { wire } of this.ends) wire.flush();
      const busy = this.ends.filter(
        ({ wire }) => wire.coming.length > 0 && !wire.closed && !wire.paused && next(wire) > 0,
      );
      for (const { wire } of busy) wire.deliver(next(wire));
      this.judge();
      if (busy.length === 0 && !this.#ended()) return this;
    }
    throw new Broken("the two never come to rest: each answers the other for ever", { slow: true });
  }

  /** Whether a connection ends now: the end was said, and all that was said before it has come. */
  #ended(): boolean {
    const over = this.ends.find(
      ({ wire }) => wire.ending && wire.other.coming.length === 0 && !wire.other.paused,
    );
    if (over === undefined || (over.wire.closed && over.wire.other.closed)) return false;
    over.wire.other.lose();
    over.wire.lose();
    return true;
  }

  /** Everybody says go, and all that is on its way comes. */
  finish(): this {
    for (const { top, wire } of this.ends) {
      top.insides = wire.insides = [];
      enter(wire.context.env);
      wire.turn(true);
      top.turn(true);
    }
    this.run();
    const missing = (side: Side) => this[side].sent.length > this[opposite[side]].top.got.length;
    if (SIDES.some(missing)) this.pass();
    for (const side of SIDES) this.#all(side);
    return this;
  }

  /** Time passes, as long as anybody waits for anything, and what comes of that is delivered. */
  pass(): this {
    for (let i = 0; i < LONG && this.ends.some(({ context }) => context.env.waits); i++) {
      for (const { context } of this.ends) {
        enter(context.env);
        context.env.advance(1000);
      }
      this.run();
    }
    return this;
  }

  /** All that a side sent has come up the other. */
  #all(side: Side): void {
    const { sent } = this[side];
    const { top, wire } = this[opposite[side]];
    const close = wire.controls.find((c) => c.type === "close");
    const stuck = close
      ? `: the layer closed the connection (${close.error?.message ?? "and did not say why"})`
      : wire.paused
        ? ": the one below was told `stop`, and never `go` again, so it brings nothing"
        : ": what came is held, or is gone; who waits for the rest of something goes on when that is here";
    if (top.told === "stop" && !wire.closed) {
      throw new Broken(
        `the ${opposite[side]}ing side's top was told \`stop\`, and never \`go\` again, though the one below takes messages: pass on what you do not need`,
        SYMPTOM,
      );
    }
    if (top.face === "octets") {
      const [got, want] = [joined(top.got), joined(sent)];
      const at = difference(got, want);
      if (at < 0) return;
      const how = got.length < want.length ? `only ${got.length} of ` : "";
      throw new Broken(
        `octets came up changed: they differ from octet ${at} on, and ${how}${octets(want.length)} came${got.length < want.length ? stuck : ""}`,
        SYMPTOM,
      );
    }
    const n = top.got.length;
    if (n === sent.length) return;
    const lost = sent[n] as Uint8Array;
    throw new Broken(
      `${ordinal(n)} of ${sent.length} (${octets(lost.length)}, from the ${side}ing side) never came up${stuck}`,
      { symptom: true, reason: `messages never came up${stuck}` },
    );
  }
}

/** What stands in the place of all that is below. */
function groundOf(wire: Face): Layer {
  return { name: "wire", below: "ground", above: wire === "ports" ? "pair0" : wire };
}
