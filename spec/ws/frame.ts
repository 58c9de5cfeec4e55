import {
  bit,
  bits,
  byFact,
  escape,
  header,
  join,
  oneOf,
  reserved,
  to,
  u16,
  u32,
  u53,
  unmask,
} from "../lang.js";

/** WebSocket frame. */
export const wsFrame = header(
  "ws.frame",
  {
    /** Last frame of a message. */
    fin: bit,
    /** For extensions, of which none is negotiated. */
    rsv: reserved(3),
  },
  {
    ref: "RFC 6455 §5.2",
    protocol: "websocket",
    on: { "ws.stream": true },
    onFault: { close: 1002 },
  },
)
  .and((h) => ({
    /** What the frame is: a piece of a message, or, from 8 on, control, which comes in one piece. */
    opcode: oneOf(bits(4), {
      continuation: 0,
      text: 1,
      binary: 2,
      close: 8,
      ping: 9,
      pong: 10,
    }).must((code) => h.fin.or(code.lt(8)), "a control frame is not fragmented"),
    /** The payload is masked; from client to server always, back never. */
    masked: bit.named("mask"),
  }))
  .and((h) => ({
    /** Octets of payload; shortest form only. */
    length: escape(7, { 126: u16, 127: u53 })
      .must((n) => n.le(125).or(h.opcode.lt(8)), "a control frame has at most 125 octets")
      .named("payload_length"),
    /** XORed with the payload, octet by octet, over and over. */
    key: u32.when(h.masked).as("hex").named("masking_key"),
  }))
  .payload({
    length: (h) => h.length,
    via: (h) => [
      unmask(h.key, { when: h.masked }),
      join({ first: h.opcode.ne(0), last: h.fin, when: h.opcode.lt(8) }),
    ],
    next: (h) => [
      byFact("ws.subprotocol", { when: h.opcode.lt(8) }),
      to("ws.close", { when: h.opcode.eq(8).and(h.length.gt(0)) }),
    ],
  });
