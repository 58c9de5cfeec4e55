import { bytes, header, konst, oneOf, recognise, reserved, u8, u16 } from "../lang.js";
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
    /** 1 would announce the sender's stack; a plain socket closes on anything but zero. */
    reserved: reserved(16),
  },
  { ref: "nanomsg rfc/sp-tcp-mapping-01 §2", protocol: "sp", on: { "tcp.stream": true } },
)
  .sets((h) => ({ "sp.type": h.type }))
  .payload({ next: () => [recognise("sp.framing", { again: true })] });
