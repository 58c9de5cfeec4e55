/** `ws` 8, corked once a tick, without extensions and without modules in C. */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { type ServerOptions, WebSocket, WebSocketServer } from "ws";
import { ca, shows } from "../../support/certificates.js";
import {
  Arrivals,
  asker,
  bodyOf,
  crowd,
  type Place,
  publisher,
  type Sides,
  sender,
  server,
  Tally,
} from "./side.js";

const IN_FLIGHT = 256 * 1024;
const settings = { perMessageDeflate: false, maxPayload: 2 ** 26 } as const;

/** The connection under it, which is in no declaration. */
const under = (ws: WebSocket): Socket => (ws as unknown as { _socket: Socket })._socket;

function listen({ url }: Place, accept: (ws: WebSocket) => void): Promise<void> {
  const options: ServerOptions = { ...settings };
  const at = (http: Server) => {
    new WebSocketServer({ ...options, server: http }).on("connection", accept);
    return http;
  };
  return new Promise((done) => {
    if (url.startsWith("ipc://")) {
      import("node:http").then(({ createServer }) => at(createServer()).listen(url.slice(6), done));
      return;
    }
    const { hostname: host, port } = new URL(url);
    const where = { host, port: Number(port), backlog: 1024 };
    if (url.startsWith("wss://")) {
      import("node:https").then(({ createServer }) =>
        at(createServer(shows("localhost"))).listen(where, done),
      );
    } else new WebSocketServer({ ...options, ...where }, done).on("connection", accept);
  });
}

function connect({ url }: Place): Promise<WebSocket> {
  const to = url.startsWith("ipc://")
    ? `ws+unix:${url.slice(6)}:/`
    : url.replace("tcp://", "ws://");
  return new Promise((done) => {
    const ws = new WebSocket(to, { ...settings, ca });
    ws.on("open", () => done(ws));
  });
}

/** Corks what is sent until the next tick. */
function corked(ws: WebSocket): (body: Uint8Array) => void {
  const socket = under(ws);
  let open = false;
  const uncork = () => {
    open = false;
    socket.uncork();
  };
  return (body) => {
    if (!open) {
      open = true;
      socket.cork();
      process.nextTick(uncork);
    }
    ws.send(body);
  };
}

/** The one connection, when there is one. */
async function meet(place: Place): Promise<{ readonly connected: Promise<WebSocket> }> {
  if (!place.listens) return { connected: Promise.resolve(await connect(place)) };
  let found: (ws: WebSocket) => void = () => {};
  const connected = new Promise<WebSocket>((done) => {
    found = done;
  });
  await listen(place, (ws) => found(ws));
  return { connected };
}

export const sides: Sides = {
  async send(place) {
    const body = bodyOf(place.size);
    const { connected } = await meet(place);
    return sender(async (n) => {
      const ws = await connected;
      const socket = under(ws);
      const send = corked(ws);
      for (let i = 0; i < n; i++) {
        send(body);
        if (socket.writableLength < IN_FLIGHT) continue;
        await new Promise((done) => socket.once("drain", done));
      }
    });
  },

  async receive(place) {
    const tally = new Tally(place.size);
    const { connected } = await meet(place);
    connected.then((ws) => ws.on("message", (m) => tally.take(m as Buffer)));
    return tally;
  },

  async publish(place) {
    const sends: ((body: Uint8Array) => void)[] = [];
    const body = bodyOf(place.size);
    let all: () => void = () => {};
    const full = new Promise<void>((done) => {
      all = done;
    });
    await listen(place, (ws) => {
      if (sends.push(corked(ws)) === place.peers) all();
    });
    return publisher(place, full, (n) => {
      for (let i = 0; i < n; i++) for (const send of sends) send(body);
    });
  },

  async subscribe(place) {
    const arrivals = new Arrivals(place);
    for (let i = 0; i < place.peers; i++) {
      const take = arrivals.subscriber();
      (await connect(place)).on("message", (m) => take(m as Buffer));
    }
    return arrivals;
  },

  async echo(place) {
    await listen(place, (ws) => {
      ws.on("message", (m) => ws.send(m as Buffer));
    });
    return server;
  },

  async ask(place) {
    const ws = await connect(place);
    const body = bodyOf(place.size);
    let answered: (reply: Uint8Array) => void = () => {};
    ws.on("message", (m) => answered(m as Buffer));
    return asker(
      () =>
        new Promise((done) => {
          answered = done;
          ws.send(body);
        }),
      place,
    );
  },

  async echoes(place) {
    await listen(place, (ws) => {
      const send = corked(ws);
      ws.on("message", (m) => send(m as Buffer));
    });
    return server;
  },

  /** Replies come in the order of the requests. */
  async asks(place) {
    const ws = await connect(place);
    const send = corked(ws);
    const body = bodyOf(place.size);
    const asked: ((reply: Uint8Array) => void)[] = [];
    ws.on("message", (m) => asked.shift()?.(m as Buffer));
    return crowd(
      () =>
        new Promise((done) => {
          asked.push(done);
          send(body);
        }),
      place,
    );
  },
};
