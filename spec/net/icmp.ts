import { choose, header, oneOf, recognise, u8, u16, u24, u32 } from "../lang.js";

const echo = {
  /** Which of the sender's programs asks. */
  id: u16.named("ident"),
  /** Counts what it sent. */
  sequence: u16.named("seq"),
};

/** ICMP message: what IPv4 reports. */
export const icmp = header(
  "icmp",
  {
    /** What is reported or asked. */
    type: oneOf(
      u8,
      {
        echoReply: 0,
        unreachable: 3,
        sourceQuench: 4,
        redirect: 5,
        echo: 8,
        routerAdvertisement: 9,
        routerSolicitation: 10,
        timeExceeded: 11,
        parameterProblem: 12,
        timestamp: 13,
        timestampReply: 14,
      },
      { open: true },
    ),
    /** More closely, by type. */
    code: u8,
    /** Over the whole message. */
    checksum: u16.check("internet").as("hex"),
  },
  { ref: "RFC 792; RFC 1191 §4", on: { "ip.proto": 1 } },
)
  .and((h) => ({
    /** By type. */
    body: choose(
      h.type,
      {
        /** Asks whether somebody is there. */
        echo: { is: [0, 8], of: echo },
        /** The packet quoted did not arrive. */
        unreachable: {
          is: 3,
          of: {
            /** Nothing, or the length of the quotation in words (RFC 4884). */
            unused: u16.as("hex"),
            /** Octets of the longest packet that could pass, if that was the reason (code 4). */
            mtu: u16,
          },
        },
        /** There is a better way. */
        redirect: {
          is: 5,
          of: {
            /** Address of the better router. */
            gateway: u32.as("ipv4").named("redir_gw"),
          },
        },
        /** The packet quoted has an error. */
        problem: {
          is: 12,
          of: {
            /** Where: octets from the packet's first. */
            pointer: u8,
            /** Nothing, or the length of the quotation in words (RFC 4884). */
            unused: u24.as("hex"),
          },
        },
        /** Asks for the time. */
        time: {
          is: [13, 14],
          of: {
            ...echo,
            /** When it was asked: milliseconds since midnight, UTC. */
            originated: u32.named("originate_timestamp"),
            /** When the question arrived. */
            received: u32.named("receive_timestamp"),
            /** When it was answered. */
            transmitted: u32.named("transmit_timestamp"),
          },
        },
      },
      {
        /** By type. */
        data: u32.as("hex").named("unused"),
      },
    ),
  }))
  .payload({
    next: (h) => [
      recognise("raw", {
        quoted: true,
        when: h.type.ge(3).and(h.type.le(5)).or(h.type.eq(11)).or(h.type.eq(12)),
      }),
    ],
  });
