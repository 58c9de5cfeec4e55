/** Cryptography by node's OpenSSL. */
import type * as NodeCrypto from "node:crypto";
import { builtin } from "./builtin.js";
import type { Crypto, SecretKey } from "./crypto.js";

let found: typeof NodeCrypto | undefined;
/** Loaded by whoever needs it first: most sockets do not. */
const openssl = () => {
  found ??= builtin<typeof NodeCrypto>("node:crypto");
  return found;
};

export const nodeCrypto: Crypto = {
  equal: (a, b) => a.length === b.length && openssl().timingSafeEqual(a, b),
  secretKey: (octets) => openssl().createSecretKey(octets) as unknown as SecretKey,
  hmac(key, parts) {
    const hmac = openssl().createHmac("sha256", key as unknown as NodeCrypto.KeyObject);
    for (const part of parts) hmac.update(part);
    return hmac.digest();
  },
};
