import { by, bytes, header, oneOf, u16 } from "../lang.js";

/** Linux cooked capture, version 1: in place of the link layer's own header. */
export const sll = header(
  "sll",
  {
    /** To whom, as the capturing host sees it. */
    packetType: oneOf(
      u16,
      { toUs: 0, broadcast: 1, multicast: 2, toOthers: 3, fromUs: 4 },
      { open: true },
    ).named("pkttype"),
    /** Kind of device, an ARPHRD_ number of Linux. */
    hardwareType: u16.named("hatype"),
    /** Octets of the sender's address, which may be longer than what there is room for. */
    addressLength: u16.named("halen"),
    /** The sender's address, if it has six octets. */
    source: bytes(6).as("mac").named("src.eth"),
    /** Room for two octets more. */
    unused: bytes(2),
    /** What follows. */
    type: u16.as("hex").named("etype"),
  },
  { ref: "LINKTYPE_LINUX_SLL (tcpdump.org)", on: { linktype: 113 } },
).payload({ next: (h) => [by("ethertype", h.type, { when: h.type.ge(0x600), listed: true })] });
