/** What a seed stands for: sockets, what they do, and what happens to them. Printed when it fails. */
import type { Conditions } from "./network.js";
import { Random } from "./random.js";

export type Family = "pipeline" | "pair" | "pair1" | "request" | "publish" | "survey";
export type Scheme = "tcp" | "ipc" | "inproc" | "memory";

export interface Fault {
  /** Virtual milliseconds from the start. */
  readonly at: number;
  /**
   * A connection, or each, is dropped; cut without a word; every listener refuses for a while; the
   * first listener closes its address, and binds it again; a socket that answers is closed, and
   * another opened in its place.
   */
  readonly kind: "drop" | "drop all" | "cut" | "outage" | "rebind" | "restart";
}

export interface Plan {
  readonly seed: number;
  readonly family: Family;
  readonly scheme: Scheme;
  /** Sockets that send first: PUSH, REQ, PAIR, PUB, SURVEYOR; and those on the other side. */
  readonly senders: number;
  readonly receivers: number;
  /** Raw sockets back to back between them, so many pairs in a row. */
  readonly devices: number;
  readonly listening: "senders" | "receivers";
  readonly messages: number;
  readonly largest: number;
  readonly sending: "await" | "burst" | "try";
  readonly receiving: "loop" | "receive" | "poll" | "deadlines" | "raw";
  /** Milliseconds that a receiver or a handler takes for a message, at most. */
  readonly work: number;
  /** How often a send or a request has a deadline, or a signal that is raised. */
  readonly impatience: number;
  /** How often who is asked says nothing, once. */
  readonly silence: number;
  readonly resendTime: number;
  /** Answers what others were asked. */
  readonly forger: boolean;
  /** All messages are signed, and proven. */
  readonly signed: boolean;
  /** The sender closes when it has handed off its last message, and not when all have come. */
  readonly closesEarly: boolean;
  readonly options: {
    readonly recvBuffer: number;
    readonly recvBufferOctets: number;
    readonly sendBuffer: number;
    readonly mode?: "contiguous";
    readonly reconnect: { readonly min: number; readonly max: number };
    readonly openTimeout: number;
  };
  readonly conditions: Conditions;
  readonly faults: readonly Fault[];
  /** From then on nothing goes wrong, and everything has to come right. */
  readonly calmAt: number;
}

export function planOf(seed: number): Plan {
  const r = new Random(seed);
  const family = r.pick<Family>(
    ...(["pipeline", "pipeline", "request", "request", "request"] as const),
    ...(["pair", "pair1", "publish", "survey"] as const),
  );
  const pairs = family === "pair" || family === "pair1";
  const scheme = r.pick<Scheme>("tcp", "tcp", "tcp", "ipc", "ipc", "memory", "inproc");
  const system = scheme === "tcp" || scheme === "ipc";
  const devices = r.often(0.15) ? r.whole(1, 2) : 0;
  const third = pairs && system && devices === 0 && r.often(0.3);
  const senders = pairs ? 1 : r.pick(1, 1, 1, r.whole(2, 4));
  const receivers = pairs ? (third ? 2 : 1) : r.pick(1, 1, 2, 3);
  const forger = family === "request" && devices === 0 && r.often(0.3);
  // The forger must not be asked what it forges: so nothing is asked again but what it was asked first.
  const troubled = !forger && r.often(0.7);
  const slow = !forger && r.often(family === "publish" ? 0.6 : 0.3);
  const largest = r.pick(9, 40, 40, 300, r.often(0.1) ? 90_000 : 2000);
  const messages = r.whole(
    1,
    r.often(0.01) && largest <= 40 ? 400 : r.pick(4, 4, largest <= 300 ? 24 : 8),
  );
  const faults: Fault[] = [];
  const calmAt = r.whole(20, 600);
  if (troubled) {
    const kinds: Fault["kind"][] = system
      ? ["drop", "drop", "drop all", "cut", "outage", "rebind"]
      : ["rebind"];
    if (family === "request") kinds.push("restart");
    for (let n = r.whole(system ? 1 : 0, 5); n > 0; n--) {
      faults.push({ at: r.whole(0, calmAt), kind: r.pick(...kinds) });
    }
  }
  faults.sort((a, b) => a.at - b.at);
  const silence = family === "request" && !forger && r.often(0.2) ? r.pick(0.1, 0.5) : 0;
  // What only a resend brings back: what a device held, a reply not given, or given to a full pipe.
  const full = slow || messages * largest * senders > 30_000;
  const receiving = r.pick<Plan["receiving"]>(
    ...(["loop", "loop", "receive", "poll", "deadlines", "raw"] as const),
  );
  const resends = devices > 0 || silence > 0 || full || forger || r.often(0.3);
  return {
    seed,
    family,
    scheme,
    senders,
    receivers,
    devices,
    listening: pairs ? "senders" : r.pick("senders", "receivers"),
    messages,
    largest,
    sending: r.pick("await", "await", "burst", "try"),
    receiving,
    work: forger ? 0 : r.pick(0, 0, 0, 1, 20),
    impatience: r.often(0.3) ? r.pick(0.1, 0.5) : 0,
    silence,
    resendTime: resends ? r.pick(150, 700) : 0,
    forger,
    // Who plays on raw sockets has no key.
    signed: !forger && receiving !== "raw" && r.often(0.15),
    closesEarly: faults.length === 0 && family === "pipeline" && devices === 0 && r.often(0.5),
    options: {
      recvBuffer: r.pick(1, 3, 20, 1024),
      recvBufferOctets: r.pick(1, 5000, 2 ** 21),
      sendBuffer: r.pick(1, 4, 128),
      ...(r.often(0.2) ? { mode: "contiguous" as const } : {}),
      reconnect: { min: r.pick(1, 10, 100), max: r.pick(100, 1000) },
      openTimeout: r.pick(50, 1000),
    },
    conditions: {
      delay: [0.01, r.pick(0.05, 1, 20)],
      chop: largest <= 40 ? r.pick(0, 0, 8, 100) : r.pick(0, 300, 5000),
      window: slow ? r.pick(60, 2000) : 64 * 1024,
      mark: slow ? r.pick(1, 500) : 64 * 1024,
      reading: slow ? r.pick(0, 2) : 0,
      refuses: troubled && r.often(0.3) ? 0.3 : 0,
      hangs: troubled && r.often(0.2) ? 0.2 : 0,
    },
    faults,
    calmAt,
  };
}

/** In as many lines as it has options. */
export function print(plan: Plan): string {
  return Object.entries(plan)
    .map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`)
    .join("\n");
}
