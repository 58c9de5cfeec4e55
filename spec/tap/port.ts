import { byFact, header } from "../lang.js";

/** Message above a protocol, without its header, as a tap has seen it: it has no octets of its own. */
export const tapPort = header(
  "tap.port",
  {},
  { ref: "wirestack tap, version 1", protocol: "tap", on: { "tap.joint": "port" } },
).payload({ next: () => [byFact("sp.type", { message: true, within: "sp.body", bare: true })] });
