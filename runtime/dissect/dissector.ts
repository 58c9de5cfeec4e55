/**
 * Takes frames apart, one after the other. Which header follows which is in the registry; here is what
 * must be remembered between frames, and what happens to payloads on their way up.
 */
import {
  type Choice,
  type Ends,
  type HeaderTable,
  type OpenerTable,
  registry as REGISTRY,
  type Registry,
  type Step,
  type Walked,
  Walker,
} from "../../generated/dissect.js";
import type { Origin, Packet } from "./capture.js";
import { Fragments } from "./flow/fragments.js";
import type { Keys, Unsealed } from "./flow/open.js";
import { records } from "./flow/records.js";
import { Budget, Stream } from "./flow/stream.js";
import { unmask } from "./flow/unmask.js";
import { type Direction, type Flow, Flows, Side } from "./flow.js";
import { nameText, octetsText } from "./format.js";
import type { Frame, Layer, Message, Rest } from "./frame.js";
import { Framing, type Opened, type Unit } from "./framing.js";
import { type Inner, messageOf } from "./message.js";
import { piecesOf, type Source, sourceOf } from "./source.js";
import { first, layerOf, Tables } from "./tables.js";
import { type Told, toldOf } from "./told.js";

const other = (way: Direction): Direction => (way === 0 ? 1 : 0);
/** Headers in one another at most; a deeper packet is hostile. */
const DEEPEST = 64;
/** Octets of a list of layers that are read: those of the lowest. */
const LISTED = 4096;
/** Headers and runs of octets in a frame at most: more than what waited for one octet can be. */
const PARTS = 2 ** 20;
const FULL = "there is more in this frame than can be shown: it is passed over";
/** Octets that wait for others before them, in all streams together. */
const WAITING = 64 * 2 ** 20;
/** The table by which frames begin. */
const ROOT = "linktype";

/** Octets of a source: up to `end` they are there, up to `claim` they should be. */
interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
  readonly claim: number;
}

/** What follows a header that does not say it itself: what the one below has to say of it. */
interface Above {
  /** Layers, the lowest first. */
  readonly layers: readonly string[];
  /** What stands on the last of them. */
  readonly beyond?: Choice | undefined;
  /** Table of headers that are recognised there, if nothing is known. */
  readonly tried?: string;
  /** The header that carries all this. */
  readonly carrier: HeaderTable;
}

/** What stands around a header. */
interface Place {
  /** Sender and receiver on the nearest layer below that names them. */
  readonly ends?: Ends;
  /** The value by which the header was found. */
  readonly value: number;
  readonly flow?: Flow;
  readonly way: Direction;
  /** It repeats another packet. */
  readonly quoted: boolean;
  readonly depth: number;
  /** Number of the frame with which it is complete. */
  readonly frame: number;
  /** Its stream's framing was found by guessing. */
  readonly guessed?: boolean;
  readonly above?: Above | undefined;
  /** What the capture's interface tells of its flow. */
  readonly told?: Told | undefined;
}

export interface DissectorOptions {
  /** Opens what is sealed. */
  readonly keys?: Keys | undefined;
  /** Headers and runs of octets in a frame at most; what more there is is passed over. Default: 2^20. */
  readonly parts?: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

export class Dissector {
  readonly #tables: Tables;
  readonly #walker = new Walker();
  readonly #flows = new Flows();
  readonly #fragments = new Fragments();
  readonly #budget = new Budget(WAITING);
  readonly #keys: Keys | undefined;
  readonly #most: number;
  /** What interfaces tell, read once. */
  readonly #told = new WeakMap<Origin, Told | undefined>();
  #frame: Writable<Frame> | undefined;
  /** What no header claims any more, of the message that is taken apart. */
  #inner: Inner | undefined;

  constructor(registry: Registry = REGISTRY, options: DissectorOptions = {}) {
    this.#tables = new Tables(registry);
    this.#keys = options.keys;
    this.#most = options.parts ?? PARTS;
  }

  /** Full names of all fields that can be found. */
  names(): Set<string> {
    return this.#tables.names();
  }

  packet(packet: Packet): Frame {
    const { octets, number, offset, link } = packet;
    const frame = begin(packet, false);
    this.#frame = frame;
    const source = sourceOf("frame", octets, number, { file: offset });
    const claim = Math.max(packet.length, octets.length);
    const span = { source, start: 0, end: octets.length, claim };
    const table = this.#tables.claimed(ROOT, link);
    if (table === undefined) this.#rest(span, `link type ${link} is not known`);
    else this.#enter(table, span, { value: link, ...this.#begin(table, packet), frame: number });
    frame.waits = this.#budget.left < WAITING;
    return frame;
  }

  /** What is known of a packet before its first octet. */
  #begin(table: HeaderTable, { origin, direction }: Packet): Omit<Place, "value" | "frame"> {
    const told = this.#tells(origin);
    const place = { told, quoted: false, depth: 0 };
    const way = direction === "in" ? 1 : 0;
    if (told === undefined || !this.#tables.asksFacts(table)) return { ...place, way };
    const flow = this.#flows.seen(table, told);
    flow.hear(told, 0);
    return { ...place, flow, way };
  }

  #tells(origin: Origin): Told | undefined {
    if (!this.#told.has(origin)) this.#told.set(origin, toldOf(origin.description));
    return this.#told.get(origin);
  }

  /** No more packets come: what waited for missing octets goes on without them. */
  finish(last: Packet): Frame {
    const frame = begin(last, true);
    this.#frame = frame;
    for (const flow of this.#flows.open) this.#end(flow);
    return frame;
  }

  #end(flow: Flow): void {
    for (const way of [0, 1] as const) {
      const { stream, framing, sealed } = flow.sides[way];
      stream?.finish();
      framing?.finish();
      for (const why of sealed?.why ?? []) this.#remark(flow, way, why);
      const open = framing?.open;
      if (open === undefined) continue;
      const what = open.table === undefined ? "a header" : open.table.title;
      const lack = open.lack === undefined ? "" : `, ${octetsText(open.lack)} missing`;
      this.#remark(flow, way, `unfinished: ${octetsText(open.octets)} of ${what}${lack}`);
    }
    this.#flows.open.delete(flow);
  }

  #remark(flow: Flow, way: Direction, text: string): void {
    const { from, to } = flow.named(way);
    this.#frame?.remarks.push(`${flow.kind.protocol} ${flow.number}, ${from} → ${to}: ${text}`);
  }

  #rest(
    { source, start, end, claim }: Span,
    what: string,
    more: Pick<Rest, "sealed" | "unknown"> = {},
  ): void {
    if (start >= claim || this.#full()) return;
    const rest: Rest = { is: "octets", source, from: start, to: end, lack: claim - end, what };
    this.#frame?.parts.push({ ...rest, ...more });
  }

  /** The frame has as much as can be shown: what more there is in it is passed over, and that is said. */
  #full(): boolean {
    const { parts = [], remarks = [] } = this.#frame ?? {};
    if (parts.length < this.#most) return false;
    if (remarks.at(-1) !== FULL) remarks.push(FULL);
    return true;
  }

  #protocol(name: string): void {
    const protocols = this.#frame?.protocols ?? [];
    if (protocols.at(-1) !== name) protocols.push(name);
  }

  /** Takes a header and all above it apart. */
  #enter(table: HeaderTable, span: Span, place: Place): Layer | undefined {
    if (place.depth > DEEPEST) {
      this.#rest(span, "too many headers in one another");
      return undefined;
    }
    if (this.#full()) return undefined;
    const { source, start, end, claim } = span;
    const around = {
      claim,
      facts: place.flow?.sides[place.way] ?? new Side(),
      pseudo: () => place.ends && place.ends.words + place.value,
    };
    const walked = this.#walker.walk(table, source.view, start, end, around);
    const ends = walked.ends ?? place.ends;
    let inner: Place = { ...place, ...(ends && { ends }), depth: place.depth + 1 };
    if (walked.ends !== undefined && !place.quoted && this.#tables.flows(table)) {
      const found = this.#flow(table, place.ends, walked);
      if (place.told !== undefined)
        found.flow.hear(place.told, place.way === 0 ? found.way : other(found.way));
      inner = { ...inner, ...found };
    }
    const { flow, way } = inner;
    const layer: Layer = {
      is: "header",
      walked,
      source,
      ...(flow && flow !== place.flow && { flow: { number: flow.number, ...flow.named(way) } }),
    };
    this.#frame?.parts.push(layer);
    this.#protocol(table.protocol);
    if (!walked.cut && table.payload !== undefined) this.#up(layer, inner, end);
    return layer;
  }

  /** The packet's flow; a new one if it opens a stream anew between the same ends. */
  #flow(
    table: HeaderTable,
    below: Ends | undefined,
    walked: Walked,
  ): { readonly flow: Flow; readonly way: Direction } {
    const [flow, way] = this.#flows.find(table, below, walked.ends as Ends);
    const opens = walked.via.find((s) => s.op === "stream" && s.with.syn === 1);
    if (opens === undefined || !flow.sides[way].stream?.restarts(opens.with.seq ?? 0)) {
      return { flow, way };
    }
    this.#end(flow);
    return { flow: this.#flows.renew(flow, way), way: 0 };
  }

  /** Through the operations to what follows. */
  #up(layer: Layer, place: Place, stop: number): void {
    const { table, next, via, head, end, claim } = layer.walked;
    let span: Span = { source: layer.source, start: head, end, claim };
    let split = next?.next.again === true;
    for (const step of via) {
      if (step.op === "stream") return this.#ordered(layer, step, span, place);
      if (step.op === "records") split = true;
      else {
        const done = this.#operate(step, span, place, layer.walked, stop);
        if (typeof done === "string") {
          return this.#rest(span, done, step.op === "open" ? { sealed: true } : {});
        }
        span = done;
      }
    }
    if (next === undefined ? table.payload?.next === undefined : next.next.by === "above") {
      this.#above(span, place);
    } else if (next === undefined) this.#innermost(span, "payload");
    else if (split) this.#split(table, next, span, place);
    else this.#dispatch(table, next, span, place);
  }

  /** What the headers below say of what follows. */
  #above(span: Span, place: Place): void {
    const { above } = place;
    if (above === undefined) return this.#innermost(span, "payload");
    const { layers, beyond, tried, carrier } = above;
    const [name, ...others] = layers;
    if (name !== undefined) {
      const table = this.#tables.layer(name);
      if (table !== undefined) {
        this.#enter(table, span, { ...place, above: { ...above, layers: others } });
        return;
      }
      const unknown = nameText(layerOf(name));
      return this.#rest(span, `octets of '${unknown}', whose headers are not known`, { unknown });
    }
    const inside = { ...place, above: undefined };
    if (beyond !== undefined) return this.#dispatch(carrier, beyond, span, inside);
    const found = tried === undefined ? undefined : this.#recognised(tried, span);
    if (found === undefined) this.#innermost(span, "payload");
    else this.#enter(found, span, { ...place, above: { layers: [], carrier } });
  }

  /** Octets that no header claims any more. */
  #innermost(span: Span, what: string): void {
    this.#inner = span;
    this.#rest(span, what);
  }

  /** One operation: its result, or what the octets are that have none. */
  #operate(
    { op, sender, with: values }: Step,
    { source, start, end, claim }: Span,
    place: Place,
    { table, next }: Walked,
    /** Where the octets of header, payload and trailer end. */
    stop: number,
  ): Span | string {
    const lack = claim - end;
    const whole = (s: Source) => ({
      source: s,
      start: 0,
      end: s.bytes.length,
      claim: s.bytes.length + lack,
    });
    switch (op) {
      case "unmask":
        return whole(unmask(values.key ?? 0, source, start, end));
      case "open": {
        const side = place.flow?.sides[place.way] ?? new Side();
        const who = side.get(sender as string);
        const name = who === undefined ? undefined : String(who);
        const sealed = source.bytes.subarray(start, stop);
        const done: Unsealed = side.seals(this.#keys).open(name, sealed, lack);
        if (done.is !== "open" || done.missed > 0) side.lose();
        if (done.is !== "open") return done.what;
        const pieces = piecesOf(source, start, stop, 0);
        return whole(sourceOf("decrypted", done.octets, place.frame, { pieces, secret: true }));
      }
      case "join": {
        const first = values.first === undefined ? undefined : values.first === 1;
        const piece = { first, last: values.last === 1 };
        const side = place.flow?.sides[place.way] ?? new Side();
        const join = side.join(table);
        if (lack > 0 && !(piece.first && piece.last)) {
          join.lose();
          return "piece of a message";
        }
        const joined = join.take(piece, source, start, end);
        if (joined === undefined) return "piece of a message";
        return {
          source: joined.source,
          start: joined.from,
          end: joined.to,
          claim: joined.to + lack,
        };
      }
      default: {
        if (place.quoted || lack > 0) return "fragment";
        const { from, to } = place.ends ?? {};
        const key = `${from} ${to} ${table.name} ${next?.value} ${values.id}`;
        const fragment = { key, offset: values.offset ?? 0, more: values.more === 1 };
        const datagram = this.#fragments.take(fragment, source, start, end);
        return datagram === undefined ? "fragment" : whole(datagram);
      }
    }
  }

  /** Into a stream: what it makes of the octets comes back as units. */
  #ordered(layer: Layer, { with: values }: Step, span: Span, place: Place): void {
    const { source, start, end, claim } = span;
    const { flow, way } = place;
    if (flow === undefined) return this.#rest(span, "quoted");
    if (values.rst === 1) return this.#rest(span, "sent with a reset");
    const side = flow.sides[way];
    side.framing ??= this.#framing(layer.walked.next, flow, way, values.syn !== 1);
    side.stream ??= new Stream(side.framing, this.#budget);
    const parts = this.#frame?.parts ?? [];
    const before = parts.length;
    const run = { source, from: start, to: end, lack: claim - end };
    const arrival = side.stream.take(values.seq ?? 0, values.syn === 1, run);
    if (arrival === "again") this.#rest(span, "sent again");
    else if (arrival === "early") this.#rest(span, "waits for octets before it");
    else if (side.framing.opaque && start < end) {
      this.#protocol("data");
      this.#rest(span, "data");
    } else if (parts.length === before) this.#rest(span, "part of a message");
  }

  #framing(choice: Choice | undefined, flow: Flow, way: Direction, amid: boolean): Framing {
    return new Framing(choice, {
      tables: this.#tables,
      walker: this.#walker,
      facts: flow.sides[way],
      amid,
      unit: (unit) => this.#unit(unit, flow, way),
      opener: (opener, source, from, to) => this.#opener(opener, source, from, to, flow, way),
      lost: (position, why) => {
        flow.sides[way].lose();
        // A stream of something else is no loss.
        if (position > 0) this.#remark(flow, way, `framing lost at octet ${position}: ${why}`);
      },
      found: (position) => {
        const text = `framing found again at octet ${position}, by two headers in a row`;
        this.#remark(flow, way, text);
      },
    });
  }

  #unit(unit: Unit, flow: Flow, way: Direction): void {
    const { frame, guessed } = unit;
    const place = { value: Number.NaN, flow, way, quoted: false, depth: 1, frame, guessed };
    this.#enter(unit.table, unit, place);
  }

  #opener(
    opener: OpenerTable,
    source: Source,
    from: number,
    to: number,
    flow: Flow,
    way: Direction,
  ): Opened {
    const verdict = flow.upgrade.look(way, source.bytes.subarray(from, to));
    if (verdict.is !== "granted") return verdict;
    for (const [fact, name] of Object.entries(opener.sets)) {
      const value = verdict.values[name];
      if (value !== undefined) flow.sides[way].set(fact, value);
    }
    this.#protocol(opener.name);
    const end = from + verdict.octets;
    this.#rest({ source, start: from, end, claim: end }, opener.name);
    // The other side may have waited for this one.
    flow.sides[other(way)].framing?.resume();
    return { is: "granted", octets: verdict.octets, next: first(opener.next) };
  }

  /** What follows, again and again, to the payload's end. */
  #split(carrier: HeaderTable, choice: Choice, span: Span, place: Place): void {
    const { source, end, claim } = span;
    const pieces = records(span.start, end, (at) => {
      const table = this.#recognised(choice.next.of, { ...span, start: at });
      if (table === undefined) return undefined;
      const around = { claim: end, facts: new Side() };
      const { claim: stop, cut } = this.#walker.walk(table, source.view, at, end, around, false);
      return cut ? undefined : stop;
    });
    for (const { from, to } of pieces) {
      this.#dispatch(carrier, choice, { source, start: from, end: to, claim: to }, place);
    }
    this.#rest({ source, start: pieces.at(-1)?.to ?? span.start, end, claim }, "data");
  }

  #dispatch(carrier: HeaderTable, choice: Choice, span: Span, place: Place): void {
    const { next } = choice;
    const side = place.flow?.sides[place.way];
    if (next.by === "list") {
      const layers = layersOf(side?.get(next.fact as string));
      return this.#above(span, { ...place, above: { layers, beyond: choice.beyond, carrier } });
    }
    if (next.message === true) return this.#message(carrier, choice, span, place);
    const table =
      next.by === "trial"
        ? this.#recognised(next.of, span)
        : this.#tables.chosen(choice, (name) => side?.get(name));
    if (span.start === span.claim && table?.min !== 0) return;
    if (table === undefined) {
      this.#protocol("data");
      return this.#rest(span, "data");
    }
    if (next.listed) this.#protocol(next.of);
    const quoted = place.quoted || next.quoted === true;
    this.#enter(table, span, { ...place, value: choice.value, quoted });
  }

  /** One message of an application, with what stands within it. */
  #message(carrier: HeaderTable, choice: Choice, span: Span, place: Place): void {
    if (this.#full()) return;
    const { next } = choice;
    const { flow, way, frame, guessed = false } = place;
    const side = flow?.sides[way];
    const table = next.bare ? undefined : this.#tables.chosen(choice, (name) => side?.get(name));
    const { within } = next;
    const layers = within === undefined ? undefined : side?.get(within);
    const above: Above = {
      layers: layersOf(layers),
      ...(within === undefined || layers !== undefined ? {} : { tried: within }),
      carrier,
    };
    const inside = { ...place, value: choice.value, above };
    this.#inner = undefined;
    let header: Layer | undefined;
    if (table === undefined) this.#above(span, inside);
    else header = this.#enter(table, span, inside);
    if (flow === undefined) return;
    const names = this.#names(next.of, flow, way);
    const inner = this.#inner;
    const found = { ...span, carrier, header, inner, flow, way, frame, guessed, ...names };
    this.#frame?.messages.push(messageOf(found));
  }

  #names(fact: string, flow: Flow, way: Direction): Pick<Message, "protocol" | "peer"> {
    const name = (side: Side) => this.#tables.nameOf(fact, side.get(fact));
    return { protocol: name(flow.sides[way]) ?? "", peer: name(flow.sides[other(way)]) };
  }

  /** The header whose codec accepts the octets, or would if they were not cut or their sums were right. */
  #recognised(name: string, { source, start, end, claim }: Span): HeaderTable | undefined {
    let likely: HeaderTable | undefined;
    for (const table of this.#tables.tried(name)) {
      if ("op" in table) continue;
      const n = table.measure?.(source.view, start, end) ?? BAD;
      if (n > 0) return table;
      const cut = n < 0 && n > BAD && claim > end && start < end;
      if (cut || table.computed?.includes(BAD - n)) likely ??= table;
    }
    return likely;
  }
}

/** The layers that a fact lists, the lowest first, as many as can stand on one another. */
const layersOf = (fact: number | string | undefined): string[] =>
  String(fact ?? "")
    .slice(-LISTED)
    .split(" ")
    .filter(Boolean)
    .slice(-DEEPEST)
    .reverse();

/** Results of a codec's `measure` from here on downwards are faults: their numbers, negated. */
const BAD = -(2 ** 24);

const begin = (packet: Packet, late: boolean): Writable<Frame> => ({
  packet,
  late,
  waits: false,
  parts: [],
  protocols: [],
  messages: [],
  remarks: [],
});
