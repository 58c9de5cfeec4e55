import { header, tlv, u16 } from "../lang.js";

/** Options of a pcapng packet: between its padding and the block's trailer. */
export const pcapngOptions = header(
  "pcapng.options",
  {
    /** About the packet. */
    options: tlv({
      type: u16,
      length: u16,
      align: 4,
      end: 0,
      names: {
        end: 0,
        comment: 1,
        flags: 2,
        hash: 3,
        drops: 4,
        id: 5,
        queue: 6,
        verdict: 7,
      },
      fill: "rest",
      max: 2 ** 17,
    }),
  },
  { ref: "draft-ietf-opsawg-pcapng §3.5, §4.3", order: "caller" },
);
