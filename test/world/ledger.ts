/**
 * What was sent, what came, and what was lost on the way: nothing invented, nothing twice, each pipe
 * in order, and what does not come was on a connection that is gone.
 */
import * as greeting from "../../generated/sp/greeting.js";
import * as ipc from "../../generated/sp/ipc.js";
import * as tcp from "../../generated/sp/tcp.js";
import { type Letter, name, read } from "./letter.js";
import type { End, Network } from "./network.js";

type State =
  /** Handed to `send`. */
  | "offered"
  /** `send` has resolved. */
  | "sent"
  /** `send` was given up: it must not come. */
  | "withdrawn"
  | "come";

export class Ledger {
  readonly #letters = new Map<string, { readonly letter: Letter; state: State }>();
  /** The newest letter of each sender on each way. */
  readonly #newest = new Map<object, Map<number, number>>();
  open = 0;
  came = 0;
  withdrawn = 0;

  constructor(
    /** Octets of a protocol's header before each letter. */
    readonly head = 0,
    /** And of what stands behind it. */
    readonly tail = 0,
  ) {}

  offer(letter: Letter): void {
    this.#letters.set(name(letter), { letter, state: "offered" });
    this.open++;
  }

  sent(letter: Letter): void {
    const entry = this.#entry(letter);
    if (entry.state === "offered") entry.state = "sent";
  }

  withdraw(letter: Letter): void {
    const entry = this.#entry(letter);
    if (entry.state === "come") throw new Error(`${name(letter)} was given up, and came`);
    entry.state = "withdrawn";
    this.withdrawn++;
    this.open--;
  }

  /** `way`: where order must have been kept. */
  take(body: Uint8Array, way: object | undefined): void {
    const letter = read(body);
    const entry = this.#entry(letter);
    if (entry.state === "come") throw new Error(`${name(letter)} came twice`);
    if (entry.state === "withdrawn") throw new Error(`${name(letter)} was given up, and came`);
    entry.state = "come";
    this.open--;
    this.came++;
    if (way === undefined) return;
    const newest = this.#newest.get(way) ?? new Map<number, number>();
    this.#newest.set(way, newest);
    const before = newest.get(letter.sender) ?? -1;
    if (letter.number < before) throw new Error(`${name(letter)} came after number ${before}`);
    newest.set(letter.sender, letter.number);
  }

  /** Those that have not come and were on no connection that is gone. */
  missing(network: Network, scheme: string): string[] {
    if (this.open === 0) return [];
    const lost = new Set(
      network.history.flatMap((l) =>
        [l.near, l.far].flatMap((end) => on(end, scheme, this.head, this.tail)),
      ),
    );
    return [...this.#letters.values()]
      .filter(({ state }) => state === "offered" || state === "sent")
      .map(({ letter, state }) => `${name(letter)} ${state}`)
      .filter((said) => !lost.has(said.split(" ")[0] as string));
  }

  #entry(letter: Letter): { state: State } {
    const entry = this.#letters.get(name(letter));
    if (entry === undefined) throw new Error(`nobody sent ${name(letter)}`);
    return entry;
  }
}

/** Letters that an end wrote to a connection that is gone, and that the other end may not have had. */
function on(end: End, scheme: string, head: number, tail: number): string[] {
  if (!end.gone || end.written.length === 0) return [];
  const bytes = new Uint8Array(Buffer.concat(end.written));
  const view = new DataView(bytes.buffer);
  const codec = scheme === "ipc" ? ipc : tcp;
  const header = { type: 1, length: 0 };
  const found: string[] = [];
  // What it read while it was told to wait it may have held, and lost with the connection.
  const had = end.other.holds ? 0 : end.read;
  for (let at = greeting.MAX; at < bytes.length; ) {
    const n = codec.decode(view, at, bytes.length, header as never);
    const stop = at + n + header.length;
    if (stop > had) found.push(name(read(bytes.subarray(at + n + head, stop - tail))));
    at = stop;
  }
  return found;
}
