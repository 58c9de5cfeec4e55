/** wirestack, as an application uses it: nothing but what the package's root offers. */
import {
  open,
  type Port,
  pub,
  pull,
  push,
  type Replier,
  rep,
  req,
  type Sender,
  type Subscriber,
  sub,
} from "../../../runtime/index.js";
import { ca, shows } from "../../support/certificates.js";
import {
  Arrivals,
  type Ask,
  asker,
  bodyOf,
  crowd,
  type Place,
  publisher,
  type Side,
  type Sides,
  sender,
  server,
  Tally,
} from "./side.js";

async function meet(socket: Pick<Port, "dial" | "listen">, place: Place): Promise<void> {
  const { url, listens } = place;
  const secure = url.startsWith("wss://");
  if (listens) await socket.listen(url, secure ? { tls: shows("localhost") } : {});
  else await socket.dial(url, secure ? { tls: { ca } } : {}).ready;
}

async function pushing(place: Place) {
  const socket = open(push());
  await meet(socket, place);
  return { socket, body: bodyOf(place.size) };
}

async function pulling(place: Place) {
  const socket = open(pull());
  await meet(socket, place);
  return { socket, tally: new Tally(place.size) };
}

async function publishing(
  place: Place,
  publish: (socket: Sender, body: Uint8Array, n: number) => Promise<void> | void,
): Promise<Side> {
  const socket = open(pub());
  let there = 0;
  const full = new Promise<void>((done) => {
    socket.on("attached", () => {
      if (++there === place.peers) done();
    });
  });
  await meet(socket, place);
  const body = bodyOf(place.size);
  return publisher(place, full, (n) => publish(socket, body, n));
}

/** A socket for each subscriber, as if they were far from one another. */
async function subscribing(
  place: Place,
  subscribe: (socket: Subscriber, take: (m: Uint8Array) => void) => Promise<void>,
): Promise<Side> {
  const arrivals = new Arrivals(place);
  for (let i = 0; i < place.peers; i++) {
    const socket = open(sub());
    socket.subscribe("o");
    await meet(socket, place);
    subscribe(socket, arrivals.subscriber());
  }
  return arrivals;
}

async function replying({ url }: Place): Promise<Replier> {
  const socket = open(rep());
  await socket.listen(url);
  return socket;
}

async function asking({ url, size }: Place): Promise<Ask> {
  const socket = open(req());
  await socket.dial(url).ready;
  const body = bodyOf(size);
  return () => socket.request(body);
}

export const sides: Sides = {
  async send(place) {
    const { socket, body } = await pushing(place);
    return sender(async (n) => {
      for (let i = 0; i < n; i++) await socket.send(body);
    });
  },

  async trySend(place) {
    const { socket, body } = await pushing(place);
    return sender(async (n) => {
      for (let i = 0; i < n; i++) if (!socket.trySend(body)) await socket.send(body);
    });
  },

  async forAwait(place) {
    const { socket, tally } = await pulling(place);
    (async () => {
      for await (const m of socket) tally.take(m);
    })();
    return tally;
  },

  async tryReceive(place) {
    const { socket, tally } = await pulling(place);
    (async () => {
      for (;;) tally.take(socket.tryReceive() ?? (await socket.receive()));
    })();
    return tally;
  },

  publish: (place) =>
    publishing(place, async (socket, body, n) => {
      for (let i = 0; i < n; i++) await socket.send(body);
    }),

  tryPublish: (place) =>
    publishing(place, (socket, body, n) => {
      for (let i = 0; i < n; i++) socket.trySend(body);
    }),

  subscribe: (place) =>
    subscribing(place, async (socket, take) => {
      for await (const m of socket) take(m);
    }),

  trySubscribe: (place) =>
    subscribing(place, async (socket, take) => {
      for (;;) take(socket.tryReceive() ?? (await socket.receive()));
    }),

  async reply(place) {
    const socket = await replying(place);
    (async () => {
      for await (const ask of socket) ask.reply(ask.body);
    })();
    return server;
  },

  async serve(place) {
    (await replying(place)).serve((body) => body);
    return server;
  },

  request: async (place) => asker(await asking(place), place),
  requests: async (place) => crowd(await asking(place), place),
};
