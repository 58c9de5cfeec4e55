import { byFact, header, konst, text, u16 } from "../lang.js";

/**
 * Message that a tap has written: in front of it the name of a dissector, for Wireshark. What stands above is
 * told by the description of the interface in the capture file, as flow facts.
 *
 * Wireshark's exported PDUs may have other tags, in any order; a tap writes this one alone.
 */
export const tapPdu = header(
  "tap.pdu",
  {
    /** Name of a dissector. */
    tag: konst(u16, 12),
    /** Octets of the name. */
    length: u16.must((n) => n.le(64), "is more than a name has"),
  },
  {
    ref: "Wireshark epan/exported_pdu.h; tcpdump.org link type 252",
    protocol: "exported_pdu",
    title: "Exported PDU",
    on: { linktype: 252 },
  },
)
  .and((h) => ({
    /** Of the header that begins the message: `hop.message`; or `data`. */
    name: text(h.length),
    /** There are no more tags. */
    end: konst(u16, 0),
    /** No octets. */
    endLength: konst(u16, 0),
  }))
  .payload({ next: () => [byFact("tap.joint")] });
