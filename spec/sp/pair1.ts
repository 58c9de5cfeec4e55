import { header, reserved, u8 } from "../lang.js";
import { types } from "./types.js";

/** SP PAIR 1 message: how far it has come. */
export const spPair1 = header(
  "sp.pair1",
  {
    /** Room for a larger count. */
    reserved: reserved(24),
    /** Times the message was sent on: 1 from its sender, one more from each device. */
    hops: u8.should((n) => n.ge(1), "the first sender counts itself; mangos sends 0"),
  },
  { ref: "nanomsg/rfcs sp-pair-v1", protocol: "sp", on: { "sp.type": types.pair1 } },
).payload();
