/** TCP: octets, without Nagle's delay on either side. */
import { hostAndPort, textOf } from "../address.js";
import type { Ground, Layer } from "../layer.js";
import { count, named, time } from "../option.js";
import { dialStream, listenStream } from "../stream.js";

/** Milliseconds that every system counts, as seconds in 15 bits. RFC 9293 §3.8.4. */
const MOST = 32_767_000;

export interface TcpOptions {
  /**
   * Milliseconds of silence after which the system asks the peer's whether the connection is still there,
   * in whole seconds; false: never. A peer that is gone without a word is lost some seconds later.
   * Default: 30,000.
   */
  readonly keepAlive?: number | false;
  /** A listener's: connections that may wait to be accepted, if the system allows. Default: 1024. */
  readonly backlog?: number;
}

declare module "../layer.js" {
  interface LayerOptions {
    readonly tcp?: TcpOptions;
  }
}

/**
 * Octets over TCP: `tcp://HOST:PORT`, HOST a name, an IPv4 address, an IPv6 address in brackets, or `*` for
 * whoever listens; port 0 is any that is free. Throws RangeError for options; `dial` and `listen` throw
 * StackError for an address that is none, `listen` rejects with SystemError.
 */
export function tcp(options: TcpOptions = {}): Layer<Ground, "octets", "tcp"> {
  const { keepAlive = 30_000, backlog = 1024 } = named("tcp", options, {
    keepAlive: true,
    backlog: true,
  });
  const settings = {
    backlog: count("tcp.backlog", backlog, 1),
    ...(keepAlive === false ? {} : { keepAlive: time("tcp.keepAlive", keepAlive, 1000, MOST) }),
  };
  return {
    name: "tcp",
    below: "ground",
    above: "octets",
    transport: {
      paths: true,
      copies: true,
      dial: (rest, context) =>
        dialStream(hostAndPort(context.scheme, rest, "dial"), context, settings),
      async listen(rest, context, accept) {
        const where = hostAndPort(context.scheme, rest, "listen");
        const bound = await listenStream(where, context, accept, settings);
        return { rest: textOf(bound.local), close: () => bound.close() };
      },
    },
  };
}
