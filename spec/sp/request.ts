import { countOf, header, lastOf, repeat, u32 } from "../lang.js";
import { types } from "./types.js";

/** SP request or reply: the way back to who asked. */
export const spRequest = header(
  "sp.request",
  {
    /**
     * The newest first: a pipe's number for each device on the way, then the request's own number,
     * which alone has its highest bit set.
     */
    trace: repeat(u32, { until: (tag) => tag.ge(0x80000000), max: 16 })
      .as("hex")
      .onFault("drop"),
  },
  {
    ref: "nanomsg rfc/sp-request-reply-01 §4",
    protocol: "sp",
    on: { "sp.type": [types.req, types.rep] },
  },
)
  .shows(() => ({ request_id: lastOf("trace"), hops: countOf("trace").sub(1) }))
  .payload();
