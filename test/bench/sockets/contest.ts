/** What is compared with what: contests by name, and who takes part in each. */
import type { Goal } from "../report.js";
import { hops } from "./hop.js";

export type Scheme = "tcp" | "ipc" | "inproc" | "ws" | "wss";
/** Messages one way; round trips one at a time; round trips, many at a time; each message to many. */
export type Kind = "push" | "req" | "reqs" | "pub";

export interface Contender {
  readonly who: string;
  /** A module beside this one, or a program in C. */
  readonly by: string;
  /** What its two sides do; the first one listens. `module:part` is another module's. */
  readonly parts: readonly [string, string];
  /** The side that starts a run; the other one has to be ready. Default: the one that connects. */
  readonly starts?: 0;
  /** Where it is at home, if that is not the contest's. */
  readonly scheme?: Scheme | "tls+tcp";
}

export interface Contest {
  readonly name: string;
  readonly kind: Kind;
  readonly scheme: Scheme;
  readonly size: number;
  /** Connections between the two sides. */
  readonly peers: number;
  /** Whom the columns of the limit are about. */
  readonly limit: string;
  readonly contenders: readonly Contender[];
  /** Its own, by how many times as fast one of them is as another. */
  goals?(speed: (who: string, than: string) => number): Goal[];
}

/** Names by which goals find who they are about. */
export const LIMIT = "net, the limit";
export const TLS_LIMIT = "tls, the limit";
export const WS = "ws, corked";
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
const ours: Readonly<Record<Kind, readonly [Contender, Contender, ...Contender[]]>> = {
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
  pub: [
    // To the limit's readers: a thousand subscribers are in truth many processes, and none is the limit.
    { who: "wirestack, await", by: "wirestack", parts: ["publish", "net:hear"], starts: 0 },
    { who: "wirestack, try", by: "wirestack", parts: ["tryPublish", "net:hear"], starts: 0 },
    { who: "wirestack, SUB", by: "wirestack", parts: ["tryPublish", "trySubscribe"], starts: 0 },
  ],
};

const js: Readonly<Record<Kind, readonly Contender[]>> = {
  push: [
    { who: LIMIT, by: "net", parts: ["receive", "send"] },
    { who: "net, plain views", by: "net", parts: ["receivePlain", "send"] },
    { who: WS, by: "ws", parts: ["send", "receive"], starts: 0 },
  ],
  req: [
    { who: LIMIT, by: "net", parts: ["echo", "ask"] },
    { who: "ws", by: "ws", parts: ["echo", "ask"] },
  ],
  reqs: [
    { who: LIMIT, by: "net", parts: ["echoes", "asks"] },
    { who: WS, by: "ws", parts: ["echoes", "asks"] },
  ],
  pub: [
    { who: LIMIT, by: "net", parts: ["publish", "subscribe"], starts: 0 },
    { who: WS, by: "ws", parts: ["publish", "subscribe"], starts: 0 },
  ],
};

const zero: Readonly<Record<Kind, readonly Contender[]>> = {
  push: [{ who: ZEROMQ, by: "zeromq", parts: ["pull", "push"] }],
  req: [{ who: ZEROMQ, by: "zeromq", parts: ["reply", "request"] }],
  reqs: [
    { who: ZEROMQ, by: "zeromq", parts: ["reply", "requests"] },
    { who: DEALER, by: "zeromq", parts: ["router", "dealer"] },
  ],
  pub: [],
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
  pub: [],
};

/** WebSocket: a client masks and a server does not, so each way is a contest of its own. */
function webs(scheme: "ws" | "wss", label: string, size: number): Contest[] {
  const [limit, home] = scheme === "ws" ? [LIMIT, "tcp"] : [TLS_LIMIT, "tls+tcp"];
  const way = (name: string, turned: boolean): Contest => {
    const turn = ({ who, by, parts: [to, from] }: Contender): Contender =>
      turned ? { who, by, parts: [from, to], starts: 0 } : { who, by, parts: [to, from] };
    return {
      name: `push/${label}/${scheme}/${name}`,
      kind: "push",
      scheme,
      size,
      peers: 1,
      limit,
      contenders: [
        ...ours.push.map(turn),
        { who: limit, by: "net", parts: ["receive", "send"], scheme: home as "tcp" | "tls+tcp" },
        turn({ who: WS, by: "ws", parts: ["receive", "send"] }),
      ],
    };
  };
  return [way("c2s", false), way("s2c", true)];
}

const SIZES: readonly (readonly [string, number])[] = [
  ["64", 64],
  ["1k", 1024],
  ["16k", 16 * 1024],
  ["256k", 256 * 1024],
  ["1m", 1024 * 1024],
];

const SCHEMES: readonly Scheme[] = ["tcp", "ipc", "inproc"];

/** Subscribers of one publisher. */
const CROWDS = [1, 10, 1000] as const;

/** All of them: `push/64/tcp`, `req/1/ipc`, `pub/1000/tcp`, `push/64/ws/c2s` (client to server) … */
export function contests(): Contest[] {
  const contest = (name: string, kind: Kind, scheme: Scheme, size: number, peers = 1): Contest => ({
    name: `${name}/${scheme}`,
    kind,
    scheme,
    size,
    peers,
    limit: LIMIT,
    contenders: [
      ...ours[kind],
      // Nothing of node's own carries messages inside a process.
      ...(scheme === "inproc" ? [] : js[kind]),
      ...zero[kind],
      ...c[kind],
    ],
  });
  const plain = SCHEMES.flatMap((scheme) => [
    ...SIZES.map(([label, size]) => contest(`push/${label}`, "push", scheme, size)),
    contest("req/1", "req", scheme, 64),
    contest("req/64", "reqs", scheme, 64),
  ]);
  return [
    ...plain,
    ...hops(),
    ...CROWDS.map((peers) => contest(`pub/${peers}`, "pub", "tcp", 64, peers)),
    ...webs("ws", "64", 64),
    ...webs("ws", "16k", 16 * 1024),
    ...webs("wss", "64", 64),
  ];
}
