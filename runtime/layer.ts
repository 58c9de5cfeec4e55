/**
 * What layers are, and how they meet. Read this first.
 *
 * A Layer is a declaration: what it stands on, what it shows, which headers it writes. An Element is
 * its running instance: one a socket above the hub, one a connection below it. Elements talk by two
 * verbs, the same in both directions: `below.down(m)`, `above.up(m)`. A message offered is a message
 * taken: who cannot take more says `stop` first, and `go` later. What an element does not know of
 * controls and events, it passes on.
 *
 * Rule for authors: settle your own state before you call a neighbour; it may call you back at once.
 */
import type { Block } from "./block.js";
import type { Duplex, Env } from "./env.js";
import type { WirestackError } from "./error.js";
import type { Exchange, Message, Room, Slab } from "./message.js";
import { named } from "./option.js";
import type { Stats } from "./stats.js";

/** Said downwards. Protocols may add members: who does not know one passes it on. */
export type Control =
  /** The application takes no more for now. */
  | { readonly type: "stop" }
  | { readonly type: "go" }
  /** Finish what you hold, then end the connection. */
  | { readonly type: "end" }
  /** Drop the connection, for this reason. */
  | { readonly type: "close"; readonly error?: Error }
  /** Nobody waits for this any more. */
  | { readonly type: "cancel"; readonly exchange: Exchange }
  /**
   * A layer wants node's own Duplex instead of octets. Who has one answers with it, and is silent from
   * then on; who has none answers undefined, and so does who must see the octets. What an error of the
   * Duplex means only the lender knows.
   */
  | {
      readonly type: "lend";
      readonly to: (duplex: Duplex | undefined, meaning?: Meaning) => void;
    }
  /** Messages that begin with this are wanted, or are no more. */
  | { readonly type: "subscribe" | "unsubscribe"; readonly topic: Uint8Array };

/** What an error means, for people; `heard`: the peer has said something already. */
export type Meaning = (error: Error, heard: boolean) => Error;

/** Said upwards. */
export type Event =
  /** No more for now. */
  | { readonly type: "stop" }
  | { readonly type: "go" }
  /** This layer's own opening is done; what the peer said in it. Below the hub only. */
  | { readonly type: "opened"; readonly facts: Facts }
  /** The connection is gone. Below the hub only, and the last that is heard. */
  | { readonly type: "closed"; readonly error?: Error }
  /** A connection takes part, or does no more. Above the hub only. */
  | { readonly type: "attached"; readonly pipe: object }
  | { readonly type: "detached"; readonly pipe: object; readonly error?: Error }
  /** An exchange came to nothing. */
  | { readonly type: "failed"; readonly exchange: Exchange; readonly error: WirestackError }
  /** After `end`: nothing is held any more. */
  | { readonly type: "ended" };

export const STOP = { type: "stop" } as const;
export const GO = { type: "go" } as const;
export const END = { type: "end" } as const;
export const ENDED = { type: "ended" } as const;
export const CLOSE = { type: "close" } as const;

/** What an element offers to the one above it. */
export interface Down {
  down(m: Message): void;
  control(c: Control): void;
}

/** What an element offers to the one below it. */
export interface Up {
  up(m: Message): void;
  event(e: Event): void;
}

/** A running layer. It passes everything on until told otherwise. */
export class Element implements Down, Up {
  below: Down = NOBODY;
  above: Up = NOBODY;

  down(m: Message): void {
    this.below.down(m);
  }
  up(m: Message): void {
    this.above.up(m);
  }
  control(c: Control): void {
    this.below.control(c);
  }
  event(e: Event): void {
    this.above.event(e);
  }
}

/** Stands where nobody stands yet. */
export const NOBODY: Down & Up = { down() {}, up() {}, control() {}, event() {} };

/** What openings have learnt of the other side, from the transport upwards. */
export interface Facts {
  /** Addresses, as `127.0.0.1:5555` or a path. */
  readonly local?: string;
  readonly remote?: string;
  /** Whom the address that was dialed names: layers above may have to ask for it, or check it. */
  readonly host?: string;
  /** Protocol number that the peer sent. */
  readonly type?: number;
  /** Layers above the framing that both ends have. A transport that knows the peer's says them. */
  readonly identity?: readonly string[];
  /**
   * Octets that both sides have said or heard so far in clear, and must have said and heard alike, the
   * dialer's first: who proves a connection binds them.
   */
  readonly prologue?: Uint8Array;
  readonly [name: string]: unknown;
}

/** Options of layers that an address may bring, by their names; layers add theirs. */
// biome-ignore lint/suspicious/noEmptyInterface: members come by declaration merging
export interface LayerOptions {}

/** A scalability protocol: what a hub tells the openings below it. */
export interface Protocol {
  readonly name: string;
  readonly type: number;
  readonly peer: number;
}

/** Limits that concern layers; a socket fills them in. */
export interface Limits {
  /** Longest message from a peer, in octets, protocol header included. 0: no limit. */
  readonly recvMax: number;
  /** Messages a socket holds for want of a connection. */
  readonly sendBuffer: number;
  /** Milliseconds for a connection to open, all its layers together. */
  readonly openTimeout: number;
}

/** Where a layer stands: a socket's layers for one address, the uppermost first, and which of them it is. */
export interface Place {
  readonly layers: readonly Layer[];
  readonly at: number;
}

/** What a running layer has of its surroundings. */
export interface Context {
  readonly env: Env;
  readonly stats: Stats;
  /** Where windows for headers come from. */
  readonly slab: Slab;
  readonly limits: Limits;
  /** The protocol of the stack, if it has one. */
  readonly protocol: Protocol | undefined;
  /** The application tells text from other octets. */
  readonly text: boolean;
  /** For who says where it stands. What others do there is none of a layer's business. */
  readonly place: Place;
  /** Tells the application by `rejected` of a message that was dropped. Once a reason: the rest is counted. */
  reject(m: Message, error: WirestackError): void;
}

/** Below the hub there is more: a connection, and what will be written to it. */
export interface PipeContext extends Context {
  readonly side: "dial" | "listen";
  /** How the address begins, such as `tls+tcp://`. */
  readonly scheme: string;
  /** What a transport writes next, or who borrows one. */
  readonly block: Block;
  /** A layer above will borrow the connection. */
  readonly lend: boolean;
  /**
   * Layers above the framing that the peer must have too, the uppermost first. A framing announces that
   * there are some, and refuses a peer that does not, or does and should not.
   */
  readonly identity: readonly string[];
  /** Room for the headers of what is below: for who makes messages of its own. */
  readonly room: Room;
}

/** What a layer states of a header: a generated codec's `HEADER`. */
export interface HeaderFacts {
  readonly name: string;
  /** Octets at most, before the body and behind it. */
  readonly head: number;
  readonly tail: number;
}

/** What a face looks like to the application; cooked protocols add theirs. */
// biome-ignore lint/suspicious/noEmptyInterface: members come by declaration merging
export interface Ports {}

/** `octets`: a run without boundaries. `link`: messages, one peer. `raw`: messages, many peers. */
export type Face = "octets" | "link" | keyof Ports;
/** Under a transport: the system. */
export type Ground = "ground";
export type Below = Face | Ground;

/** What a protocol shows to an application. */
export type PortFace = Exclude<keyof Ports, "octets" | "link" | "raw">;

/** Shown by a layer that shows what it stands on, such as a tap or an integrity check. */
export interface Same<F extends Face = Face, Hint extends string = string> {
  /** Faces it may stand on; `ports`: whatever a protocol shows to an application. */
  readonly same: readonly F[] | "any" | "ports";
  /** What to do where it does not fit. */
  readonly hint?: Hint;
}

/** A layer from one face to another. */
export interface Layer<
  B extends Below | Same = Below | Same,
  A extends Face | Same = Face | Same,
  N extends string = string,
> {
  readonly name: N;
  readonly below: B;
  readonly above: A;
  /** Headers that it writes or reads; room follows from them. */
  readonly headers?: readonly HeaderFacts[];
  /**
   * What the peer's must agree with: `name@version`, and what else decides how octets are read; no
   * spaces. Default: its name, if it has headers; a layer without shows nothing on the wire.
   */
  readonly identity?: string;
  /**
   * It needs each message's octets in one piece, and what is below gets them so. `itself`: it copies them
   * to where it needs them, so nobody else has to.
   */
  readonly contiguous?: true | "itself";
  /**
   * Octets of the longest message that it takes from below, whatever the application's limit is: several
   * of the application's messages may be one of those, or one several.
   */
  readonly longest?: number;
  /**
   * Going down it makes the same octets of a message for every connection, and once it is open it says
   * none of its own but for the end: so many connections can share what was made for one.
   */
  readonly alike?: true;
  /** It takes node's Duplex from below, and writes for itself. */
  readonly borrows?: true;
  /** Whether its options do for that side: throws StackError, before anything is dialed or bound. */
  check?(side: "dial" | "listen", env: Env): void;
  /**
   * It wants messages that are text to be known as such; or it is who knows. WebSocket says so beside
   * the octets, and no octet of its own would.
   */
  readonly text?: "wanted" | "known";
  /** It makes many connections one: a raw protocol. */
  readonly hub?: true;
  /** Of a raw protocol: what openings below tell the peer. */
  readonly protocol?: Protocol;
  /** Of a cooked protocol: the raw one that it stands on. */
  readonly raw?: () => Layer<"link", "raw">;
  /** Of what shows a face to the application: makes what it holds. */
  readonly port?: (socket: never) => object;
  /** Of a transport: how to reach an address. */
  readonly transport?: Transport;
  /**
   * Of a layer that shares what is below it, as paths do a TCP port: it is a transport to what stands on
   * it, made of those `below` it, the uppermost first. `name` says which these are.
   */
  over?(below: readonly Layer[], name: string): Transport;
  /**
   * Runs it: once a socket above the hub and as the hub, where the context has no side and no block;
   * once a connection below. A transport is run by dialing and listening instead.
   */
  make?(context: PipeContext): Element;
}

/** An address's rest, after `scheme://`, is the transport's own to read; it throws StackError. */
export interface Transport {
  /** Its addresses may go on with a path, for who is `over` it. */
  readonly paths?: true;
  /** What is read is a copy of what was written, by the system's doing: so that may be others' too. */
  readonly copies?: true;
  /** Schemes by which a stack that ends in it may be dialed, whatever layers they bring elsewhere. */
  readonly schemes?: readonly `${string}://`[];
  /** It leads to its peer once: who loses that connection does not dial again. */
  readonly once?: true;
  /** Begins to connect to `url`, of which `rest` is a part. The element's events tell the rest. */
  dial(rest: string, context: PipeContext, url: string): Element;
  /**
   * Resolves when bound, to the address's rest as bound. `accept` runs an element for a connection, which
   * has to be open `openTimeout` after `since`, as `now` tells: if not said, that is now.
   */
  listen(
    rest: string,
    context: PipeContext,
    accept: <E extends Element>(run: (context: PipeContext) => E, since?: number) => E,
  ): Promise<{ readonly rest: string; close(): Promise<void> }>;
}

/** Room for these layers' headers. */
export function roomOf(layers: readonly Layer[]): Room {
  let head = 0;
  let tail = 0;
  for (const { headers = [] } of layers) {
    for (const h of headers) {
      head += h.head;
      tail += h.tail;
    }
  }
  return { head, tail };
}

/** Of protocols whose messages may go through devices. */
export interface TtlOptions {
  /** Hops after which a message is dropped: 1 to 15. Default: 8. */
  readonly ttl?: number;
}

/** What `ttl` comes to; throws RangeError. */
export function ttlOf(options: TtlOptions): number {
  const { ttl = 8 } = named("this protocol", options, { ttl: true });
  if (Number.isInteger(ttl) && ttl >= 1 && ttl <= 15) return ttl;
  throw new RangeError(`ttl is a whole number from 1 to 15; not ${ttl}`);
}
