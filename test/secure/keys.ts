/** Options with which two sides of a hop meet: a key pair each, and a secret. */
import { type HopOptions, type HopPattern, type HopSuite, hopKeys } from "../../runtime/index.js";

export type Side = "dial" | "listen";

const pem = (octet: number) => hopKeys(new Uint8Array(32).fill(octet));
export const KEYS = { dial: pem(1), listen: pem(2), stranger: pem(3) } as const;
export const PSK = new Uint8Array(32).fill(4);
export const PATTERNS: readonly HopPattern[] = ["XX", "IK", "KK", "NNpsk0"];
export const SUITES: readonly HopSuite[] = ["25519_AESGCM_SHA256", "25519_ChaChaPoly_SHA256"];

/** What a side says, unless `more` says otherwise. */
export function optionsOf(side: Side, pattern: HopPattern, more: object = {}): HopOptions {
  const other = side === "dial" ? "listen" : "dial";
  const own =
    pattern === "NNpsk0"
      ? { psk: PSK }
      : { key: KEYS[side].privateKey, peers: [KEYS[other].publicKey] };
  return { pattern, ...own, ...more } as HopOptions;
}
