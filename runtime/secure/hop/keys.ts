/** Keys for people: to keep, to hand out, and to open captures with. */
import type { KeyLike } from "../../crypto.js";
import { nodeCrypto } from "../../node-crypto.js";
import { type Keys, readKeyLog as read } from "./key-log.js";

export interface HopKeys {
  /** In PEM (PKCS #8), as `openssl genpkey -algorithm x25519` prints one. To be kept to oneself. */
  readonly privateKey: string;
  /** In base64, 44 characters: what others have in their `peers`. */
  readonly publicKey: string;
}

/** A new pair of keys; or the pair of a private key that is there. Throws TypeError if it is none. */
export function hopKeys(privateKey?: KeyLike): HopKeys {
  const { x25519 } = nodeCrypto.noise;
  const key = privateKey === undefined ? x25519.generate() : x25519.privateKey(privateKey);
  return { privateKey: x25519.text(key), publicKey: x25519.text(x25519.publicOf(key)) };
}

/**
 * The keys of sessions, of what `keyLog` of `hop` has written: what opens their records in a capture. Throws
 * TypeError for a line that is neither empty, nor a comment behind `#`, nor right, by its number.
 */
export function readKeyLog(text: string, crypto = nodeCrypto): Keys {
  return read(text, crypto);
}
