import { header, konst, u16, u32 } from "../lang.js";

/** Packet of an old pcapng file (packet block). Padding and options stand before the trailer. */
export const pcapngObsolete = header(
  "pcapng.obsolete",
  {
    /** Packet. */
    type: konst(u32, 2),
    /** Octets of the block, from its type to its last. */
    length: u32
      .must((n) => n.ge(32), "a packet block has at least 32 octets")
      .must((n) => n.mod(4).eq(0), "a block is a multiple of four octets"),
    /** Number of the interface, from 0 in each section. */
    interface: u16,
    /** Packets lost since the one before; 65535: not known. */
    drops: u16,
    /** When it was captured, in the interface's units since 1970, UTC: the higher half. */
    timeHigh: u32,
    /** The lower half. */
    timeLow: u32,
  },
  { ref: "draft-ietf-opsawg-pcapng Appendix A", order: "caller" },
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
