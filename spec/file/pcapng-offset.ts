import { header, i64 } from "../lang.js";

/** Value of a pcapng interface's `offset` option: what is to be added to its times. */
export const pcapngOffset = header(
  "pcapng.offset",
  {
    /** Seconds. */
    seconds: i64,
  },
  { ref: "draft-ietf-opsawg-pcapng §4.2, if_tsoffset", order: "caller" },
);
