/**
 * PAIR, version 1: as version 0, with a count of hops before each body, so that devices may pass it on.
 *
 * nanomsg/rfcs sp-pair-v1. mangos counts from 0 where the RFC says 1: both are taken, 1 is sent.
 * `stack(pair1(), xpair1())`
 */
import { Type } from "../../generated/sp/greeting.js";
import * as header from "../../generated/sp/pair1.js";
import { WireError } from "../error.js";
import { type Hops, onward } from "../hops.js";
import { Hub, type Pipe } from "../hub.js";
import { type Context, type Layer, type Protocol, type TtlOptions, ttlOf } from "../layer.js";
import type { Message } from "../message.js";
import { Exchanger, Raw, type Socket } from "../port.js";
import { Waiting } from "../waiting.js";

// By name: of a module that is handed on whole, a bundle for a page keeps all.
const hops: Hops = {
  MAX: header.MAX,
  measure: header.measure,
  getHops: header.getHops,
  write: header.write,
};
const pairs: Protocol = { name: "pair1", type: Type.pair1, peer: Type.pair1 };

class XPair1 extends Hub {
  constructor(
    context: Context,
    readonly ttl: number,
  ) {
    super(context, pairs, true);
  }

  override refuses(): string | undefined {
    return this.pipes.length > 0 ? "pair1 has a peer already" : undefined;
  }

  override down(m: Message): void {
    const { context } = this;
    const pipe = this.turn();
    if (pipe === undefined) return context.stats.drop("pair1: nobody is ready");
    // What came from a connection is passed on.
    const out = m.pipe === undefined ? m : onward(m, hops, context);
    if (out === undefined) context.stats.drop("pair1: no header");
    else pipe.down(out);
  }

  override receive(m: Message, pipe: Pipe): void {
    const { slab, stats } = this.context;
    let n = header.measure(m.view, m.start, m.end);
    if (n < 0) n = m.measure(header.measure, slab);
    if (n < 0)
      return pipe.close(new WireError("xpair1", header.explain(n, m.view, m.start, m.end)));
    if (header.getHops(m.view, m.start) > this.ttl) return stats.drop("ttl");
    this.above.up(m);
  }
}

class Pair1 extends Waiting {
  override down(m: Message): void {
    m.push(header.MAX, this.context.slab);
    header.write(m.view, m.start, 1);
    super.down(m);
  }

  override up(m: Message): void {
    m.pop(header.MAX);
    this.above.up(m);
  }
}

/** PAIR 1, raw: messages begin with their count of hops. */
export function xpair1(options: TtlOptions = {}): Layer<"link", "raw", "xpair1"> {
  const ttl = ttlOf(options);
  return {
    name: "xpair1",
    below: "link",
    above: "raw",
    hub: true,
    protocol: pairs,
    port: (s: Socket) => new Raw(s, header.measure),
    make: (context) => new XPair1(context, ttl),
  };
}

/** PAIR 1: `send` and `receive`. */
export function pair1(options: TtlOptions = {}): Layer<"raw", "pair1", "pair1"> {
  ttlOf(options);
  return {
    name: "pair1",
    below: "raw",
    above: "pair1",
    headers: [header.HEADER],
    raw: () => xpair1(options),
    port: (s: Socket) => new Exchanger(s),
    make: (context) => new Pair1(context),
  };
}

declare module "../layer.js" {
  interface Ports {
    pair1: Exchanger;
  }
}
