import { bit, escape, header, join, u16 } from "../lang.js";

/**
 * Piece of a message in a record. One that is not the last of its message ends its record, and the
 * message goes on in the next. Nothing, of a message that goes on, would be `hop.padding`.
 */
export const hopPiece = header(
  "hop.piece",
  {
    /** The message goes on. */
    more: bit,
  },
  { ref: "wirestack hop, version 1", protocol: "hop", on: { "hop.content": true } },
)
  .and((h) => ({
    /** Octets of the piece; shortest form only. */
    length: escape(15, { 32767: u16 }).must(
      (n) => n.gt(0).or(h.more.not()),
      "nothing, of a message that goes on",
    ),
  }))
  .payload({ length: (h) => h.length, via: (h) => [join({ last: h.more.not() })] });
