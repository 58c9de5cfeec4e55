import { byFact, byList, header, pick } from "../lang.js";
import { protocols } from "./types.js";

const domain = (name: string) => `${name}.sp.nanomsg.org`;
const names = Object.values(protocols);

/**
 * SP message over WebSocket. It has no octets of its own: one message is one WebSocket message, and the
 * subprotocol says what the greeting says elsewhere. It names the *server's* protocol.
 */
export const spWs = header(
  "sp.ws",
  {},
  {
    ref: "nanomsg rfc/sp-websocket-mapping-01",
    protocol: "sp",
    on: { "ws.subprotocol": names.map((p) => domain(p.subprotocol)) },
  },
)
  .sets(() => ({
    "sp.type": pick("ws.role", {
      server: pick("ws.subprotocol", numbers("type")),
      client: pick("ws.subprotocol", numbers("peer")),
    }),
  }))
  .payload({
    next: () => [
      byFact("ws.suffix"),
      byList("sp.layers"),
      byFact("sp.type", { message: true, within: "sp.body" }),
    ],
  });

/** Subprotocol → number of the server's protocol, or of its peer. */
function numbers(whose: "type" | "peer"): Record<string, number> {
  return Object.fromEntries(names.map((p) => [domain(p.subprotocol), p[whose]]));
}
