/**
 * Finds the beginning of a unit in a stream whose framing a hole has destroyed, or whose opening was not
 * captured. It is a guess, and said
 * to be one: two headers in a row must be plausible, or one whose unit ends with the stream.
 */
import type { Choice, Facts, HeaderTable } from "../../generated/dissect.js";
import type { Host } from "./framing.js";
import { Growing, type Source } from "./source.js";

/** A unit that a plausible header announces, payload included. Real ones are longer now and then. */
const LONGEST = 2 ** 20;

/** Octets of a unit that may begin here, or what keeps it from being one. */
type Guess = number | "implausible" | "more";

export class Search {
  #held = new Growing();
  /** No unit begins before it. */
  #at = 0;
  /** Octets before those that are held. */
  #passed = 0;
  /** A guess changes no fact. */
  readonly #facts: Facts = { get: (name) => this.host.facts.get(name), set() {} };

  constructor(
    /** What is expected to follow again and again. */
    readonly choice: Choice,
    readonly host: Host,
    /** Octets after which it is given up. */
    readonly most = Number.POSITIVE_INFINITY,
  ) {}

  /** It is given up. */
  get over(): boolean {
    return this.#passed + this.#at > this.most;
  }

  /** The same, behind a hole. */
  anew(): Search {
    return new Search(this.choice, this.host, this.most);
  }

  add(source: Source, from: number, to: number): void {
    this.#held.add(source, from, to);
  }

  /** Where units begin again; `last`: no more octets come. */
  find(last: boolean): { readonly source: Source; readonly at: number } | undefined {
    const source = this.#held.source("stream");
    const end = source.bytes.length;
    for (; this.#at < end; this.#at++) {
      const first = this.#guess(source, this.#at);
      if (first === "implausible") continue;
      const second = first === "more" ? first : this.#guess(source, this.#at + first);
      if (second === "implausible") continue;
      if (typeof second === "number") return { source, at: this.#at };
      if (!last) break;
      if (typeof first === "number" && this.#at + first === end) return { source, at: this.#at };
    }
    this.#forget(source);
    return undefined;
  }

  /** Lets go of what is refuted; seldom, for it copies what stays. */
  #forget(source: Source): void {
    if (this.#at < LONGEST) return;
    this.#held = new Growing();
    this.#held.add(source, this.#at, source.bytes.length);
    this.#passed += this.#at;
    this.#at = 0;
  }

  #guess(source: Source, at: number): Guess {
    const end = source.bytes.length;
    let answer: Guess = "implausible";
    for (const table of this.host.tables.tried(this.choice.next.of)) {
      if ("op" in table) continue;
      const n = table.measure?.(source.view, at, end) ?? 0;
      if (n > 0) {
        const unit = this.#unit(table, source, at, end);
        if (unit !== "implausible") return unit;
      } else if (n < 0 && n > -(2 ** 24)) answer = "more";
    }
    return answer;
  }

  /** An empty payload is legal, but zeros are too common to be taken for one. */
  #unit(table: HeaderTable, source: Source, at: number, end: number): Guess {
    const { walker, tables } = this.host;
    const facts = this.#facts;
    const around = { claim: Number.POSITIVE_INFINITY, facts };
    const w = walker.walk(table, source.view, at, end, around, false);
    const total = w.claim - at;
    if (w.cut || w.claim <= w.head || total > LONGEST) return "implausible";
    const inner = w.next && tables.chosen(w.next, (name) => facts.get(name));
    if (inner === undefined || at + total > end) return at + total > end ? "more" : total;
    const payload = { claim: w.claim, facts };
    const within = walker.walk(inner, source.view, w.head, w.claim, payload);
    const wrong = [...within.notes, ...within.nodes.flatMap((node) => node.notes ?? [])];
    return within.cut || wrong.some((n) => n.severity === "error") ? "implausible" : total;
  }
}
