import { header, reserved, u8 } from "../lang.js";
import { types } from "./types.js";

/** SP STAR message: how far it has come. */
export const spStar = header(
  "sp.star",
  {
    /** Room for a larger count. */
    reserved: reserved(24),
    /** Times the message was passed on: 0 from its sender, one more from each member. */
    hops: u8,
  },
  { ref: "mangos protocol/xstar", protocol: "sp", on: { "sp.type": types.star } },
).payload();
