import { by, header, headLength, tlv, u8 } from "../lang.js";

/** IPv6 destination options: for the receiver only. */
export const ipv6Destination = header(
  "ipv6.dstopts",
  {
    /** What follows. */
    next: u8.named("nxt"),
    /** Length of this header in units of eight octets, the first not counted. */
    length: u8.auto(headLength.div(8).sub(1)).named("len"),
  },
  { ref: "RFC 8200 §4.6", on: { "ip.proto": 60 } },
)
  .and((h) => ({
    /** They fill the header; pad1 and padN fill up what is left. */
    options: tlv({
      type: u8,
      length: u8,
      single: [0],
      names: { pad1: 0, padN: 1, tunnelLimit: 4, homeAddress: 201 },
      fill: h.length.mul(8).add(6),
      max: 2046,
    }).named("opt"),
  }))
  .payload({ next: (h) => [by("ip.proto", h.next)] });
