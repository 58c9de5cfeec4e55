import { bytes, header, textOf } from "../lang.js";

/**
 * What a handshake message begins with, if its sender has not said it before: a key made for this connection
 * alone. So it also names the connection, to whoever has a log of keys.
 */
export const hopEphemeral = header(
  "hop.ephemeral",
  {
    /** Public key, X25519. */
    key: bytes(32).as("hex"),
  },
  {
    ref: "Noise rev 34 §5.3, §7.4; RFC 7748 §6.1",
    protocol: "hop",
    title: "Ephemeral key, made for this connection alone",
  },
)
  .sets(() => ({ "hop.sender": textOf("key") }))
  .payload({ next: () => [] });
