/** The dissector as a library: `for await (const frame of dissect("file.pcap")) …`. */
import { type Registry, registry } from "../../generated/dissect.js";
import { CaptureReader, type Damage, type Packet } from "./capture.js";
import { Dissector, type DissectorOptions } from "./dissector.js";
import type { Frame } from "./frame.js";
import { chunksOf } from "./input.js";

export { merge, type Registry, registry } from "../../generated/dissect.js";
export { CaptureReader, type Damage, type Packet, type Time } from "./capture.js";
export { Dissector, type DissectorOptions } from "./dissector.js";
export type { Keys, Opener } from "./flow/open.js";
export type { Frame, Layer, Message, Rest } from "./frame.js";
export { frameObject, frameRow, messageObject, messageRow } from "./rows.js";
export { messageText, treeText } from "./tree.js";

/** A capture is cut short or damaged; the frames before it were given. */
export class CaptureError extends Error {
  readonly code = "CAPTURE_DAMAGED";
  constructor(
    readonly path: string,
    readonly damage: Damage,
    /** Frames that were given. */
    readonly frames: number,
  ) {
    super(`${path} ${damage.text}`);
    this.name = "CaptureError";
  }
}

export interface DissectOptions extends DissectorOptions {
  /** Headers that are known. Default: those of this package; `merge` adds your own. */
  readonly registry?: Registry;
}

/**
 * The frames of a capture file, or of standard input for `-`; after the last one, if streams were still
 * waiting for octets, one more with what they held. Throws CaptureError after the last whole frame of a
 * damaged file, and what reading throws.
 */
export async function* dissect(
  path: string,
  { registry: headers = registry, ...options }: DissectOptions = {},
): AsyncGenerator<Frame, void> {
  const reader = new CaptureReader();
  const dissector = new Dissector(headers, options);
  let last: Packet | undefined;
  let failure: unknown;
  try {
    for await (const chunk of chunksOf(path)) {
      reader.push(chunk);
      for (let p = reader.next(); p !== undefined; p = reader.next()) {
        last = p;
        yield dissector.packet(p);
      }
      if (reader.damage !== undefined) break;
    }
  } catch (error) {
    failure = error;
  }
  reader.end();
  for (let p = reader.next(); p !== undefined; p = reader.next()) {
    last = p;
    yield dissector.packet(p);
  }
  if (last !== undefined) {
    const after = dissector.finish(last);
    if (after.parts.length > 0 || after.messages.length > 0 || after.remarks.length > 0)
      yield after;
  }
  if (failure !== undefined) {
    const cut =
      (failure as NodeJS.ErrnoException).code === "Z_BUF_ERROR" ||
      /^Z_/.test(String((failure as NodeJS.ErrnoException).code));
    if (!cut) throw failure;
    const damage = { offset: 0, text: "is a damaged gzip file", unreadable: last === undefined };
    throw new CaptureError(path, damage, reader.packets);
  }
  if (reader.damage !== undefined) throw new CaptureError(path, reader.damage, reader.packets);
}
