import { byFact, byList, header, u53 } from "../lang.js";

/** SP message over TCP, TLS or any other stream: its length. */
export const spTcp = header(
  "sp.tcp",
  {
    /** Octets that follow: protocol header and payload. None is legal. */
    length: u53,
  },
  { ref: "nanomsg rfc/sp-tcp-mapping-01 §3", protocol: "sp", on: { "sp.framing": true } },
).payload({
  length: (h) => h.length,
  next: () => [
    byFact("sp.stack"),
    byList("sp.layers"),
    byFact("sp.type", { message: true, within: "sp.body" }),
  ],
});
