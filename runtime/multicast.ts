/**
 * One message to many connections, made octets once.
 *
 * Where layers make the same octets of a message for every connection, as SP's framing does, those who
 * stand on such layers are a group: it runs these layers once, has one block, and at the end of a tick
 * hands what is in it to all as one run of octets, borrowed by each. It is a block as any other: full, it
 * is handed on at once.
 */
import { BLOCK, Block } from "./block.js";
import type { Pipe } from "./hub.js";
import { type Down, Element, type Layer, type PipeContext } from "./layer.js";
import { Message } from "./message.js";

const NO_BODY = new Uint8Array(0);

/** Of a connection: what may be shared of it. */
export interface Alike {
  /** Layers under the hub that are alike for all connections, the uppermost first. */
  readonly layers: readonly Layer[];
  /** What they stand on. */
  readonly below: Down;
  readonly context: PipeContext;
}

/**
 * What may be shared of a connection whose uppermost element is `top`; undefined if that is nothing, or if
 * whoever reads it would share it, too.
 */
export function alikeOf(
  top: Element,
  layers: readonly Layer[],
  context: PipeContext,
): Alike | undefined {
  if (layers.at(-1)?.transport?.copies !== true) return undefined;
  // Where ends introduce themselves there is an element more, and layers that are rarely alike.
  if (context.identity.length > 0) return undefined;
  let below: Down = top;
  for (const [i, layer] of layers.entries()) {
    if (layer.alike !== true) return undefined;
    below = (below as Element).below;
    if (layer.below === "octets") return { layers: layers.slice(0, i + 1), below, context };
  }
  return undefined;
}

export class Group extends Element {
  /** Connections that take part, whether they take messages now or not. */
  size = 0;
  readonly #takers = new Set<Pipe>();
  readonly #context: PipeContext;
  readonly #top: Down;
  #scheduled = false;
  readonly #tick = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  constructor({ layers, context }: Alike) {
    super();
    const own = { ...context, block: new Block(context.stats) };
    let top: Element = new Octets(own.block, () => this.#filled());
    for (const layer of layers.toReversed()) {
      const element = layer.make?.(own) as Element;
      element.below = top;
      top = element;
    }
    this.#context = own;
    this.#top = top;
  }

  /** Somebody takes messages. */
  get ready(): boolean {
    return this.#takers.size > 0;
  }

  /** Connections that miss a message now. */
  get idle(): number {
    return this.size - this.#takers.size;
  }

  add(pipe: Pipe): void {
    this.size++;
    if (pipe.ready) this.turned(pipe, true);
  }

  delete(pipe: Pipe): void {
    this.size--;
    this.#takers.delete(pipe);
  }

  /** A connection takes messages, or takes no more; those that wait are for who took them until now. */
  turned(pipe: Pipe, ready: boolean): void {
    this.flush();
    if (ready) this.#takers.add(pipe);
    else this.#takers.delete(pipe);
  }

  override down(m: Message): void {
    this.#top.down(m);
  }

  #filled(): void {
    const { block, env } = this.#context;
    if (block.length >= BLOCK) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      env.tick(this.#tick);
    }
  }

  /** Hands on what waits. Before anything else goes to one of the connections. */
  flush(): void {
    const { block, slab } = this.#context;
    if (block.length === 0) return;
    const pieces = block.take();
    // Who takes no more in the meantime has taken these.
    for (const { alike } of [...this.#takers]) {
      const m = Message.around(NO_BODY, 0, slab);
      m.rest = pieces;
      m.lent = true;
      alike?.below.down(m);
    }
  }
}

/** Where a group's messages become octets of its block. */
class Octets extends Element {
  constructor(
    readonly block: Block,
    readonly filled: () => void,
  ) {
    super();
  }

  override down(m: Message): void {
    this.block.put(m);
    this.filled();
  }
}
