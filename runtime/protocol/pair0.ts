/**
 * PAIR, version 0: two who send to each other. A second peer is refused while there is a first.
 *
 * nanomsg/rfcs sp-pair-v0. No header on the wire. Waits while the peer takes no more, or is not there.
 * `stack(pair0(), xpair0())`
 */
import { Type } from "../../generated/sp/greeting.js";
import { Hub } from "../hub.js";
import type { Layer, Protocol } from "../layer.js";
import type { Message } from "../message.js";
import { Exchanger, Raw, type Socket } from "../port.js";
import { Waiting } from "../waiting.js";

const pairs: Protocol = { name: "pair0", type: Type.pair0, peer: Type.pair0 };

class XPair0 extends Hub {
  override refuses(): string | undefined {
    return this.pipes.length > 0 ? "pair0 has a peer already" : undefined;
  }

  override down(m: Message): void {
    const pipe = this.turn();
    if (pipe === undefined) this.context.stats.drop("pair0: nobody is ready");
    else pipe.down(m);
  }
}

/** PAIR 0, raw. */
export function xpair0(): Layer<"link", "raw", "xpair0"> {
  return {
    name: "xpair0",
    below: "link",
    above: "raw",
    hub: true,
    protocol: pairs,
    port: (s: Socket) => new Raw(s),
    make: (context) => new XPair0(context, pairs, true),
  };
}

/** PAIR 0: `send` and `receive`. */
export function pair0(): Layer<"raw", "pair0", "pair0"> {
  return {
    name: "pair0",
    below: "raw",
    above: "pair0",
    raw: xpair0,
    port: (s: Socket) => new Exchanger(s),
    make: (context) => new Waiting(context),
  };
}

declare module "../layer.js" {
  interface Ports {
    pair0: Exchanger;
  }
}
