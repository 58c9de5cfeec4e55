import { header, headLength, konst, reserved, tlv, u16, u32 } from "../lang.js";

/** Interface description of a pcapng file: where packets come from. Packets name it by its number. */
export const pcapngInterface = header(
  "pcapng.interface",
  {
    /** Interface description. */
    type: konst(u32, 1),
    /** Octets of the block, from its type to its last. */
    length: u32
      .must((n) => n.ge(20), "an interface description has at least 20 octets")
      .must((n) => n.mod(4).eq(0), "a block is a multiple of four octets")
      .auto(headLength.add(4)),
    /** What its packets begin with: a link type of tcpdump.org. */
    linkType: u16,
    /** Zero. */
    reserved: reserved(16).lint(),
    /** Octets kept of a packet, at most; 0: no limit. */
    snapLength: u32,
  },
  { ref: "draft-ietf-opsawg-pcapng §4.2", order: "caller" },
)
  .and((h) => ({
    /** About the interface; `resolution` says what times count: default microseconds. */
    options: tlv({
      type: u16,
      length: u16,
      align: 4,
      end: 0,
      names: {
        end: 0,
        comment: 1,
        name: 2,
        description: 3,
        ipv4: 4,
        ipv6: 5,
        mac: 6,
        eui: 7,
        speed: 8,
        resolution: 9,
        zone: 10,
        filter: 11,
        system: 12,
        checkLength: 13,
        offset: 14,
        hardware: 15,
      },
      fill: h.length.sub(20),
      max: 2 ** 17,
    }),
  }))
  .trailer((h) => ({
    /** The length once more, for reading backwards. */
    again: u32.must((n) => n.eq(h.length), "is not the block's length"),
  }));
