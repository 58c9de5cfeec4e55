import { by, bytes, header, headLength, oneOf, u8 } from "../lang.js";

/** IPv6 routing: nodes to visit on the way. */
export const ipv6Routing = header(
  "ipv6.routing",
  {
    /** What follows. */
    next: u8.named("nxt"),
    /** Length of this header in units of eight octets, the first not counted. */
    length: u8.auto(headLength.div(8).sub(1)).named("len"),
    /** How the data reads. */
    type: oneOf(u8, { source: 0, mobile: 2, rpl: 3, segment: 4 }, { open: true }),
    /** Nodes still to be visited. */
    segmentsLeft: u8.named("segleft"),
  },
  { ref: "RFC 8200 §4.4", on: { "ip.proto": 43 } },
)
  .and((h) => ({
    /** By type; most often addresses. */
    data: bytes(h.length.mul(8).add(4)),
  }))
  .payload({ next: (h) => [by("ip.proto", h.next)] });
