/**
 * Keys by their numbers, each with the time in which it is good; one that signs, and all that are taken.
 *
 * A key fixes its algorithm, so that no message can choose a weaker one. Keys come and go while sockets
 * run: give a new one to whoever receives, then to whoever sends, and take the old one away when nothing is
 * under way any more that it has signed. A request that is sent again keeps its tag.
 */
import { Alg } from "../../../generated/integrity/trailer.js";
import type { Crypto, KeyObjectLike, PrivateKey, PublicKey, SecretKey } from "../../crypto.js";
import { StackError } from "../../error.js";
import { type Names, named } from "../../option.js";

/** Octets of a secret, at least: what 128 bits of security take. */
const SECRET = 16;
/** Of a key, whatever its kind. One whose end is misspelt would never end. */
const KEY: Names<SharedKey & SigningKey & VerifyingKey> = {
  id: true,
  secret: true,
  privateKey: true,
  publicKey: true,
  notBefore: true,
  notAfter: true,
};

interface KeyOptions {
  /** What it is called in messages: a whole number, the same on both sides. */
  readonly id: number;
  /** From when on it signs, as a Date or milliseconds since 1970. Default: always. */
  readonly notBefore?: Date | number;
  /** From when on it does no more. Default: never. */
  readonly notAfter?: Date | number;
}

/**
 * HMAC-SHA256: whoever has the secret can sign as well as verify. At least 16 random octets; 32 are better.
 * They are copied, and the copy is wiped as soon as the provider of cryptography has them.
 */
export interface SharedKey extends KeyOptions {
  readonly secret: Uint8Array | SecretKey | KeyObjectLike;
}

/**
 * Ed25519: signs, and verifies. 32 octets, PEM, or a KeyObject. To sign takes about 0.1 ms and to verify
 * 0.3 ms, in which nothing else runs; the body is copied for it.
 */
export interface SigningKey extends KeyOptions {
  readonly privateKey: Uint8Array | string | PrivateKey | KeyObjectLike;
}

/** Ed25519: verifies only. 32 octets, PEM, or a KeyObject. */
export interface VerifyingKey extends KeyOptions {
  readonly publicKey: Uint8Array | string | PublicKey | KeyObjectLike;
}

export type IntegrityKey = SharedKey | SigningKey | VerifyingKey;

/** A key, as the layer uses it. Its octets are the provider's. */
export interface Member {
  readonly id: number;
  readonly alg: Alg;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly signs: boolean;
  /** The tag of these octets, one part behind the other; to be copied before the next one is made. */
  sign(crypto: Crypto, parts: readonly Uint8Array[]): Uint8Array;
  verify(crypto: Crypto, tag: Uint8Array, parts: readonly Uint8Array[]): boolean;
}

class Shared implements Member {
  readonly alg = Alg.hmacSha256;
  readonly signs = true;
  readonly #secret: SecretKey;

  constructor(
    readonly id: number,
    readonly notBefore: number,
    readonly notAfter: number,
    secret: SecretKey,
  ) {
    this.#secret = secret;
  }

  sign(crypto: Crypto, parts: readonly Uint8Array[]): Uint8Array {
    return crypto.mac(this.#secret, parts);
  }

  verify(crypto: Crypto, tag: Uint8Array, parts: readonly Uint8Array[]): boolean {
    return crypto.equal(crypto.mac(this.#secret, parts), tag);
  }
}

class Paired implements Member {
  readonly alg = Alg.ed25519;
  readonly signs: boolean;
  readonly #private: PrivateKey | undefined;
  readonly #public: PublicKey;

  constructor(
    readonly id: number,
    readonly notBefore: number,
    readonly notAfter: number,
    secret: PrivateKey | undefined,
    open: PublicKey,
  ) {
    this.signs = secret !== undefined;
    this.#private = secret;
    this.#public = open;
  }

  sign(crypto: Crypto, parts: readonly Uint8Array[]): Uint8Array {
    return crypto.sign(this.#private as PrivateKey, parts);
  }

  verify(crypto: Crypto, tag: Uint8Array, parts: readonly Uint8Array[]): boolean {
    return crypto.verify(this.#public, tag, parts);
  }
}

/** A key that no provider has yet. */
type Given = (crypto: Crypto) => Member;

export class KeyRing {
  readonly #given = new Map<number, Given>();
  /** Looked up by what peers say, but holding only what we chose. */
  readonly #members = new Map<number, Member>();
  #signers: Member[] = [];
  #crypto: Crypto | undefined;

  constructor(keys: Iterable<IntegrityKey> = []) {
    for (const key of keys) this.add(key);
  }

  /** Takes a key in. Throws TypeError or RangeError for what is none, or has the id of another. */
  add(key: IntegrityKey): this {
    const given = checked(key);
    const { id } = key;
    if (this.#given.has(id) || this.#members.has(id)) {
      throw new RangeError(`there is a key ${id} already: remove it first`);
    }
    if (this.#crypto === undefined) this.#given.set(id, given);
    else this.#enter(given(this.#crypto));
    return this;
  }

  /** Takes a key away; whether it was there. What it has signed is refused from now on. */
  remove(id: number): boolean {
    const member = this.#members.get(id);
    this.#signers = this.#signers.filter((k) => k !== member);
    return this.#given.delete(id) || this.#members.delete(id);
  }

  /** The ids of all keys, in the order of their coming. */
  get ids(): number[] {
    return [...this.#members.keys(), ...this.#given.keys()];
  }

  /**
   * The id of the key that signs at that time, in milliseconds since 1970: of those that can, the one
   * that began last. undefined: none does, or no socket has opened with this ring yet.
   */
  current(at: Date | number): number | undefined {
    return this.signer(Number(at))?.id;
  }

  /** As `current`; the key of that id, if one is wanted. */
  signer(at: number, id?: number): Member | undefined {
    let best: Member | undefined;
    for (const k of this.#signers) {
      if (at < k.notBefore || at >= k.notAfter) continue;
      if (id === undefined ? best === undefined || k.notBefore >= best.notBefore : k.id === id) {
        best = k;
      }
    }
    return best;
  }

  get(id: number): Member | undefined {
    return this.#members.get(id);
  }

  /** Gives the keys to a provider. A ring has one: what another made means nothing to it. */
  open(crypto: Crypto): void {
    if (this.#crypto !== undefined && this.#crypto.secretKey !== crypto.secretKey) {
      throw new StackError("the keys of this ring were given to another provider of cryptography");
    }
    this.#crypto = crypto;
    for (const [id, given] of this.#given) {
      this.#enter(given(crypto));
      this.#given.delete(id);
    }
  }

  #enter(member: Member): void {
    this.#members.set(member.id, member);
    if (member.signs) this.#signers.push(member);
  }

  /** Ids, never octets. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `KeyRing ${this.ids.map((id) => `[key ${id}]`).join(" ")}`.trimEnd();
  }
}

/** Looks at all that can be looked at without cryptography. */
function checked(key: IntegrityKey): Given {
  const { id } = named("a key", key, KEY);
  if (!Number.isSafeInteger(id) || id < 0) {
    throw new RangeError(`a key's id is a whole number from 0 to 2^53 - 1; not ${id}`);
  }
  const notBefore = Number(key.notBefore ?? Number.NEGATIVE_INFINITY);
  const notAfter = Number(key.notAfter ?? Number.POSITIVE_INFINITY);
  if (!(notBefore < notAfter)) {
    throw new RangeError(
      `key ${id}: notBefore and notAfter are times, the second behind the first`,
    );
  }
  if ("secret" in key) {
    const { secret } = key;
    if (typeof secret === "string" || !secret) {
      throw new TypeError(`key ${id}: a secret is octets, as of Buffer.from(text, "base64")`);
    }
    if (!(secret instanceof Uint8Array)) return (crypto) => shared(crypto, secret as SecretKey);
    if (secret.length < SECRET) {
      throw new RangeError(
        `key ${id}: a secret has ${SECRET} octets or more; not ${secret.length}`,
      );
    }
    const own = new Uint8Array(secret);
    return (crypto) => {
      const kept = crypto.secretKey(own);
      own.fill(0);
      return shared(crypto, kept);
    };
  }
  if ("privateKey" in key) {
    const own = copied(key.privateKey);
    return (crypto) => {
      const kept = crypto.signingKey(own);
      if (own instanceof Uint8Array) own.fill(0);
      return new Paired(id, notBefore, notAfter, kept, crypto.verifyingKey(kept));
    };
  }
  if (!("publicKey" in key)) {
    throw new TypeError(`key ${id} has no secret, privateKey or publicKey`);
  }
  const own = copied(key.publicKey);
  return (crypto) => new Paired(id, notBefore, notAfter, undefined, crypto.verifyingKey(own));

  function shared(crypto: Crypto, secret: SecretKey): Member {
    // What is no secret is told now, and not by the first message.
    crypto.mac(secret, []);
    return new Shared(id, notBefore, notAfter, secret);
  }
}

/** Not by `slice`, which of a Buffer would be a view. */
const copied = <T>(given: T): T | Uint8Array =>
  given instanceof Uint8Array ? new Uint8Array(given) : given;
