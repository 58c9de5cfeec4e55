import {
  bits,
  by,
  flags,
  fragments,
  header,
  headLength,
  konst,
  tlv,
  u8,
  u16,
  u32,
} from "../lang.js";

/** IPv4 packet. */
export const ipv4 = header(
  "ip",
  {
    /** Of IP. */
    version: konst(bits(4), 4),
    /** Length of this header in words of 32 bits. */
    ihl: bits(4)
      .must((n) => n.ge(5), "the header has at least 20 octets")
      .auto(headLength.div(4)),
    /** How it is to be treated (differentiated services). */
    dscp: bits(6).named("dsfield.dscp"),
    /** Congestion: 3 if a router met it, 1 or 2 if the sender understands. */
    ecn: bits(2).named("dsfield.ecn"),
  },
  {
    ref: "RFC 791 §3.1; RFC 2474, RFC 3168",
    on: { ethertype: 0x0800, linktype: 228, "ip.proto": 4, "null.family": 2, raw: true },
  },
)
  .and((h) => ({
    /** Octets of this header and what follows; 0 before a network card has cut it into packets. */
    length: u16.should((n) => n.ge(h.ihl.mul(4)), "is less than the header takes").named("len"),
    /** The same in all fragments of one packet. */
    id: u16.as("hex"),
    /** Reserved, do not fragment, more fragments. */
    flags: flags(bits(3), { rb: 4, df: 2, mf: 1 }).as("hex"),
    /** Where the fragment belongs in the packet's payload, in units of eight octets. */
    offset: bits(13).named("frag_offset"),
    /** Routers that may still pass it on. */
    ttl: u8,
    /** What follows. */
    protocol: u8.named("proto"),
    /** Over this header. */
    checksum: u16.auto("internet").as("hex"),
    /** Address of the sender. */
    source: u32.as("ipv4").named("src"),
    /** Address of the receiver. */
    destination: u32.as("ipv4").named("dst"),
    /** What few packets need. */
    options: tlv({
      type: u8,
      length: u8,
      counts: "item",
      single: [0, 1],
      end: 0,
      names: {
        end: 0,
        nop: 1,
        recordRoute: 7,
        timestamp: 68,
        security: 130,
        looseRoute: 131,
        strictRoute: 137,
        routerAlert: 148,
      },
      fill: h.ihl.sub(5).mul(4),
      max: 40,
    }).named("opt"),
  }))
  .shows((h) => ({ hdr_len: h.ihl.mul(4) }))
  .payload({
    length: (h) => h.length.sub(h.ihl.mul(4)),
    told: (h) => h.length.ge(h.ihl.mul(4)),
    via: (h) => [
      fragments({
        id: h.id,
        offset: h.offset.mul(8),
        more: h.flags.mask(1).ne(0),
        when: h.flags.mask(1).ne(0).or(h.offset.ne(0)),
      }),
    ],
    next: (h) => [by("ip.proto", h.protocol)],
  })
  .ends("source", "destination");
