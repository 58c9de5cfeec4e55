import { bit, escape, header, u16 } from "../lang.js";

/**
 * Piece of a message in a record. One that is not the last of its message ends its record, and the
 * message goes on in the next. Nothing, of a message that goes on, says that the rest is padding; so
 * does what is too short for a piece.
 */
export const hopPiece = header(
  "hop.piece",
  {
    /** The message goes on. */
    more: bit,
    /** Octets of the piece; shortest form only. */
    length: escape(15, { 32767: u16 }),
  },
  { ref: "wirestack hop, version 1", protocol: "hop" },
).payload({ length: (h) => h.length });
