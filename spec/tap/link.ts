import { byFact, byList, header } from "../lang.js";

/** Message below a protocol, as a tap has seen it: it has no octets of its own. */
export const tapLink = header(
  "tap.link",
  {},
  { ref: "wirestack tap, version 1", protocol: "tap", on: { "tap.joint": ["link", "raw"] } },
).payload({
  next: () => [byList("sp.layers"), byFact("sp.type", { message: true, within: "sp.body" })],
});
