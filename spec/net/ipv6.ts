import { bits, by, bytes, header, konst, u8, u16 } from "../lang.js";

/** IPv6 packet. */
export const ipv6 = header(
  "ipv6",
  {
    /** Of IP. */
    version: konst(bits(4), 6),
    /** How it is to be treated (differentiated services). */
    dscp: bits(6).named("tclass.dscp"),
    /** Congestion: 3 if a router met it, 1 or 2 if the sender understands. */
    ecn: bits(2).named("tclass.ecn"),
    /** Packets with the same label and addresses belong together. */
    flowLabel: bits(20).as("hex").named("flow"),
    /** Octets that follow, extension headers included; 0: a jumbo option says it. */
    length: u16.named("plen"),
    /** What follows. */
    next: u8.named("nxt"),
    /** Routers that may still pass it on. */
    hopLimit: u8.named("hlim"),
    /** Address of the sender. */
    source: bytes(16).as("ipv6").named("src"),
    /** Address of the receiver. */
    destination: bytes(16).as("ipv6").named("dst"),
  },
  {
    ref: "RFC 8200 §3; RFC 2474, RFC 3168",
    on: {
      ethertype: 0x86dd,
      linktype: 229,
      "ip.proto": 41,
      "null.family": [10, 24, 28, 30],
      raw: true,
    },
  },
)
  .payload({
    length: (h) => h.length,
    told: (h) => h.length.ne(0),
    next: (h) => [by("ip.proto", h.next)],
  })
  .ends("source", "destination");
