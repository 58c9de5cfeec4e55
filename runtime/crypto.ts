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
  /** As `hmac`, for messages without end: the octets it answers with are the next call's, too. */
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
  verify(key: PublicKey, signature: Uint8Array, parts: readonly Uint8Array[]): boolean;

  /** Whether two octet strings are the same, in time that does not tell where they differ. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  secretKey(octets: Uint8Array): SecretKey;
  /** HMAC-SHA256 over the parts in order (RFC 2104): 32 octets. */
  hmac(key: SecretKey, parts: readonly Uint8Array[]): Uint8Array;
}
