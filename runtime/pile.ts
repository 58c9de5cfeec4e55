/** Layers that run: elements on one another, for a connection or a socket. */
import { Block } from "./block.js";
import { StackError } from "./error.js";
import { framingOf, Introduction } from "./identity.js";
import {
  type Context,
  Element,
  type Layer,
  type Limits,
  type PipeContext,
  roomOf,
  type Transport,
} from "./layer.js";
import type { Message, Room } from "./message.js";

/**
 * Puts layers on the element of their lowest; from `highest` down octets are in one piece. `lent`: who
 * stands on them will borrow. `limits` are the application's: below who takes longer messages they are
 * that layer's.
 */
export function pile(
  transport: Element,
  layers: readonly Layer[],
  context: PipeContext,
  highest: number,
  lent: boolean,
  limits: Limits,
): Element {
  let top = transport;
  let own = context;
  // The lowest stands where the whole pile does.
  const { place } = context;
  const first = place.at + 1 - layers.length;
  const framing = context.identity.length > 0 ? framingOf(layers) : -1;
  for (let i = layers.length - 1; i >= 0; i--) {
    const layer = layers[i] as Layer;
    if (layer.longest !== undefined) own = { ...own, limits };
    own = {
      ...own,
      room: roomOf(layers.slice(i + 1)),
      place: { layers: place.layers, at: first + i },
    };
    // It writes for itself, and for all that is above it.
    if (layer.borrows) {
      const lend = lends(layers, i, lent);
      own = { ...context, block: new Block(context.stats), lend, place: own.place };
    }
    if (i < layers.length - 1) top = put(made(layer, own), top);
    if (i === highest && layer.contiguous !== "itself")
      top = put(new Gather(own.block, roomOf(layers.slice(i))), top);
    if (i === framing) top = put(new Introduction(own, roomOf(layers.slice(i)).head), top);
  }
  return top;
}

/**
 * Whether the one who stands on that layer borrows its connection: who stands between them sees the octets
 * instead. `lent`: so does who stands on all of them.
 */
export function lends(layers: readonly Layer[], at: number, lent: boolean): boolean {
  return at === 0 ? lent : layers[at - 1]?.borrows === true;
}

/** Layers as one transport, whose connections will be borrowed. */
export function merged(layers: readonly Layer[]): Transport {
  const lowest = layers.at(-1)?.transport as Transport;
  // Who stands on them frames, and so introduces the ends to each other.
  const lent = (c: PipeContext) => {
    const all = [...c.place.layers.slice(0, c.place.at + 1), ...layers];
    const place = { layers: all, at: all.length - 1 };
    const lend = lends(layers, layers.length - 1, true);
    return { ...c, block: new Block(c.stats), lend, identity: [], place };
  };
  return {
    ...(lowest.paths ? { paths: true } : {}),
    ...(lowest.copies ? { copies: true } : {}),
    dial(rest, context, url) {
      const own = lent(context);
      return pile(lowest.dial(rest, own, url), layers, own, -1, true, own.limits);
    },
    listen(rest, context, accept) {
      return lowest.listen(rest, lent(context), (run) => {
        let element: ReturnType<typeof run> | undefined;
        accept((each) => {
          const own = lent(each);
          element = run(own);
          return pile(element, layers, own, -1, true, own.limits);
        });
        return element as ReturnType<typeof run>;
      });
    },
  };
}

/** Copies each message into one piece, with room for what is below. */
class Gather extends Element {
  constructor(
    readonly block: Block,
    readonly room: Room,
  ) {
    super();
  }

  override down(m: Message): void {
    this.below.down(this.block.gather(m, this.room));
  }
}

export function put<E extends Element>(upper: E, lower: Element): E {
  upper.below = lower;
  lower.above = upper;
  return upper;
}

export function made(layer: Layer, context: Context): Element {
  if (layer.make === undefined)
    throw new StackError(`'${layer.name}' can only be the lowest layer`);
  return layer.make(context as PipeContext);
}
