import { header, recognise } from "../lang.js";

/** Packets that begin with IP: it has no octets of its own, IP's version tells which. */
export const raw = header(
  "raw",
  {},
  { ref: "LINKTYPE_RAW (tcpdump.org)", on: { linktype: [101, 12, 14] } },
).payload({ next: () => [recognise("raw")] });
