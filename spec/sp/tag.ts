import { bit, bits, header } from "../lang.js";

/**
 * One word of an SP way back: what a device or a requester puts before the others.
 *
 * nanomsg rfc/sp-request-reply-01 §4 and sp-surveyor-01 §4 stack them; `sp.request` is the whole stack.
 */
export const spTag = header(
  "sp.tag",
  {
    /** It is the last: the number of a request or survey, not of a pipe. */
    last: bit,
    /** Of a pipe, or of a request. */
    number: bits(31),
  },
  { ref: "nanomsg rfc/sp-request-reply-01 §4", protocol: "sp" },
).payload();
