/**
 * Integrity, end to end: what comes was said by who has a key, is as it was said, comes once, and
 * answers what was asked. Stands on a protocol, and shows the same: `stack(integrity({ keys }), req(), xreq())`.
 *
 * A trailer goes behind each body (`integrity.trailer`) and covers it (`integrity.signed`), not the headers
 * that devices rewrite: so it passes devices that know nothing of it, and topics stay first. What does not
 * prove itself is dropped and counted, and nobody is answered. Nothing is hidden: that is another layer's.
 *
 * A receiver that starts anew has forgotten what came: what was recorded before can be sent to it once more,
 * while its key is good. So can what came from a sender after whom 4,096 others were heard under good keys:
 * only so many are remembered.
 */
import * as signed from "../../generated/integrity/signed.js";
import * as trailer from "../../generated/integrity/trailer.js";
import type { Crypto } from "../crypto.js";
import { StackError, StateError, WireError } from "../error.js";
import { type Context, Element, type Layer, type PortFace, type Same } from "../layer.js";
import type { Exchange, Message, Note } from "../message.js";
import { count, type Names, named, time } from "../option.js";
import { type IntegrityKey, KeyRing } from "./integrity/keyring.js";
import { NEW, OLD, Windows } from "./integrity/window.js";

export {
  type IntegrityKey,
  KeyRing,
  type SharedKey,
  type SigningKey,
  type VerifyingKey,
} from "./integrity/keyring.js";

export interface IntegrityOptions {
  /** Keys that are taken, and sign. A ring of them can change while the socket runs. */
  readonly keys: KeyRing | readonly IntegrityKey[];
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
/** Senders whose windows are kept, and octets of them all. */
const SENDERS = 4096;
const MEMORY = 2 ** 25;
const sendersOf = (window: number) => Math.min(SENDERS, Math.floor(MEMORY / (window / 8)));

const NOTHING = new Uint8Array(0);
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

/** A request, by its tag: an answer to it covers that. */
class Asked implements Note {
  constructor(
    readonly by: object,
    readonly next: Note | undefined,
    readonly tag: Uint8Array,
  ) {}
}

class Integrity extends Element {
  readonly #crypto: Crypto;
  readonly #windows: Windows | undefined;
  // What goes before and behind a body to be signed: of ours and of theirs, where it answers nothing.
  readonly #ours: Uint8Array;
  readonly #theirs: Uint8Array;
  /** Or of an answer. */
  readonly #head = new Uint8Array(signed.MIN + trailer.TAIL_MAX);
  readonly #headView = new DataView(this.#head.buffer);
  readonly #end = new Uint8Array(signed.TAIL_MAX);
  readonly #endView = new DataView(this.#end.buffer);
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
    this.#ours = this.#answer(context.protocol?.type ?? 0, NOTHING).slice();
    this.#theirs = this.#answer(context.protocol?.peer ?? 0, NOTHING).slice();
    const { window = WINDOW } = options;
    this.#windows = window === 0 ? undefined : new Windows(window, sendersOf(window));
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
    const asked = exchange && this.#asked(exchange);
    const { id, alg } = key;
    const high = this.#epochHigh;
    const low = this.#epochLow;
    const seq = this.#seq++;
    signed.writeEnd(this.#endView, 0, high, low, seq, id, alg);
    const head = asked === undefined ? this.#ours : this.#answer(protocol?.type ?? 0, asked);
    const tag = key.sign(this.#crypto, this.#covered(m, head, alg));
    if (exchange !== undefined && asked === undefined) this.#note(exchange, tag);
    const at = m.append(trailer.sizeEnd(tag), slab);
    trailer.writeEnd(m.tail, at, high, low, seq, id, tag, alg);
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
    const { skew = SKEW, window } = this.options;
    if (key.notBefore > -Infinity && env.date() < key.notBefore - skew) return no.early;
    if (key.notAfter < Infinity && env.date() >= key.notAfter + skew) return no.late;
    m.chop(size);
    const { exchange } = m;
    const asked = exchange && this.#asked(exchange);
    signed.writeEnd(this.#endView, 0, epochHigh, epochLow, seq, keyId, alg);
    const head = asked === undefined ? this.#theirs : this.#answer(protocol?.peer ?? 0, asked);
    if (!key.verify(this.#crypto, tag, this.#covered(m, head, alg))) return no.tag;
    const asks = exchange !== undefined && asked === undefined;
    if (this.#windows !== undefined && (!asks || window !== undefined)) {
      const seen = this.#windows.of(keyId, epochHigh, epochLow).see(seq);
      // An answer is tied to its question, so an old one is no answer to another.
      if (seen !== NEW && !(seen === OLD && asked !== undefined)) {
        return seen === OLD ? no.old : no.again;
      }
    }
    if (asks) this.#note(exchange, tag);
    return undefined;
  }

  /** The tag of the request, if this is about an answer to it. */
  #asked(exchange: Exchange): Uint8Array | undefined {
    for (let note = exchange.notes; note !== undefined; note = note.next) {
      if (note.by === this) return (note as Asked).tag;
    }
    return undefined;
  }

  /** Keeps the tag of a request. Where it lies, others lie too, and the exchange may last. */
  #note(exchange: Exchange, tag: Uint8Array): void {
    const { slab } = this.context;
    const at = slab.take(tag.length);
    slab.bytes.set(tag, at);
    const own = slab.bytes.subarray(at, at + tag.length);
    exchange.notes = new Asked(this, exchange.notes, own);
  }

  #answer(type: number, asked: Uint8Array): Uint8Array {
    return this.#head.subarray(0, signed.write(this.#headView, 0, type, asked));
  }

  /** What a tag covers, in order. */
  #covered(m: Message, head: Uint8Array, alg: trailer.Alg): readonly Uint8Array[] {
    const { bytes, start, end, rest } = m;
    if (alg === trailer.Alg.ed25519) {
      const { stats } = this.context;
      stats.copies++;
      stats.copiedOctets += m.length;
    }
    if (rest.length === 0) return [head, bytes.subarray(start, end), this.#end];
    if (start === end) return [head, ...rest, this.#end];
    return [head, bytes.subarray(start, end), ...rest, this.#end];
  }
}

const OPTIONS: Names<IntegrityOptions> = { keys: true, sign: true, skew: true, window: true };

/**
 * Signs what goes, and drops what does not prove itself, above a protocol of whatever kind. Throws
 * TypeError or RangeError for keys that are none.
 */
export function integrity(options: IntegrityOptions): Layer<Faces, Faces, "integrity"> {
  const { keys, skew = SKEW, window = WINDOW } = named("integrity", options, OPTIONS);
  // A ring may get its first key later; a list does not change.
  if (keys === undefined || (Array.isArray(keys) && keys.length === 0)) {
    throw new TypeError("integrity needs 'keys': a list of them, or a KeyRing");
  }
  const ring = keys instanceof KeyRing ? keys : new KeyRing(keys);
  time("skew", skew, 0);
  if (count("window", window, 0) > WIDEST) {
    throw new RangeError(`window is ${WIDEST} at most; not ${window}`);
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
