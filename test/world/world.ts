/**
 * A world in which everything can happen, and happens again from the same seed: an Env whose clock is
 * virtual, whose chance is seeded, and whose network has faults.
 *
 * Every socket has a host of its own, so that what it left behind can be told from what others hold.
 */
import type { Connection, Env, Receiver, Where } from "../../runtime/index.js";
import { seeded } from "../support/seeded.js";
import { Clock } from "./clock.js";
import { type Conditions, Network } from "./network.js";
import { Random } from "./random.js";

/** Milliseconds that a turn of the loop takes: time goes on even where only turns follow turns. */
const TURN = 0.01;
/** Steps after which a world that does not come to rest never will. */
const ENDLESS = 1_000_000;

/** A network on which nothing happens. */
export const CALM: Conditions = {
  delay: [0.05, 0.5],
  chop: 0,
  window: 64 * 1024,
  mark: 64 * 1024,
  reading: 0,
  refuses: 0,
  hangs: 0,
};

export interface WorldOptions {
  readonly seed: number;
  readonly conditions?: Conditions;
  readonly remembers?: boolean;
}

export class World {
  readonly clock = new Clock();
  readonly random: Random;
  readonly network: Network;
  readonly hosts: Host[] = [];
  readonly names = new Map<string, unknown>();
  /** What sockets could tell nobody. */
  readonly reports: unknown[] = [];
  /** What somebody waits for. */
  readonly #pending = new Set<string>();

  constructor({ seed, conditions = CALM, remembers = false }: WorldOptions) {
    this.random = new Random(seed);
    this.network = new Network(this.clock, this.random, conditions, remembers);
  }

  host(name: string): Host {
    const host = new Host(name, this);
    this.hosts.push(host);
    return host;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((done) => void this.clock.after(ms, done));
  }

  /** The same promise; until it settles somebody waits for it. */
  waits<T>(promise: Promise<T>, what: string): Promise<T> {
    const name = `${what} (${this.clock.steps})`;
    this.#pending.add(name);
    const over = () => void this.#pending.delete(name);
    promise.then(over, over);
    return promise;
  }

  /** Asks again and again, in virtual time, until `f` says yes. */
  async until(f: () => boolean, what: () => string, patience = 60_000): Promise<void> {
    const late = this.clock.now + patience;
    while (!f()) {
      if (this.clock.now > late) throw new Error(`within ${patience} ms never came: ${what()}`);
      await this.sleep(50);
    }
  }

  /** Runs what `main` begins until nothing happens any more. Whatever was held must be gone then. */
  async run(main: () => Promise<void>): Promise<void> {
    let over = false;
    let failure: { error: unknown } | undefined;
    main().then(
      () => {
        over = true;
      },
      (error) => {
        failure = { error };
      },
    );
    const endless = this.clock.steps + ENDLESS;
    await this.clock.run(
      () => failure !== undefined || this.reports.length > 0 || this.clock.steps > endless,
    );
    if (failure !== undefined) throw failure.error;
    if (this.reports.length > 0) throw this.reports[0];
    const waiting = [...this.#pending].join(", ");
    if (this.clock.steps > endless) throw new Error(`it never comes to rest; waiting: ${waiting}`);
    if (!over) throw new Error(`nothing happens any more, and somebody waits: ${waiting}`);
    const left = this.left();
    if (left.length > 0) throw new Error(`left behind: ${left.join(", ")}`);
  }

  /** All that is held in this world, by whom. */
  left(): string[] {
    return [
      ...this.hosts.flatMap((h) => h.left()),
      ...[...this.names.keys()].map((name) => `the name ${name}`),
      ...[...this.#pending].map((what) => `waiting: ${what}`),
    ];
  }
}

/** Where one socket lives. */
export class Host implements Env {
  /** Timers, attempts to connect, listeners, ends of connections. */
  readonly live = new Set<object>();
  readonly net: Env["net"];
  readonly names: Map<string, unknown>;
  readonly crypto = seeded((octets) => this.random(octets));

  constructor(
    readonly name: string,
    readonly world: World,
  ) {
    const { network } = world;
    this.names = world.names;
    this.net = {
      connect: (where: Where, to: Receiver) => network.connect(where, to, this),
      listen: (where: Where, accept: (c: Connection) => Receiver) =>
        network.listen(where, accept, this),
    };
  }

  now(): number {
    return this.world.clock.now;
  }

  /** It begins in 1970. */
  date(): number {
    return this.world.clock.now;
  }

  /** Up to a millisecond early, as node's, whose loop counts whole ones; never at once. */
  timer(ms: number, f: () => void): { cancel(): void } {
    const { clock, random } = this.world;
    const early = random.often(0.5) ? random.between(0, 1) : 0;
    const at = clock.now;
    const timer = {
      toString: () => `a timer of ${ms} ms, set at ${at.toFixed(3)}`,
      cancel: () => {
        due.f = undefined;
        this.live.delete(timer);
      },
    };
    const due = clock.after(Math.max(1, ms) - early, () => {
      this.live.delete(timer);
      f();
    });
    this.live.add(timer);
    return timer;
  }

  tick(f: () => void): void {
    this.world.clock.tick(f);
  }

  turn(f: () => void): void {
    this.world.clock.after(TURN, f);
  }

  random(octets: Uint8Array): void {
    this.world.random.fill(octets);
  }

  report(error: unknown): void {
    this.world.reports.push(error);
  }

  left(): string[] {
    return [...this.live].map((x) => `${this.name}: ${x}`);
  }
}
