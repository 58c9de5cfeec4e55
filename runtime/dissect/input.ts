/** A capture's octets: from a file or standard input, unpacked if they are gzip. */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import * as gzip from "../../generated/file/gzip.js";

/** Octets read at a time. */
const CHUNK = 1024 * 1024;

/**
 * The chunks of `path`, or of standard input for `-`. Throws what opening or reading throws; a gzip that
 * ends early gives what it holds, and then throws.
 */
export async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  const raw = path === "-" ? process.stdin : createReadStream(path, { highWaterMark: CHUNK });
  const chunks: AsyncIterator<Uint8Array> = raw[Symbol.asyncIterator]();
  const begun: Uint8Array[] = [];
  let octets = 0;
  while (octets < gzip.MIN) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    begun.push(value);
    octets += value.length;
  }
  async function* all() {
    yield* begun;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next())
      yield next.value;
  }
  const beginning = Buffer.concat(begun);
  const view = new DataView(beginning.buffer, beginning.byteOffset, beginning.length);
  if (gzip.measure(view, 0, beginning.length) <= 0) return yield* all();
  const unpacked = Readable.from(all()).pipe(createGunzip({ chunkSize: CHUNK }));
  yield* unpacked as AsyncIterable<Uint8Array>;
}
