import { header, u32 } from "../lang.js";

/** Flags of a pcapng packet: the value of its option. */
export const pcapngFlags = header(
  "pcapng.flags",
  {
    /** The lowest two bits: 1 came in, 2 went out. Then how it was received, its check's octets, errors. */
    flags: u32.as("hex"),
  },
  { ref: "draft-ietf-opsawg-pcapng §4.3.1", order: "caller" },
).shows((h) => ({ direction: h.flags.mask(3) }));
