/** wirestack, as an application uses it: nothing but what the package's root offers. */
import { open, pull, push, type Replier, rep, req } from "../../../runtime/index.js";
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

async function pushing({ url, size }: Place) {
  const socket = open(push());
  await socket.dial(url).ready;
  return { socket, body: bodyOf(size) };
}

async function pulling({ url, size }: Place) {
  const socket = open(pull());
  await socket.listen(url);
  return { socket, tally: new Tally(size) };
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
