import { bytes, header, konst, oneOf, u8, u32, u53 } from "../lang.js";

/**
 * What `integrity` puts behind each body: who says so, in which order, and the tag that proves it.
 *
 * It stands behind and not before, so that topics stay first; devices without a key pass it on. What the
 * tag covers is `integrity.signed`.
 */
export const integrityTrailer = header(
  "integrity.trailer",
  {},
  {
    ref: "wirestack integrity, version 1",
    title: "Integrity trailer",
    protocol: "integrity",
    on: { layer: "integrity", "sp.body": true },
  },
)
  .payload()
  .trailer(() => ({
    /** How the tag is made. The key decides it: a receiver drops what says otherwise. */
    alg: oneOf(u8, { hmacSha256: 1, ed25519: 2 }),
    /** Of this trailer, and of what the tag covers. */
    version: konst(u8, 1),
  }))
  .before((h) => ({
    /** Names one life of a sending socket, which draws it at random: the first half. */
    epochHigh: u32,
    /** The second half. */
    epochLow: u32,
    /** Counts the messages of an epoch, from 0. */
    seq: u53,
    /** Names the key, to whoever has it. */
    keyId: u53,
    /** HMAC by SHA-256 (RFC 2104), or Ed25519 signature (RFC 8032 §5.1), of `integrity.signed`. */
    tag: bytes(h.alg.pick({ 1: 32, 2: 64 })),
  }));
