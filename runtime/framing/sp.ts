/**
 * SP over any octets, and over local sockets: a greeting each way, then messages behind their lengths.
 *
 * nanomsg rfc/sp-tcp-mapping-01, rfc/sp-ipc-mapping-01. The two differ in the header of a message only.
 * Stands on octets, shows a link. What breaks a rule closes the connection, and is counted.
 * `stack(req(), xreq(), sp(), tcp())`
 */
import * as greeting from "../../generated/sp/greeting.js";
import * as ipcLength from "../../generated/sp/ipc.js";
import * as tcpLength from "../../generated/sp/tcp.js";
import { Assembly } from "../assembly.js";
import { PeerError, StackError, WireError } from "../error.js";
import { unannounced } from "../identity.js";
import {
  type Control,
  Element,
  type Event,
  type Facts,
  type HeaderFacts,
  type Layer,
  type PipeContext,
  type Protocol,
} from "../layer.js";
import { Message } from "../message.js";

/** A header that says how many octets its message has. */
interface LengthCodec {
  readonly MAX: number;
  readonly HEADER: HeaderFacts;
  decode(v: DataView, o: number, end: number, into: { length: number }): number;
  prepend(v: DataView, end: number, length: number): number;
  explain(n: number, v: DataView, o: number, end: number): string;
}

// Plain objects: calls through a module's namespace are slower. By name: a bundle keeps what is used.
const TCP: LengthCodec = {
  MAX: tcpLength.MAX,
  HEADER: tcpLength.HEADER,
  decode: tcpLength.decode,
  prepend: tcpLength.prepend,
  explain: tcpLength.explain,
};
const IPC: LengthCodec = {
  MAX: ipcLength.MAX,
  HEADER: ipcLength.HEADER,
  decode: ipcLength.decode,
  prepend: ipcLength.prepend,
  explain: ipcLength.explain,
};

export interface SpOptions {
  /** What to greet with, where no protocol stands above: in a stack without a hub. */
  readonly protocol?: Protocol;
}

declare module "../layer.js" {
  interface LayerOptions {
    readonly sp?: SpOptions;
    readonly spIpc?: SpOptions;
  }
}

/** SP over TCP, TLS or any other stream. */
export function sp(options: SpOptions = {}): Layer<"octets", "link", "sp"> {
  return framing("sp", TCP, options);
}

/** SP over local sockets: an octet more before each length. */
export function spIpc(options: SpOptions = {}): Layer<"octets", "link", "spIpc"> {
  return framing("spIpc", IPC, options);
}

function framing<N extends string>(
  name: N,
  length: LengthCodec,
  { protocol }: SpOptions,
): Layer<"octets", "link", N> {
  return {
    name,
    below: "octets",
    above: "link",
    headers: [length.HEADER],
    make: (context) => new Framing(name, length, context, protocol),
  };
}

const NO_BODY = new Uint8Array(0);
/** Without a limit of ours there is still the system's: no buffer is longer than 4 GiB on node 20. */
const LONGEST = 0xffff_0000;

class Framing extends Element {
  #greeted = false;
  #stopped = false;
  #closed = false;
  #parsing = false;
  #facts: Facts = {};
  /** A header of which only the first octets are here. */
  #part: Uint8Array | undefined;
  /** A message of which only the first octets are here. */
  #assembly: Assembly | undefined;
  /** What came and is not yet taken apart: it waits while the side above says stop. */
  #chunks: Message[] = [];
  readonly #header = { length: 0 };

  constructor(
    readonly name: string,
    readonly length: LengthCodec,
    readonly context: PipeContext,
    readonly own: Protocol | undefined,
  ) {
    super();
  }

  override down(m: Message): void {
    const n = m.length;
    m.push(this.length.MAX, this.context.slab);
    this.length.prepend(m.view, m.start + this.length.MAX, n);
    this.below.down(m);
  }

  override control(c: Control): void {
    switch (c.type) {
      case "stop":
        this.#stopped = true;
        break;
      case "go":
        this.#stopped = false;
        this.#parse();
        if (this.#stopped) return;
        break;
      case "close":
      case "end":
        this.#closed = true;
    }
    this.below.control(c);
  }

  override event(e: Event): void {
    if (e.type === "opened") return this.#greet(e.facts);
    if (e.type === "closed") this.#closed = true;
    this.above.event(e);
  }

  #greet(facts: Facts): void {
    this.#facts = facts;
    const { slab } = this.context;
    const protocol = this.context.protocol ?? this.own;
    if (protocol === undefined) {
      const said = `'${this.name}' greets with a protocol's number, and no layer above has one`;
      return this.control({
        type: "close",
        error: new StackError(`${said}: give it as an option`),
      });
    }
    const m = Message.around(NO_BODY, greeting.MAX, slab);
    m.push(greeting.MAX, slab);
    greeting.write(m.view, m.start, protocol.type, this.#announced);
    this.below.down(m);
  }

  override up(chunk: Message): void {
    this.#chunks.push(chunk);
    if (!this.#stopped) this.#parse();
  }

  /** Takes whole messages off the chunks that are here, in one loop, until the side above says stop. */
  #parse(): void {
    if (this.#parsing) return;
    this.#parsing = true;
    while (this.#chunks.length > 0 && !this.#stopped && !this.#closed) {
      const chunk = this.#chunks[0] as Message;
      this.#take(chunk);
      if (chunk.start === chunk.end) this.#chunks.shift();
    }
    this.#parsing = false;
    if (this.#closed) this.#chunks = [];
  }

  /** Takes messages off one chunk; its `start` is how far it got. */
  #take(chunk: Message): void {
    if (this.#part !== undefined) this.#join(chunk, this.#part);
    if (this.#assembly !== undefined) this.#continue(chunk, this.#assembly);
    const { bytes, view, end } = chunk;
    const header = this.#header;
    while (chunk.start < end && !this.#stopped && !this.#closed) {
      const o = chunk.start;
      if (!this.#greeted) {
        const n = greeting.measure(view, o, end);
        if (n < 0) return this.#short(n, chunk, greeting.explain);
        chunk.start = o + n;
        this.#opened(greeting.getType(view, o), greeting.getStack(view, o));
        continue;
      }
      const n = this.length.decode(view, o, end, header);
      if (n < 0) return this.#short(n, chunk, this.length.explain);
      const body = o + n;
      const stop = body + header.length;
      if (this.#tooLong(header.length)) return;
      if (stop > end) {
        chunk.start = end;
        this.#assembly = new Assembly(n, header.length, this.context.stats);
        this.#assembly.add(bytes, body, end);
        return;
      }
      chunk.start = stop;
      const m = new Message(bytes, view, o, body, stop);
      m.shared = true;
      this.above.up(m);
    }
  }

  /** The header is not whole, or not right. */
  #short(n: number, chunk: Message, explain: LengthCodec["explain"]): void {
    const { bytes, view, start, end } = chunk;
    if (n <= -0x1000000) return this.#close(explain(n, view, start, end));
    this.#part = bytes.slice(start, end);
    chunk.start = end;
  }

  /** A header began in an earlier chunk: brings it before what is left of this one, as far as needed. */
  #join(chunk: Message, part: Uint8Array): void {
    const most = this.#greeted ? this.length.MAX : greeting.MAX;
    const more = Math.min(most - part.length, chunk.end - chunk.start);
    const joined = new Uint8Array(part.length + more);
    joined.set(part);
    joined.set(chunk.bytes.subarray(chunk.start, chunk.start + more), part.length);
    this.#part = undefined;
    chunk.start += more;
    this.#take(Message.of(joined));
  }

  #continue(chunk: Message, assembly: Assembly): void {
    const stop = Math.min(chunk.end, chunk.start + assembly.missing);
    assembly.add(chunk.bytes, chunk.start, stop);
    chunk.start = stop;
    if (assembly.missing > 0) return;
    this.#assembly = undefined;
    this.above.up(assembly.message());
  }

  get #announced(): greeting.Stack {
    return this.context.identity.length > 0 ? greeting.Stack.described : greeting.Stack.plain;
  }

  #opened(type: number, stack: greeting.Stack): void {
    this.#greeted = true;
    const { own } = this;
    // Whom it talks to comes first: who is of another protocol need not have the same layers.
    const { protocol = own } = this.context;
    if (stack !== this.#announced && (protocol === undefined || type === protocol.peer)) {
      return this.control({ type: "close", error: unannounced(this.context.identity) });
    }
    if (this.context.protocol === undefined && own !== undefined && type !== own.peer) {
      return this.control({ type: "close", error: PeerError.stranger(type, own) });
    }
    this.above.event({ type: "opened", facts: { ...this.#facts, type } });
  }

  #tooLong(length: number): boolean {
    const most = this.context.limits.recvMax || LONGEST;
    if (length <= most) return false;
    this.#close(`recvMax: a message of ${length} octets; ${most} are allowed`);
    return true;
  }

  #close(said: string): void {
    this.control({ type: "close", error: new WireError(this.name, said) });
  }
}
