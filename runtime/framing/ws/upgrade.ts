/**
 * The HTTP request by which a client asks for WebSocket, and what it has to be answered with. RFC 6455
 * §4.1. Reading and writing HTTP is node's.
 */
import type * as NodeCrypto from "node:crypto";
import type * as NodeHttp from "node:http";
import type * as NodeNet from "node:net";
import type { Duplex } from "node:stream";
import { Borrower } from "../../borrower.js";
import { builtin } from "../../builtin.js";
import type { Connection } from "../../env.js";
import { PeerError, StackError, WireError } from "../../error.js";
import type { Facts, PipeContext } from "../../layer.js";
import { agreed, namesOf } from "../../subprotocol.js";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** What proves that a server has read a client's key. */
export function proof(key: string): string {
  const { createHash } = builtin<typeof NodeCrypto>("node:crypto");
  return createHash("sha1")
    .update(key + GUID)
    .digest("base64");
}

/** What a client asks for. */
export interface Wish {
  readonly host: string;
  readonly path: string;
  readonly origin: string | undefined;
  /** Subprotocols, where no protocol of ours decides. */
  readonly protocols: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

/** Throws StackError for what no request can say: node tells of it only when the connection is there. */
function sayable({ host, path, origin = "", headers }: Wish, protocols: readonly string[]): void {
  if (!/^[!-~]*$/.test(path)) {
    throw new StackError(`ws: a path has letters, digits and signs, without spaces; not '${path}'`);
  }
  const { validateHeaderName, validateHeaderValue } = builtin<typeof NodeHttp>("node:http");
  const own = { Host: host, Origin: origin, "Sec-WebSocket-Protocol": protocols.join(", ") };
  try {
    for (const [name, value] of Object.entries({ ...own, ...headers })) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
  } catch (cause) {
    throw new StackError(`ws: no request can say that: ${(cause as Error).message}`, { cause });
  }
}

/** A client's end: octets over octets, once the server has agreed. */
export class Upgrade extends Borrower {
  readonly #key: string;
  readonly #offered: readonly string[];
  #facts: Facts = {};

  constructor(
    context: PipeContext,
    readonly wish: Wish,
  ) {
    super(context);
    const random = new Uint8Array(16);
    context.env.random(random);
    this.#key = Buffer.from(random).toString("base64");
    const { protocol } = context;
    this.#offered = namesOf(protocol?.peer, wish.protocols, context);
    sayable(wish, this.#offered);
  }

  protected begin(duplex: Duplex): void {
    const { host, path, origin } = this.wish;
    const http = builtin<typeof NodeHttp>("node:http");
    duplex.once("close", this.#early);
    const headers = {
      Host: host,
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": this.#key,
      ...(this.#offered.length > 0 ? { "Sec-WebSocket-Protocol": this.#offered.join(", ") } : {}),
      ...(origin === undefined ? {} : { Origin: origin }),
      ...this.wish.headers,
    };
    const createConnection = () => duplex as NodeNet.Socket;
    const request = http.request({ createConnection, path, setHost: false, headers });
    request.on("error", (error: NodeJS.ErrnoException) => {
      const why = this.meant(error, false);
      if (why !== error) return this.#fail(why);
      // nanomsg ends its refusals without an empty line, and goes on with whatever it has to send.
      const unread = error.code?.startsWith("HPE_");
      const hint = unread ? "; nanomsg's answer, where it speaks another protocol" : "";
      this.#fail(new PeerError(`ws: ${error.message}${hint}`));
    });
    request.on("response", ({ statusCode, statusMessage }) => {
      this.#fail(new PeerError(`ws: the server answered ${statusCode} ${statusMessage}`));
    });
    request.on("upgrade", (response, _, head) => this.#agreed(response, duplex, head));
    request.end();
  }

  #agreed({ headers }: NodeHttp.IncomingMessage, duplex: Duplex, head: Buffer): void {
    const bad = (rule: string, said: string) =>
      this.#fail(new WireError("ws", `ws.upgrade.${rule}: ${said}`));
    if (headers.upgrade?.toLowerCase() !== "websocket") {
      return bad("upgrade", "the server upgrades to something else");
    }
    if (headers["sec-websocket-accept"] !== proof(this.#key)) {
      return bad("accept", "the server has not read our key");
    }
    if (headers["sec-websocket-extensions"] !== undefined) {
      return bad("extensions", "the server uses what was not offered");
    }
    const subprotocol = headers["sec-websocket-protocol"];
    const ours = agreed(subprotocol === undefined ? [] : [subprotocol], this.#offered);
    const { protocol } = this.context;
    const needed = protocol !== undefined || this.context.identity.length > 0;
    if (subprotocol !== undefined ? ours === undefined : needed) {
      const said = `${subprotocol ?? "no subprotocol"}; ${this.#offered.join(", ") || "none"} was offered`;
      return this.#fail(new PeerError(`ws: the server answers with ${said}`));
    }
    this.#facts = {
      ...(subprotocol === undefined ? {} : { subprotocol }),
      ...(protocol === undefined ? {} : { type: protocol.peer }),
    };
    if (head.length > 0) duplex.unshift(head);
    duplex.off("close", this.#early);
    this.opened(this.context.env.net.adopt?.(duplex, this) as Connection);
  }

  readonly #early = (): void => this.closed(new PeerError("ws: closed before it was open"));

  override closed(error?: Error): void {
    super.closed(error === undefined ? undefined : this.meant(error, true));
  }

  protected override learnt(): Facts {
    return { ...super.learnt(), ...this.#facts };
  }

  #fail(error: Error): void {
    this.control({ type: "close", error });
  }
}
