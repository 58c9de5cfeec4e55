import { bytes, header, konst, oneOf, recognise, u8, u16 } from "../lang.js";
import { types } from "./types.js";

/**
 * SP greeting. Each side of a stream sends one at once, before any message; who does not like the
 * other's closes.
 */
export const spGreeting = header(
  "sp.greeting",
  {
    /** A zero octet, then "SP". */
    magic: konst(bytes(3), [0x00, 0x53, 0x50]),
    /** Of this greeting; there has been one only. */
    version: konst(u8, 0),
    /** Protocol of the sender; numbers from 0xf000 on are for experiments. */
    type: oneOf(u16, types, { open: true }),
    /**
     * 1: the sender's stack has layers above its framing, and its first message says which. Reserved in
     * the RFC, so plain sockets send 0, and close on anything else; nanomsg ignores it.
     */
    stack: oneOf(u16, { plain: 0, described: 1 }),
  },
  { ref: "nanomsg rfc/sp-tcp-mapping-01 §2", protocol: "sp", on: { "tcp.stream": true } },
)
  .sets((h) => ({ "sp.type": h.type, "sp.stack": h.stack }))
  .payload({ next: () => [recognise("sp.framing", { again: true })] });
