/** The world of a node process. */
import type * as Fs from "node:fs";
import type * as NodeNet from "node:net";
import type { Duplex as NodeDuplex } from "node:stream";
import { builtin } from "./builtin.js";
import type { Connection, Duplex, Env, Net, Receiver, Settings, Where } from "./env.js";
import { SystemError } from "./error.js";
import { nodeCrypto } from "./node-crypto.js";
import { nodeFiles } from "./node-files.js";
import { Reader } from "./reader.js";

declare module "./env.js" {
  interface Duplex extends NodeDuplex {}
}

/**
 * Octets that may lie in a connection, given to the system but not yet taken, before it says stop. A local
 * socket takes 208 KiB at a time, so what is far beyond that only grows cold.
 */
const IN_FLIGHT = 1024 * 1024;
const IN_FLIGHT_LOCAL = 256 * 1024;

const settingsOf = (where: Where) => ({
  noDelay: true,
  allowHalfOpen: true,
  highWaterMark: "path" in where ? IN_FLIGHT_LOCAL : IN_FLIGHT,
});

/** A Duplex of node's as a Connection, and its events to whoever uses it. Who reads it, and how, is another's. */
class NodeConnection implements Connection {
  readonly local: string;
  readonly remote: string;
  #ended = false;
  readonly #drain: () => void;
  readonly #end: () => void;

  constructor(
    readonly socket: Duplex,
    name: string,
    to: Receiver,
  ) {
    const { localAddress, localPort, remoteAddress, remotePort } = socket as NodeNet.Socket;
    const address = (host?: string, port?: number) =>
      host === undefined ? name : host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    this.local = address(localAddress, localPort);
    this.remote = address(remoteAddress, remotePort);
    this.#drain = () => to.drained();
    this.#end = () => to.ended();
    socket.on("drain", this.#drain).on("end", this.#end);
  }

  lend(): Duplex {
    return this.socket.off("drain", this.#drain).off("end", this.#end);
  }

  write(segments: readonly Uint8Array[]): boolean {
    const { socket } = this;
    // After our own end, or when the peer has gone and node has yet to say so.
    if (this.#ended || !socket.writable) return true;
    if (segments.length === 1) return socket.write(segments[0] as Uint8Array);
    let more = true;
    socket.cork();
    for (const s of segments) more = socket.write(s);
    socket.uncork();
    return more;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.#ended = true;
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** Tells `to` of the socket's end. It is told once, and why. */
function watch(socket: Duplex, doing: string, to: () => Receiver | undefined): void {
  let why: Error | undefined;
  socket
    .on("error", (error) => {
      why = new SystemError(doing, error);
    })
    .on("close", () => to()?.closed(why));
}

const nodeNet: Net = {
  connect(where, to, lend = false, settings = {}) {
    const net = builtin<typeof NodeNet>("node:net");
    const onread = new Reader((chunk) => to.octets(chunk));
    const socket = net.connect({
      ...where,
      ...settingsOf(where),
      ...alive(settings),
      ...(lend ? {} : { onread }),
    });
    const name = nameOf(where);
    watch(socket, `connect ${name}`, () => to);
    socket.once("connect", () => to.opened(new NodeConnection(socket, name, to)));
    return socket;
  },

  async listen(where, accept, lend = false, settings = {}) {
    const net = builtin<typeof NodeNet>("node:net");
    const name = nameOf(where);
    const server = net.createServer({
      ...settingsOf(where),
      ...alive(settings),
      pauseOnConnect: true,
    });
    server.on("connection", (accepted) => {
      let to: Receiver | undefined;
      const socket = lend
        ? accepted
        : withReader(net, accepted, where, (chunk) => to?.octets(chunk));
      watch(socket, `accepted at ${name}`, () => to);
      const connection = new NodeConnection(socket, name, {
        opened() {},
        octets() {},
        drained: () => to?.drained(),
        ended: () => to?.ended(),
        closed() {},
      });
      to = accept(connection);
      to.opened(connection);
      if (!lend) socket.resume();
    });
    const { backlog, mode } = settings;
    const bound =
      "path" in where ? bindPath(server, where.path, mode) : bind(server, { ...where, backlog });
    await bound.catch((error) => {
      throw new SystemError(`listen ${name}`, error);
    });
    // A failed accept, as when descriptors run out, concerns one connection, not the listener.
    server.on("error", () => {});
    return {
      local: localOf(server, where),
      // Its callback would wait for every connection that was accepted; the name is free at once.
      close: async () => void server.close(),
    };
  },

  adopt(duplex, to, lend = false) {
    watch(duplex, "connection", () => to);
    if (!lend) duplex.on("data", (b: Buffer) => to.octets(plain(b)));
    return new NodeConnection(duplex, "", to);
  },
};

function alive({ keepAlive }: Settings) {
  return keepAlive === undefined ? {} : { keepAlive: true, keepAliveInitialDelay: keepAlive };
}

/** What a plain `data` event brings. */
const plain = (b: Buffer): Uint8Array => new Uint8Array(b.buffer, b.byteOffset, b.length);

/**
 * An accepted socket, read by a Reader. node takes `onread` only where a socket is made, so its handle
 * goes to another one; where there is none to be had, it is read as any other.
 */
function withReader(
  net: typeof NodeNet,
  accepted: NodeNet.Socket,
  where: Where,
  take: (chunk: Uint8Array) => void,
): NodeNet.Socket {
  const owner = accepted as unknown as { _handle?: object | null };
  const handle = owner._handle;
  if (!handle) {
    return accepted.on("data", (b: Buffer) => take(plain(b)));
  }
  owner._handle = null;
  const settings = { handle, readable: true, writable: true, onread: new Reader(take) };
  const socket = new net.Socket({
    ...settingsOf(where),
    ...settings,
  } as NodeNet.SocketConstructorOpts);
  return socket.setNoDelay(true);
}

function bind(server: NodeNet.Server, at: NodeNet.ListenOptions): Promise<void> {
  return new Promise((done, failed) => {
    server.once("error", failed);
    server.listen({ ...at, backlog: at.backlog ?? 1024 }, () => {
      server.off("error", failed);
      done();
    });
  });
}

/** Binds a path, private unless told otherwise; takes the place of a socket that nobody serves any more. */
async function bindPath(server: NodeNet.Server, path: string, mode = 0o600): Promise<void> {
  const fs = builtin<typeof Fs>("node:fs");
  // Of a folder that is missing libuv would say EACCES.
  fs.accessSync(path.slice(0, path.lastIndexOf("/") + 1) || ".");
  const masked = () => {
    const umask = maskFiles(~mode & 0o777);
    // libuv binds a path before listen() returns, so the mask holds for it alone.
    const bound = bind(server, { path });
    umask();
    return bound;
  };
  try {
    await masked();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    if (!fs.lstatSync(path).isSocket() || (await answers(path))) throw error;
    fs.unlinkSync(path);
    await masked();
  }
  fs.chmodSync(path, mode);
}

/** Sets the process's file mode mask; the answer puts it back. Worker threads may not set it. */
function maskFiles(mask: number): () => void {
  try {
    const before = process.umask(mask);
    return () => process.umask(before);
  } catch {
    return () => {};
  }
}

/** Whether somebody serves this path. */
function answers(path: string): Promise<boolean> {
  return new Promise((done) => {
    const probe = builtin<typeof NodeNet>("node:net").connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      done(true);
    });
    // Busy or forbidden is not dead.
    probe.once("error", (e: NodeJS.ErrnoException) => done(e.code !== "ECONNREFUSED"));
  });
}

function nameOf(where: Where): string {
  if ("path" in where) return where.path;
  return where.host.includes(":") ? `[${where.host}]:${where.port}` : `${where.host}:${where.port}`;
}

function localOf(server: NodeNet.Server, where: Where): Where {
  if ("path" in where) return where;
  const { address, port } = server.address() as NodeNet.AddressInfo;
  return { host: address, port };
}

export const node: Env = {
  now: () => performance.now(),
  date: () => Date.now(),
  timer(ms, f, idle = false) {
    const t = setTimeout(f, ms);
    if (idle) t.unref();
    return { cancel: () => clearTimeout(t) };
  },
  tick: (f) => process.nextTick(f),
  turn: (f) => setImmediate(f),
  random: (octets) => {
    crypto.getRandomValues(octets);
  },
  report: (error) => {
    const said = error instanceof Error ? error : new Error(String(error));
    process.emitWarning(said);
  },
  net: nodeNet,
  files: nodeFiles,
  get keyLog() {
    return process.env.WIRESTACK_KEYLOGFILE || undefined;
  },
  crypto: nodeCrypto,
  names: new Map(),
};
