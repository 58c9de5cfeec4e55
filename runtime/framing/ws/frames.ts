/**
 * WebSocket's frames: messages in octets, behind an upgrade that others have seen to. RFC 6455 §5 to §8,
 * without extensions.
 *
 * A message may come in many frames, with others of control between them. What breaks a rule is
 * answered with a close frame that says what kind of rule it was, and is counted.
 */
import * as close from "../../../generated/ws/close.js";
import * as frame from "../../../generated/ws/frame.js";
import { Assembly } from "../../assembly.js";
import type { Timer } from "../../env.js";
import { PeerError, WireError } from "../../error.js";
import {
  CLOSE,
  type Control,
  Element,
  END,
  type Event,
  type Facts,
  GO,
  type PipeContext,
  STOP,
} from "../../layer.js";
import { Message } from "../../message.js";
import { type Keys, keysOf, mask, turned } from "./mask.js";

const { Code } = close;
const { Opcode } = frame;

/** Frames that a message may come in, empty ones too: each costs, however short it is. */
const PARTS = 16_384;
/** Milliseconds for the peer to close, when all has been said. */
const PATIENCE = 2000;
/** Without a limit of ours there is still the system's: no buffer is longer than 4 GiB on node 20. */
const LONGEST = 0xffff_0000;
const NO_BODY = new Uint8Array(0);

export interface FrameOptions {
  /** Octets of payload in a frame at most: longer messages go in several. 0: no limit. */
  readonly maxFrame: number;
  /** Somebody above takes text for text. */
  readonly text: boolean;
}

export class Frames extends Element {
  /** What was learnt of the peer before there were frames. */
  facts: Facts = {};
  readonly #masks: boolean;
  readonly #keys: Keys;
  #open = false;
  #stopped = false;
  /** The side below takes no more for now. */
  #full = false;
  /** We have said close: only the peer's is waited for. */
  #closing = false;
  /** Nothing is taken any more. */
  #closed = false;
  #error: Error | undefined;
  #patience: Timer | undefined;
  #parsing = false;
  /** What came and is not yet taken apart: it waits while the side above says stop. */
  #chunks: Message[] = [];
  /** A header, or a control frame, of which only the first octets are here, and how many are missing. */
  #part: Uint8Array | undefined;
  #missing = 0;
  /** The message that has begun: its first frame's opcode, its frames, and their octets. */
  #opcode: frame.Opcode | undefined;
  #parts = 0;
  #length = 0;
  #assembly: Assembly | undefined;
  /** Of the data frame that has begun, for the octets to come. */
  #key: number | undefined;
  /** What the peer's last ping said, while nothing can be written. */
  #ping: Uint8Array | undefined;
  #utf8: InstanceType<typeof TextDecoder> | undefined;
  readonly #header: frame.WsFrame = {
    fin: true,
    opcode: Opcode.binary,
    masked: false,
    length: 0,
    key: undefined,
  };

  constructor(
    readonly context: PipeContext,
    readonly options: FrameOptions,
  ) {
    super();
    // Only clients do: what they are made to send may go through proxies that know no WebSocket.
    this.#masks = context.side === "dial";
    this.#keys = keysOf(context.env);
  }

  // --- down ---

  override down(m: Message): void {
    if (this.#closing || this.#closed) return;
    const opcode = m.text && this.options.text ? Opcode.text : Opcode.binary;
    const { maxFrame } = this.options;
    if (maxFrame === 0 || m.length <= maxFrame) this.#put(m, opcode, true);
    else this.#split(m, opcode, maxFrame);
  }

  /** Puts a frame. What is to be masked is copied to where it is sent from: a body may be others' too. */
  #put(m: Message, opcode: frame.Opcode, fin: boolean): void {
    const { length } = m;
    const head = frame.size(this.#masks, length);
    if (!this.#masks) {
      m.push(head, this.context.slab);
      frame.write(m.view, m.start, fin, opcode, false, length, undefined);
      return this.below.down(m);
    }
    const copy = this.context.block.gather(m, { head, tail: 0 });
    const key = this.#keys.take();
    mask(copy.view, copy.start, copy.end, key);
    copy.start -= head;
    frame.write(copy.view, copy.start, fin, opcode, true, length, key);
    this.below.down(copy);
  }

  #split(m: Message, first: frame.Opcode, most: number): void {
    const segments = m.segments();
    let opcode = first;
    for (let left = m.length; left > 0; ) {
      const part = Message.around(NO_BODY, frame.MAX, this.context.slab);
      const rest: Uint8Array[] = [];
      for (let want = Math.min(most, left); want > 0; ) {
        const s = segments[0] as Uint8Array;
        rest.push(s.subarray(0, want));
        if (s.length <= want) segments.shift();
        else segments[0] = s.subarray(want);
        const n = Math.min(want, s.length);
        want -= n;
        left -= n;
      }
      part.rest = rest;
      this.#put(part, opcode, left === 0);
      opcode = Opcode.continuation;
    }
  }

  /** Puts a control frame. A window in a slab would cost who only has to say close a whole slab. */
  #say(opcode: frame.Opcode, payload: Uint8Array): void {
    const m = Message.of(new Uint8Array(frame.MAX + payload.length));
    m.pop(frame.MAX);
    m.bytes.set(payload, m.start);
    this.#put(m, opcode, true);
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
      case "end":
        if (this.#open) return this.#bye(Code.normal);
        break;
      case "close":
        if (this.#open) return this.#drop(c);
        this.#closed = true;
    }
    this.below.control(c);
  }

  /** Says close, once; what the peer says until it does the same comes too late. */
  #bye(code: number | undefined, reason = ""): void {
    if (this.#closing) return;
    this.#closing = true;
    const payload = new Uint8Array(code === undefined ? 0 : close.size(reason));
    if (code !== undefined) close.write(new DataView(payload.buffer), 0, code, reason);
    this.#say(Opcode.close, payload);
    this.#patience = this.context.env.timer(PATIENCE, () => this.below.control(CLOSE), true);
    this.above.event(STOP);
    if (!this.#stopped) return;
    this.#stopped = false;
    this.below.control(GO);
    this.#parse();
  }

  /** Both have said close, or the peer is not to be listened to. The connection ends when it is read out. */
  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#chunks = [];
    this.below.control(END);
  }

  /** The connection is not wanted any more. */
  #drop(c: Extract<Control, { type: "close" }>): void {
    const { error } = c;
    this.#error ??= error;
    if (error === undefined || this.#closed) {
      this.#bye(Code.goingAway);
      this.#finish();
      return this.below.control(c);
    }
    this.#bye(error instanceof WireError ? Code.protocolError : Code.policyViolation);
    this.#finish();
  }

  #fail(code: number, said: string): void {
    this.#error ??= new WireError("ws", said);
    this.#bye(code);
    this.#finish();
  }

  // --- up ---

  override event(e: Event): void {
    switch (e.type) {
      case "opened":
        this.#open = true;
        return this.above.event({ type: "opened", facts: { ...e.facts, ...this.facts } });
      case "stop":
        this.#full = true;
        break;
      case "go":
        this.#full = false;
        this.#pong();
        if (this.#closing || this.#full) return;
        break;
      case "closed": {
        this.#closed = true;
        // Nobody is there to whom to say close.
        this.#open = false;
        this.#patience?.cancel();
        const error = this.#error ?? e.error;
        return this.above.event(error === undefined ? e : { type: "closed", error });
      }
    }
    this.above.event(e);
  }

  override up(chunk: Message): void {
    this.#chunks.push(chunk);
    if (!this.#stopped) this.#parse();
  }

  /** Takes frames off the chunks that are here, in one loop, until the side above says stop. */
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

  /** Takes frames off one chunk; its `start` is how far it got. */
  #take(chunk: Message): void {
    while (this.#part !== undefined && chunk.start < chunk.end) this.#join(chunk, this.#part);
    if (this.#assembly !== undefined && this.#assembly.missing > 0) {
      this.#continue(chunk, this.#assembly);
    }
    const { bytes, view, end } = chunk;
    const header = this.#header;
    while (chunk.start < end && !this.#stopped && !this.#closed) {
      const o = chunk.start;
      const n = frame.decode(view, o, end, header);
      if (n < 0) {
        if (n > -0x1000000) return this.#wait(chunk, -n);
        return this.#fail(Code.protocolError, frame.explain(n, view, o, end));
      }
      if (header.masked === this.#masks) {
        const rule = this.#masks ? "a server masks nothing" : "a client masks all";
        return this.#fail(Code.protocolError, `ws.frame.masked, octet 1: ${rule}`);
      }
      const body = o + n;
      const stop = body + header.length;
      if (header.opcode >= Opcode.close) {
        if (stop > end) return this.#wait(chunk, stop - end);
        chunk.start = stop;
        if (header.key !== undefined) mask(view, body, stop, header.key);
        this.#controlled(header.opcode, view, body, stop, bytes);
        continue;
      }
      if (!this.#follows(header)) return;
      if (this.#parts === 1 && header.fin && stop <= end) {
        chunk.start = stop;
        if (header.key !== undefined) mask(view, body, stop, header.key);
        if (header.opcode === Opcode.text && !this.#isText(bytes, body, stop, true)) return;
        const m = new Message(bytes, view, o, body, stop);
        m.shared = true;
        this.#deliver(m);
        continue;
      }
      chunk.start = body;
      if (this.#assembly === undefined) {
        this.#assembly = new Assembly(n, header.length, this.context.stats, header.fin);
      } else this.#assembly.extend(header.length, header.fin);
      this.#key = header.key;
      this.#continue(chunk, this.#assembly);
    }
  }

  /** So many more octets are needed at least. */
  #wait(chunk: Message, missing: number): void {
    this.#part = chunk.bytes.slice(chunk.start, chunk.end);
    this.#missing = missing;
    chunk.start = chunk.end;
  }

  /** Something began in an earlier chunk: brings it before as much of this one as was missing. */
  #join(chunk: Message, part: Uint8Array): void {
    const more = Math.min(this.#missing, chunk.end - chunk.start);
    const joined = new Uint8Array(part.length + more);
    joined.set(part);
    joined.set(chunk.bytes.subarray(chunk.start, chunk.start + more), part.length);
    this.#part = undefined;
    chunk.start += more;
    this.#take(Message.of(joined));
  }

  /** Whether a data frame may come now; then it is part of the message. */
  #follows({ opcode, length }: frame.WsFrame): boolean {
    const begun = this.#opcode !== undefined;
    if (begun !== (opcode === Opcode.continuation)) {
      const rule = begun ? "another message began within one" : "there is nothing to go on with";
      this.#fail(Code.protocolError, `ws.frame.opcode, octet 0: ${rule}`);
      return false;
    }
    if (opcode === Opcode.text && !this.options.text && !this.#closing) {
      this.#fail(Code.unsupportedData, "ws.text: nobody here reads text");
      return false;
    }
    this.#opcode ??= opcode;
    this.#parts++;
    this.#length += length;
    const most = this.context.limits.recvMax || LONGEST;
    if (this.#length > most) {
      const said = `recvMax: a message of ${this.#length} octets; ${most} are allowed`;
      this.#fail(Code.messageTooBig, said);
    } else if (this.#parts > PARTS) {
      this.#fail(Code.policyViolation, `ws.parts: a message of more than ${PARTS} frames`);
    }
    return !this.#closed;
  }

  /** Goes on with a data frame. */
  #continue(chunk: Message, assembly: Assembly): void {
    const { bytes, view, start, end } = chunk;
    const stop = Math.min(end, start + assembly.missing);
    chunk.start = stop;
    if (this.#key !== undefined) {
      mask(view, start, stop, this.#key);
      this.#key = turned(this.#key, stop - start);
    }
    const whole = assembly.last && stop - start === assembly.missing;
    if (this.#opcode === Opcode.text && !this.#isText(bytes, start, stop, whole)) return;
    assembly.add(bytes, start, stop);
    if (whole) this.#deliver(assembly.message());
  }

  #deliver(m: Message): void {
    m.text = this.#opcode === Opcode.text;
    this.#opcode = undefined;
    this.#assembly = undefined;
    this.#parts = this.#length = 0;
    if (this.#closing) this.context.stats.drop("ws: after close");
    else this.above.up(m);
  }

  /** Whether text goes on as text; what cannot become any is refused at its first wrong octet. */
  #isText(bytes: Uint8Array, from: number, to: number, last: boolean): boolean {
    this.#utf8 ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    try {
      this.#utf8.decode(bytes.subarray(from, to), { stream: !last });
      return true;
    } catch {
      this.#fail(Code.invalidPayload, "ws.text: is not UTF-8");
      return false;
    }
  }

  // --- control frames ---

  #controlled(
    opcode: frame.Opcode,
    view: DataView,
    from: number,
    to: number,
    bytes: Uint8Array,
  ): void {
    if (opcode === Opcode.close) return this.#toldClose(view, from, to);
    if (opcode !== Opcode.ping || this.#closing) return;
    this.#ping = bytes.slice(from, to);
    if (!this.#full) this.#pong();
  }

  /** Answers the last ping: who sends many and reads nothing has one answer waiting. */
  #pong(): void {
    const ping = this.#ping;
    this.#ping = undefined;
    if (ping !== undefined && !this.#closing) this.#say(Opcode.pong, ping);
  }

  #toldClose(view: DataView, from: number, to: number): void {
    if (from === to) {
      this.#bye(undefined);
      return this.#finish();
    }
    const n = close.measure(view, from, to);
    if (n < 0) {
      const error = new WireError("ws", close.explain(n, view, from, to));
      this.#error ??= error;
      this.#bye(error.rule === "ws.close.reason" ? Code.invalidPayload : Code.protocolError);
      return this.#finish();
    }
    const { code, reason } = close.read(view, from, to);
    if (code !== Code.normal && code !== Code.goingAway) {
      const said = reason === "" ? "" : `: ${JSON.stringify(reason)}`;
      this.#error ??= new PeerError(`the peer closed with ${code}${said}`);
    }
    this.#bye(code);
    this.#finish();
  }
}
