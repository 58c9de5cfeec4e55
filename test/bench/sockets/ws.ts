/** `ws` 8, corked once a tick, and sending from the server, which need not mask. */
import type { Socket } from "node:net";
import { type ServerOptions, WebSocket, WebSocketServer } from "ws";
import { asker, bodyOf, crowd, type Place, type Sides, sender, server, Tally } from "./side.js";

const IN_FLIGHT = 256 * 1024;
const settings = { perMessageDeflate: false, maxPayload: 2 ** 26 } as const;

/** The connection under it, which is in no declaration. */
const under = (ws: WebSocket): Socket => (ws as unknown as { _socket: Socket })._socket;

function listen({ url }: Place, accept: (ws: WebSocket) => void): Promise<void> {
  const options: ServerOptions = { ...settings };
  return new Promise((done) => {
    if (url.startsWith("ipc://")) {
      import("node:http").then(({ createServer }) => {
        const http = createServer().listen(url.slice(6), done);
        new WebSocketServer({ ...options, server: http }).on("connection", accept);
      });
    } else {
      const { hostname: host, port } = new URL(url);
      new WebSocketServer({ ...options, host, port: Number(port) }, done).on("connection", accept);
    }
  });
}

function connect({ url }: Place): Promise<WebSocket> {
  const to = url.startsWith("ipc://")
    ? `ws+unix:${url.slice(6)}:/`
    : url.replace("tcp://", "ws://");
  return new Promise((done) => {
    const ws = new WebSocket(to, settings);
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

export const sides: Sides = {
  /** Listens: whoever receives connects. */
  async send(place) {
    const body = bodyOf(place.size);
    let found: (ws: WebSocket) => void = () => {};
    const connected = new Promise<WebSocket>((done) => {
      found = done;
    });
    await listen(place, (ws) => found(ws));
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
    (await connect(place)).on("message", (m) => tally.take(m as Buffer));
    return tally;
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
