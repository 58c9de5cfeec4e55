import { by, bytes, header, headLength, reserved, u8, u32 } from "../lang.js";

/** IP authentication header: what follows is in clear, and proved. */
export const authentication = header(
  "ah",
  {
    /** What follows. */
    next: u8.named("next_header"),
    /** Length of this header in words of 32 bits, two not counted. */
    length: u8
      .must((n) => n.ge(1), "the header has at least 12 octets")
      .auto(headLength.div(4).sub(2)),
    /** Nothing yet. */
    reserved: reserved(16).lint(),
    /** Which keys and algorithm; the receiver has chosen it. */
    association: u32.as("hex").named("spi"),
    /** Counts packets, against replay. */
    sequence: u32,
  },
  { ref: "RFC 4302 §2", on: { "ip.proto": 51 } },
)
  .and((h) => ({
    /** The proof. */
    proof: bytes(h.length.sub(1).mul(4)).named("icv"),
  }))
  .payload({ next: (h) => [by("ip.proto", h.next)] });
