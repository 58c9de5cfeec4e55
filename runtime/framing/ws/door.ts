/**
 * Where WebSocket clients come in: one place, and behind it whoever listens at a path. RFC 6455 §4.2.
 *
 * A door stands at an address of its own, or in an `http.Server` of the application's. Reading and
 * judging HTTP is node's. Until a client has said for whom it comes, the door keeps it; what comes to
 * nothing there is told to who has listened longest.
 */
import type * as NodeHttp from "node:http";
import type { Duplex } from "node:stream";
import { Borrower } from "../../borrower.js";
import { builtin } from "../../builtin.js";
import { after, type Connection, type Timer } from "../../env.js";
import { PeerError, SystemError, TimeoutError, WireError } from "../../error.js";
import { unannounced } from "../../identity.js";
import type { Facts, PipeContext, Transport } from "../../layer.js";
import { Stream } from "../../stream.js";
import { agreed, bare, clientOf, listed, namesOf } from "../../subprotocol.js";
import { type FrameOptions, Frames } from "./frames.js";
import { proof } from "./upgrade.js";

/** Clients that may be at a door at a time; the oldest has to go. */
const COMING = 256;
/** Milliseconds for a client that was turned away to read why. */
const PATIENCE = 1000;
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** Who listens at a path. */
export interface Host {
  readonly path: string;
  /** Origins of pages whose scripts may come in, beside the door's own. */
  readonly origins: readonly string[];
  /** Subprotocols, where no protocol of ours decides. */
  readonly protocols: readonly string[];
  readonly frames: FrameOptions;
  readonly context: PipeContext;
  readonly accept: Parameters<Transport["listen"]>[2];
}

/** Why a client is turned away. */
class Refusal {
  constructor(
    readonly status: string,
    readonly error: Error,
    readonly headers = "",
  ) {}
}

export class Door {
  readonly #hosts = new Map<string, Host>();
  readonly #http: NodeHttp.Server;
  /** Clients that have not yet said for whom they come, the first first. */
  readonly #coming = new Set<Entrance>();
  readonly #entrances = new WeakMap<Duplex, Entrance>();

  /** In a server of somebody else's, or in one that listens nowhere: connections are brought to it. */
  constructor(readonly server?: NodeHttp.Server) {
    this.#http = server ?? builtin<typeof NodeHttp>("node:http").createServer();
    this.#http.on("upgrade", this.#upgrade);
    if (server !== undefined) return;
    this.#http.on("request", (request: NodeHttp.IncomingMessage) => {
      this.#upgrade(request, request.socket, Buffer.alloc(0));
    });
    this.#http.on("clientError", (error: NodeJS.ErrnoException, duplex: Duplex) => {
      const why = this.#entrances.get(duplex)?.meaningOf(error) ?? error;
      const said = why === error ? new WireError("ws", `ws.upgrade.http: ${error.message}`) : why;
      this.#turnAway(duplex, undefined, new Refusal("400 Bad Request", said));
    });
  }

  get empty(): boolean {
    return this.#hosts.size === 0;
  }

  add(host: Host, url: string): void {
    if (this.#hosts.has(host.path)) throw new SystemError(`listen ${url}`, { code: "EADDRINUSE" });
    this.#hosts.set(host.path, host);
  }

  delete(host: Host): void {
    this.#hosts.delete(host.path);
    if (!this.empty) return;
    this.#http.off("upgrade", this.#upgrade);
    for (const entrance of this.#coming) entrance.control({ type: "close" });
  }

  /** Somebody has connected. */
  enter(context: PipeContext): Entrance {
    const [oldest] = this.#coming;
    if (this.#coming.size >= COMING && oldest !== undefined) {
      const why = `more than ${COMING} connections are opening, and this is the oldest`;
      this.#left(oldest, new PeerError(why));
      oldest.control({ type: "close" });
    }
    const entrance = new Entrance(
      context,
      (duplex) => {
        this.#entrances.set(duplex, entrance);
        this.#http.emit("connection", duplex);
        duplex.resume();
      },
      (error) => this.#left(entrance, error),
    );
    this.#coming.add(entrance);
    return entrance;
  }

  /** It came to nothing. */
  #left(entrance: Entrance, error = new PeerError("ws: closed before it was open") as Error): void {
    if (this.#coming.delete(entrance)) this.#tell(undefined, error);
  }

  #tell(host: Host | undefined, error: Error): void {
    const [longest] = this.#hosts.values();
    (host ?? longest)?.accept((context) => new Stream(context)).closed(error);
  }

  readonly #upgrade = (request: NodeHttp.IncomingMessage, duplex: Duplex, head: Buffer): void => {
    const host = this.#hosts.get(/^[^?#]*/.exec(request.url ?? "")?.[0] ?? "");
    // Others may serve what we do not.
    if (
      host === undefined &&
      this.server !== undefined &&
      this.server.listenerCount("upgrade") > 1
    ) {
      return;
    }
    const subprotocol = this.#judge(request, host);
    if (subprotocol instanceof Refusal) return this.#turnAway(duplex, host, subprotocol);
    this.#letIn(request, duplex, head, host as Host, subprotocol);
  };

  /** The subprotocol to answer with, if any; or why not to let the client in. */
  #judge(
    { method, headers, url, httpVersion }: NodeHttp.IncomingMessage,
    host: Host | undefined,
  ): string | undefined | Refusal {
    if (host === undefined) {
      return new Refusal("404 Not Found", new PeerError(`ws: nobody listens at ${url}`));
    }
    if (method !== "GET") {
      const error = new WireError("ws", `ws.upgrade.method: ${method}`);
      return new Refusal("405 Method Not Allowed", error, "Allow: GET\r\n");
    }
    const key = headers["sec-websocket-key"];
    if (
      headers.upgrade?.toLowerCase() !== "websocket" ||
      headers["sec-websocket-version"] !== "13"
    ) {
      const error = new WireError("ws", "ws.upgrade.version: not WebSocket 13");
      const version = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
      return new Refusal("426 Upgrade Required", error, version);
    }
    // Otherwise node reads on as HTTP, and so may a proxy: what comes next would be one thing to them, another to us.
    if (!listed(headers.connection).some((option) => option.toLowerCase() === "upgrade")) {
      const error = new WireError("ws", "ws.upgrade.connection: does not say 'Upgrade'");
      return new Refusal("400 Bad Request", error);
    }
    if (httpVersion === "1.0") {
      const error = new WireError("ws", "ws.upgrade.http: 1.0 knows no upgrade");
      return new Refusal("400 Bad Request", error);
    }
    const { "transfer-encoding": coding, "content-length": length = "0" } = headers;
    if (coding !== undefined || Number(length) !== 0) {
      const error = new WireError("ws", "ws.upgrade.body: a request to upgrade has none");
      return new Refusal("400 Bad Request", error);
    }
    if (headers.host === undefined) {
      const error = new WireError("ws", "ws.upgrade.host: none");
      return new Refusal("400 Bad Request", error);
    }
    if (key === undefined || !KEY.test(key)) {
      const error = new WireError("ws", "ws.upgrade.key: not 16 octets in base64");
      return new Refusal("400 Bad Request", error);
    }
    const { origin } = headers;
    const own = origin === `http://${headers.host}` || origin === `https://${headers.host}`;
    if (origin !== undefined && !own && !host.origins.includes(origin)) {
      const error = new PeerError(`ws: a script of ${origin}, which is not among 'origins'`);
      return new Refusal("403 Forbidden", error);
    }
    return subprotocolFor(host, listed(headers["sec-websocket-protocol"]));
  }

  #turnAway(duplex: Duplex, host: Host | undefined, { status, error, headers }: Refusal): void {
    const entrance = this.#entrances.get(duplex);
    // It has heard already; what else it sends is nothing to us.
    if (this.server === undefined && !this.#isOut(entrance)) return;
    this.#tell(host, error);
    duplex.on("error", () => {});
    duplex.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n${headers}\r\n`);
    // Unread octets would make a reset of its end, and take the answer along.
    duplex.resume();
    const [any] = this.#hosts.values();
    const timer = any?.context.env.timer(PATIENCE, () => duplex.destroy(), true);
    duplex.once("close", () => timer?.cancel());
  }

  /** A client is at the door no more. */
  #isOut(entrance: Entrance | undefined): boolean {
    entrance?.done();
    return entrance !== undefined && this.#coming.delete(entrance);
  }

  #letIn(
    { headers, url, socket }: NodeHttp.IncomingMessage,
    duplex: Duplex,
    head: Buffer,
    host: Host,
    subprotocol: string | undefined,
  ): void {
    const entrance = this.#entrances.get(socket);
    if (this.server === undefined && !this.#isOut(entrance)) return;
    const { protocol } = host.context;
    const facts: Facts = {
      ...entrance?.known,
      ...(url === undefined ? {} : { path: url }),
      ...(subprotocol === undefined ? {} : { subprotocol }),
      ...(protocol === undefined ? {} : { type: protocol.peer }),
    };
    const answer = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`;
    const accept = `Sec-WebSocket-Accept: ${proof(headers["sec-websocket-key"] as string)}\r\n`;
    const chosen = subprotocol === undefined ? "" : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`;
    duplex.write(`${answer}${accept}${chosen}\r\n`);
    if (head.length > 0) duplex.unshift(head);
    let stream: Inside | undefined;
    host.accept((context) => {
      stream = new Inside(context, duplex, entrance);
      const frames = new Frames(context, host.frames);
      frames.below = stream;
      stream.above = frames;
      frames.facts = facts;
      return frames;
    }, entrance?.since);
    const { env } = host.context;
    stream?.opened(env.net.adopt?.(duplex, stream) as Connection);
  }
}

function subprotocolFor(
  { context, protocols }: Host,
  offered: readonly string[],
): string | undefined | Refusal {
  const { protocol, identity } = context;
  const ours = namesOf(protocol?.type, protocols, context);
  if (
    protocol === undefined &&
    identity.length === 0 &&
    (ours.length === 0 || offered.length === 0)
  )
    return undefined;
  const found = agreed(offered, ours);
  if (found !== undefined) return found;
  const theirs = offered.map(clientOf).find((type) => type !== undefined);
  const plain = (names: readonly string[]) => names.map((name) => bare(name)[0]);
  if (agreed(plain(offered), plain(ours)) !== undefined) {
    return new Refusal("400 Bad Request", unannounced(identity));
  }
  const said = `ws: the client asks for ${offered.join(", ") || "no subprotocol"}; here is ${ours.join(", ")}`;
  const error =
    theirs === undefined || protocol === undefined
      ? new PeerError(said)
      : PeerError.stranger(theirs, protocol);
  return new Refusal("400 Bad Request", error);
}

/** A client that was let in. */
class Inside extends Stream {
  constructor(
    context: PipeContext,
    duplex: Duplex,
    readonly entrance: Entrance | undefined,
  ) {
    super(context, () => duplex.destroy());
  }

  override closed(error?: Error): void {
    super.closed(error && (this.entrance?.meaningOf(error) ?? error));
  }
}

/** A client that has not yet said for whom it comes. */
class Entrance extends Borrower {
  /** When it came. */
  readonly since: number;
  readonly #deadline: Timer;

  constructor(
    context: PipeContext,
    readonly greet: (duplex: Duplex) => void,
    left: (error: Error | undefined) => void,
  ) {
    super(context);
    const { openTimeout } = context.limits;
    this.since = context.env.now();
    const late = () => {
      const error = new TimeoutError(`ws: not open within ${openTimeout} ms`);
      this.control({ type: "close", error });
    };
    this.#deadline = after(context.env, openTimeout, late, true);
    this.above = {
      up() {},
      event: (e) => {
        if (e.type !== "closed") return;
        this.done();
        left(e.error);
      },
    };
  }

  protected begin(duplex: Duplex): void {
    duplex.once("close", () => this.closed());
    this.greet(duplex);
  }

  /** What is below has learnt. */
  get known(): Facts {
    return this.lower;
  }

  /** What an error of its connection means: a client speaks first. */
  meaningOf(error: Error): Error {
    return this.meant(error, true);
  }

  /** Nobody waits for it any more. */
  done(): void {
    this.#deadline.cancel();
  }
}
