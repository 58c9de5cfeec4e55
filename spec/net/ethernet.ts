import { by, bytes, header, u16 } from "../lang.js";

/** Ethernet frame, without preamble and check sequence. */
export const ethernet = header(
  "eth",
  {
    /** Who it is for. */
    destination: bytes(6).as("mac").named("dst"),
    /** Who sent it. */
    source: bytes(6).as("mac").named("src"),
    /** What follows; below 0x600 it is a length, and IEEE 802.2 follows. */
    type: u16.as("hex"),
  },
  { ref: "IEEE 802.3 §3.2", on: { linktype: 1 } },
)
  .payload({ next: (h) => [by("ethertype", h.type, { when: h.type.ge(0x600), listed: true })] })
  .ends("source", "destination");
