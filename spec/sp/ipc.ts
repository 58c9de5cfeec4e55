import { byFact, byList, header, konst, u8, u53 } from "../lang.js";

/** SP message over a local socket or named pipe: its kind and length. */
export const spIpc = header(
  "sp.ipc",
  {
    /** The message itself follows; passing it by shared memory (2) was planned and never made. */
    kind: konst(u8, 1),
    /** Octets that follow: protocol header and payload. None is legal. */
    length: u53,
  },
  { ref: "nanomsg rfc/sp-ipc-mapping-01", protocol: "sp", on: { "sp.framing": true } },
).payload({
  length: (h) => h.length,
  next: () => [
    byFact("sp.stack"),
    byList("sp.layers"),
    byFact("sp.type", { message: true, within: "sp.body" }),
  ],
});
