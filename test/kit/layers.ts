/** Small layers that do all as layers do: what is planted into them is the only thing that is wrong. */
import * as star from "../../generated/sp/star.js";
import { Assembly } from "../../runtime/assembly.js";
import { WireError } from "../../runtime/error.js";
import {
  type Control,
  Element,
  type Event,
  type HeaderFacts,
  type Layer,
  type PipeContext,
} from "../../runtime/layer.js";
import { Message } from "../../runtime/message.js";

/** From link to link: four octets before each message. */
export class Mark extends Element {
  constructor(readonly context: PipeContext) {
    super();
  }

  override down(m: Message): void {
    m.push(star.MAX, this.context.slab);
    star.write(m.view, m.start, 1);
    this.below.down(m);
  }

  override up(m: Message): void {
    const n = m.measure(star.measure, this.context.slab);
    if (n < 0) return this.refuse(star.explain(n, m.view, m.start, m.end));
    m.pop(n);
    this.above.up(m);
  }

  refuse(said: string): void {
    this.below.control({ type: "close", error: new WireError("mark", said) });
  }
}

/** From octets to link: after a greeting of one octet, messages behind their lengths in four. */
export class Lengths extends Element {
  protected stopped = false;
  protected greeted = false;
  protected closed = false;
  protected part: number[] = [];
  protected assembly: Assembly | undefined;
  protected readonly chunks: Message[] = [];
  #parsing = false;

  constructor(readonly context: PipeContext) {
    super();
  }

  override down(m: Message): void {
    const { length } = m;
    m.push(4, this.context.slab);
    m.view.setUint32(m.start, length);
    this.below.down(m);
  }

  override event(e: Event): void {
    if (e.type === "opened") {
      this.facts = e.facts;
      return this.below.down(Message.of(Uint8Array.of(0x2a)));
    }
    if (e.type === "closed") this.closed = true;
    this.above.event(e);
  }
  protected facts = {};

  override control(c: Control): void {
    if (c.type === "stop" || c.type === "go") this.stopped = c.type === "stop";
    if (c.type === "close") this.closed = true;
    if (c.type === "go") this.parse();
    // It may have said stop again by now.
    if (c.type !== "go" || !this.stopped) this.below.control(c);
  }

  override up(chunk: Message): void {
    this.chunks.push(chunk);
    this.parse();
  }

  protected parse(): void {
    if (this.#parsing) return;
    this.#parsing = true;
    while (this.chunks.length > 0 && !this.stopped && !this.closed) {
      const chunk = this.chunks[0] as Message;
      if (chunk.start < chunk.end) this.take(chunk);
      else this.chunks.shift();
    }
    this.#parsing = false;
  }

  /** Takes one thing off a chunk. */
  protected take(chunk: Message): void {
    if (!this.greeted) return this.greet(chunk);
    if (this.assembly !== undefined) return this.go(chunk, this.assembly);
    this.part.push(chunk.bytes[chunk.start++] as number);
    if (this.part.length < 4) return;
    const length = this.claimed(this.part.reduce((n, octet) => n * 256 + octet, 0));
    this.part = [];
    if (length > this.most) return this.refuse(`recvMax: ${length} octets; ${this.most} at most`);
    const { bytes, view, start, end } = chunk;
    if (end - start < length) return this.begin(length);
    chunk.start += length;
    const m = new Message(bytes, view, start, start, chunk.start);
    m.shared = true;
    this.deliver(m);
  }

  protected deliver(m: Message): void {
    this.above.up(m);
  }

  protected get most(): number {
    return this.context.limits.recvMax;
  }

  protected claimed(length: number): number {
    return length;
  }

  /** A message of which only the first octets are here. */
  protected begin(length: number): void {
    this.assembly = new Assembly(4, length, this.context.stats);
  }

  protected go(chunk: Message, assembly: Assembly): void {
    const stop = Math.min(chunk.end, chunk.start + assembly.missing);
    assembly.add(chunk.bytes, chunk.start, stop);
    chunk.start = stop;
    if (assembly.missing === 0) this.whole(assembly);
  }

  protected whole(assembly: Assembly): void {
    this.assembly = undefined;
    this.above.up(assembly.message());
  }

  protected greet(chunk: Message): void {
    if (chunk.bytes[chunk.start++] !== 0x2a) return this.refuse("greeting, octet 0: is not 42");
    this.greeted = true;
    this.above.event({ type: "opened", facts: this.facts });
  }

  refuse(said: string): void {
    this.control({ type: "close", error: new WireError("lengths", said) });
  }
}

/** From octets to octets: each is another on the wire. */
export class Turned extends Element {
  constructor(readonly context: PipeContext) {
    super();
  }

  override down(m: Message): void {
    // The body may be others' too.
    const copy = this.context.block.gather(m, this.context.room);
    this.turn(copy);
    this.below.down(copy);
  }

  override up(m: Message): void {
    this.turn(m);
    this.above.up(m);
  }

  override control(c: Control): void {
    // Who borrowed the connection would go past it.
    if (c.type === "lend") c.to(undefined);
    else this.below.control(c);
  }

  protected turn({ bytes, start, end }: Message): void {
    for (let i = start; i < end; i++) bytes[i] = (bytes[i] as number) ^ 0x55;
  }
}

const LENGTH: HeaderFacts = { name: "test.length", head: 4, tail: 0 };

type Made<L> = Partial<L> & { readonly with?: new (context: PipeContext) => Element };

export function mark({ with: Class = Mark, ...more }: Made<Layer<"link", "link">> = {}) {
  const layer: Layer<"link", "link"> = {
    name: "mark",
    below: "link",
    above: "link",
    headers: [star.HEADER],
    make: (context) => new Class(context),
  };
  return { ...layer, ...more };
}

export function lengths({ with: Class = Lengths, ...more }: Made<Layer<"octets", "link">> = {}) {
  const layer: Layer<"octets", "link"> = {
    name: "lengths",
    below: "octets",
    above: "link",
    headers: [LENGTH],
    make: (context) => new Class(context),
  };
  return { ...layer, ...more };
}

export function turned({ with: Class = Turned, ...more }: Made<Layer<"octets", "octets">> = {}) {
  const layer: Layer<"octets", "octets"> = {
    name: "turned",
    below: "octets",
    above: "octets",
    contiguous: "itself",
    make: (context) => new Class(context),
  };
  return { ...layer, ...more };
}
