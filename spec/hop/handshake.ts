import { header, konst, oneOf, payloadLength, to, u8 } from "../lang.js";

const XX = 1;

/**
 * Message of a handshake by which a hop's two sides get their keys: a Noise handshake message, and in
 * front of it which one it is. Each side knows one pattern and one suite; they are said, not asked for.
 *
 * XX has three: the first is a key that was made for this handshake, alone, and the third has none.
 */
export const hopHandshake = header(
  "hop.handshake",
  {
    /** Of all that follows in both directions. */
    version: konst(u8, 1),
    /** Who has to know what of whom before. */
    pattern: oneOf(u8, { XX, IK: 2, KK: 3, NNpsk0: 4 }),
    /** What agrees, seals and hashes. */
    suite: oneOf(u8, { "25519_AESGCM_SHA256": 1, "25519_ChaChaPoly_SHA256": 2 }),
  },
  { ref: "Noise rev 34 §7, §8", protocol: "hop", title: "Noise handshake message" },
)
  .sets((h) => ({
    // What follows in this direction are records, unless the sender has its say once more.
    "hop.sealed": h.pattern.eq(XX).and(payloadLength.eq(32)).not(),
  }))
  .payload({
    next: (h) => [to("hop.ephemeral", { when: h.pattern.ne(XX).or(payloadLength.ne(64)) })],
  });
