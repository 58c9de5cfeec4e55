/** zeromq.js 6. It is no dependency of ours, so what is used of it is typed here. */
import { createRequire } from "node:module";
import {
  asker,
  bodyOf,
  check,
  crowd,
  type Place,
  type Sides,
  sender,
  server,
  Tally,
} from "./side.js";

type Part = Uint8Array | string | null;

interface ZeroSocket extends AsyncIterable<Uint8Array[]> {
  bind(url: string): Promise<void>;
  connect(url: string): void;
  send(parts: Part | readonly Part[]): Promise<void>;
  receive(): Promise<Uint8Array[]>;
}

type Kind = "Push" | "Pull" | "Request" | "Reply" | "Dealer" | "Router";

const require = createRequire(new URL("../../../rivals/package.json", import.meta.url));
const zeromq = require("zeromq") as Record<Kind, new () => ZeroSocket>;

function dial(kind: Kind, { url }: Place): ZeroSocket {
  const socket = new zeromq[kind]();
  socket.connect(url);
  return socket;
}

async function listen(kind: Kind, { url }: Place): Promise<ZeroSocket> {
  const socket = new zeromq[kind]();
  await socket.bind(url);
  return socket;
}

export const sides: Sides = {
  async push(place) {
    const socket = dial("Push", place);
    const body = bodyOf(place.size);
    return sender(async (n) => {
      for (let i = 0; i < n; i++) await socket.send(body);
    });
  },

  async pull(place) {
    const socket = await listen("Pull", place);
    const tally = new Tally(place.size);
    (async () => {
      for await (const [m] of socket) tally.take(m as Uint8Array);
    })();
    return tally;
  },

  async reply(place) {
    const socket = await listen("Reply", place);
    (async () => {
      for await (const [m] of socket) await socket.send(m as Uint8Array);
    })();
    return server;
  },

  /** As strict as REQ is: the next request after the reply. */
  async request(place) {
    const ask = strict(place);
    return asker(ask);
  },

  /** So many callers, and still one at a time: they wait for each other. */
  async requests(place) {
    const ask = strict(place);
    let last: Promise<void> = Promise.resolve();
    return crowd(() => {
      last = last.then(ask);
      return last;
    });
  },

  /** Passes back whatever stands before the body: the way, and the number. */
  async router(place) {
    const socket = await listen("Router", place);
    (async () => {
      for await (const parts of socket) await socket.send(parts);
    })();
    return server;
  },

  /** Many under way: each request has a number, and each reply finds its caller by it. */
  async dealer(place) {
    const socket = dial("Dealer", place);
    const body = bodyOf(place.size);
    const callers = new Map<string, () => void>();
    let next = 0;
    (async () => {
      for await (const [number, reply] of socket) {
        check(reply as Uint8Array, place.size);
        const key = String(number);
        callers.get(key)?.();
        callers.delete(key);
      }
    })();
    return crowd(
      () =>
        new Promise<void>((done, failed) => {
          const key = String(next++);
          callers.set(key, done);
          socket.send([key, body]).catch(failed);
        }),
    );
  },
};

function strict(place: Place): () => Promise<void> {
  const socket = dial("Request", place);
  const body = bodyOf(place.size);
  return async () => {
    await socket.send(body);
    const [m] = await socket.receive();
    check(m as Uint8Array, place.size);
  };
}
