import { bit, bits, by, header, u16 } from "../lang.js";

/** VLAN tag, the provider's, in front of the customer's (QinQ). */
export const vlanService = header(
  "ieee8021ad",
  {
    /** Priority, 0 to 7; 1 is the lowest, 0 the default. */
    priority: bits(3),
    /** May be dropped before others. */
    dropEligible: bit.named("dei"),
    /** Number of the virtual network. */
    id: bits(12),
    /** What follows. */
    type: u16.as("hex"),
  },
  { ref: "IEEE 802.1Q §9.6", on: { ethertype: 0x88a8 } },
).payload({ next: (h) => [by("ethertype", h.type, { when: h.type.ge(0x600), listed: true })] });
