/** Cryptography by node's OpenSSL. */
import type * as NodeCrypto from "node:crypto";
import { builtin } from "./builtin.js";
import type { Crypto, PrivateKey, PublicKey, SecretKey } from "./crypto.js";

let found: typeof NodeCrypto | undefined;
/** Where `mac` puts its octets: a Buffer for each would cost as much as a third of the whole. */
let last: Buffer;
/** Loaded by whoever needs it first: most sockets do not. */
const openssl = () => {
  if (found === undefined) {
    found = builtin<typeof NodeCrypto>("node:crypto");
    last = Buffer.alloc(32);
  }
  return found;
};

/** What stands before the octets of an Ed25519 key, in DER: PKCS #8 and SPKI, RFC 8410. */
const PKCS8 = "302e020100300506032b657004220420";
const SPKI = "302a300506032b6570032100";

/** A key by its octets, PEM, or as it is. */
function ed25519(
  given: Uint8Array | string | object,
  type: "private" | "public",
): NodeCrypto.KeyObject {
  const { createPrivateKey, createPublicKey, KeyObject } = openssl();
  const create = type === "private" ? createPrivateKey : createPublicKey;
  let key: NodeCrypto.KeyObject;
  if (given instanceof Uint8Array) {
    if (given.length !== 32) {
      throw new TypeError(`an Ed25519 key has 32 octets, or is PEM; not ${given.length} octets`);
    }
    const before = type === "private" ? PKCS8 : SPKI;
    const der = Buffer.concat([Buffer.from(before, "hex"), given]);
    key = create({ key: der, format: "der", type: type === "private" ? "pkcs8" : "spki" } as never);
    der.fill(0);
  } else if (given instanceof KeyObject) {
    key = type === "public" && given.type === "private" ? createPublicKey(given as never) : given;
  } else {
    try {
      key = create(given as string);
    } catch (cause) {
      throw new TypeError(`this is no ${type} key in PEM`, { cause });
    }
  }
  if (key.type === type && key.asymmetricKeyType === "ed25519") return key;
  throw new TypeError(
    `this is no ${type} key of Ed25519, but ${key.asymmetricKeyType ?? key.type}`,
  );
}

export const nodeCrypto: Crypto = {
  mac(key, parts) {
    const hmac = openssl().createHmac("sha256", key as unknown as NodeCrypto.KeyObject);
    for (let i = 0; i < parts.length; i++) hmac.update(parts[i] as Uint8Array);
    last.write(hmac.digest("binary"), "binary");
    return last;
  },
  signingKey: (given) => ed25519(given, "private") as unknown as PrivateKey,
  verifyingKey: (given) => ed25519(given, "public") as unknown as PublicKey,
  sign: (key, parts) =>
    openssl().sign(null, Buffer.concat(parts), key as unknown as NodeCrypto.KeyObject),
  verify: (key, signature, parts) =>
    openssl().verify(null, Buffer.concat(parts), key as unknown as NodeCrypto.KeyObject, signature),

  equal: (a, b) => a.length === b.length && openssl().timingSafeEqual(a, b),
  secretKey: (octets) => openssl().createSecretKey(octets) as unknown as SecretKey,
  hmac(key, parts) {
    const hmac = openssl().createHmac("sha256", key as unknown as NodeCrypto.KeyObject);
    for (const part of parts) hmac.update(part);
    return hmac.digest();
  },
};
