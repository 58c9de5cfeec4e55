/**
 * Takes packets apart, one after the other: walks their headers, puts datagrams and streams together,
 * and finds the messages in them. What headers mean comes from the registry alone.
 */
import {
  type Choice,
  type Ends,
  type Facts,
  type HeaderTable,
  type OpenerTable,
  type Registry,
  type Step,
  type Walked,
  Walker,
} from "../../generated/dissect.js";
import type { Packet } from "./capture.js";
import { Fragments } from "./flow/fragments.js";
import { HttpUpgrade } from "./flow/http-upgrade.js";
import { Join } from "./flow/join.js";
import { Budget, Stream } from "./flow/stream.js";
import { unmask } from "./flow/unmask.js";
import { addressText } from "./format.js";
import { Framing, type Host, type Opened, type Unit } from "./framing.js";
import { type Source, sourceOf } from "./source.js";
import { first, Tables } from "./tables.js";

/** A header, and where its octets are. */
export interface Layer {
  readonly walked: Walked;
  readonly source: Source;
}

/** One message of an application. */
export interface Message {
  /** Number of the frame with which it was complete. */
  readonly frame: number;
  /** Number of its flow, from 0; each kind of flow counts apart. */
  readonly stream: number;
  readonly from: string;
  readonly to: string;
  /** By which framing it came: last word of the name of the header that carried it. */
  readonly transport: string;
  /** Its sender's protocol, by name if it has one. */
  readonly protocol: string;
  /** Octets of its own header and payload. */
  readonly length: number;
  /** Its own header, in words of four octets. */
  readonly tags: readonly string[];
  readonly payload: Uint8Array;
}

/** What was found in a packet, and in what it completed. */
export interface Frame {
  readonly packet: Packet;
  readonly layers: readonly Layer[];
  readonly protocols: readonly string[];
  /** Octets that no header claims. */
  readonly rest: { readonly source: Source; readonly from: number; readonly to: number }[];
  readonly messages: readonly Message[];
  /** Found after the last packet, when streams were told that nothing comes any more. */
  readonly late: boolean;
  /** What is to be said about flows: holes, framing that is lost. */
  readonly remarks: readonly string[];
}

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

/** One direction of a flow. */
interface Side {
  readonly facts: Map<string, number | string>;
  readonly from: string;
  readonly to: string;
  join: Join;
  stream: Stream | undefined;
  framing: Framing | undefined;
}

interface Flow {
  readonly number: number;
  readonly sides: readonly [Side, Side];
  upgrade: HttpUpgrade | undefined;
  /** The side that asked for an upgrade knows the answer. */
  told: boolean;
}

/** What is known on the way through a packet. */
interface Way {
  readonly facts: Facts;
  readonly flow: Flow | undefined;
  readonly side: 0 | 1;
  /** Number of the frame that completed what is walked. */
  readonly frame: number;
  /** Sender and receiver of each layer, outermost first. */
  readonly ends: Ends[];
  /** Value by which the last header was found. */
  value: number;
  /** Octets repeat another packet: they belong to no flow. */
  quoted: boolean;
}

export class Dissector {
  readonly #tables: Tables;
  readonly #walker = new Walker();
  readonly #fragments = new Fragments();
  readonly #budget = new Budget(256 * 2 ** 20);
  readonly #flows = new Map<string, Flow>();
  /** Flows of each kind so far. */
  readonly #counts = new Map<HeaderTable, number>();
  #frame: Writable<Frame> | undefined;

  constructor(registry: Registry) {
    this.#tables = new Tables(registry);
  }

  /** Full names of all fields that can be found. */
  names(): Set<string> {
    return this.#tables.names();
  }

  packet(packet: Packet): Frame {
    const frame = begin(packet);
    this.#frame = frame;
    const source = sourceOf("frame", packet.octets, packet.number, { file: packet.offset });
    const facts = new Map<string, number | string>();
    const way: Way = {
      facts,
      flow: undefined,
      side: 0,
      frame: packet.number,
      ends: [],
      value: 0,
      quoted: false,
    };
    const table = this.#tables.claimed("linktype", packet.link);
    this.#walk(table, source, 0, packet.octets.length, packet.length, way);
    return frame;
  }

  /** No more packets come: what waited for missing octets goes on without them. */
  finish(last: Packet): Frame {
    const frame = begin(last, true);
    this.#frame = frame;
    for (const flow of this.#flows.values()) for (const side of flow.sides) side.stream?.finish();
    return frame;
  }

  /** Walks headers from `table` on, one inside the other. */
  #walk(
    table: HeaderTable | undefined,
    source: Source,
    from: number,
    to: number,
    claim: number,
    way: Way,
  ): void {
    const frame = this.#frame as Writable<Frame>;
    let [header, here, at, end, stop] = [table, source, from, to, claim];
    while (header !== undefined) {
      const pseudo = () => {
        const inner = way.ends.at(-1);
        return inner === undefined ? undefined : inner.words + way.value;
      };
      const w = this.#walker.walk(header, here.view, at, end, {
        claim: stop,
        facts: way.facts,
        pseudo,
      });
      frame.layers.push({ walked: w, source: here });
      if (frame.protocols.at(-1) !== header.protocol) frame.protocols.push(header.protocol);
      if (w.cut) return;
      const outer = way.ends.at(-1);
      if (w.ends !== undefined) way.ends.push(w.ends);
      [at, end, stop] = [w.head, w.end, w.claim];
      for (const step of w.via) {
        const passed = this.#via(step, w, here, at, end, stop, way);
        if (passed === undefined) return;
        [here, at, end, stop] = passed;
      }
      const flow = this.#tables.flows(header) && outer !== undefined && !way.quoted;
      const inner: Way = flow ? this.#enter(header, outer, w, way) : way;
      header = this.#next(w.next, here, at, end, stop, inner);
      if (inner !== way) return this.#walk(header, here, at, end, stop, inner);
    }
    if (at < end) frame.rest.push({ source: here, from: at, to: end });
  }

  /** The header that follows. A message is told of before its own header is walked. */
  #next(
    choice: Choice | undefined,
    source: Source,
    at: number,
    end: number,
    claim: number,
    way: Way,
  ): HeaderTable | undefined {
    if (choice === undefined) return undefined;
    const { next, value } = choice;
    const frame = this.#frame as Writable<Frame>;
    if (next.listed) frame.protocols.push(next.of);
    if (next.quoted) way.quoted = true;
    if (!Number.isNaN(value)) way.value = value;
    const found =
      next.by === "trial"
        ? this.#tried(next.of, source, at, end)
        : this.#tables.chosen(choice, (name) => way.facts.get(name));
    if (next.message && claim <= end) this.#message(choice, found, source, at, end, way);
    return found;
  }

  #tried(table: string, source: Source, at: number, end: number): HeaderTable | undefined {
    for (const candidate of this.#tables.tried(table)) {
      if (!("fields" in candidate)) continue;
      const n = candidate.measure?.(source.view, at, end) ?? -1;
      const refuted = n < 0 && !(candidate.computed?.includes(-n - 0x1000000) ?? false);
      if (!refuted) return candidate;
    }
    return undefined;
  }

  #message(
    { next }: Choice,
    header: HeaderTable | undefined,
    source: Source,
    at: number,
    end: number,
    way: Way,
  ): void {
    const frame = this.#frame as Writable<Frame>;
    const carrier = frame.layers.at(-1)?.walked.table.name ?? "";
    const around = { claim: end, facts: way.facts };
    const head = header && this.#walker.walk(header, source.view, at, end, around, false).head;
    const body = head ?? at;
    const side = way.flow?.sides[way.side];
    const fact = way.facts.get(next.of);
    frame.messages.push({
      frame: way.frame,
      stream: way.flow?.number ?? 0,
      from: side?.from ?? "",
      to: side?.to ?? "",
      transport: carrier.slice(carrier.lastIndexOf(".") + 1),
      protocol: this.#tables.nameOf(next.of, fact) ?? "",
      length: end - at,
      tags: words(source.bytes.subarray(at, body)),
      payload: source.bytes.subarray(body, end),
    });
  }

  /** What an operation makes of a payload; undefined: nothing that could be walked now. */
  #via(
    { op, with: values }: Step,
    w: Walked,
    source: Source,
    at: number,
    end: number,
    claim: number,
    way: Way,
  ): [Source, number, number, number] | undefined {
    const frame = this.#frame as Writable<Frame>;
    const value = (name: string) => values[name] ?? Number.NaN;
    const rest = () => void (at < end && frame.rest.push({ source, from: at, to: end }));
    switch (op) {
      case "unmask": {
        const plain = unmask(value("key"), source, at, end);
        return [plain, 0, end - at, claim - at];
      }
      case "fragments": {
        const ends = way.ends.at(-1);
        const key = `${text(ends)}|${value("id")}|${w.next?.value}`;
        const offset = value("offset");
        if (claim > end || way.quoted) return void rest();
        const whole = this.#fragments.take(
          { key, offset, more: value("more") !== 0 },
          source,
          at,
          end,
        );
        if (whole === undefined) return void rest();
        return [whole, 0, whole.bytes.length, whole.bytes.length];
      }
      case "join": {
        const side = way.flow?.sides[way.side];
        const piece = { first: value("first") !== 0, last: value("last") !== 0 };
        if (claim > end) return void rest();
        const whole = side?.join.take(piece, source, at, end);
        if (whole === undefined) return void rest();
        return [whole.source, whole.from, whole.to, whole.to];
      }
      case "stream":
        this.#stream(w, values, source, at, end, claim, way);
        return undefined;
      case "open":
      case "records":
        // Sealed, or pieces of what was sealed: without keys they are octets.
        return void rest();
    }
  }

  /** The flow between a header's ends, which stand inside those of the layer around it. */
  #flow(
    header: HeaderTable,
    outer: Ends,
    w: Walked,
    fresh: (flow: Flow, side: 0 | 1) => boolean,
  ): [Flow, 0 | 1] {
    const from = addressText(outer.from, outer.format, w.ends?.from);
    const to = addressText(outer.to, outer.format, w.ends?.to);
    const key = (a: string, b: string) => `${header.name} ${a} ${b}`;
    const there = this.#flows.get(key(from, to));
    if (there !== undefined) {
      const side = there.sides[0].from === from ? 0 : 1;
      if (!fresh(there, side)) return [there, side];
      for (const s of there.sides) s.stream?.finish();
    }
    const number = this.#counts.get(header) ?? 0;
    this.#counts.set(header, number + 1);
    const flow: Flow = {
      number,
      sides: [side(from, to), side(to, from)],
      upgrade: undefined,
      told: false,
    };
    this.#flows.set(key(from, to), flow);
    this.#flows.set(key(to, from), flow);
    return [flow, 0];
  }

  #enter(header: HeaderTable, outer: Ends, w: Walked, way: Way): Way {
    const [flow, at] = this.#flow(header, outer, w, () => false);
    return { ...way, flow, side: at, facts: flow.sides[at].facts };
  }

  #stream(
    w: Walked,
    values: Step["with"],
    source: Source,
    from: number,
    to: number,
    claim: number,
    way: Way,
  ): void {
    const frame = this.#frame as Writable<Frame>;
    const outer = way.ends.at(-2);
    const seq = values.seq ?? 0;
    const syn = values.syn === 1;
    const run = { source, from, to, lack: claim - to };
    if (outer === undefined || way.quoted) {
      if (from < to) frame.rest.push({ source, from, to });
      return;
    }
    const [flow, at] = this.#flow(
      w.table,
      outer,
      w,
      (f, s) => syn && f.sides[s].stream?.restarts(seq) === true,
    );
    const own = flow.sides[at];
    own.framing ??= new Framing(w.next, own.facts, this.#host(flow, at));
    own.stream ??= new Stream(own.framing, this.#budget);
    if (own.framing.opaque && from < to) frame.rest.push({ source, from, to });
    own.stream.take(seq, syn, run);
  }

  #host(flow: Flow, at: 0 | 1): Host {
    const own = flow.sides[at];
    return {
      tables: this.#tables,
      walker: this.#walker,
      unit: ({ table, source, start, end, claim, frame }: Unit) => {
        const way: Way = {
          facts: own.facts,
          flow,
          side: at,
          frame,
          ends: [],
          value: 0,
          quoted: false,
        };
        this.#walk(table, source, start, end, claim, way);
      },
      opener: (opener: OpenerTable, source: Source, from: number, to: number): Opened => {
        flow.upgrade ??= new HttpUpgrade();
        const other = flow.sides[at === 0 ? 1 : 0];
        const verdict = flow.upgrade.look(at, source.bytes.subarray(from, to));
        if (verdict.is === "granted") {
          for (const [fact, name] of Object.entries(opener.sets)) {
            const value = verdict.values[name];
            if (value !== undefined) own.facts.set(fact, value);
          }
          this.#frame?.protocols.push(opener.name);
        }
        // The side that asked has waited for this answer.
        if (flow.upgrade.answered && !flow.told) {
          flow.told = true;
          other.framing?.resume();
        }
        return verdict.is === "granted"
          ? { is: "granted", octets: verdict.octets, next: first(opener.next) }
          : verdict;
      },
      lost: (why: string) => void this.#frame?.remarks.push(`${own.from} → ${own.to}: ${why}`),
    };
  }
}

const begin = (packet: Packet, late = false): Writable<Frame> => ({
  packet,
  late,
  layers: [],
  protocols: [],
  rest: [],
  messages: [],
  remarks: [],
});

const side = (from: string, to: string): Side => ({
  facts: new Map(),
  from,
  to,
  join: new Join(),
  stream: undefined,
  framing: undefined,
});

const text = (ends: Ends | undefined): string =>
  ends === undefined
    ? ""
    : `${addressText(ends.from, ends.format)} ${addressText(ends.to, ends.format)}`;

/** Octets in hex, in groups of four. */
function words(octets: Uint8Array): string[] {
  const hex = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("hex");
  return hex.match(/.{1,8}/g) ?? [];
}
