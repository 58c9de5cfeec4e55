import {
  bits,
  flags,
  header,
  headLength,
  payloadLength,
  recognise,
  stream,
  tlv,
  u8,
  u16,
  u32,
} from "../lang.js";

/** TCP segment. */
export const tcp = header(
  "tcp",
  {
    /** TCP port of the sender. */
    sourcePort: u16.named("srcport"),
    /** TCP port of the receiver. */
    destinationPort: u16.named("dstport"),
    /** Number of the payload's first octet in the stream; with SYN, of the octet before. */
    sequence: u32.named("seq_raw"),
    /** Number of the octet expected next; means something only with ACK. */
    acknowledgment: u32.named("ack_raw"),
    /** Length of this header in words of 32 bits. */
    dataOffset: bits(4)
      .must((n) => n.ge(5), "the header has at least 20 octets")
      .auto(headLength.div(4)),
    /** What the segment is for. */
    flags: flags(bits(12), {
      ae: 0x100,
      cwr: 0x80,
      ece: 0x40,
      urg: 0x20,
      ack: 0x10,
      push: 0x08,
      reset: 0x04,
      syn: 0x02,
      fin: 0x01,
    }).as("hex"),
    /** Octets that the sender takes, before scaling. */
    window: u16.named("window_size_value"),
    /** Over a pseudo-header and the whole segment. */
    checksum: u16.check("pseudo").as("hex"),
    /** Octets of the payload that are urgent; means something only with URG. */
    urgent: u16.named("urgent_pointer"),
  },
  { ref: "RFC 9293 §3.1", on: { "ip.proto": 6 } },
)
  .and((h) => ({
    /** What both sides agree on when the connection opens, and what they note later. */
    options: tlv({
      type: u8,
      length: u8,
      counts: "item",
      single: [0, 1],
      end: 0,
      names: {
        end: 0,
        nop: 1,
        maximumSegment: 2,
        windowScale: 3,
        sackPermitted: 4,
        sack: 5,
        timestamps: 8,
        md5: 19,
        userTimeout: 28,
        authentication: 29,
        multipath: 30,
        fastOpen: 34,
      },
      fill: h.dataOffset.sub(5).mul(4),
      max: 40,
    }),
  }))
  .shows((h) => ({ hdr_len: h.dataOffset.mul(4), len: payloadLength }))
  .payload({
    via: (h) => [
      stream({
        seq: h.sequence,
        syn: h.flags.mask(0x02).ne(0),
        fin: h.flags.mask(0x01).ne(0),
        rst: h.flags.mask(0x04).ne(0),
      }),
    ],
    next: () => [recognise("tcp.stream")],
  })
  .ends("sourcePort", "destinationPort");
