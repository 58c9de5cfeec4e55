import { flags, header, konst, oneOf, u8, u32 } from "../lang.js";

/** Beginning of a gzip member. */
export const gzip = header(
  "gzip",
  {
    /** First half of what tells it. */
    id1: konst(u8, 0x1f),
    /** Second half. */
    id2: konst(u8, 0x8b),
    /** How it is compressed; there is one way. */
    method: konst(u8, 8),
    /** Which fields follow this header. */
    flags: flags(u8, { text: 0x01, crc: 0x02, extra: 0x04, name: 0x08, comment: 0x10 }).as("hex"),
    /** When the file was last changed: seconds since 1970, UTC; 0: not known. */
    modified: u32,
    /** What the compressor was asked for. */
    effort: u8,
    /** Where it was compressed. */
    system: oneOf(u8, { fat: 0, unix: 3, macintosh: 7, ntfs: 11, unknown: 255 }, { open: true }),
  },
  { ref: "RFC 1952 §2.3", order: "little" },
);
