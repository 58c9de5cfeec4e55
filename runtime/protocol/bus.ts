/**
 * BUS: each message to all neighbours, and no further. Who takes no more misses it, and it is counted.
 *
 * nanomsg rfc/sp-bus-01. No header on the wire. `stack(bus(), xbus())`
 */
import { Type } from "../../generated/sp/greeting.js";
import { Hub } from "../hub.js";
import { Element, type Layer, type Protocol } from "../layer.js";
import type { Message } from "../message.js";
import { Exchanger, Raw, type Socket } from "../port.js";

const buses: Protocol = { name: "bus", type: Type.bus, peer: Type.bus };

class XBus extends Hub {
  /** Not back to where it came from: so a device of one socket does not echo. */
  override down(m: Message): void {
    this.spread(m, "bus: the peer takes no more");
  }
}

/** BUS, raw. */
export function xbus(): Layer<"link", "raw", "xbus"> {
  return {
    name: "xbus",
    below: "link",
    above: "raw",
    hub: true,
    protocol: buses,
    port: (s: Socket) => new Raw(s),
    make: (context) => new XBus(context, buses, false),
  };
}

/** BUS: `send` and `receive`. */
export function bus(): Layer<"raw", "bus", "bus"> {
  return {
    name: "bus",
    below: "raw",
    above: "bus",
    raw: xbus,
    port: (s: Socket) => new Exchanger(s),
    make: () => new Element(),
  };
}

declare module "../layer.js" {
  interface Ports {
    bus: Exchanger;
  }
}
