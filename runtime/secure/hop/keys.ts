/** Keys for people to keep and to hand out. */
import type { KeyLike } from "../../crypto.js";
import { nodeCrypto } from "../../node-crypto.js";

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
