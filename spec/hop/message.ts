import { byFact, header, to } from "../lang.js";

/** Message of a hop's link: it has no octets of its own. First those of a handshake, then sealed records. */
export const hopMessage = header(
  "hop.message",
  {},
  { ref: "wirestack hop, version 1", protocol: "hop", on: { layer: "hop@1" } },
).payload({ next: () => [byFact("hop.sealed"), to("hop.handshake")] });
