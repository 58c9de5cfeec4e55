import { by, header, headLength, tlv, u8 } from "../lang.js";

/** IPv6 hop-by-hop options: for every router on the way. */
export const ipv6HopByHop = header(
  "ipv6.hopopts",
  {
    /** What follows. */
    next: u8.named("nxt"),
    /** Length of this header in units of eight octets, the first not counted. */
    length: u8.auto(headLength.div(8).sub(1)).named("len"),
  },
  { ref: "RFC 8200 §4.3", on: { "ip.proto": 0 } },
)
  .and((h) => ({
    /** They fill the header; pad1 and padN fill up what is left. */
    options: tlv({
      type: u8,
      length: u8,
      single: [0],
      names: { pad1: 0, padN: 1, routerAlert: 5, jumbo: 194 },
      fill: h.length.mul(8).add(6),
      max: 2046,
    }).named("opt"),
  }))
  .payload({ next: (h) => [by("ip.proto", h.next)] });
