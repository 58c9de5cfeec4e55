import { header, oneOf, recognise, records, u8 } from "../lang.js";

/** What is sealed in a record: its kind, then pieces of messages, then padding. */
export const hopRecord = header(
  "hop.record",
  {
    /** All kinds may have pieces. After `rekey` its direction has a new key, after `close` no record. */
    type: oneOf(u8, { data: 0, rekey: 1, close: 2 }),
  },
  { ref: "wirestack hop, version 1; Noise rev 34 §11.3, §11.4", protocol: "hop" },
).payload({ via: () => [records], next: () => [recognise("hop.content")] });
