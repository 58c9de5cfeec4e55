/**
 * Cryptographic primitives, as layers see them. Keys are the provider's own objects, so their octets can
 * stay outside of memory that JavaScript sees; what two octet strings have in common is compared here
 * and nowhere else.
 */

declare const opaque: unique symbol;
/** A symmetric key. */
export interface SecretKey {
  readonly [opaque]: "secret";
}
/** The half of a key pair that signs, or agrees. */
export interface PrivateKey {
  readonly [opaque]: "private";
}
/** The half of a key pair that may be known. */
export interface PublicKey {
  readonly [opaque]: "public";
}

export interface Crypto {
  /**
   * HMAC-SHA256 over the parts in order (RFC 2104): 32 octets, which are the next call's, too, so that a
   * message costs no buffer.
   */
  mac(key: SecretKey, parts: readonly Uint8Array[]): Uint8Array;
  /**
   * An Ed25519 key that signs (RFC 8032): 32 octets, PEM, or the provider's own. Throws TypeError for what
   * is none.
   */
  signingKey(given: Uint8Array | string | object): PrivateKey;
  /** The half that may be known: as `signingKey`, or of one. */
  verifyingKey(given: Uint8Array | string | object): PublicKey;
  /** Ed25519 signature of the parts in order, which it copies into one piece: 64 octets. */
  sign(key: PrivateKey, parts: readonly Uint8Array[]): Uint8Array;
  /** Whether it is that key's signature of the parts in order. */
  verify(key: PublicKey, signature: Uint8Array, parts: readonly Uint8Array[]): boolean;

  /** Whether two octet strings are the same, in time that does not tell where they differ. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** Of octets that are a key already: any number for an HMAC, 32 for a cipher. */
  secretKey(octets: Uint8Array): SecretKey;
  /** What Noise is made of. */
  readonly noise: NoiseFunctions;
}

// --- Noise's functions, by the names that it gives them: rev 34 §4, §12 ---

export type HashName = "SHA256" | "SHA512" | "BLAKE2s" | "BLAKE2b";
export type CipherName = "AESGCM" | "ChaChaPoly";

/** node's KeyObject, by what tells it: where node's own types are not, as in a page. */
export interface KeyObjectLike {
  readonly type: "secret" | "public" | "private";
}

/** A key as people have it: the provider's own object, 32 octets, these in base64, or PEM. */
export type KeyLike = object | string;

export interface NoiseFunctions {
  /** Of the parts in order: 32 octets, or 64 by SHA512 and BLAKE2b. */
  hash(name: HashName, parts: readonly Uint8Array[]): Uint8Array;
  /** HMAC by that hash (RFC 2104). */
  hmac(name: HashName, key: SecretKey, parts: readonly Uint8Array[]): Uint8Array;
  /** An authenticated cipher with a key of 32 octets (RFC 5116, RFC 8439). */
  cipher(name: CipherName, key: SecretKey): Aead;
  readonly x25519: Agreement;
}

export interface Aead {
  /** Seals under a nonce of 12 octets that never comes again. `into` has 16 octets more than `plain`. */
  seal(nonce: Uint8Array, beside: Uint8Array, plain: Uint8Array, into: Uint8Array): void;
  /** What was sealed, in a buffer of its own; undefined if somebody changed it. */
  open(nonce: Uint8Array, beside: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

/** Two who know each other's public key come to the same 32 octets: X25519 (RFC 7748). */
export interface Agreement {
  /** A new key, of which nobody else can know. */
  generate(): PrivateKey;
  /** Throws TypeError if it is none. */
  privateKey(given: KeyLike): PrivateKey;
  /** Throws TypeError if it is none. Of a private key: the half that may be known. */
  publicKey(given: KeyLike): PublicKey;
  publicOf(key: PrivateKey): PublicKey;
  /** Its 32 octets. */
  octets(key: PublicKey): Uint8Array;
  /** A public key in base64, 44 characters; a private one in PEM (PKCS #8). */
  text(key: PublicKey | PrivateKey): string;
  /** Undefined for a public key with which everybody would come to the same. */
  agree(own: PrivateKey, peer: PublicKey): Uint8Array | undefined;
}
