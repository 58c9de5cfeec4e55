import { bytes, choose, flags, header, oneOf, recognise, reserved, u8, u16, u32 } from "../lang.js";

/** ICMPv6 message: what IPv6 reports, and how neighbours find each other. */
export const icmpv6 = header(
  "icmpv6",
  {
    /** What is reported or asked; below 128 an error. */
    type: oneOf(
      u8,
      {
        unreachable: 1,
        tooBig: 2,
        timeExceeded: 3,
        parameterProblem: 4,
        echo: 128,
        echoReply: 129,
        listenerQuery: 130,
        listenerReport: 131,
        listenerDone: 132,
        routerSolicitation: 133,
        routerAdvertisement: 134,
        neighborSolicitation: 135,
        neighborAdvertisement: 136,
        redirect: 137,
        listenerReportV2: 143,
      },
      { open: true },
    ),
    /** More closely, by type. */
    code: u8,
    /** Over a pseudo-header and the whole message. */
    checksum: u16.check("pseudo").as("hex"),
  },
  { ref: "RFC 4443; RFC 4861 §4", on: { "ip.proto": 58 } },
)
  .and((h) => ({
    /** By type. Options of neighbour discovery are payload. */
    body: choose(
      h.type,
      {
        /** The packet quoted is too long for a link on its way. */
        tooBig: {
          is: 2,
          of: {
            /** Octets of the longest packet that could pass. */
            mtu: u32,
          },
        },
        /** The packet quoted has an error. */
        problem: {
          is: 4,
          of: {
            /** Where: octets from the packet's first. */
            pointer: u32,
          },
        },
        /** Asks whether somebody is there. */
        echo: {
          is: [128, 129],
          of: {
            /** Which of the sender's programs asks. */
            id: u16.as("hex").named("echo.identifier"),
            /** Counts what it sent. */
            sequence: u16.named("echo.sequence_number"),
          },
        },
        /** A router tells about itself and the link. */
        router: {
          is: 134,
          of: {
            /** Hop limit that hosts should use; 0: not said. */
            hopLimit: u8.named("nd.ra.cur_hop_limit"),
            /** Where addresses and other settings come from. */
            flags: flags(u8, { m: 0x80, o: 0x40, h: 0x20, p: 0x04 }).as("hex").named("nd.ra.flag"),
            /** Seconds for which it may be the default router. */
            lifetime: u16.named("nd.ra.router_lifetime"),
            /** Milliseconds for which a neighbour counts as there. */
            reachable: u32.named("nd.ra.reachable_time"),
            /** Milliseconds between solicitations. */
            retransmit: u32.named("nd.ra.retrans_timer"),
          },
        },
        /** Asks for a neighbour's link address. */
        solicitation: {
          is: 135,
          of: {
            /** Nothing yet. */
            reserved: reserved(32).lint(),
            /** The neighbour's address. */
            target: bytes(16).as("ipv6").named("nd.ns.target_address"),
          },
        },
        /** A neighbour tells its link address. */
        advertisement: {
          is: 136,
          of: {
            /** It is a router, was asked, and overrides what is known. */
            flags: flags(u32, { r: 0x80000000, s: 0x40000000, o: 0x20000000 })
              .as("hex")
              .named("nd.na.flag"),
            /** The neighbour's address. */
            target: bytes(16).as("ipv6").named("nd.na.target_address"),
          },
        },
        /** There is a better way. */
        redirect: {
          is: 137,
          of: {
            /** Nothing yet. */
            reserved: reserved(32).lint(),
            /** The better first hop. */
            target: bytes(16).as("ipv6").named("nd.rd.target_address"),
            /** For packets to this address. */
            destination: bytes(16).as("ipv6").named("rd.na.destination_address"),
          },
        },
      },
      {
        /** By type. */
        data: u32.as("hex").named("reserved"),
      },
    ),
  }))
  .payload({
    next: (h) => [recognise("raw", { quoted: true, when: h.type.ge(1).and(h.type.le(4)) })],
  });
