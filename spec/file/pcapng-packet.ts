import { header, konst, u32 } from "../lang.js";

/** Packet of a pcapng file (enhanced packet block). Padding and options stand before the trailer. */
export const pcapngPacket = header(
  "pcapng.packet",
  {
    /** Enhanced packet. */
    type: konst(u32, 6),
    /** Octets of the block, from its type to its last. */
    length: u32
      .must((n) => n.ge(32), "an enhanced packet has at least 32 octets")
      .must((n) => n.mod(4).eq(0), "a block is a multiple of four octets"),
    /** Number of the interface, from 0 in each section. */
    interface: u32,
    /** When it was captured, in the interface's units since 1970, UTC: the higher half. */
    timeHigh: u32,
    /** The lower half. */
    timeLow: u32,
  },
  { ref: "draft-ietf-opsawg-pcapng §4.3", order: "caller" },
)
  .and((h) => ({
    /** Octets of the packet that follow. */
    captured: u32.must((n) => n.le(h.length.sub(32)), "is more than the block has"),
    /** Octets that it had. */
    original: u32,
  }))
  .payload({ length: (h) => h.captured })
  .trailer((h) => ({
    /** The length once more, for reading backwards. */
    again: u32.must((n) => n.eq(h.length), "is not the block's length"),
  }));
