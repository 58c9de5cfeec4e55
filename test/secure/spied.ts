/** Cryptography that writes down which nonce was used with which key. */
import type { Crypto } from "../../runtime/crypto.js";
import { nodeCrypto } from "../../runtime/node-crypto.js";

export interface Spied {
  readonly crypto: Crypto;
  /** Calls that sealed; those with a nonce that the same key had before; keys that ciphers had. */
  readonly seals: number;
  readonly doubled: number;
  readonly keys: number;
}

export function spied(base: Crypto = nodeCrypto): Spied {
  const octets = new WeakMap<object, string>();
  const used = new Set<string>();
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const spy = { seals: 0, doubled: 0, keys: 0 };
  const { noise } = base;
  const crypto: Crypto = {
    ...base,
    secretKey(bytes) {
      const key = base.secretKey(bytes);
      octets.set(key, hex(bytes));
      return key;
    },
    noise: {
      ...noise,
      cipher(name, key) {
        spy.keys++;
        const aead = noise.cipher(name, key);
        return {
          seal(nonce, beside, plain, into) {
            // Two who make the same new key of the same old one do so alike.
            if (hex(nonce) !== "00000000ffffffffffffffff") {
              const use = `${octets.get(key)} ${hex(nonce)}`;
              if (used.has(use)) spy.doubled++;
              used.add(use);
              spy.seals++;
            }
            aead.seal(nonce, beside, plain, into);
          },
          open: (nonce, beside, sealed) => aead.open(nonce, beside, sealed),
        };
      },
    },
  };
  return Object.assign(spy, { crypto });
}
