import { by, header, u16 } from "../lang.js";

/**
 * BSD loopback: the address family. LOOP has it in network order, NULL in that of the capturing host,
 * which nothing tells; but families are below 256, so one half is zero.
 */
export const loopback = header(
  "null",
  {
    /** The family times 256, if the host was little-endian. */
    high: u16.as("hex"),
    /** The family, if the host was big-endian. */
    low: u16.as("hex"),
  },
  { ref: "LINKTYPE_NULL, LINKTYPE_LOOP (tcpdump.org)", on: { linktype: [0, 108] } },
)
  .shows((h) => ({ family: h.high.shr(8).add(h.low) }))
  .payload({ next: (h) => [by("null.family", h.high.shr(8).add(h.low))] });
