/**
 * WebSocket through an object that the platform gives: a browser's, node's from 22 on, or the `ws`
 * package's. Stands on the ground, shows a link.
 *
 * Such an object frames, masks and upgrades by itself, and shows no more than W3C's interface. So a
 * message that is longer than `recvMax` is refused when it is here; a browser cannot make its peer
 * wait; and it says 1000 where we mean 1001, and 4002 where we mean 1002, since scripts may not.
 * `stack(req(), xreq(), websocket(object))`
 */
import { Code } from "../../generated/ws/close.js";
import type { Timer } from "../env.js";
import {
  ClosedError,
  PeerError,
  StackError,
  StateError,
  SystemError,
  WireError,
} from "../error.js";
import { unannounced } from "../identity.js";
import {
  type Control,
  Element,
  type Facts,
  GO,
  type Ground,
  type Layer,
  type PipeContext,
  STOP,
} from "../layer.js";
import { Message } from "../message.js";
import { agreed, bare, namesOf } from "../subprotocol.js";

/** What every WebSocket has, and what some have beyond it. */
export interface WebSocketObject {
  readonly readyState: number;
  /** Of a client; a server's has none. */
  readonly url?: string | undefined;
  /** The subprotocol that was agreed on. */
  readonly protocol: string;
  /** Octets that were given to `send` and not yet to the system. */
  readonly bufferedAmount: number;
  binaryType: string;
  send(data: Uint8Array<ArrayBuffer> | string): void;
  close(code?: number): void;
  // biome-ignore lint/suspicious/noExplicitAny: each platform has event types of its own
  addEventListener(type: "open" | "message" | "error" | "close", hear: (e: any) => void): void;
  /** `ws` can make its peer wait. */
  pause?(): void;
  resume?(): void;
  /** `ws` can do without the peer's goodbye. */
  terminate?(): void;
}

/** Begins to connect to `url`, offering these subprotocols. */
export type WebSocketMaker = (url: string, protocols: string[]) => WebSocketObject;

/** Of `readyState`. */
const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 3;

/** Octets on their way before the side above is told to stop. */
const IN_FLIGHT = 1024 * 1024;
/**
 * Milliseconds between looks at whether they have gone, since no event tells. Browsers make repeated
 * timers no shorter; and with a MiB on its way, nothing below 2 Gbit/s waits for a look.
 */
const LOOK = 4;
/** Octets that wait for a side above that said stop, when the peer cannot be made to wait. */
const HELD = 64 * 1024 * 1024;
/** What a message that waits costs beside its octets. */
const COST = 128;
/** Milliseconds for the peer to close, when all has been said. */
const PATIENCE = 2000;
/** What a `close` event says where the peer gave no code, and where it said no goodbye. RFC 6455 §7.4.1. */
const NO_CODE = 1005;
const NO_CLOSE = 1006;
/** From a code of the protocol's to one that a script may give. */
const PRIVATE = 3000;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** An object is for one connection. */
const taken = new WeakSet<WebSocketObject>();

declare module "../layer.js" {
  interface LayerOptions {
    readonly websocket?: WebSocketObject | WebSocketMaker;
  }
}

/**
 * `from`: an object, which serves one connection and is not dialed again when that is lost; or a
 * function that makes them, which is asked anew each time. Default: the platform's `WebSocket`.
 *
 * Of an object that is open already nobody heard what came before: dial at once. One that a server of
 * `ws`'s has accepted is dialed, too; its address only names it.
 */
export function websocket(
  from: WebSocketObject | WebSocketMaker = platforms,
): Layer<Ground, "link", "websocket"> {
  const make = typeof from === "function" ? from : undefined;
  if (typeof (make ?? (from as WebSocketObject | null)?.addEventListener) !== "function") {
    throw new StackError("websocket takes a WebSocket, or a function that makes one");
  }
  return {
    name: "websocket",
    below: "ground",
    above: "link",
    contiguous: true,
    text: "known",
    transport: {
      schemes: ["ws://", "wss://"],
      ...(make === undefined ? { once: true } : {}),
      dial(_, context, url) {
        if (make === undefined) return new Talk(context, url, from as WebSocketObject);
        try {
          const offered = namesOf(context.protocol?.peer, [], context);
          return new Talk(context, url, make(url, [...offered]));
        } catch (error) {
          // It will be no better next time.
          if (make === platforms) throw error;
          const none = new Element();
          context.env.tick(() => none.above.event({ type: "closed", error: error as Error }));
          return none;
        }
      },
      async listen() {
        throw new StackError("'websocket' cannot listen: it only dials");
      },
    },
  };
}

const platforms: WebSocketMaker = (url, protocols) => {
  const { WebSocket } = globalThis as unknown as {
    WebSocket: new (url: string, protocols: string[]) => WebSocketObject;
  };
  try {
    return new WebSocket(url, protocols);
  } catch (cause) {
    const said = `'${url}' cannot be dialed here: ${(cause as Error).message}`;
    throw new StackError(`${said}; give websocket() a function that makes one`, { cause });
  }
};

/** As `error` events come: a browser's say nothing. */
interface Failure {
  readonly message?: string;
  readonly error?: { readonly code?: string; readonly message: string };
}

/** A connection through an object. */
class Talk extends Element {
  #open = false;
  #stopped = false;
  #full = false;
  /** We said close, or the peer did: what else there is to say comes too late. */
  #closing = false;
  #closed = false;
  /** Nothing more will come; what is held goes first. */
  #last = false;
  #error: Error | undefined;
  #timer: Timer | undefined;
  /** What came while the side above took nothing, from … on. */
  #held: Message[] = [];
  #from = 0;
  /** Octets that are held, and what holding them costs. */
  #weight = 0;

  constructor(
    readonly context: PipeContext,
    readonly url: string,
    readonly object: WebSocketObject,
  ) {
    super();
    if (taken.has(object)) {
      throw new StateError(
        "this WebSocket has had its connection: give websocket() a function that makes one, to dial again",
      );
    }
    taken.add(object);
    object.binaryType = "arraybuffer";
    // They stay for good: what `ws` tells nobody of, it throws.
    object.addEventListener("open", () => this.#opened());
    object.addEventListener("message", (e: { readonly data: unknown }) => this.#came(e.data));
    object.addEventListener("error", (e: Failure) => this.#failed(e));
    object.addEventListener("close", (e: { readonly code: number; readonly reason: string }) =>
      this.#left(e.code, e.reason),
    );
    if (object.readyState === CONNECTING) return;
    // Never inside the caller's call: it is still putting layers on this one.
    context.env.tick(() => {
      if (object.readyState === OPEN) this.#opened();
      else this.#lose(new ClosedError("websocket: it was closed before it was dialed"));
    });
  }

  #opened(): void {
    if (this.#closed || this.#open) return;
    const { protocol, identity } = this.context;
    const { url, protocol: subprotocol } = this.object;
    const ours = namesOf(url ? protocol?.peer : protocol?.type, [], this.context);
    if (ours.length > 0 && agreed([subprotocol], ours) === undefined) {
      const plain = ours.map((name) => bare(name)[0]);
      return this.#drop(
        agreed([bare(subprotocol)[0]], plain) === undefined
          ? new PeerError(`websocket: the subprotocol is '${subprotocol}', not '${ours[0]}'`)
          : unannounced(identity),
      );
    }
    const facts: Facts = {
      remote: url || this.url,
      ...(subprotocol === "" ? {} : { subprotocol }),
      ...(protocol === undefined ? {} : { type: protocol.peer }),
    };
    this.#open = true;
    this.above.event({ type: "opened", facts });
    this.#drain();
  }

  // --- down ---

  override down(m: Message): void {
    if (this.#closing || this.#closed) return;
    const object = this.object;
    const octets = m.bytes.subarray(m.start, m.end) as Uint8Array<ArrayBuffer>;
    object.send(m.text && this.context.text ? decoder.decode(octets) : octets);
    if (this.#full || object.bufferedAmount < IN_FLIGHT) return;
    this.#full = true;
    this.above.event(STOP);
    this.#look();
  }

  /** Looks again and again, until there is room. */
  #look(): void {
    const look = () => {
      if (this.object.bufferedAmount >= IN_FLIGHT) return this.#look();
      this.#full = false;
      this.above.event(GO);
    };
    this.#timer = this.context.env.timer(LOOK, look, true);
  }

  override control(c: Control): void {
    switch (c.type) {
      case "stop":
        this.#stopped = true;
        return this.object.pause?.();
      case "go":
        this.#stopped = false;
        this.#drain();
        if (!this.#stopped) this.object.resume?.();
        return;
      case "end":
        return this.#end();
      case "close":
        return this.#drop(c.error);
    }
  }

  /** Says close behind all that was sent, and waits for the peer to say it. */
  #end(): void {
    if (!this.#open || this.#last) return this.#drop(undefined);
    if (!this.#say(Code.normal)) return;
    this.#timer = this.context.env.timer(PATIENCE, () => this.#lose(), true);
    this.#forget();
    this.object.resume?.();
  }

  #drop(error: Error | undefined): void {
    if (error === undefined) this.#say(Code.goingAway);
    else this.#say(error instanceof WireError ? Code.protocolError : Code.policyViolation);
    this.#lose(error);
  }

  /** Says close, once. */
  #say(code: number): boolean {
    if (this.#closing || this.#closed) return false;
    this.#closing = true;
    this.#timer?.cancel();
    try {
      this.object.close(code);
    } catch {
      this.object.close(code === Code.goingAway ? Code.normal : code + PRIVATE);
    }
    if (this.#open) this.above.event(STOP);
    return true;
  }

  /** The connection is gone, for the side above. */
  #lose(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#forget();
    const why = this.#error ?? error;
    const { env } = this.context;
    env.tick(() =>
      this.above.event(why === undefined ? { type: "closed" } : { type: "closed", error: why }),
    );
    const { object } = this;
    // So that it hears the peer's goodbye.
    if (this.#stopped) object.resume?.();
    if (object.readyState === CLOSED || object.terminate === undefined) return;
    env.timer(PATIENCE, () => object.terminate?.(), true);
  }

  /** Nobody will take what is held. */
  #forget(): void {
    for (; this.#from < this.#held.length; this.#from++) this.#late();
    this.#held = [];
    this.#from = 0;
  }

  #late(): void {
    this.context.stats.drop("websocket: after close");
  }

  // --- up ---

  #came(data: unknown): void {
    if (this.#closed) return;
    if (this.#closing) return this.#late();
    const octets = this.#octetsOf(data);
    if (octets === undefined || !this.#fits(octets.length)) return;
    const m = Message.of(octets);
    m.text = typeof data === "string";
    if (this.#open && !this.#stopped) return this.above.up(m);
    if (this.#weight > HELD) {
      this.#late();
      this.#say(Code.policyViolation);
      const said = `${HELD} octets wait for the application, and the peer cannot be made to`;
      return this.#finish(new PeerError(`websocket: ${said}`));
    }
    this.#held.push(m);
    this.#weight += m.length + COST;
  }

  #octetsOf(data: unknown): Uint8Array | undefined {
    if (data instanceof ArrayBuffer) return new Uint8Array(data);
    if (typeof data !== "string") {
      this.#drop(new StateError("websocket: 'binaryType' has to stay 'arraybuffer'"));
    } else if (!this.context.text) {
      this.#fail(Code.unsupportedData, "ws.text: nobody here reads text");
    } else if (this.#fits(data.length)) return encoder.encode(data);
    return undefined;
  }

  /** Whether a message may be so long. No character of a text takes less than an octet. */
  #fits(length: number): boolean {
    const { recvMax } = this.context.limits;
    if (recvMax === 0 || length <= recvMax) return true;
    const said = `recvMax: a message of ${length} octets; ${recvMax} are allowed`;
    this.#fail(Code.messageTooBig, said);
    return false;
  }

  /** Hands on what is held, until the side above says stop. */
  #drain(): void {
    while (this.#from < this.#held.length && !this.#stopped) {
      const m = this.#held[this.#from] as Message;
      this.#held[this.#from++] = undefined as never;
      this.#weight -= m.length + COST;
      this.above.up(m);
    }
    if (this.#from === this.#held.length || this.#from > 1024) {
      this.#held.splice(0, this.#from);
      this.#from = 0;
    }
    if (this.#last && this.#held.length === 0) this.#lose();
  }

  #fail(code: number, said: string): void {
    this.#say(code);
    this.#finish(new WireError("websocket", said));
  }

  /** Nothing more comes. What came before is the side above's, when it takes it. */
  #finish(error?: Error): void {
    this.#error ??= error;
    this.#last = true;
    if (this.#from === this.#held.length) this.#lose();
  }

  #failed({ error, message = error?.message }: Failure): void {
    const { code } = error ?? {};
    if (code?.startsWith("WS_ERR_")) {
      this.#error ??= new WireError("websocket", `ws.frame: ${message}`);
    } else if (code !== undefined) {
      this.#error ??= new SystemError(this.#open ? this.url : `connect ${this.url}`, error);
    } else if (message) this.#error ??= new PeerError(`websocket: ${message}`);
    // A close should follow; node's own does without.
    if (!this.#open) this.#left(NO_CLOSE, "");
  }

  #left(code: number, reason: string): void {
    if (this.#closed || this.#last) return;
    this.#closing = true;
    this.#timer?.cancel();
    if (this.#open) {
      this.above.event(STOP);
      return this.#finish(farewell(code, reason));
    }
    const message = "nobody is there who lets us in; a browser does not say more";
    this.#finish(new SystemError(`connect ${this.url}`, { message }));
  }
}

/** Why the peer closed, if it is worth a word. */
function farewell(code: number, reason: string): Error | undefined {
  if (code === Code.normal || code === Code.goingAway || code === NO_CODE) return undefined;
  if (code === NO_CLOSE) return new PeerError("websocket: lost without a goodbye");
  const said = reason === "" ? "" : `: ${JSON.stringify(reason)}`;
  return new PeerError(`the peer closed with ${code}${said}`);
}
