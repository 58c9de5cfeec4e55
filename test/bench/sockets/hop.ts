/** Encryption by hops beside the same stack in clear, and beside what seals each message by itself. */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import * as net from "node:net";
import { hop, open, pull, push, stack, xpull, xpush } from "../../../runtime/index.js";
import type { Contest } from "./contest.js";
import { bodyOf, type Place, type Sides, sender, Tally } from "./side.js";

const PLAIN = "in clear";
const HOP = "hop";
const NAIVE = "seal a message";

/** Messages of 64 octets one way over TCP. */
export const hops = (): Contest[] => [
  {
    name: "hop/push/64/tcp",
    kind: "push",
    scheme: "tcp",
    size: 64,
    peers: 1,
    limit: PLAIN,
    contenders: [
      { who: PLAIN, by: "wirestack", parts: ["tryReceive", "trySend"] },
      { who: HOP, by: "hop", parts: ["tryReceive", "trySend"] },
      { who: `${HOP}, await`, by: "hop", parts: ["forAwait", "send"] },
      { who: NAIVE, by: "hop", parts: ["open", "seal"] },
    ],
    goals(speed) {
      const goal = (than: string, least: number) => {
        const x = speed(HOP, than);
        const text = `${this.name}: ${x.toFixed(2)} × ${than}, goal ≥ ${least}`;
        return Number.isNaN(x) ? [] : [{ text, met: x >= least }];
      };
      return [...goal(PLAIN, 0.5), ...goal(NAIVE, 20)];
    },
  },
];

const layer = () => hop({ pattern: "NNpsk0", psk: new Uint8Array(32).fill(1) });

async function pushing({ url, size }: Place) {
  const socket = open(stack(push(), xpush(), layer()));
  await socket.dial(url).ready;
  return { socket, body: bodyOf(size) };
}

async function pulling({ url, size }: Place) {
  const socket = open(stack(pull(), xpull(), layer()));
  await socket.listen(url);
  return { socket, tally: new Tally(size) };
}

// --- by hand: AES-256-GCM for each message, a counter for its nonce, writes corked once a tick ---

const LENGTH = 8;
const TAG = 16;
const settings = { noDelay: true, highWaterMark: 256 * 1024 };
const where = (url: string) => {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
};
const secret = (): KeyObject => createSecretKey(Buffer.alloc(32, 1));

class Nonce {
  readonly octets = Buffer.alloc(12);
  #count = 0;
  next(): Buffer {
    this.octets.writeUInt32BE(this.#count++, 8);
    return this.octets;
  }
}

export const sides: Sides = {
  async trySend(place) {
    const { socket, body } = await pushing(place);
    return sender(async (n) => {
      for (let i = 0; i < n; i++) if (!socket.trySend(body)) await socket.send(body);
    });
  },

  async send(place) {
    const { socket, body } = await pushing(place);
    return sender(async (n) => {
      for (let i = 0; i < n; i++) await socket.send(body);
    });
  },

  async tryReceive(place) {
    const { socket, tally } = await pulling(place);
    (async () => {
      for (;;) tally.take(socket.tryReceive() ?? (await socket.receive()));
    })();
    return tally;
  },

  async forAwait(place) {
    const { socket, tally } = await pulling(place);
    (async () => {
      for await (const m of socket) tally.take(m);
    })();
    return tally;
  },

  async seal({ url, size }) {
    const to = { ...where(url), ...settings };
    const socket = await new Promise<net.Socket>((done) => {
      const s = net.connect(to, () => done(s));
    });
    const [key, nonce, body] = [secret(), new Nonce(), bodyOf(size)];
    let corked = false;
    const uncork = () => {
      corked = false;
      socket.uncork();
    };
    return sender(async (n) => {
      for (let i = 0; i < n; i++) {
        if (!corked) {
          corked = true;
          socket.cork();
          process.nextTick(uncork);
        }
        const cipher = createCipheriv("aes-256-gcm", key, nonce.next());
        const sealed = cipher.update(body);
        cipher.final();
        const length = Buffer.alloc(LENGTH);
        length.writeBigUInt64BE(BigInt(sealed.length + TAG));
        if (socket.write(Buffer.concat([length, sealed, cipher.getAuthTag()]))) continue;
        await new Promise((done) => socket.once("drain", done));
      }
    });
  },

  async open({ url, size }) {
    const tally = new Tally(size);
    const [key, nonce] = [secret(), new Nonce()];
    const accept = (socket: net.Socket) => {
      let rest: Buffer = Buffer.alloc(0);
      socket.on("data", (chunk: Buffer) => {
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        let at = 0;
        while (rest.length - at >= LENGTH) {
          const end = at + LENGTH + Number(rest.readBigUInt64BE(at));
          if (end > rest.length) break;
          const open = createDecipheriv("aes-256-gcm", key, nonce.next());
          open.setAuthTag(rest.subarray(end - TAG, end));
          const body = open.update(rest.subarray(at + LENGTH, end - TAG));
          open.final();
          tally.take(body);
          at = end;
        }
        rest = rest.subarray(at);
      });
    };
    await new Promise<void>((done) => {
      net.createServer(settings, accept).listen(where(url), done);
    });
    return tally;
  },
};
