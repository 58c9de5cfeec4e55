/**
 * STAR: each message to every member, passed on by each of them; never back to where it came from.
 *
 * mangos protocol/xstar; there is no RFC. A count of hops before each body, from 0, ends what goes in
 * circles. Who takes no more misses it, and so does an application; both are counted.
 * `stack(star(), xstar())`
 */
import { Type } from "../../generated/sp/greeting.js";
import * as header from "../../generated/sp/star.js";
import { type Hops, onward } from "../hops.js";
import { Hub, type Pipe } from "../hub.js";
import {
  type Context,
  Element,
  type Layer,
  type Protocol,
  type TtlOptions,
  ttlOf,
} from "../layer.js";
import type { Message } from "../message.js";
import { Exchanger, Raw, type Socket } from "../port.js";

// By name: of a module that is handed on whole, a bundle for a page keeps all.
const hops: Hops = {
  MAX: header.MAX,
  measure: header.measure,
  getHops: header.getHops,
  write: header.write,
};
const stars: Protocol = { name: "star", type: Type.star, peer: Type.star };

class XStar extends Hub {
  constructor(
    context: Context,
    readonly ttl: number,
  ) {
    super(context, stars, false);
  }

  override down(m: Message): void {
    const { context } = this;
    // What came from a connection is passed on.
    const out = m.pipe === undefined ? m : onward(m, hops, context);
    if (out === undefined) context.stats.drop("star: no header");
    else this.spread(out, "star: the peer takes no more");
  }

  override receive(m: Message, _pipe: Pipe): void {
    const { slab, stats } = this.context;
    let n = header.measure(m.view, m.start, m.end);
    if (n < 0) n = m.measure(header.measure, slab);
    if (n <= -0x1000000) return stats.breach("sp.star.reserved");
    if (n < 0) return stats.breach("sp.star");
    if (header.getHops(m.view, m.start) >= this.ttl) return stats.drop("ttl");
    this.down(m);
    this.above.up(m);
  }
}

class Star extends Element {
  constructor(readonly context: Context) {
    super();
  }

  override down(m: Message): void {
    m.push(header.MAX, this.context.slab);
    header.write(m.view, m.start, 0);
    this.below.down(m);
  }

  override up(m: Message): void {
    m.pop(header.MAX);
    this.above.up(m);
  }
}

/** STAR, raw: messages begin with their count of hops. */
export function xstar(options: TtlOptions = {}): Layer<"link", "raw", "xstar"> {
  const ttl = ttlOf(options);
  return {
    name: "xstar",
    below: "link",
    above: "raw",
    hub: true,
    protocol: stars,
    port: (s: Socket) => new Raw(s, header.measure),
    make: (context) => new XStar(context, ttl),
  };
}

/** STAR: `send` and `receive`. */
export function star(options: TtlOptions = {}): Layer<"raw", "star", "star"> {
  ttlOf(options);
  return {
    name: "star",
    below: "raw",
    above: "star",
    headers: [header.HEADER],
    raw: () => xstar(options),
    // A member whose application is slow still passes on what the others say.
    port: (s: Socket) => new Exchanger(s, "drop-new"),
    make: (context) => new Star(context),
  };
}

declare module "../layer.js" {
  interface Ports {
    star: Exchanger;
  }
}
