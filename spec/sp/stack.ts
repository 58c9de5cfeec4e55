import { header, konst, oneOf, text, textOf, u8, u16 } from "../lang.js";
import { types } from "./types.js";

/**
 * SP stack: which layers stand between the sender's protocol and its framing. The first message each
 * way where both greetings announce it; who has other layers closes.
 */
export const spStack = header(
  "sp.stack",
  {
    /** Of this header. */
    version: konst(u8, 1),
    /** Protocol of the sender; 0 where it has none. */
    type: oneOf(u16, { none: 0, ...types }, { open: true }),
    /** The layers, the uppermost first, a space between: `name@version`, and what must agree. */
    layers: text("rest", { max: 509, encoding: "ascii" }),
  },
  {
    ref: "wirestack stack identity",
    protocol: "sp",
    on: { "sp.stack": 1, "ws.suffix": "stack" },
  },
).sets(() => ({
  // Once: what follows in this direction are the protocol's messages.
  "sp.stack": { from: "expr", expr: 0 },
  "ws.suffix": { from: "expr", expr: 0 },
  "sp.layers": textOf("layers"),
}));
