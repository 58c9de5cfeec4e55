import { bit, bits, header, konst, oneOf, u8, u16, u32 } from "wirestack/spec";

/** Trace header. It goes in front of every message of a sampled call. */
export const acmeTrace = header(
  "acme.trace",
  {
    /** Tells a trace header from anything else. */
    magic: konst(u16, 0xace1),
    /** What the message does to the call. */
    kind: oneOf(u8, { start: 0, stop: 1 }),
    /** The call was made by another. */
    nested: bit,
    /** Calls between this one and the first. */
    depth: bits(7),
  },
  { ref: "ACME tracing, §2" },
).and((h) => ({
  /** The call that made this one. */
  parent: u32.when(h.nested),
}));
