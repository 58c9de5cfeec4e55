/** What a layer makes of octets that its author writes down: the rules of one's own are nobody else's to test. */
import { Message } from "../message.js";
import { Couple } from "./couple.js";
import { enter } from "./outside.js";
import { ready } from "./ready.js";
import type { KitOptions } from "./terms.js";

/** What became of octets. */
export interface Fed {
  /** Messages that came up, in order. */
  readonly messages: readonly Uint8Array[];
  /** Why the connection was closed, if it was. */
  readonly error: Error | undefined;
  /** What was dropped, or is malformed, by rule. */
  readonly counted: Readonly<Record<string, number>>;
}

/**
 * Brings octets to the listening side of a connection that is open: each is a message, or, to who stands on octets,
 * what comes at a time. Throws TypeError or RangeError for options, and whatever the layer throws.
 */
export function feed(options: KitOptions, ...given: readonly Uint8Array[]): Fed {
  const couple = new Couple(ready(options)).open();
  const { top, wire, context } = couple.listen;
  top.strict = false;
  enter(context.env);
  for (const octets of given) {
    if (wire.closed) break;
    wire.above.up(Message.of(octets.slice()));
    context.env.settle();
  }
  if (wire.ending) wire.lose();
  couple.judge();
  const close = wire.controls.find((c) => c.type === "close");
  const closed = top.events.find((e) => e.type === "closed");
  return {
    messages: top.got,
    error: close?.error ?? closed?.error,
    counted: { ...context.stats.dropped, ...context.stats.malformed },
  };
}
