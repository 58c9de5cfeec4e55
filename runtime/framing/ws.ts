/**
 * WebSocket over any octets: an HTTP upgrade, then messages in frames. RFC 6455, without extensions.
 *
 * Under a scalability protocol a message is one binary WebSocket message and the subprotocol says what
 * a greeting says elsewhere; without one it is WebSocket as every browser speaks it. Stands on octets,
 * shows a link. A client masks what it sends, so it copies each body once, to where it is written from;
 * a layer's declaration knows no side, so this one does not insist on octets in one piece.
 * `stack(req(), xreq(), ws(), tcp())`
 */
import type * as NodeHttp from "node:http";
import * as frame from "../../generated/ws/frame.js";
import { StackError } from "../error.js";
import type { Layer, PipeContext, Transport } from "../layer.js";
import { type Names, named } from "../option.js";
import { merged } from "../pile.js";
import { Door, type Host } from "./ws/door.js";
import { type FrameOptions, Frames } from "./ws/frames.js";
import { Upgrade } from "./ws/upgrade.js";

export interface WsOptions {
  /** Where the address has no path, as over ipc. Default: `/`. */
  readonly path?: string;
  /**
   * Octets of a frame at most: longer messages go in several; 0: in one, however long. Default: 1 MiB, the
   * most that NNG takes.
   */
  readonly maxFrame?: number;
  /** A listener's: origins of pages whose scripts may connect, beside its own, as `https://example.org`. */
  readonly origins?: readonly string[];
  /** A listener's: an HTTP server that is there already. The address then only says the path. */
  readonly server?: NodeHttp.Server;
  /** A dialer's: what to name as its origin. */
  readonly origin?: string;
  /** A dialer's: more headers of its request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Subprotocols that a dialer offers or a listener knows, where no scalability protocol decides. */
  readonly protocols?: readonly string[];
}

declare module "../layer.js" {
  interface LayerOptions {
    readonly ws?: WsOptions;
  }
}

const FRAME = 1 << 20;
const OPTIONS: Names<WsOptions> = {
  path: true,
  maxFrame: true,
  origins: true,
  server: true,
  origin: true,
  headers: true,
  protocols: true,
};

/**
 * WebSocket over any octets, shown as a link: RFC 6455 without extensions. Throws RangeError for options; `dial`
 * and `listen` throw StackError for a path or a header that no request can have. What breaks the RFC closes the
 * connection with the code that it names, and is counted by its rule.
 */
export function ws(options: WsOptions = {}): Layer<"octets", "link", "ws"> {
  const { maxFrame = FRAME } = named("ws", options, OPTIONS);
  if (!Number.isSafeInteger(maxFrame) || maxFrame < 0) {
    throw new RangeError(
      `maxFrame is a whole number of octets, or 0 for no limit; not ${maxFrame}`,
    );
  }
  return {
    name: "ws",
    below: "octets",
    above: "link",
    headers: [frame.HEADER],
    text: "known",
    over: (below, name) => new Paths(merged(below), name, options),
  };
}

/** Doors in servers of the application's. */
const doors = new WeakMap<NodeHttp.Server, Door>();

/** A door at an address of its own, once it is bound. */
type Bound = Promise<{ readonly door: Door; readonly rest: string; close(): Promise<void> }>;

/** Addresses that go on with a path. */
class Paths implements Transport {
  constructor(
    readonly below: Transport,
    readonly name: string,
    readonly options: WsOptions,
  ) {}

  readonly dial: Transport["dial"] = (rest, context, url) => {
    const [where, path] = this.#split(rest);
    const { origin, protocols = [], headers = {} } = this.options;
    const host = this.below.paths ? where : "localhost";
    const upgrade = new Upgrade(context, { host, path, origin, protocols, headers });
    const lower = this.below.dial(where, context, url);
    upgrade.below = lower;
    lower.above = upgrade;
    const frames = new Frames(context, this.#frames(context));
    frames.below = upgrade;
    upgrade.above = frames;
    return frames;
  };

  readonly listen: Transport["listen"] = async (rest, context, accept) => {
    const [where, path] = this.#split(rest);
    if (context.env.net.adopt === undefined) {
      throw new StackError("'ws' needs connections of node's, to read HTTP from");
    }
    const { origins = [], protocols = [], server } = this.options;
    const frames = this.#frames(context);
    const host: Host = { path, origins, protocols, frames, context, accept };
    if (server !== undefined) {
      const door = doors.get(server) ?? new Door(server);
      doors.set(server, door);
      door.add(host, rest);
      const close = async () => {
        door.delete(host);
        if (door.empty) doors.delete(server);
      };
      return { rest, close };
    }
    return this.#share(where, host, rest);
  };

  /** Listens at an address, or with those who do already. */
  async #share(where: string, host: Host, url: string): ReturnType<Transport["listen"]> {
    const { names } = host.context.env;
    const key = (at: string) => `${this.name} ${at}`;
    const there = names.get(key(where)) as Bound | undefined;
    const bound = there ?? this.#bind(where, host, key);
    const { door, rest, close } = await bound;
    if (there !== undefined) door.add(host, url);
    return {
      rest: this.below.paths ? `${rest}${host.path}` : rest,
      close: async () => {
        door.delete(host);
        if (!door.empty) return;
        for (const at of [where, rest]) if (names.get(key(at)) === bound) names.delete(key(at));
        await close();
      },
    };
  }

  #bind(where: string, host: Host, key: (at: string) => string): Bound {
    const { context } = host;
    const { names } = context.env;
    const door = new Door();
    door.add(host, where);
    const bound = this.below
      .listen(where, context, (run) => {
        const element = run(context);
        const entrance = door.enter(context);
        entrance.below = element;
        element.above = entrance;
        return element;
      })
      .then(({ rest, close }) => {
        names.set(key(rest), bound);
        return { door, rest, close };
      });
    // So that two who listen at once share it; at port 0 each has its own.
    if (!/:0$/.test(where)) names.set(key(where), bound);
    bound.catch(() => names.delete(key(where)));
    return bound;
  }

  #frames({ text }: PipeContext): FrameOptions {
    return { maxFrame: this.options.maxFrame ?? FRAME, text };
  }

  #split(rest: string): [where: string, path: string] {
    const { path = "/" } = this.options;
    if (!this.below.paths) return [rest, path];
    const at = rest.indexOf("/");
    return at < 0 ? [rest, path] : [rest.slice(0, at), rest.slice(at)];
  }
}
