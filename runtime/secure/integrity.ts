/**
 * Integrity, end to end: what comes was said by who has a key, is as it was said, comes once, and
 * answers what was asked. Stands on a protocol, and shows the same: `stack(integrity({ keys }), req(), xreq())`.
 *
 * A trailer goes behind each body (`integrity.trailer`) and covers it (`integrity.signed`), not the headers
 * that devices rewrite: so it passes devices that know nothing of it, and topics stay first. What does not
 * prove itself is dropped and counted, and nobody is answered. Nothing is hidden: that is another layer's.
 *
 * A receiver that starts anew has forgotten what came: what was recorded before can be sent to it once more,
 * while its key is good.
 */
import * as signed from "../../generated/integrity/signed.js";
import * as trailer from "../../generated/integrity/trailer.js";
import type { Crypto } from "../crypto.js";
import { StackError, StateError, WireError } from "../error.js";
import { type Context, Element, type Layer, type PortFace, type Same } from "../layer.js";
import type { Exchange, Message } from "../message.js";
import { type Key, KeyRing } from "./integrity/keyring.js";
import { NEW, OLD, Windows } from "./integrity/window.js";

export {
  type Key,
  KeyRing,
  type SharedKey,
  type SigningKey,
  type VerifyingKey,
} from "./integrity/keyring.js";

export interface IntegrityOptions {
  /** Keys that are taken, and sign. A ring of them can change while the socket runs. */
  readonly keys: KeyRing | readonly Key[];
  /** The id of the key that signs. Default: of those that can, and are good now, the one that began last. */
  readonly sign?: number;
  /**
   * Milliseconds that clocks may differ: so much before and after its time a key is still taken, though it
   * does not sign. Default: 10,000.
   */
  readonly skew?: number;
  /**
   * Messages of each sender, before its newest, in which one that comes again is found, and before which
   * all are refused; 0: none. Default: 1,024; requests and surveys, which may come again, are not looked at.
   */
  readonly window?: number;
}

const SKEW = 10_000;
const WINDOW = 1024;
/** A window may not take more than 128 KiB. */
const WIDEST = 2 ** 20;
/** Senders whose windows are kept. */
const SENDERS = 4096;

const NOBODY = new Uint8Array(0);
const HINT = "put integrity above req: devices rewrite what is below";

type Faces = Same<PortFace, typeof HINT>;

/** Why messages are dropped. */
const no = {
  trailer: new WireError("integrity", "no trailer"),
  key: new WireError("integrity", "unknown key"),
  alg: new WireError("integrity", "not the key's algorithm"),
  early: new WireError("integrity", "the key is not good yet"),
  late: new WireError("integrity", "the key has expired"),
  own: new WireError("integrity", "our own message"),
  tag: new WireError("integrity", "wrong tag"),
  again: new WireError("integrity", "came before"),
  old: new WireError("integrity", "too old to tell whether it came before"),
} as const;

class Integrity extends Element {
  readonly #crypto: Crypto;
  readonly #windows: Windows | undefined;
  /** Tags of requests: a reply must know that of its own. */
  readonly #asked = new WeakMap<Exchange, Uint8Array>();
  // What goes before and behind a body to be signed. Written anew for each message, and read at once.
  readonly #head = new Uint8Array(signed.MIN + trailer.TAIL_MAX);
  readonly #headView = new DataView(this.#head.buffer);
  readonly #plain = this.#head.subarray(0, signed.MIN);
  readonly #end = new Uint8Array(signed.TAIL_MAX);
  readonly #endView = new DataView(this.#end.buffer);
  readonly #parts: Uint8Array[] = [];
  readonly #epochHigh: number;
  readonly #epochLow: number;
  #seq = 0;

  constructor(
    readonly context: Context,
    readonly ring: KeyRing,
    readonly options: IntegrityOptions,
  ) {
    super();
    const { crypto } = context.env;
    if (crypto === undefined) {
      throw new StackError("'integrity' needs cryptography, and env.crypto has none");
    }
    ring.open(crypto);
    this.#crypto = crypto;
    const { window = WINDOW } = options;
    this.#windows = window === 0 ? undefined : new Windows(window, SENDERS);
    const epoch = new Uint32Array(2);
    context.env.random(new Uint8Array(epoch.buffer));
    [this.#epochHigh, this.#epochLow] = epoch as unknown as [number, number];
  }

  override down(m: Message): void {
    const { env, slab, stats, protocol } = this.context;
    const { exchange } = m;
    const key = this.ring.signer(env.date(), this.options.sign);
    if (key === undefined) {
      const error = new StateError("integrity: no key signs now");
      stats.drop(error.message);
      this.context.reject(m, error);
      if (exchange !== undefined) this.above.event({ type: "failed", exchange, error });
      return;
    }
    const asked = exchange && this.#asked.get(exchange);
    const [high, low, seq] = [this.#epochHigh, this.#epochLow, this.#seq++];
    signed.writeEnd(this.#endView, 0, high, low, seq, key.id, key.alg);
    const tag = key.sign(this.#crypto, this.#covered(m, protocol?.type ?? 0, asked));
    this.#parts.length = 0;
    if (exchange !== undefined && asked === undefined) this.#asked.set(exchange, tag);
    const at = m.append(trailer.sizeEnd(tag), slab);
    trailer.writeEnd(m.tail, at, high, low, seq, key.id, tag, key.alg);
    this.below.down(m);
  }

  override up(m: Message): void {
    const why = this.#wrong(m);
    if (why === undefined) return this.above.up(m);
    this.context.stats.breach(why.message);
    this.context.reject(m, why);
  }

  /** Takes the trailer off; answers what is wrong with it, if something is. */
  #wrong(m: Message): WireError | undefined {
    const { env, slab, protocol } = this.context;
    let n = trailer.TAIL_MIN;
    let at = m.last(n, slab);
    let size = trailer.measureEnd(m.tail, at, at + Math.min(n, m.length));
    if (size < 0 && size > -0x1000000 && n - size <= m.length) {
      n -= size;
      at = m.last(n, slab);
      size = trailer.measureEnd(m.tail, at, at + n);
    }
    if (size < 0) return no.trailer;
    const { epochHigh, epochLow, seq, keyId, tag, alg } = trailer.readEnd(m.tail, at, at + n);
    if (epochHigh === this.#epochHigh && epochLow === this.#epochLow) return no.own;
    const key = this.ring.get(keyId);
    if (key === undefined) return no.key;
    if (key.alg !== alg) return no.alg;
    const now = env.date();
    const { skew = SKEW, window } = this.options;
    if (now < key.notBefore - skew) return no.early;
    if (now >= key.notAfter + skew) return no.late;
    m.chop(size);
    const { exchange } = m;
    const asked = exchange && this.#asked.get(exchange);
    signed.writeEnd(this.#endView, 0, epochHigh, epochLow, seq, keyId, alg);
    const right = key.verify(this.#crypto, tag, this.#covered(m, protocol?.peer ?? 0, asked));
    this.#parts.length = 0;
    if (!right) return no.tag;
    const asks = exchange !== undefined && asked === undefined;
    if (this.#windows !== undefined && (!asks || window !== undefined)) {
      const seen = this.#windows.of(`${keyId}.${epochHigh}.${epochLow}`).see(seq);
      // An answer is tied to its question, so an old one is no answer to another.
      if (seen !== NEW && !(seen === OLD && asked !== undefined)) {
        return seen === OLD ? no.old : no.again;
      }
    }
    // It may lie among other messages; the exchange may last.
    if (asks) this.#asked.set(exchange, tag.slice());
    return undefined;
  }

  /** What a tag covers, in order. */
  #covered(m: Message, type: number, asked: Uint8Array = NOBODY): readonly Uint8Array[] {
    const end = signed.write(this.#headView, 0, type, asked);
    const parts = this.#parts;
    parts.length = 0;
    parts.push(asked === NOBODY ? this.#plain : this.#head.subarray(0, end));
    if (m.end > m.start) parts.push(m.bytes.subarray(m.start, m.end));
    for (const octets of m.rest) parts.push(octets);
    parts.push(this.#end);
    return parts;
  }
}

/**
 * Signs what goes, and drops what does not prove itself, above a protocol of whatever kind. Throws
 * TypeError or RangeError for keys that are none.
 */
export function integrity(options: IntegrityOptions): Layer<Faces, Faces, "integrity"> {
  const { keys, skew = SKEW, window = WINDOW } = options;
  const ring = keys instanceof KeyRing ? keys : new KeyRing(keys);
  if (!(skew >= 0)) throw new RangeError(`skew is milliseconds, 0 or more; not ${skew}`);
  if (!Number.isInteger(window) || window < 0 || window > WIDEST) {
    throw new RangeError(`window is a whole number from 0 to ${WIDEST}; not ${window}`);
  }
  const faces: Faces = { same: "ports", hint: HINT };
  return {
    name: "integrity",
    below: faces,
    above: faces,
    headers: [trailer.HEADER],
    make: (context) => new Integrity(context, ring, options),
  };
}
