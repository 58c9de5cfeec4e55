import { bytes, header, oneOf, u8, u16 } from "../lang.js";

/** Address resolution: which hardware address has an IP address. */
export const arp = header(
  "arp",
  {
    /** Kind of hardware address: 1 is Ethernet's. */
    hardwareType: u16.named("hw.type"),
    /** Kind of protocol address, as an EtherType. */
    protocolType: u16.as("hex").named("proto.type"),
    /** Octets of a hardware address. */
    hardwareSize: u8.named("hw.size"),
    /** Octets of a protocol address. */
    protocolSize: u8.named("proto.size"),
    /** What is asked or told. */
    operation: oneOf(
      u16,
      { request: 1, reply: 2, reverseRequest: 3, reverseReply: 4 },
      { open: true },
    ).named("opcode"),
  },
  { ref: "RFC 826", on: { ethertype: 0x0806 } },
).and((h) => ({
  /** Hardware address of the sender. */
  senderHardware: bytes(h.hardwareSize).as("mac").named("src.hw_mac"),
  /** Protocol address of the sender. */
  senderProtocol: bytes(h.protocolSize).as("ipv4").named("src.proto_ipv4"),
  /** Hardware address of the target; nothing in a request. */
  targetHardware: bytes(h.hardwareSize).as("mac").named("dst.hw_mac"),
  /** Protocol address of the target. */
  targetProtocol: bytes(h.protocolSize).as("ipv4").named("dst.proto_ipv4"),
}));
