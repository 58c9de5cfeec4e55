/** Bodies: from what the application gives to a message, and from a message to what it keeps. */
import { StateError } from "./error.js";
import { allocate, Message } from "./message.js";
import type { Socket } from "./port.js";
import type { Stats } from "./stats.js";

/**
 * Messages up to here are copied out of the chunk they came in, which they would keep alive: up to 64
 * octets to an array of their own, which V8 makes for next to nothing, beyond to a pool. From 1 KiB on
 * a copy costs more than all the rest of receiving.
 */
const COPY = 512;
const OWN = 64;
const POOL = 16 * 1024;

/** Octets, or text, which goes as UTF-8, or what `message(n)` gave. */
export type Body = Uint8Array | string | Draft;

/** Room for a body amid a message: fill `body`, and send this. Once. */
export interface Draft {
  readonly body: Uint8Array;
}

/** As `message(n)` gives it. */
export class Drafted implements Draft {
  readonly body: Uint8Array;
  message: Message | undefined;

  constructor(m: Message) {
    this.message = m;
    this.body = m.bytes.subarray(m.start, m.end);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A body that came as text: WebSocket tells it from other octets, where `opcodes()` or a stack without a
 * protocol asks for it. There strings, and what is of this class, are sent as text.
 */
export class Utf8 extends Uint8Array {
  override toString(): string {
    return decoder.decode(this);
  }
}

/** Octets of a body; of text in UTF-8. */
export const octetsOf = (body: Uint8Array | string): Uint8Array =>
  typeof body === "string" ? encoder.encode(body) : body;

/** A message of this body. */
export function compose(body: Body | Message, socket: Socket, copy = false): Message {
  if (body instanceof Message) return body;
  if (body instanceof Drafted) {
    const m = body.message;
    if (m === undefined) throw new StateError("this message was sent already; take another");
    body.message = undefined;
    return m;
  }
  const octets = octetsOf(body as Uint8Array | string);
  if (!(octets instanceof Uint8Array)) {
    throw new TypeError(`a body is a Uint8Array, a string, or of message(n); not ${typeof body}`);
  }
  const { context, room } = socket;
  if (!copy) socket.guard?.watch(octets);
  const borrowed = !copy && !socket.contiguous;
  const m = borrowed
    ? Message.around(octets, room.head, context.slab)
    : Message.blank(octets.length, room, context.slab);
  m.text = context.text && (typeof body === "string" || body instanceof Utf8);
  if (borrowed) return m;
  m.bytes.set(octets, m.start);
  context.stats.copies++;
  context.stats.copiedOctets += octets.length;
  return m;
}

let pool: Uint8Array = new Uint8Array(0);
let poolFill = 0;

/** The octets of a message that came up, for the application to keep. */
export function bodyOf(m: Message, stats: Stats): Uint8Array {
  const octets = keptOf(m, stats);
  if (!m.text) return octets;
  return new Utf8(octets.buffer as ArrayBuffer, octets.byteOffset, octets.length);
}

function keptOf(m: Message, stats: Stats): Uint8Array {
  const { rest } = m;
  const n = m.end - m.start;
  if (rest.length === 0) {
    if (!m.shared || n > COPY) return m.bytes.subarray(m.start, m.end);
    stats.copies++;
    stats.copiedOctets += n;
    if (n <= OWN) {
      stats.allocations++;
      return m.bytes.slice(m.start, m.end);
    }
    if (poolFill + n > pool.length) {
      pool = allocate(POOL, stats);
      poolFill = 0;
    }
    const body = pool.subarray(poolFill, poolFill + n);
    poolFill += n;
    body.set(m.bytes.subarray(m.start, m.end));
    return body;
  }
  if (n === 0 && rest.length === 1) return rest[0] as Uint8Array;
  const all = allocate(m.length, stats);
  let at = 0;
  for (const s of m.segments()) {
    all.set(s, at);
    at += s.length;
  }
  stats.copies++;
  stats.copiedOctets += at;
  return all;
}
