import {
  byFact,
  choose,
  header,
  konst,
  oneOf,
  payloadLength,
  reserved,
  u8,
  u16,
  u32,
} from "../lang.js";
import { types } from "./types.js";

/** NNG datagram. Experimental in NNG 2, and unlike sp-udp-mapping-01: little-endian, without magic. */
export const spUdp = header(
  "sp.udp",
  {
    /** Of this header. */
    version: konst(u8, 1),
    /** What the datagram is for: a message, or to open, to confirm, to end a connection. */
    operation: oneOf(u8, { data: 0, connect: 1, confirm: 2, disconnect: 3, mesh: 4 }).named("op"),
    /** Protocol of the sender. */
    type: oneOf(u16, types),
  },
  {
    ref: "NNG src/sp/transport/udp/udp.c",
    protocol: "sp",
    order: "little",
    on: { "udp.payload": true },
  },
)
  .and((h) => ({
    /** By operation. */
    about: choose(h.operation, {
      /** A message. */
      data: {
        is: 0,
        of: {
          /** Octets of the message, which fills the datagram. */
          length: u16.should((n) => n.eq(payloadLength), "the message does not fill its datagram"),
          /** Means nothing. NNG sends what its memory holds, so it is kept. */
          unused: reserved(16).lint(),
        },
      },
      /** A connection opens. */
      opening: {
        is: [1, 2],
        of: {
          /** Octets of the longest message that the sender takes. */
          receiveMax: u16,
          /** Seconds after which the sender wants to hear from the other side again. */
          refresh: u16,
        },
      },
      /** A connection ends. */
      end: {
        is: 3,
        of: {
          /** Why. */
          reason: oneOf(
            u16,
            {
              closed: 0,
              type: 1,
              refused: 3,
              messageSize: 4,
              negotiation: 5,
              inactive: 6,
              protocol: 7,
              noBuffer: 8,
            },
            { open: true },
          ),
          /** Means nothing. */
          unused: reserved(16).lint(),
        },
      },
      /** Planned; nobody sends it. */
      mesh: {
        is: 4,
        of: {
          /** Not defined. */
          data: u32.as("hex"),
        },
      },
    }),
  }))
  .sets((h) => ({ "sp.type": h.type }))
  .payload({
    next: (h) => [byFact("sp.type", { when: h.operation.eq(0), message: true, within: "sp.body" })],
  });
