import { header, u8, u16, u32 } from "../lang.js";

/** Packet in a modified pcap file, as old Linux distributions wrote it. */
export const pcapModified = header(
  "pcap.modified",
  {
    /** When it was captured: seconds since 1970, UTC. */
    seconds: u32,
    /** And microseconds. */
    fraction: u32,
    /** Octets of it that follow. */
    captured: u32,
    /** Octets that it had. */
    original: u32,
    /** The device, by the capturing host's count. */
    interface: u32,
    /** What the device said that the packet is, an ETH_P_ number of Linux. */
    protocol: u16.as("hex"),
    /** To whom, as the capturing host sees it. */
    packetType: u8,
    /** Fills up to a multiple of four; what was in memory. */
    unused: u8,
  },
  { ref: "libpcap pcap-common.h, struct pcap_sf_patched_pkthdr", order: "caller" },
).payload({ length: (h) => h.captured });
