import { header, headLength, i64, konst, tlv, u16, u32 } from "../lang.js";

/** Section header of a pcapng file: byte order and meaning of the blocks up to the next. */
export const pcapngSection = header(
  "pcapng.section",
  {
    /** Reads the same in both orders. */
    type: konst(u32, 0x0a0d0d0a),
    /** Octets of the block, from its type to its last. */
    length: u32
      .must((n) => n.ge(28), "a section header has at least 28 octets")
      .must((n) => n.mod(4).eq(0), "a block is a multiple of four octets")
      .auto(headLength.add(4)),
    /** Reads so in the section's order only. */
    magic: konst(u32, 0x1a2b3c4d),
    /** Version of the format. */
    major: u16,
    /** Its second half. */
    minor: u16,
    /** Octets of the section behind this block; −1: not known. */
    sectionLength: i64,
  },
  { ref: "draft-ietf-opsawg-pcapng §4.1", order: "caller" },
)
  .and((h) => ({
    /** About the capture as a whole. */
    options: tlv({
      type: u16,
      length: u16,
      align: 4,
      end: 0,
      names: { end: 0, comment: 1, hardware: 2, system: 3, application: 4 },
      fill: h.length.sub(28),
      max: 2 ** 17,
    }),
  }))
  .trailer((h) => ({
    /** The length once more, for reading backwards. */
    again: u32.must((n) => n.eq(h.length), "is not the block's length"),
  }));
