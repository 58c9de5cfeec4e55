/** A world that stands still: no time passes, ticks and turns run when the test says so, chance is seeded. */
import { Block } from "../../runtime/block.js";
import type { Crypto } from "../../runtime/crypto.js";
import type { Env, Net, Timer } from "../../runtime/env.js";
import type { PipeContext, Protocol } from "../../runtime/layer.js";
import { Slab } from "../../runtime/message.js";
import { Stats } from "../../runtime/stats.js";
import { seeded } from "../support/seeded.js";

export class Still implements Env {
  readonly names = new Map<string, unknown>();
  crypto: Crypto = seeded((octets) => this.random(octets));
  #state: number;
  readonly #ticks: (() => void)[] = [];
  readonly #turns: (() => void)[] = [];

  constructor(seed = 1) {
    this.#state = seed | 1;
  }

  now(): number {
    return 0;
  }

  date(): number {
    return 0;
  }

  timer(): Timer {
    return { cancel() {} };
  }

  tick(f: () => void): void {
    this.#ticks.push(f);
  }

  turn(f: () => void): void {
    this.#turns.push(f);
  }

  random(octets: Uint8Array): void {
    for (let i = 0; i < octets.length; i++) {
      this.#state ^= this.#state << 13;
      this.#state ^= this.#state >>> 17;
      this.#state ^= this.#state << 5;
      octets[i] = this.#state;
    }
  }

  report(error: unknown): void {
    throw error;
  }

  get net(): Net {
    throw new Error("a world that stands still has no net");
  }

  /** Runs what is due now, ticks before turns, until nothing is. */
  settle(): void {
    for (;;) {
      const f = this.#ticks.shift() ?? this.#turns.shift();
      if (f === undefined) return;
      f();
    }
  }
}

export interface Surroundings {
  readonly env?: Still;
  readonly protocol?: Protocol | undefined;
  readonly side?: "dial" | "listen";
  readonly recvMax?: number;
  readonly sendBuffer?: number;
}

/** What a running layer has around it, when no socket is there. */
export function surroundings({
  env = new Still(),
  protocol,
  side = "dial",
  recvMax = 2 ** 20,
  sendBuffer = 128,
}: Surroundings = {}): PipeContext & { readonly env: Still } {
  const stats = new Stats();
  const limits = { recvMax, sendBuffer, openTimeout: 10_000 };
  const room = { head: 0, tail: 0 };
  const [slab, block] = [new Slab(stats), new Block(stats)];
  return {
    env,
    stats,
    slab,
    limits,
    protocol,
    text: false,
    reject() {},
    side,
    scheme: "",
    block,
    lend: false,
    identity: [],
    room,
    place: { layers: [], at: 0 },
  };
}
