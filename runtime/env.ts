/**
 * The world, as layers see it: clock, timers, chance, and connections. Every element gets it from
 * outside, so the same elements run under node and under a virtual clock on a faulty network.
 */
import type { Crypto } from "./crypto.js";

/** node's own Duplex: `node.ts` says what that is, so that a page need not know. */
// biome-ignore lint/suspicious/noEmptyInterface: members come by declaration merging
export interface Duplex {}

export interface Timer {
  cancel(): void;
}

/** Where a connection leads: a TCP address, or a path of the file system. */
export type Where = { readonly host: string; readonly port: number } | { readonly path: string };

/** A connected run of octets in both directions. */
export interface Connection {
  /** Such as `127.0.0.1:5555`, or a path; the empty string where there is no name. */
  readonly local: string;
  readonly remote: string;
  /** Hands these octets over, in order, as one write. False: no more until `drained`. */
  write(segments: readonly Uint8Array[]): boolean;
  /** No `octets` until `resume`, but for what is on its way. */
  pause(): void;
  resume(): void;
  /** Says the end once all that was written has gone; then only reads. */
  end(): void;
  /** Drops it, and what was not yet written. */
  destroy(): void;
  /** node's own Duplex, where it is one: for good, and only if it was made to be lent. */
  lend?(): Duplex;
}

/** Who uses a connection. After `closed` nothing is called any more. */
export interface Receiver {
  opened(connection: Connection): void;
  /** The octets are the receiver's: it may keep views of them. */
  octets(chunk: Uint8Array): void;
  drained(): void;
  /** The peer says no more octets will come. */
  ended(): void;
  closed(error?: Error): void;
}

export interface Listening {
  /** As bound, with the port that the system chose. */
  readonly local: Where;
  close(): Promise<void>;
}

/** How the system is to hold a connection, or a listener's. */
export interface Settings {
  /** Milliseconds of silence after which it asks whether the peer is still there. Default: never. */
  readonly keepAlive?: number;
  /** Connections that may wait to be accepted. Default: 1024. */
  readonly backlog?: number;
  /** Rights of the file that stands for a path. Default: 0o600. */
  readonly mode?: number;
}

export interface Net {
  /** Begins to connect; `to` hears of success or failure, never inside this call. */
  connect(where: Where, to: Receiver, lend?: boolean, settings?: Settings): { destroy(): void };
  /** Resolves when bound. `accept` says who uses a new connection, which is open already. */
  listen(
    where: Where,
    accept: (connection: Connection) => Receiver,
    lend?: boolean,
    settings?: Settings,
  ): Promise<Listening>;
  /** Uses a Duplex of node's, which is open, as a connection. */
  adopt?(duplex: Duplex, to: Receiver, lend?: boolean): Connection;
}

/** A file that grows at its end. */
export interface File {
  /** Octets in it. */
  readonly size: number;
  /** Hands these octets to the system before it returns, so that they outlive this process. Throws SystemError. */
  write(octets: Uint8Array): void;
  close(): void;
}

/** Files, for who keeps records. All throw SystemError. */
export interface Files {
  /** `add`: goes on behind what is there; else what is there is gone. `mode`: rights of a new file. */
  open(path: string, options?: { readonly add?: boolean; readonly mode?: number }): File;
  /** Takes the place of what is there. */
  rename(from: string, to: string): void;
  /** The path from the root: one name for a file, however it is written, and wherever this process goes. */
  whole(path: string): string;
  /** Runs `f` when this process ends in order. Answers how not to. */
  last(f: () => void): () => void;
}

export interface Env {
  /** Milliseconds from some fixed point; never goes back. */
  now(): number;
  /** Milliseconds since 1970, UTC, as far as the system knows: it may go back, or leap. */
  date(): number;
  /**
   * Runs `f` once, after `ms` milliseconds, `LONGEST` at most. Does not keep the process alive if `idle`.
   * Whoever has the number from a user takes `after` instead.
   */
  timer(ms: number, f: () => void, idle?: boolean): Timer;
  /** Runs `f` when the current piece of work is done, before any other event. */
  tick(f: () => void): void;
  /** Runs `f` after other events have had their turn. */
  turn(f: () => void): void;
  /** Unpredictable octets. */
  random(octets: Uint8Array): void;
  /** What went wrong where nobody can be told but the user: a handler of theirs that threw. */
  report(error: unknown): void;
  readonly net: Net;
  /** Where there are none, who needs them says so. */
  readonly files?: Files;
  /** Where the user of this process wants keys of sessions written to, if anywhere: a file. */
  readonly keyLog?: string | undefined;
  /** Primitives for layers that seal or sign; where there are none, their stacks do not open. */
  readonly crypto?: Crypto;
  /** Names inside this world: who listens at `inproc://` and `memory://`. */
  readonly names: Map<string, unknown>;
}

/** Milliseconds that a timer can take, of node's and of browsers': a longer one would run at once. */
export const LONGEST = 2 ** 31 - 1;

const NEVER: Timer = { cancel() {} };

/** As `env.timer`, after any number of milliseconds; after Infinity of them never, and there is no timer. */
export function after(env: Env, ms: number, f: () => void, idle?: boolean): Timer {
  if (ms <= LONGEST) return env.timer(ms, f, idle);
  if (ms === Infinity) return NEVER;
  const due = env.now() + ms;
  const rest = () => {
    timer = after(env, due - env.now(), f, idle);
  };
  let timer = env.timer(LONGEST, rest, idle);
  return { cancel: () => timer.cancel() };
}

/** A number from 0 to below 1. */
export function chance(env: Env): number {
  const word = new Uint32Array(1);
  env.random(new Uint8Array(word.buffer));
  return (word[0] as number) / 0x1_0000_0000;
}
