import { bit, bits, by, fragments, header, reserved, u8, u32 } from "../lang.js";

/** IPv6 fragment: which piece of which packet. */
export const ipv6Fragment = header(
  "ipv6.fraghdr",
  {
    /** What the whole payload begins with. */
    next: u8.named("nxt"),
    /** Nothing yet. */
    reserved: reserved(8).lint().named("reserved_octet"),
    /** Where the fragment belongs in the packet's payload, in units of eight octets. */
    offset: bits(13),
    /** Nothing yet. */
    unused: reserved(2).lint().named("reserved_bits"),
    /** More fragments follow. */
    more: bit,
    /** The same in all fragments of one packet. */
    id: u32.as("hex").named("ident"),
  },
  { ref: "RFC 8200 §4.5", on: { "ip.proto": 44 } },
).payload({
  via: (h) => [
    fragments({
      id: h.id,
      offset: h.offset.mul(8),
      more: h.more,
      when: h.more.or(h.offset.ne(0)),
    }),
  ],
  next: (h) => [by("ip.proto", h.next)],
});
