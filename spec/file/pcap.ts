import { header, i32, oneOf, u16, u32 } from "../lang.js";

/** Beginning of a pcap file. */
export const pcap = header(
  "pcap",
  {
    /** Which pcap, and by its order that of everything else: as if read big-endian. */
    magic: oneOf(u32.be, {
      microseconds: 0xa1b2c3d4,
      nanoseconds: 0xa1b23c4d,
      modified: 0xa1b2cd34,
      microsecondsLittle: 0xd4c3b2a1,
      nanosecondsLittle: 0x4d3cb2a1,
      modifiedLittle: 0x34cdb2a1,
    }).as("hex"),
  },
  { ref: "draft-ietf-opsawg-pcap §4; libpcap sf-pcap.c for the modified form" },
)
  .little((h) => h.magic.eq(0xd4c3b2a1).or(h.magic.eq(0x4d3cb2a1)).or(h.magic.eq(0x34cdb2a1)))
  .and(() => ({
    /** Version of the format; 2.4 since 1998. */
    major: u16,
    /** Its second half. */
    minor: u16,
    /** Seconds to add for UTC; in practice 0. */
    zone: i32,
    /** Accuracy of times; in practice 0. */
    accuracy: u32,
    /** Octets kept of a packet, at most. */
    snapLength: u32,
    /** Link type in the lowest 16 bits; above them, whether frames keep their check sequence. */
    network: u32,
  }));
