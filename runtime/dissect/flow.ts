/** What is remembered between packets: flows, their two directions, and their facts. */
import type { Ends, Facts, HeaderTable } from "../../generated/dissect.js";
import { HttpUpgrade } from "./flow/http-upgrade.js";
import { Join } from "./flow/join.js";
import { type Keys, Seals } from "./flow/open.js";
import type { Stream } from "./flow/stream.js";
import { addressText } from "./format.js";
import type { Framing } from "./framing.js";
import type { Told } from "./told.js";

export type Direction = 0 | 1;

/** One direction of a flow. */
export class Side implements Facts {
  readonly #facts = new Map<string, number | string>();
  readonly #joins = new Map<HeaderTable, Join>();
  #broken = false;
  /** Of a flow whose octets are put in order. */
  stream: Stream | undefined;
  framing: Framing | undefined;
  #seals: Seals | undefined;

  get(name: string): number | string | undefined {
    return this.#facts.get(name);
  }

  set(name: string, value: number | string): void {
    this.#facts.set(name, value);
  }

  /** What is sealed in this direction. */
  seals(keys: Keys | undefined): Seals {
    this.#seals ??= new Seals(keys);
    return this.#seals;
  }

  /** If something was. */
  get sealed(): Seals | undefined {
    return this.#seals;
  }

  /** Where the pieces that one kind of header carries come together. */
  join(table: HeaderTable): Join {
    let join = this.#joins.get(table);
    if (join === undefined) {
      join = new Join();
      if (this.#broken) join.lose();
      this.#joins.set(table, join);
    }
    return join;
  }

  /** Something is missing here, or cannot be read: no message goes on across that. */
  lose(): void {
    this.#broken = true;
    for (const join of this.#joins.values()) join.lose();
  }
}

/** Packets of one kind between two ends. Direction 0 is that of the first. */
export class Flow {
  readonly sides: readonly [Side, Side] = [new Side(), new Side()];
  readonly upgrade = new HttpUpgrade();
  #told = false;

  constructor(
    /** From 0, by first packets; each kind counts apart. */
    readonly number: number,
    readonly kind: HeaderTable,
    /** Sender and receiver in direction 0. */
    readonly ends: readonly [string, string],
  ) {}

  /** What an interface tells of it, heard once: `way` is the direction of what goes out there. */
  hear(told: Told, way: Direction): void {
    if (this.#told) return;
    this.#told = true;
    for (const [name, value] of told.out) this.sides[way].set(name, value);
    for (const [name, value] of told.in) this.sides[way === 0 ? 1 : 0].set(name, value);
  }

  /** Sender and receiver in a direction. */
  named(way: Direction): { readonly from: string; readonly to: string } {
    const [a, b] = this.ends;
    return way === 0 ? { from: a, to: b } : { from: b, to: a };
  }
}

export class Flows {
  /** By sender and receiver, so each flow stands here twice. */
  readonly #flows = new Map<string, readonly [Flow, Direction]>();
  readonly #counts = new Map<HeaderTable, number>();
  readonly #told = new Map<Told, Flow>();
  /** Those that are not over. */
  readonly open = new Set<Flow>();

  /** The flow of a packet: of its ends on this layer and the one below. */
  find(kind: HeaderTable, below: Ends | undefined, ends: Ends): readonly [Flow, Direction] {
    const name = (side: "from" | "to") =>
      below === undefined
        ? addressText(ends[side], ends.format)
        : addressText(below[side], below.format, ends[side]);
    const [from, to] = [name("from"), name("to")];
    return this.#flows.get(key(kind, from, to)) ?? [this.#add(kind, from, to), 0];
  }

  /** The flow that an interface has seen, where that tells. */
  seen(kind: HeaderTable, told: Told): Flow {
    const known = this.#told.get(told);
    if (known !== undefined) return known;
    const flow = this.#flow(kind, ...told.ends);
    this.#told.set(told, flow);
    return flow;
  }

  /** Begins a flow between the ends of one that is over. */
  renew(old: Flow, way: Direction): Flow {
    this.open.delete(old);
    const { from, to } = old.named(way);
    return this.#add(old.kind, from, to);
  }

  #add(kind: HeaderTable, from: string, to: string): Flow {
    const flow = this.#flow(kind, from, to);
    this.#flows.set(key(kind, to, from), [flow, 1]);
    this.#flows.set(key(kind, from, to), [flow, 0]);
    return flow;
  }

  #flow(kind: HeaderTable, from: string, to: string): Flow {
    const number = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, number + 1);
    const flow = new Flow(number, kind, [from, to]);
    this.open.add(flow);
    return flow;
  }
}

const key = (kind: HeaderTable, from: string, to: string): string => `${kind.name} ${from} ${to}`;
