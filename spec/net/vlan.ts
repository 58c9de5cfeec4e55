import { bit, bits, by, header, u16 } from "../lang.js";

/** VLAN tag, the customer's. */
export const vlan = header(
  "vlan",
  {
    /** Priority, 0 to 7; 1 is the lowest, 0 the default. */
    priority: bits(3),
    /** May be dropped before others. */
    dropEligible: bit.named("dei"),
    /** Number of the virtual network; 0: none, the tag only sets the priority. */
    id: bits(12),
    /** What follows; below 0x600 it is a length, and IEEE 802.2 follows. */
    type: u16.as("hex").named("etype"),
  },
  { ref: "IEEE 802.1Q §9.6", on: { ethertype: [0x8100, 0x9100] } },
).payload({ next: (h) => [by("ethertype", h.type, { when: h.type.ge(0x600), listed: true })] });
