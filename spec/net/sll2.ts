import { by, bytes, header, oneOf, reserved, u8, u16, u32 } from "../lang.js";

/** Linux cooked capture, version 2: in place of the link layer's own header. */
export const sll2 = header(
  "sll2",
  {
    /** What follows. */
    type: u16.as("hex").named("etype"),
    /** Zero. */
    reserved: reserved(16).lint(),
    /** The device, by the capturing host's count. */
    interface: u32.named("ifindex"),
    /** Kind of device, an ARPHRD_ number of Linux. */
    hardwareType: u16.named("hatype"),
    /** To whom, as the capturing host sees it. */
    packetType: oneOf(
      u8,
      { toUs: 0, broadcast: 1, multicast: 2, toOthers: 3, fromUs: 4 },
      { open: true },
    ).named("pkttype"),
    /** Octets of the sender's address, which may be longer than what there is room for. */
    addressLength: u8.named("halen"),
    /** The sender's address, if it has six octets. */
    source: bytes(6).as("mac").named("src.eth"),
    /** Room for two octets more. */
    unused: bytes(2),
  },
  { ref: "LINKTYPE_LINUX_SLL2 (tcpdump.org)", protocol: "sll", on: { linktype: 276 } },
).payload({ next: (h) => [by("ethertype", h.type, { when: h.type.ge(0x600), listed: true })] });
