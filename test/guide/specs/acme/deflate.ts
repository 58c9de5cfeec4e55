import { above, header, konst, oneOf, u8, u32 } from "wirestack/spec";

/** Message that may be compressed. */
export const acmeDeflate = header(
  "acme.deflate",
  {
    /** Of this layout. */
    version: konst(u8, 1),
    /** What was done to the message. */
    packing: oneOf(u8, { none: 0, deflate: 1 }),
    /** Octets of the message before that. */
    length: u32,
  },
  { ref: "ACME deflate, version 1; RFC 1951", on: { layer: "acmeDeflate" } },
).payload({ next: (h) => [above({ when: h.packing.eq(0) })] });
