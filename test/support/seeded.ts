/** Cryptography whose only chance is a world's: the same keys for the same seed. */
import type { Crypto } from "../../runtime/crypto.js";
import { nodeCrypto } from "../../runtime/node-crypto.js";

export function seeded(random: (octets: Uint8Array) => void): Crypto {
  const { noise } = nodeCrypto;
  const { x25519 } = noise;
  return {
    ...nodeCrypto,
    noise: {
      ...noise,
      x25519: {
        ...x25519,
        generate() {
          const octets = new Uint8Array(32);
          random(octets);
          return x25519.privateKey(octets);
        },
      },
    },
  };
}
