import { header, konst, u32 } from "../lang.js";

/** Packet of a pcapng file in its shortest form: of interface 0, without time. */
export const pcapngSimple = header(
  "pcapng.simple",
  {
    /** Simple packet. */
    type: konst(u32, 3),
    /** Octets of the block, from its type to its last. */
    length: u32
      .must((n) => n.ge(16), "a simple packet has at least 16 octets")
      .must((n) => n.mod(4).eq(0), "a block is a multiple of four octets"),
    /** Octets that the packet had; there follow as many, at most the interface's snap length. */
    original: u32,
  },
  { ref: "draft-ietf-opsawg-pcapng §4.4", order: "caller" },
)
  .payload({ length: (h) => h.length.sub(16) })
  .trailer((h) => ({
    /** The length once more, for reading backwards. */
    again: u32.must((n) => n.eq(h.length), "is not the block's length"),
  }));
