/**
 * The internet checksum over a head. Words that are in variables anyway are added up where they are; a
 * loop fetches only what follows them.
 */
import type { Group } from "../layout.js";
import type { Code } from "./code.js";
import type { Used } from "./support.js";

export class Sum {
  readonly #terms: string[] = [];
  #end = 0;
  #own = "";

  constructor(
    readonly code: Code,
    readonly used: Used,
  ) {}

  /** Whether so many octets, `at` from the head's first, continue the words so far. */
  takes(octets: number, at: number): boolean {
    return at === this.#end && (octets === 2 || octets === 4);
  }

  /** Adds them; the two octets at `own` are the checksum's and do not count. */
  add(octets: number, word: string, own?: number): void {
    this.#end += octets;
    if (octets === 2) {
      if (own === undefined) this.#terms.push(word);
    } else if (own === 0) this.#terms.push(`(${word} & 0xffff)`);
    else if (own === 2) this.#terms.push(`(${word} >>> 16)`);
    else if (own === 1) this.#terms.push(`${this.used.get("halves")}(${word} & 0xff0000ff)`);
    else this.#terms.push(`${this.used.get("halves")}(${word})`);
  }

  /** The checksum's own octets, at `at`, are among those of the loop: they are taken off again. */
  exclude(at: string, odd: string): void {
    this.#own = ` - v.getUint16(${at}${odd === "" ? "" : `, ${odd}`})`;
  }

  /** The checksum of all octets up to `end`. */
  of(end: string): string {
    if (this.#terms.length > 0) this.code.line(`const sum = ${this.#terms.join(" + ")};`);
    const sum = (this.#terms.length > 0 ? "sum" : "0") + this.#own;
    const from = this.#end === 0 ? "o" : `o + ${this.#end}`;
    return `${this.used.get("internet")}(v, ${from}, ${end}, ${sum})`;
  }
}

/** Where the checksum stands in a group, in octets, if it does. */
export function ownIn({ fields, offsets }: Group): number | undefined {
  const at = fields.findIndex((f) => f.auto === "internet");
  return at < 0 ? undefined : (offsets[at] ?? 0) / 8;
}
