import { bit, bits, header } from "../lang.js";

/** Value of a pcapng interface's `resolution` option: what its times count. */
export const pcapngResolution = header(
  "pcapng.resolution",
  {
    /** Units are powers of a half, else of a tenth. */
    binary: bit,
    /** Which power: 6 for microseconds if not binary. */
    exponent: bits(7),
  },
  { ref: "draft-ietf-opsawg-pcapng §4.2, if_tsresol" },
);
