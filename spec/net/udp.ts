import { header, recognise, u16 } from "../lang.js";

/** UDP datagram. */
export const udp = header(
  "udp",
  {
    /** UDP port of the sender. */
    sourcePort: u16.named("srcport"),
    /** UDP port of the receiver. */
    destinationPort: u16.named("dstport"),
    /** Octets of this header and the payload; 0 if that is more than fits. */
    length: u16.should((n) => n.ge(8), "is less than the header takes"),
    /** Over a pseudo-header and the whole datagram; 0 with IPv4: none was computed. */
    checksum: u16.check("pseudo").as("hex"),
  },
  { ref: "RFC 768", on: { "ip.proto": 17 } },
)
  .payload({
    length: (h) => h.length.sub(8),
    told: (h) => h.length.ge(8),
    next: () => [recognise("udp.payload")],
  })
  .ends("sourcePort", "destinationPort");
