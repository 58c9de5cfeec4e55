/**
 * The limit: what node itself can do, with nothing in between but lengths.
 *
 * One write a tick of blocks that are filled by copying, large bodies by reference, one pass over what
 * arrives, and for each message one piece of octets that the application may keep.
 */
import * as net from "node:net";
import * as tls from "node:tls";
import { ca, shows } from "../../support/certificates.js";
import {
  Arrivals,
  type Ask,
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

const LENGTH = 8;
const BLOCK = 64 * 1024;
/** Bodies from here on are not copied. */
const LARGE = 32 * 1024;
const IN_FLIGHT = 256 * 1024;
/** The same if bodies are large. */
const LARGE_IN_FLIGHT = 1024 * 1024;

const settings = { noDelay: true, highWaterMark: IN_FLIGHT };

function where(url: string): { path: string } | { host: string; port: number } {
  if (url.startsWith("ipc://")) return { path: url.slice(6) };
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

const isTls = (url: string): boolean => url.startsWith("tls+tcp://");

const connect = ({ url }: Place) =>
  new Promise<net.Socket>((done) => {
    const at = { ...where(url), ...settings };
    const socket = isTls(url)
      ? tls.connect({ ...at, ca }, () => done(socket))
      : net.connect(at, () => done(socket));
  });

const listen = ({ url }: Place, accept: (socket: net.Socket) => void) =>
  new Promise<void>((done) => {
    const server = isTls(url)
      ? tls.createServer({ ...settings, ...shows("localhost") }, accept)
      : net.createServer(settings, accept);
    server.listen({ backlog: 1024, ...where(url) }, done);
  });

/** Writes a message's length, which 32 bits hold, at `at`. */
function putLength(b: Buffer, at: number, n: number): void {
  b[at] = b[at + 1] = b[at + 2] = b[at + 3] = 0;
  b[at + 4] = n >>> 24;
  b[at + 5] = n >>> 16;
  b[at + 6] = n >>> 8;
  b[at + 7] = n;
}

function lengthAt(b: Uint8Array, at: number): number {
  if (((b[at] as number) | (b[at + 1] as number)) !== 0) throw new Error("not a length");
  return (
    (((b[at + 4] as number) << 24) |
      ((b[at + 5] as number) << 16) |
      ((b[at + 6] as number) << 8) |
      (b[at + 7] as number)) >>>
    0
  );
}

class Writer {
  #block: Buffer = Buffer.allocUnsafeSlow(BLOCK);
  #filled = 0;
  #free: Buffer[] = [];
  #ticking = false;
  #inFlight = 0;
  #wake: (() => void) | undefined;

  constructor(readonly socket: net.Socket) {}

  /** False: better wait until `ready`. */
  send(body: Uint8Array): boolean {
    const n = body.length;
    if (n >= LARGE) return this.#large(body);
    if (this.#filled + LENGTH + n > BLOCK) this.#flush();
    const at = this.#filled;
    putLength(this.#block, at, n);
    this.#block.set(body, at + LENGTH);
    this.#filled = at + LENGTH + n;
    if (!this.#ticking) {
      this.#ticking = true;
      process.nextTick(this.#tick);
    }
    return this.#inFlight < IN_FLIGHT;
  }

  #large(body: Uint8Array): boolean {
    if (this.#filled + LENGTH > BLOCK) this.#flush();
    putLength(this.#block, this.#filled, body.length);
    this.#filled += LENGTH;
    this.#inFlight += body.length;
    this.socket.cork();
    this.#flush();
    this.socket.write(body, () => this.#gone(body.length));
    this.socket.uncork();
    return this.#inFlight < LARGE_IN_FLIGHT;
  }

  readonly #tick = (): void => {
    this.#ticking = false;
    this.#flush();
  };

  #flush(): void {
    const n = this.#filled;
    if (n === 0) return;
    const block = this.#block;
    this.#block = this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK);
    this.#filled = 0;
    this.#inFlight += n;
    this.socket.write(n === BLOCK ? block : block.subarray(0, n), () => {
      this.#free.push(block);
      this.#gone(n);
    });
  }

  #gone(n: number): void {
    this.#inFlight -= n;
    if (this.#inFlight >= IN_FLIGHT) return;
    this.#wake?.();
    this.#wake = undefined;
  }

  get ready(): Promise<void> {
    return new Promise((done) => {
      this.#wake = done;
    });
  }
}

/** Finds messages in what arrives; `deliver` gets each as from, to in a chunk that it may keep. */
class Reader {
  /** A body that goes on in the next chunk. */
  #body: Buffer | undefined;
  #have = 0;
  /** A length that does. */
  #length = Buffer.alloc(LENGTH);
  #lengthHave = 0;

  constructor(readonly deliver: (chunk: Buffer, from: number, to: number) => void) {}

  read(chunk: Buffer): void {
    let at = 0;
    const end = chunk.length;
    const body = this.#body;
    if (body !== undefined) {
      at = Math.min(body.length - this.#have, end);
      body.set(at === end ? chunk : chunk.subarray(0, at), this.#have);
      this.#have += at;
      if (this.#have < body.length) return;
      this.#body = undefined;
      this.deliver(body, 0, body.length);
    } else if (this.#lengthHave > 0) {
      while (this.#lengthHave < LENGTH && at < end) {
        this.#length[this.#lengthHave++] = chunk[at++] as number;
      }
      if (this.#lengthHave < LENGTH) return;
      this.#lengthHave = 0;
      const n = lengthAt(this.#length, 0);
      if (at + n > end) return this.#begin(chunk, at, n);
      this.deliver(chunk, at, at + n);
      at += n;
    }
    while (end - at >= LENGTH) {
      const from = at + LENGTH;
      const n = lengthAt(chunk, at);
      if (from + n > end) return this.#begin(chunk, from, n);
      this.deliver(chunk, from, from + n);
      at = from + n;
    }
    while (at < end) this.#length[this.#lengthHave++] = chunk[at++] as number;
  }

  #begin(chunk: Buffer, from: number, n: number): void {
    const body = Buffer.allocUnsafe(n);
    body.set(chunk.subarray(from), 0);
    this.#body = body;
    this.#have = chunk.length - from;
  }
}

/** Replies in the order of the requests, so who asked first is answered first. */
class Questions {
  #writer: Writer;
  #asked: ((reply: Uint8Array) => void)[] = [];
  #first = 0;

  constructor(
    socket: net.Socket,
    readonly body: Uint8Array,
  ) {
    this.#writer = new Writer(socket);
    const reader = new Reader((chunk, from, to) => {
      const answered = this.#asked[this.#first++];
      if (this.#first === this.#asked.length) this.#asked.length = this.#first = 0;
      answered?.(chunk.subarray(from, to));
    });
    socket.on("data", (chunk) => reader.read(chunk as Buffer));
  }

  readonly ask: Ask = () =>
    new Promise((done) => {
      this.#asked.push(done);
      this.#writer.send(this.body);
    });
}

/** A block of its own for each message, written at once: nothing is faster for one at a time. */
function framed(body: Uint8Array): Buffer {
  const b = Buffer.allocUnsafe(LENGTH + body.length);
  putLength(b, 0, body.length);
  b.set(body, LENGTH);
  return b;
}

const receiving =
  (view: (chunk: Buffer, from: number, to: number) => Uint8Array) => async (place: Place) => {
    const tally = new Tally(place.size);
    await listen(place, (socket) => {
      const reader = new Reader((chunk, from, to) => tally.take(view(chunk, from, to)));
      socket.on("data", (chunk) => reader.read(chunk as Buffer));
    });
    return tally;
  };

const subscribing =
  (each: (socket: net.Socket, read: (chunk: Buffer) => void) => void) => async (place: Place) => {
    const arrivals = new Arrivals(place);
    for (let i = 0; i < place.peers; i++) {
      const socket = await connect(place);
      const take = arrivals.subscriber();
      const reader = new Reader((chunk, from, to) => take(chunk.subarray(from, to)));
      each(socket, (chunk) => reader.read(chunk));
    }
    return arrivals;
  };

export const sides: Sides = {
  async send(place) {
    const writer = new Writer(await connect(place));
    const body = bodyOf(place.size);
    return sender(async (n) => {
      for (let i = 0; i < n; i++) if (!writer.send(body)) await writer.ready;
    });
  },

  receive: receiving((chunk, from, to) => chunk.subarray(from, to)),

  /** Cheaper than node's own views of a Buffer. */
  receivePlain: receiving(
    (chunk, from, to) => new Uint8Array(chunk.buffer, chunk.byteOffset + from, to - from),
  ),

  async echo(place) {
    await listen(place, (socket) => {
      const reader = new Reader((chunk, from, to) => {
        socket.write(framed(chunk.subarray(from, to)));
      });
      socket.on("data", (chunk) => reader.read(chunk as Buffer));
    });
    return server;
  },

  async ask(place) {
    const socket = await connect(place);
    const body = framed(bodyOf(place.size));
    let answered: (reply: Uint8Array) => void = () => {};
    const reader = new Reader((chunk, from, to) => answered(chunk.subarray(from, to)));
    socket.on("data", (chunk) => reader.read(chunk as Buffer));
    return asker(
      () =>
        new Promise((done) => {
          answered = done;
          socket.write(body);
        }),
      place,
    );
  },

  async echoes(place) {
    await listen(place, (socket) => {
      const writer = new Writer(socket);
      const reader = new Reader((chunk, from, to) => {
        writer.send(chunk.subarray(from, to));
      });
      socket.on("data", (chunk) => reader.read(chunk as Buffer));
    });
    return server;
  },

  /** A block a burst, which all connections share. */
  async publish(place) {
    const { size, peers } = place;
    const sockets: net.Socket[] = [];
    let all: () => void = () => {};
    const full = new Promise<void>((done) => {
      all = done;
    });
    await listen(place, (socket) => {
      if (sockets.push(socket) === peers) all();
    });
    const body = bodyOf(size);
    return publisher(place, full, (n) => {
      const one = LENGTH + size;
      const block = Buffer.allocUnsafe(n * one);
      for (let at = 0; at < block.length; at += one) {
        putLength(block, at, size);
        block.set(body, at + LENGTH);
      }
      for (const socket of sockets) socket.write(block);
    });
  },

  subscribe: subscribing((socket, read) => socket.on("data", (chunk) => read(chunk as Buffer))),

  /** Of a PUB of ours: both greet. */
  hear: subscribing((socket, read) => {
    socket.write(Buffer.from("\0SP\0\0\x21\0\0", "latin1"));
    let greeted = false;
    socket.on("data", (chunk) => {
      // The greeting comes alone: there is nothing else to say until ours has come.
      if (greeted) read(chunk as Buffer);
      greeted = true;
    });
  }),

  async asks(place) {
    return crowd(new Questions(await connect(place), bodyOf(place.size)).ask, place);
  },
};
