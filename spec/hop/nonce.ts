import { header, reserved, u53 } from "../lang.js";

/**
 * Nonce of a sealed record. Both sides count for themselves, and it is never sent. ChaChaPoly takes the
 * count least octet first, AESGCM greatest first.
 */
export const hopNonce = header(
  "hop.nonce",
  {
    /** There are 96 bits, and 64 count. */
    reserved: reserved(32),
    /** Records that were sealed in this direction before; a new key does not set it back. */
    count: u53,
  },
  { ref: "Noise rev 34 §5.1, §12.3, §12.4", protocol: "hop", order: "caller" },
);
