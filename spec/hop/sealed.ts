import { bytes, header, open, to } from "../lang.js";

/** Record, sealed: a Noise transport message of at most 65535 octets, one message of the link below. */
export const hopSealed = header(
  "hop.sealed",
  {},
  { ref: "Noise rev 34 §3, §5.1", protocol: "hop", on: { "hop.sealed": 1 } },
)
  .payload({ via: () => [open("hop.sender")], next: () => [to("hop.record")] })
  .trailer(() => ({
    /** Proves that nobody changed the record, or its place among the others. */
    tag: bytes(16).as("hex"),
  }));
