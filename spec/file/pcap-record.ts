import { header, u32 } from "../lang.js";

/** Packet in a pcap file. */
export const pcapRecord = header(
  "pcap.record",
  {
    /** When it was captured: seconds since 1970, UTC. */
    seconds: u32,
    /** And microseconds or nanoseconds, as the file's magic says. */
    fraction: u32,
    /** Octets of it that follow. */
    captured: u32,
    /** Octets that it had. */
    original: u32,
  },
  { ref: "draft-ietf-opsawg-pcap §5", order: "caller" },
).payload({ length: (h) => h.captured });
