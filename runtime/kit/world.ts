/** A world in which time passes when the kit says so, and chance is seeded; and what a layer has around it there. */
import { Block } from "../block.js";
import type { Crypto } from "../crypto.js";
import type { Env, Net, Timer } from "../env.js";
import type { Context, Limits, PipeContext, Place, Protocol } from "../layer.js";
import { type Message, type Room, Slab } from "../message.js";
import { Stats } from "../stats.js";
import { Broken, Chance } from "./chance.js";
import { unlike } from "./octets.js";
import { aside } from "./spy.js";

/** Pieces of work after which a layer is thought to go on for ever. */
const ENDLESS = 100_000;
/** Some day. */
const EPOCH = 1_700_000_000_000;

export class World implements Env {
  readonly names = new Map<string, unknown>();
  readonly crypto?: Crypto;
  readonly #chance: Chance;
  #now = 0;
  readonly #ticks: (() => void)[] = [];
  readonly #turns: (() => void)[] = [];
  #timers: { readonly at: number; readonly f: () => void }[] = [];

  constructor(seed: number, crypto?: Crypto) {
    this.#chance = new Chance(seed);
    if (crypto !== undefined) this.crypto = seeded(crypto, (octets) => this.random(octets));
  }

  now(): number {
    return this.#now;
  }

  date(): number {
    return EPOCH + this.#now;
  }

  timer(ms: number, f: () => void): Timer {
    const timer = { at: this.#now + ms, f };
    this.#timers.push(timer);
    return { cancel: () => this.#drop(timer) };
  }

  /** Somebody waits for time to pass. */
  get waits(): boolean {
    return this.#timers.length > 0;
  }

  tick(f: () => void): void {
    this.#ticks.push(f);
  }

  turn(f: () => void): void {
    this.#turns.push(f);
  }

  random(octets: Uint8Array): void {
    octets.set(Uint8Array.from(octets, () => this.#chance.below(256)));
  }

  report(error: unknown): void {
    throw error;
  }

  get net(): Net {
    throw new Error("here is no net: a layer has its octets from the one below");
  }

  /** Runs what is due now, ticks before turns, until nothing is. */
  settle(): void {
    for (let i = 0; i < ENDLESS; i++) {
      const f = this.#ticks.shift() ?? this.#turns.shift();
      if (f === undefined) return;
      f();
    }
    throw new Broken("it schedules work by `tick` or `turn` for ever: nothing else has its turn");
  }

  #drop(timer: object): void {
    this.#timers = this.#timers.filter((t) => t !== timer);
  }

  /** Lets so many milliseconds pass. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let i = 0; i < ENDLESS; i++) {
      this.settle();
      const due = this.#timers.filter((t) => t.at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) {
        this.#now = until;
        return;
      }
      this.#drop(due);
      this.#now = due.at;
      due.f();
    }
    throw new Broken("it sets timers for ever, each at once");
  }
}

/** Cryptography whose only chance is the world's: the same keys for the same seed. */
function seeded(crypto: Crypto, random: (octets: Uint8Array) => void): Crypto {
  const { noise } = crypto;
  const { x25519 } = noise;
  const generate = () => {
    const octets = new Uint8Array(32);
    random(octets);
    return x25519.privateKey(octets);
  };
  return { ...crypto, noise: { ...noise, x25519: { ...x25519, generate } } };
}

/** Octets on either side of a window that nobody was given. */
const FENCE = 16;
/** A slab that knows what was asked for: its own buffers are for many, and count as what is taken of them. */
export class Windows extends Slab {
  readonly #taken: { readonly bytes: Uint8Array; readonly from: number; readonly to: number }[] =
    [];

  constructor(
    stats: Stats,
    /** With this in every window, and fences of it around them. */
    readonly poison?: number,
  ) {
    super(stats);
  }

  override take(n: number): number {
    if (this.poison === undefined) return aside(n, () => super.take(n));
    const at = super.take(n + 2 * FENCE) + FENCE;
    this.bytes.fill(this.poison, at - FENCE, at + n + FENCE);
    this.#taken.push({ bytes: this.bytes, from: at, to: at + n });
    return at;
  }

  /** What was written where nobody had taken a window. */
  get trespass(): string | undefined {
    const { poison = 0 } = this;
    for (const { bytes, from, to } of this.#taken) {
      if (unlike(bytes, from - FENCE, from, poison) >= 0) return "before";
      if (unlike(bytes, to, to + FENCE, poison) >= 0) return "behind";
    }
    return undefined;
  }
}

class Blocks extends Block {
  constructor(
    stats: Stats,
    readonly poison?: number,
  ) {
    super(stats);
  }

  override blank(n: number, room: Room): Message {
    const m = aside(n, () => super.blank(n, room));
    if (this.poison !== undefined) m.bytes.fill(this.poison, m.floor, m.ceiling);
    return m;
  }
}

export interface Surroundings {
  readonly world: World;
  readonly side: "dial" | "listen";
  readonly protocol: Protocol;
  readonly limits: Limits;
  readonly text: boolean;
  readonly place: Place;
  readonly poison?: number | undefined;
}

export interface KitContext extends PipeContext {
  readonly env: World;
  readonly slab: Windows;
}

/** What a running layer has of its surroundings below a hub. Here, and nowhere else in the kit, it is put together. */
export function contextOf(given: Surroundings): KitContext {
  const { world, side, protocol, limits, text, poison } = given;
  const stats = new Stats();
  return {
    env: world,
    stats,
    slab: new Windows(stats, poison),
    limits,
    protocol,
    text,
    reject() {},
    side,
    scheme: "kit://",
    block: new Blocks(stats, poison),
    lend: false,
    identity: [],
    room: { head: 0, tail: 0 },
    place: given.place,
  };
}

/** The same above a hub: there is no side, and nothing that will be written. */
export function socketOf(context: KitContext): Context {
  const { side, scheme, block, lend, identity, room, ...own } = context;
  return own;
}
