import { bytes, header, konst, octetsOf, oneOf, u8, u16, u32, u53 } from "../lang.js";

/**
 * What the tag of `integrity.trailer` covers: octets that both sides make, and nobody sends.
 *
 * Head and trailer stand around the message's body. Headers of the protocol are left out: devices
 * write them anew.
 */
export const integritySigned = header(
  "integrity.signed",
  {
    /** `wirestack/integrity/1`. */
    context: konst(
      bytes(21),
      Array.from("wirestack/integrity/1", (c) => c.charCodeAt(0)),
    ),
    /** Protocol of the sender, as in `sp.greeting`: what one side said is not what the other would say. */
    type: u16,
    /** Octets of `request`: 0, but for a reply or a response. */
    requestLength: u8.auto(octetsOf("request")),
  },
  { ref: "wirestack integrity, version 1", protocol: "integrity" },
)
  .and((h) => ({
    /** Tag of the request that this answers: so an answer is none to another request. */
    request: bytes(h.requestLength),
  }))
  .payload()
  .trailer(() => ({
    /** As in `integrity.trailer`, as all that follows. */
    epochHigh: u32,
    /** The second half. */
    epochLow: u32,
    /** Counts the messages of an epoch, from 0. */
    seq: u53,
    /** Names the key. */
    keyId: u53,
    /** How the tag is made. */
    alg: oneOf(u8, { hmacSha256: 1, ed25519: 2 }),
    /** Of this layout. */
    version: konst(u8, 1),
  }));
