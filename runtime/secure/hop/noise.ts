/**
 * Noise: two sides come to keys that nobody else has, and seal with them. Rev 34, any pattern and suite.
 *
 * What a peer sends never throws: what does not open is `undefined`, and then it is over.
 */
import * as nonce from "../../../generated/hop/nonce.js";
import type {
  Aead,
  CipherName,
  Crypto,
  HashName,
  NoiseFunctions,
  PrivateKey,
  PublicKey,
} from "../../crypto.js";
import { StateError } from "../../error.js";
import type { NoiseProtocol, Token } from "./patterns.js";

/** Octets of a key, and of a public key; of a tag; of a message at most (§3). */
const KEY = 32;
export const TAG = 16;
export const LONGEST = 65_535;
/** Messages sealed in one direction, under however many keys. */
const MOST = 2 ** 32 - 1;

const NOTHING = new Uint8Array(0);
const [ONE, TWO, THREE] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)];
/** The nonce that is for new keys alone, in either order: §5.1, `maxnonce`. */
const LAST_NONCE = new Uint8Array(nonce.MAX).fill(0xff, nonce.MAX - 8);
const ZEROS = new Uint8Array(KEY);

/** One direction: a key, and how often it was used. §5.1 */
export class CipherState {
  #aead: Aead;
  readonly #little: boolean;
  readonly #nonce = new Uint8Array(nonce.MAX);
  readonly #view = new DataView(this.#nonce.buffer);

  /** Whoever gives `key` has no more use for it: it is wiped. */
  constructor(
    readonly crypto: Crypto,
    readonly name: CipherName,
    key: Uint8Array,
    /** Messages that were sealed, or opened. */
    public count = 0,
  ) {
    this.#little = name === "ChaChaPoly";
    this.#aead = this.#keyed(key);
  }

  /** Seals into `into`, which has 16 octets more than `plain`. */
  seal(beside: Uint8Array, plain: Uint8Array, into: Uint8Array): void {
    if (!this.#next())
      throw new StateError(`${MOST} messages are sealed, and there is no nonce left`);
    this.#aead.seal(this.#nonce, beside, plain, into);
  }

  open(beside: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    return this.#next() ? this.#aead.open(this.#nonce, beside, sealed) : undefined;
  }

  /** A new key, made of the old one. It does not begin to count anew: §11.3. */
  rekey(): void {
    this.#aead = this.rekeyed().#aead;
  }

  /** What this is after a new key, for who does not know yet whether there was one. */
  rekeyed(): CipherState {
    const made = new Uint8Array(KEY + TAG);
    this.#aead.seal(LAST_NONCE, NOTHING, ZEROS, made);
    return new CipherState(this.crypto, this.name, made.subarray(0, KEY), this.count);
  }

  /** Counts, then uses: whatever fails, no nonce is used twice. */
  #next(): boolean {
    if (this.count >= MOST) return false;
    nonce.write(this.#view, 0, this.#little, this.count++);
    return true;
  }

  #keyed(key: Uint8Array): Aead {
    const aead = this.crypto.noise.cipher(this.name, this.crypto.secretKey(key));
    key.fill(0);
    return aead;
  }
}

/** All that was said so far, as a hash and as a key. §5.2 */
class SymmetricState {
  hash: Uint8Array;
  #chain: Uint8Array;
  #cipher: CipherState | undefined;
  readonly #functions: NoiseFunctions;
  readonly #by: HashName;

  constructor(
    readonly crypto: Crypto,
    readonly protocol: NoiseProtocol,
  ) {
    this.#functions = crypto.noise;
    this.#by = protocol.hash;
    const name = new TextEncoder().encode(protocol.name);
    const padded = new Uint8Array(this.#functions.hash(this.#by, []).length);
    if (name.length > padded.length) this.hash = this.#functions.hash(this.#by, [name]);
    else {
      padded.set(name);
      this.hash = padded;
    }
    this.#chain = this.hash;
  }

  /** Octets by which what is sealed is longer. */
  get overhead(): number {
    return this.#cipher === undefined ? 0 : TAG;
  }

  mixHash(octets: Uint8Array): void {
    this.hash = this.#functions.hash(this.#by, [this.hash, octets]);
  }

  mixKey(secret: Uint8Array): void {
    const [chain, key] = this.#derive(secret);
    this.#chain = chain;
    this.#key(key);
  }

  mixKeyAndHash(secret: Uint8Array): void {
    const [chain, hash, expand] = this.#derive(secret);
    this.#chain = chain;
    this.mixHash(hash);
    this.#key(expand(hash, THREE));
  }

  seal(plain: Uint8Array, into: Uint8Array): void {
    if (this.#cipher === undefined) into.set(plain);
    else this.#cipher.seal(this.hash, plain, into);
    this.mixHash(into);
  }

  open(sealed: Uint8Array): Uint8Array | undefined {
    const plain =
      this.#cipher === undefined ? sealed.slice() : this.#cipher.open(this.hash, sealed);
    if (plain !== undefined) this.mixHash(sealed);
    return plain;
  }

  /** The initiator's direction, and the other. `tell` hears their keys before these are wiped. */
  split(tell?: (one: Uint8Array, other: Uint8Array) => void): [CipherState, CipherState] {
    const [one, other] = this.#derive(NOTHING);
    this.#chain.fill(0);
    tell?.(one.subarray(0, KEY), other.subarray(0, KEY));
    return [this.#state(one), this.#state(other)];
  }

  #key(octets: Uint8Array): void {
    this.#cipher = this.#state(octets);
  }

  #state(octets: Uint8Array): CipherState {
    const state = new CipherState(this.crypto, this.protocol.cipher, octets.subarray(0, KEY));
    octets.fill(0);
    return state;
  }

  /** HKDF (§4.3): two outputs, and what makes more of the one before. */
  #derive(secret: Uint8Array): [Uint8Array, Uint8Array, (...parts: Uint8Array[]) => Uint8Array] {
    const { crypto } = this;
    const by = (key: Uint8Array) => {
      const secretKey = crypto.secretKey(key);
      return (...parts: Uint8Array[]) => this.#functions.hmac(this.#by, secretKey, parts);
    };
    const drawn = by(this.#chain)(secret);
    const expand = by(drawn);
    drawn.fill(0);
    const one = expand(ONE);
    return [one, expand(one, TWO), expand];
  }
}

export interface HandshakeOptions {
  readonly protocol: NoiseProtocol;
  readonly initiator: boolean;
  /** What both sides know before, and must know alike. */
  readonly prologue: Uint8Array;
  /** Our static key, where the pattern has one. */
  readonly own?: PrivateKey | undefined;
  /** The peer's, where the pattern wants it known before. */
  readonly peer?: PublicKey | undefined;
  /** 32 octets that both sides share, where the pattern wants them. */
  readonly psk?: Uint8Array | undefined;
  /** For vectors. */
  readonly ephemeral?: PrivateKey;
}

/** A handshake under way. §5.3 */
export class Handshake {
  readonly #state: SymmetricState;
  readonly #options: HandshakeOptions;
  readonly #functions: NoiseFunctions;
  #ephemeral: PrivateKey | undefined;
  #peer: PublicKey | undefined;
  #peerEphemeral: PublicKey | undefined;
  #step = 0;

  constructor(
    readonly crypto: Crypto,
    options: HandshakeOptions,
  ) {
    this.#options = options;
    this.#functions = crypto.noise;
    this.#peer = options.peer;
    const { protocol, initiator, prologue, own } = options;
    this.#state = new SymmetricState(crypto, protocol);
    this.#state.mixHash(prologue);
    const { x25519 } = this.#functions;
    const mine = () => x25519.octets(x25519.publicOf(own as PrivateKey));
    const theirs = () => x25519.octets(this.#peer as PublicKey);
    if (protocol.known.initiator) this.#state.mixHash(initiator ? mine() : theirs());
    if (protocol.known.responder) this.#state.mixHash(initiator ? theirs() : mine());
  }

  /** All its messages have been written and read. */
  get over(): boolean {
    return this.#step === this.#options.protocol.messages.length;
  }

  /** The next message is ours to write. */
  get ours(): boolean {
    return !this.over && (this.#step % 2 === 0) === this.#options.initiator;
  }

  /** The peer's static key, as soon as it is known; proved by the end. */
  get peer(): PublicKey | undefined {
    return this.#peer;
  }

  /** A hash of all that was said: two sides have the same one only if they are each other's. §11.2 */
  get hash(): Uint8Array {
    return this.#state.hash;
  }

  /** The next message, around `payload`; undefined if the peer's public key is one for no secret. */
  write(payload: Uint8Array = NOTHING): Uint8Array | undefined {
    const message = new Uint8Array(2 * (KEY + TAG) + payload.length);
    let at = 0;
    const add = (octets: Uint8Array) => {
      const end = at + octets.length + this.#state.overhead;
      this.#state.seal(octets, message.subarray(at, end));
      at = end;
    };
    for (const token of this.#tokens()) {
      const { x25519 } = this.#functions;
      if (token === "e") {
        this.#ephemeral = this.#options.ephemeral ?? x25519.generate();
        const octets = x25519.octets(x25519.publicOf(this.#ephemeral));
        message.set(octets, at);
        at += octets.length;
        this.#known(octets);
      } else if (token === "s") {
        add(x25519.octets(x25519.publicOf(this.#options.own as PrivateKey)));
      } else if (!this.#mix(token)) return undefined;
    }
    add(payload);
    this.#step++;
    return message.subarray(0, at);
  }

  /** Takes the peer's next message; answers its payload, or undefined if it is not right. */
  read(message: Uint8Array): Uint8Array | undefined {
    const { x25519 } = this.#functions;
    let at = 0;
    for (const token of this.#tokens()) {
      if (token === "e") {
        const octets = message.subarray(at, at + KEY);
        if (octets.length < KEY) return undefined;
        at += KEY;
        this.#peerEphemeral = x25519.publicKey(octets);
        this.#known(octets);
      } else if (token === "s") {
        const end = at + KEY + this.#state.overhead;
        if (message.length < end) return undefined;
        const octets = this.#state.open(message.subarray(at, end));
        if (octets === undefined) return undefined;
        at = end;
        this.#peer = x25519.publicKey(octets);
      } else if (!this.#mix(token)) return undefined;
    }
    const payload = this.#state.open(message.subarray(at));
    this.#step++;
    return payload;
  }

  /**
   * Keys for what we send, and for what we receive. `tell` hears the initiator's and the responder's ephemeral
   * public key, and the key that either sends with: octets which are wiped as soon as it returns.
   */
  split(tell?: (keys: readonly Uint8Array[]) => void): {
    readonly send: CipherState;
    readonly receive: CipherState;
  } {
    const [there, back] = this.#state.split(
      tell && ((one, other) => tell([...this.#ephemerals(), one, other])),
    );
    return this.#options.initiator
      ? { send: there, receive: back }
      : { send: back, receive: there };
  }

  /** The initiator's public one, and the responder's. */
  #ephemerals(): [Uint8Array, Uint8Array] {
    const { x25519 } = this.#functions;
    const mine = x25519.octets(x25519.publicOf(this.#ephemeral as PrivateKey));
    const theirs = x25519.octets(this.#peerEphemeral as PublicKey);
    return this.#options.initiator ? [mine, theirs] : [theirs, mine];
  }

  #tokens(): readonly Token[] {
    const tokens = this.#options.protocol.messages[this.#step];
    if (tokens === undefined) throw new StateError("the handshake is over");
    return tokens;
  }

  /** An ephemeral key is known to both. */
  #known(octets: Uint8Array): void {
    this.#state.mixHash(octets);
    // §9.2
    if (this.#options.protocol.psk) this.#state.mixKey(octets);
  }

  /** A secret that both have. The first letter is the initiator's key, the second the responder's. */
  #mix(token: Token): boolean {
    const { initiator, own, psk } = this.#options;
    if (token === "psk") {
      this.#state.mixKeyAndHash(psk as Uint8Array);
      return true;
    }
    const [mine, theirs] = initiator ? [token[0], token[1]] : [token[1], token[0]];
    const secret = this.#functions.x25519.agree(
      (mine === "e" ? this.#ephemeral : own) as PrivateKey,
      (theirs === "e" ? this.#peerEphemeral : this.#peer) as PublicKey,
    );
    if (secret === undefined) return false;
    this.#state.mixKey(secret);
    secret.fill(0);
    return true;
  }
}
