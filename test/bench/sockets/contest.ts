/** What is compared with what: contests by name, and who takes part in each. */
import type { Goal } from "../report.js";
import { hops } from "./hop.js";

export type Scheme = "tcp" | "ipc" | "inproc";
/** Messages one way; round trips one at a time; round trips, many at a time. */
export type Kind = "push" | "req" | "reqs";

export interface Contender {
  readonly who: string;
  /** A module beside this one, or a program in C. */
  readonly by: string;
  /** What its two sides do; the first one listens. */
  readonly parts: readonly [string, string];
  /** The side that starts a run; the other one has to be ready. Default: the one that connects. */
  readonly starts?: 0;
}

export interface Contest {
  readonly name: string;
  readonly kind: Kind;
  readonly scheme: Scheme;
  readonly size: number;
  readonly contenders: readonly Contender[];
  /** Its own, by how many times as fast one of them is as another. */
  goals?(speed: (who: string, than: string) => number): Goal[];
}

/** Names by which goals find who they are about. */
export const LIMIT = "net, the limit";
export const ZEROMQ = "zeromq.js";
export const DEALER = "zeromq.js DEALER";
export const NANOMSG = "nanomsg, C";

/** Programs in C, and the libraries that they are linked with. */
export const PROGRAMS: Readonly<Record<string, string>> = {
  nanomsg: "nanomsg",
  nng: "nng",
  zmq: "zmq",
};

/** The two forms of each: what reads best, and what waits only if it has to. */
const ours: Readonly<Record<Kind, readonly [Contender, Contender]>> = {
  push: [
    { who: "wirestack, await", by: "wirestack", parts: ["forAwait", "send"] },
    { who: "wirestack, try", by: "wirestack", parts: ["tryReceive", "trySend"] },
  ],
  req: [
    { who: "wirestack, await", by: "wirestack", parts: ["reply", "request"] },
    { who: "wirestack, serve", by: "wirestack", parts: ["serve", "request"] },
  ],
  reqs: [
    { who: "wirestack, await", by: "wirestack", parts: ["reply", "requests"] },
    { who: "wirestack, serve", by: "wirestack", parts: ["serve", "requests"] },
  ],
};

const js: Readonly<Record<Kind, readonly Contender[]>> = {
  push: [
    { who: LIMIT, by: "net", parts: ["receive", "send"] },
    { who: "net, plain views", by: "net", parts: ["receivePlain", "send"] },
    { who: "ws, corked", by: "ws", parts: ["send", "receive"], starts: 0 },
  ],
  req: [
    { who: LIMIT, by: "net", parts: ["echo", "ask"] },
    { who: "ws", by: "ws", parts: ["echo", "ask"] },
  ],
  reqs: [
    { who: LIMIT, by: "net", parts: ["echoes", "asks"] },
    { who: "ws, corked", by: "ws", parts: ["echoes", "asks"] },
  ],
};

const zero: Readonly<Record<Kind, readonly Contender[]>> = {
  push: [{ who: ZEROMQ, by: "zeromq", parts: ["pull", "push"] }],
  req: [{ who: ZEROMQ, by: "zeromq", parts: ["reply", "request"] }],
  reqs: [
    { who: ZEROMQ, by: "zeromq", parts: ["reply", "requests"] },
    { who: DEALER, by: "zeromq", parts: ["router", "dealer"] },
  ],
};

const strict = (parts: readonly [string, string]): readonly Contender[] => [
  { who: NANOMSG, by: "nanomsg", parts },
  { who: "nng, C", by: "nng", parts },
  { who: "libzmq, C", by: "zmq", parts },
];

const c: Readonly<Record<Kind, readonly Contender[]>> = {
  push: strict(["pull", "push"]),
  req: strict(["rep", "req"]),
  reqs: [{ who: "libzmq DEALER, C", by: "zmq", parts: ["router", "dealer"] }],
};

const SIZES: readonly (readonly [string, number])[] = [
  ["64", 64],
  ["1k", 1024],
  ["16k", 16 * 1024],
  ["256k", 256 * 1024],
  ["1m", 1024 * 1024],
];

const SCHEMES: readonly Scheme[] = ["tcp", "ipc", "inproc"];

/** All of them: `push/64/tcp`, `req/1/ipc`, `req/64/tcp` … */
export function contests(): Contest[] {
  const contest = (name: string, kind: Kind, scheme: Scheme, size: number): Contest => ({
    name: `${name}/${scheme}`,
    kind,
    scheme,
    size,
    contenders: [
      ...ours[kind],
      // Nothing of node's own carries messages inside a process.
      ...(scheme === "inproc" ? [] : js[kind]),
      ...zero[kind],
      ...c[kind],
    ],
  });
  return [
    ...hops(),
    ...SCHEMES.flatMap((scheme) => [
      ...SIZES.map(([label, size]) => contest(`push/${label}`, "push", scheme, size)),
      contest("req/1", "req", scheme, 64),
      contest("req/64", "reqs", scheme, 64),
    ]),
  ];
}
