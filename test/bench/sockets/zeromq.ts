/** zeromq.js 6. It is no dependency of ours, so what is used of it is typed here. */
import { createRequire } from "node:module";
import {
  type Ask,
  asker,
  bodyOf,
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
    return asker(strict(place), place);
  },

  /** So many callers, and still one at a time: they wait for each other. */
  async requests(place) {
    const ask = strict(place);
    let last: Promise<unknown> = Promise.resolve();
    return crowd(() => {
      const reply = last.then(ask);
      last = reply;
      return reply;
    }, place);
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
    const callers = new Map<string, (reply: Uint8Array) => void>();
    let next = 0;
    (async () => {
      for await (const [number, reply] of socket) {
        const key = String(number);
        callers.get(key)?.(reply as Uint8Array);
        callers.delete(key);
      }
    })();
    return crowd(
      () =>
        new Promise((done, failed) => {
          const key = String(next++);
          callers.set(key, done);
          socket.send([key, body]).catch(failed);
        }),
      place,
    );
  },
};

function strict(place: Place): Ask {
  const socket = dial("Request", place);
  const body = bodyOf(place.size);
  return async () => {
    await socket.send(body);
    const [m] = await socket.receive();
    return m as Uint8Array;
  };
}
