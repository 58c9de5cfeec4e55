/** Looks headers up in a registry. */
import type {
  Choice,
  FieldTable,
  HeaderTable,
  NextTable,
  OpenerTable,
  Registry,
} from "../../generated/dissect.js";
import { nameText } from "./format.js";

export class Tables {
  readonly #claimed = new Map<string, Map<number | string, HeaderTable>>();
  readonly #tried = new Map<string, (HeaderTable | OpenerTable)[]>();
  readonly #named = new Map<string, HeaderTable>();
  readonly #flows = new Set<HeaderTable>();

  constructor(readonly registry: Registry) {
    for (const h of [...registry.headers, ...registry.openers]) {
      for (const [table, values] of Object.entries(h.on)) {
        if (values === true) this.#tried.set(table, [...this.tried(table), h]);
        else if ("fields" in h) {
          const claimed = this.#claimed.get(table) ?? new Map();
          for (const value of values) claimed.set(value, h);
          this.#claimed.set(table, claimed);
        }
      }
    }
    for (const h of registry.headers) {
      this.#named.set(h.name, h);
      const { via = [], next = [] } = h.payload ?? {};
      // Where octets are put in order or recognised, there is something to remember between packets.
      const remembers = via.some((v) => v.op === "stream") || next.some((n) => n.by === "trial");
      if (h.ends === true && remembers) this.#flows.add(h);
    }
  }

  claimed(table: string, value: number | string): HeaderTable | undefined {
    return this.#claimed.get(table)?.get(value);
  }

  tried(table: string): readonly (HeaderTable | OpenerTable)[] {
    return this.#tried.get(table) ?? [];
  }

  /** The one header that can follow; undefined also where the octets decide. */
  chosen(
    { next, value }: Choice,
    fact: (name: string) => number | string | undefined,
  ): HeaderTable | undefined {
    if (next.by === "name") return this.#named.get(next.of);
    if (next.by === "list" || next.by === "above") return undefined;
    if (next.by === "value") return this.claimed(next.of, value);
    if (next.by === "trial") return undefined;
    const found = fact(next.of);
    return found === undefined ? undefined : this.claimed(next.of, found);
  }

  /** The header of a layer that a list names: its own name, or its layer's. */
  layer(entry: string): HeaderTable | undefined {
    return this.claimed("layer", layerOf(entry)) ?? this.#named.get(entry);
  }

  /** What goes on and on behind an opening of octets that nobody has seen: the first such that a table leads to. */
  behind(choice: Choice | undefined): Choice | undefined {
    for (const opening of this.tried(choice?.next.of ?? "")) {
      if ("op" in opening) continue;
      const next = opening.payload?.next?.find((n) => n.again);
      if (next !== undefined) return { next, value: Number.NaN };
    }
    return undefined;
  }

  /** Whether what follows it depends on its flow, and not on its octets. */
  asksFacts({ payload }: HeaderTable): boolean {
    return (payload?.next ?? []).some(({ by }) => by === "fact" || by === "list");
  }

  /** Whether packets of this header are one flow if their ends are the same. */
  flows(header: HeaderTable): boolean {
    return this.#flows.has(header);
  }

  /** What a fact's value is called. */
  nameOf(fact: string, value: number | string | undefined): string | undefined {
    if (value === undefined) return undefined;
    const name = typeof value === "number" ? this.registry.facts[fact]?.get(value) : undefined;
    return name ?? nameText(String(value));
  }

  /** Full names of all fields. */
  names(): Set<string> {
    const names = new Set<string>();
    const visit = (f: FieldTable): void => {
      names.add(f.name);
      if (f.kind === "uint") for (const { name } of f.flags ?? []) names.add(name);
      if (f.kind === "tlv") for (const name of f.names.values()) names.add(name);
      if (f.kind === "repeat") visit(f.of);
      if (f.kind === "nested") f.fields.forEach(visit);
      if (f.kind !== "choose") return;
      for (const arm of [...f.arms.values(), f.otherwise ?? []]) arm.forEach(visit);
    };
    for (const h of this.registry.headers) {
      for (const f of [...h.fields, ...(h.front ?? []), ...(h.last ?? [])]) visit(f);
      for (const { name } of h.shows ?? []) names.add(name);
    }
    return names;
  }
}

/** A layer that a list names, without what stands in parentheses: what it must agree on. */
export const layerOf = (entry: string): string => entry.split("(", 1)[0] as string;

/** The first choice of an opener, whose alternatives have no conditions. */
export const first = (next: readonly NextTable[]): Choice | undefined =>
  next[0] && { next: next[0], value: Number.NaN };
