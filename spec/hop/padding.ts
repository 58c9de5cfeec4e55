import { header, konst, u16 } from "../lang.js";

/**
 * What fills a record up: a piece of nothing, of a message that goes on. A single octet, which is too short
 * for a piece, is padding, too.
 */
export const hopPadding = header(
  "hop.padding",
  {
    /** As `hop.piece` has it: `more`, and no octets. */
    mark: konst(u16, 0x8000),
  },
  {
    ref: "wirestack hop, version 1",
    protocol: "hop",
    title: "Padding of a record",
    on: { "hop.content": true },
  },
).payload({ next: () => [] });
