/**
 * Encryption from one hop to the next: a Noise handshake, then records that only the two ends can seal.
 * Stands on a link, right above what frames it, and shows a link.
 *
 * The dialer begins. Whoever reads the last message of the handshake says so by a first record, which may
 * be empty, and whoever wrote it waits for that: so who repeats what others said opens nothing, and who
 * is not let in hears of it before it sends. What follows shares records, message by message and tick by
 * tick. The end is said in a record, too: a connection that ends without it was cut.
 *
 * It insists on octets in one piece, since all of a message lies under one tag, and copies them there
 * itself. `stack(req(), xreq(), hop({ key, peers }), sp(), tcp())`
 */
import * as handshake from "../../generated/hop/handshake.js";
import * as piece from "../../generated/hop/piece.js";
import * as record from "../../generated/hop/record.js";
import * as sealed from "../../generated/hop/sealed.js";
import type { PublicKey } from "../crypto.js";
import type { Timer } from "../env.js";
import { PeerError, TimeoutError, TruncatedError, WireError } from "../error.js";
import {
  type Control,
  Element,
  END,
  type Event,
  type Facts,
  type Layer,
  type PipeContext,
  STOP,
} from "../layer.js";
import type { Message } from "../message.js";
import { type KeyLog, keyLogOf, lineOf } from "./hop/key-log.js";
import { Handshake, LONGEST } from "./hop/noise.js";
import { Reader } from "./hop/reader.js";
import { type HopOptions, type HopPattern, type HopSuite, type Keys, Terms } from "./hop/terms.js";
import { Writer } from "./hop/writer.js";

export type { HopOptions, HopPattern, HopSuite, KeyedHop, SharedHop } from "./hop/terms.js";

/** What a handshake has learnt of the peer, and of this connection. */
export interface HopFacts {
  readonly pattern: HopPattern;
  readonly suite: HopSuite;
  /** The peer's public key, in base64: proved. None where both have a secret in common. */
  readonly peer?: string;
  /** The same at both ends, and nowhere else: what is bound to it is bound to this connection. */
  readonly handshakeHash: Uint8Array;
}

declare module "../layer.js" {
  interface Facts {
    readonly hop?: HopFacts;
  }
}

/**
 * Encryption of a connection, from link to link, right above its framing: Noise rev 34, and records of at most
 * 65,535 octets. Adds a `hop` to the facts of its pipes (`HopFacts`). Throws StackError for options that do
 * not go together; `dial` and `listen` throw it for keys that side lacks, and it or SystemError for a `keyLog`
 * that cannot be written. A peer that is not let in is told by `refused`, a connection cut short by `detached`
 * with TruncatedError.
 */
export function hop(options: HopOptions): Layer<"link", "link", "hop"> {
  const terms = new Terms(options);
  return {
    name: "hop",
    below: "link",
    above: "link",
    headers: [record.HEADER, piece.HEADER, sealed.HEADER],
    identity: `hop@1(${terms.pattern},${terms.suite})`,
    contiguous: "itself",
    longest: LONGEST,
    check(side, env) {
      terms.check(side, env);
      keyLogOf(terms.keyLog, env);
    },
    make(context) {
      const { env } = context;
      return new Hop(context, terms, terms.keysOf(env), keyLogOf(terms.keyLog, env));
    },
  };
}

const { Type } = record;
/** What both sides know before; behind it stands what those below have agreed on. */
const PROLOGUE = new TextEncoder().encode("wirestack/1");

class Hop extends Element {
  #lower: Facts = {};
  #noise: Handshake | undefined;
  /** Since the handshake. */
  #writer: Writer | undefined;
  #reader: Reader | undefined;
  #open = false;
  /** A first record is owed, be there messages or not. */
  #owes = false;
  #scheduled = false;
  /** The side below takes no more; the side above does not. */
  #full = false;
  #stopped = false;
  /** Messages of the side below that are not yet taken apart; more than one if it does not stop at once. */
  readonly #waiting: Message[] = [];
  #parsing = false;
  /** The side above is sent away: this connection is to end. */
  #retired = false;
  /** We have said close; the peer has, and all before it was taken. */
  #said = false;
  #heard = false;
  /** Nothing that comes is of interest any more. */
  #over = false;
  /** The side below is gone; told when all that came has been taken. */
  #last: Event | undefined;
  #error: Error | undefined;
  #timer: Timer | undefined;
  readonly #flush = (): void => {
    this.#scheduled = false;
    const writer = this.#writer;
    if (writer === undefined || this.#said || this.#over) return;
    if (writer.waits || this.#owes) writer.seal();
    this.#owes = false;
    this.#count(writer);
  };

  constructor(
    readonly context: PipeContext,
    readonly terms: Terms,
    readonly keys: Keys,
    readonly log: KeyLog | undefined,
  ) {
    super();
  }

  // --- down ---

  override down(m: Message): void {
    const writer = this.#writer;
    if (writer === undefined || this.#said || this.#over) {
      return this.context.stats.drop("hop: not open");
    }
    writer.add(m);
    if (!this.#retired) this.#schedule();
    else if (!writer.holds) this.#bye();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.context.env.tick(this.#flush);
  }

  /** After so many records it is enough. */
  #count(writer: Writer): void {
    if (writer.records >= this.terms.lifetime.records) this.#retire();
  }

  override control(c: Control): void {
    switch (c.type) {
      case "stop":
        this.#stopped = true;
        break;
      case "go":
        this.#stopped = false;
        this.#parse();
        if (this.#stopped || this.#over) return;
        break;
      case "end":
        if (this.#over) return;
        this.#bye();
        this.#over = true;
        break;
      case "close":
        this.#error ??= c.error;
        // Who is sent away is told so, if what was said before is whole.
        if (!this.#over && this.#writer?.holds === false) {
          this.#bye();
          this.below.control(END);
        }
        this.#over = true;
    }
    this.below.control(c);
    if (this.#over && this.#last !== undefined) this.#gone(this.#last);
  }

  /** Says close behind the last whole message; what the peer says before it does the same is heard. */
  #bye(): void {
    const writer = this.#writer;
    if (writer === undefined || this.#said) return;
    this.#said = true;
    writer.pour(true);
    writer.seal(Type.close);
  }

  /** No more from above: says close, and ends when the peer has said it too. */
  #retire(): void {
    if (this.#retired || this.#over) return;
    this.#retired = true;
    this.above.event(STOP);
    if (this.#writer?.holds === false) this.#bye();
    this.#expire();
  }

  /** The peer has time to say close, but for that in which we do not listen. */
  #expire(): void {
    const { env, limits } = this.context;
    this.#timer?.cancel();
    this.#timer = env.timer(
      limits.openTimeout,
      () => {
        if (this.#stopped && !this.#heard) return this.#expire();
        const error = new TimeoutError(
          `hop: the peer did not say close within ${limits.openTimeout} ms`,
        );
        this.#fail(error);
      },
      true,
    );
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#error ??= error;
    this.below.control({ type: "close", error: this.#error });
  }

  // --- up ---

  override event(e: Event): void {
    switch (e.type) {
      case "opened":
        this.#lower = e.facts;
        if (this.context.side === "dial") this.#begin();
        return;
      case "stop":
        this.#full = true;
        if (this.#writer !== undefined) this.#writer.full = true;
        if (this.#retired) return;
        break;
      case "go":
        if (!this.#goOn()) return;
        break;
      case "closed":
        if (this.#stopped && !this.#over && this.#holds) {
          this.#last = e;
          return;
        }
        return this.#gone(e);
    }
    this.above.event(e);
  }

  get #holds(): boolean {
    const reader = this.#reader;
    return this.#waiting.length > 0 || (reader !== undefined && this.#unfinished(reader));
  }

  /** The side below takes more. False: the side above need not know. */
  #goOn(): boolean {
    this.#full = false;
    const writer = this.#writer;
    if (writer === undefined) return true;
    writer.full = false;
    if (writer.holds) {
      writer.pour(false);
      if (writer.full) return false;
      if (this.#retired) this.#bye();
      else if (writer.waits) this.#schedule();
    }
    return !this.#retired;
  }

  #gone(e: Event): void {
    const below = e.type === "closed" ? e.error : undefined;
    this.#last = undefined;
    this.#timer?.cancel();
    const error = this.#why(below);
    this.#over = true;
    this.above.event(error === undefined ? { type: "closed" } : { type: "closed", error });
  }

  /** Why it ended, if not because both wanted it. */
  #why(below: Error | undefined): Error | undefined {
    if (this.#over) return this.#error ?? below;
    if (this.#reader?.closed) return undefined;
    const cause = below === undefined ? {} : { cause: below };
    if (this.#open) {
      return new TruncatedError(
        "hop: the connection ended, and the peer had not said close",
        cause,
      );
    }
    if (this.#noise === undefined || below !== undefined) return below;
    return new PeerError(`hop: the peer closed amid the handshake: ${UNLIKED[this.terms.pattern]}`);
  }

  override up(m: Message): void {
    if (this.#over) return;
    this.#waiting.push(m);
    if (!this.#stopped) this.#parse();
  }

  /** Takes apart what is here, until the side above says stop. */
  #parse(): void {
    if (this.#parsing) return;
    this.#parsing = true;
    while (!this.#stopped && !this.#over) {
      const reader = this.#reader;
      if (reader !== undefined && this.#unfinished(reader)) this.#deliver(reader);
      else {
        const m = this.#waiting.shift();
        if (m === undefined) break;
        if (reader === undefined) this.#shake(m);
        else if (!reader.open(m)) this.#fail(new WireError("hop", reader.fault as string));
        else this.#proved();
      }
    }
    this.#parsing = false;
    if (this.#over) this.#waiting.length = 0;
    const last = this.#last;
    if (last !== undefined && !this.#stopped) this.#gone(last);
  }

  #unfinished({ holds, closed }: Reader): boolean {
    return holds || (closed && !this.#heard);
  }

  #deliver(reader: Reader): void {
    while (!this.#stopped && !this.#over) {
      const m = reader.next();
      if (m !== undefined) this.above.up(m);
      else if (reader.fault !== undefined) return this.#fail(new WireError("hop", reader.fault));
      else if (reader.closed) return this.#heardClose();
      else return;
    }
  }

  /** Both have said close then, and the connection ends. */
  #heardClose(): void {
    this.#heard = true;
    if (!this.#retired) {
      this.#retired = true;
      this.above.event(STOP);
    }
    if (this.#over) return;
    this.#bye();
    this.#expire();
    this.below.control(END);
  }

  // --- the handshake ---

  #begin(): void {
    const noise = this.#start(this.keys.peer);
    this.#noise = noise;
    if (this.#admitted(noise)) this.#write(noise);
  }

  #start(peer: PublicKey | undefined): Handshake {
    const { protocol } = this.terms;
    const { crypto, own, psk } = this.keys;
    const more = this.#lower.prologue ?? new Uint8Array(0);
    const prologue = new Uint8Array(PROLOGUE.length + more.length);
    prologue.set(PROLOGUE);
    prologue.set(more, PROLOGUE.length);
    const initiator = this.context.side === "dial";
    return new Handshake(crypto, { protocol, initiator, prologue, own, peer, psk });
  }

  #write(noise: Handshake): void {
    const octets = noise.write();
    if (octets === undefined) return this.#broken();
    const n = handshake.MAX;
    const m = this.context.block.blank(n + octets.length, this.context.room);
    const { pattern, suite } = this.terms;
    handshake.write(m.view, m.start, handshake.Pattern[pattern], handshake.Suite[suite]);
    m.bytes.set(octets, m.start + n);
    if (noise.over) this.#agree(noise);
    this.below.down(m);
  }

  #shake(m: Message): void {
    if (m.rest.length > 0) m.gather(m.length, this.context.slab);
    const { bytes, view, start, end } = m;
    const n = handshake.measure(view, start, end);
    if (n < 0) return this.#fail(new WireError("hop", handshake.explain(n, view, start, end)));
    const said = handshake.read(view, start, end);
    for (const field of ["pattern", "suite"] as const) {
      const all = field === "pattern" ? handshake.Pattern : handshake.Suite;
      const theirs = Object.entries(all).find(([, number]) => number === said[field])?.[0];
      if (theirs === this.terms[field]) continue;
      const what = `the peer's ${field} is ${theirs}; ours is ${this.terms[field]}`;
      return this.#fail(new PeerError(`hop: ${what}`));
    }
    const message = bytes.subarray(start + n, end);
    const noise = this.#read(message);
    if (noise === undefined) return this.#broken();
    if (!this.#admitted(noise)) return;
    if (noise.ours) return this.#write(noise);
    if (noise.over) this.#confirm(noise);
  }

  /** Reads the peer's message; in KK a listener finds out by it whose it is. */
  #read(message: Uint8Array): Handshake | undefined {
    if (this.#noise !== undefined) {
      const payload = this.#noise.ours ? undefined : this.#noise.read(message);
      return payload?.length === 0 ? this.#noise : undefined;
    }
    const { known } = this.terms.protocol;
    for (const peer of known.initiator ? (this.keys.listed ?? []) : [undefined]) {
      const noise = this.#start(peer);
      this.#noise = noise;
      if (noise.read(message)?.length === 0) return noise;
    }
    return undefined;
  }

  #broken(): void {
    const said = `hop.handshake.seal: does not open: ${UNLIKE[this.terms.pattern]}`;
    this.#fail(new WireError("hop", said));
  }

  /** Whether the peer is wanted, as soon as it says who it is. */
  #admitted({ peer }: Handshake): boolean {
    if (peer === undefined) return true;
    const { x25519 } = this.keys.crypto.noise;
    let admits = false;
    try {
      admits = this.terms.admits(peer, this.keys);
    } catch (error) {
      // The application's own function threw: nobody is let in by that.
      this.context.env.report(error);
    }
    if (!admits) {
      const error = new PeerError(
        `hop: the peer has the key ${x25519.text(peer)}, which 'peers' does not`,
      );
      this.#fail(error);
    }
    return admits;
  }

  /** All has been said, and there are keys. */
  #agree(noise: Handshake): void {
    const { context, terms, log } = this;
    const { send, receive } = noise.split(log && ((keys) => log(lineOf(terms.suite, keys))));
    this.#writer = new Writer(context, send, terms, (m) => this.below.down(m));
    this.#writer.full = this.#full;
    this.#reader = new Reader(context, receive);
    this.#timer = context.env.timer(terms.lifetime.time, () => this.#retire(), true);
  }

  /** We have read the last message: the peer waits until we say so. */
  #confirm(noise: Handshake): void {
    this.#agree(noise);
    this.#owes = true;
    this.#schedule();
    this.#opened(noise);
  }

  /** A record came: the peer has the keys, and is no echo. */
  #proved(): void {
    if (!this.#open && this.#noise !== undefined) this.#opened(this.#noise);
  }

  #opened(noise: Handshake): void {
    this.#open = true;
    this.#noise = undefined;
    const { pattern, suite } = this.terms;
    const { x25519 } = this.keys.crypto.noise;
    const { peer, hash } = noise;
    const facts: HopFacts = {
      pattern,
      suite,
      ...(peer === undefined ? {} : { peer: x25519.text(peer) }),
      handshakeHash: new Uint8Array(hash),
    };
    this.above.event({ type: "opened", facts: { ...this.#lower, hop: facts } });
  }
}

/** What may be unlike at both ends, if a handshake does not open; or why a peer may have closed amid it. */
const UNLIKE: Readonly<Record<HopPattern, string>> = {
  XX: "another prologue, or somebody changed it on its way",
  IK: "the dialer means another key than ours, or somebody changed it on its way",
  KK: "its key is none of 'peers', it means another than ours, or somebody changed it on its way",
  NNpsk0: "the peer has another 'psk', or somebody changed it on its way",
};
const UNLIKED: Readonly<Record<HopPattern, string>> = {
  XX: "our key may be none of its 'peers', or it speaks no hop",
  IK: "our key may be none of its 'peers', its key another than 'peer', or it speaks no hop",
  KK: "our key may be none of its 'peers', its key another than 'peer', or it speaks no hop",
  NNpsk0: "it may have another 'psk', or speak no hop",
};
