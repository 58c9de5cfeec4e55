import { opener, recognise } from "../lang.js";

/** The HTTP request by which a client asks for WebSocket, and the server's answer. */
export const wsUpgrade = opener("ws.upgrade", {
  op: "http-upgrade",
  ref: "RFC 6455 §4",
  on: { "tcp.stream": true },
  sets: { "ws.subprotocol": "subprotocol", "ws.suffix": "suffix", "ws.role": "role" },
  next: [recognise("ws.stream", { again: true })],
});
