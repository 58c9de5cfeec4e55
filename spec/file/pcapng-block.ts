import { header, oneOf, u32 } from "../lang.js";

/** Block of a pcapng file, whatever it holds. */
export const pcapngBlock = header(
  "pcapng.block",
  {
    /** What the body is; 0x0a0d0d0a reads the same in both orders and begins a section. */
    type: oneOf(
      u32,
      {
        interface: 1,
        packet: 2,
        simple: 3,
        names: 4,
        statistics: 5,
        enhanced: 6,
        secrets: 10,
        section: 0x0a0d0d0a,
      },
      { open: true },
    ).as("hex"),
    /** Octets of the block, from its type to its last. */
    length: u32
      .must((n) => n.ge(12), "a block has at least 12 octets")
      .must((n) => n.mod(4).eq(0), "a block is a multiple of four octets"),
  },
  { ref: "draft-ietf-opsawg-pcapng §3.1", order: "caller" },
)
  .payload({ length: (h) => h.length.sub(12) })
  .trailer((h) => ({
    /** The length once more, for reading backwards. */
    again: u32.must((n) => n.eq(h.length), "is not the block's length"),
  }));
