/**
 * Where a connection's octets are read to.
 *
 * Left to itself node allocates 64 KiB for every read, and cuts it to what came. Here short reads go to
 * one buffer for all connections and are copied out of it, so an idle connection holds nothing; a
 * connection that fills its reads gets memory of its own, read after read, and nothing is copied.
 */

/** Octets of a read. */
const READ = 64 * 1024;
/** Reads from here on are worth memory of one's own. */
const LONG = 16 * 1024;
/** Octets of that memory; longer reads are fewer reads. */
const OWN = 256 * 1024;
/** Octets of what short reads are copied to. */
const POOL = 16 * 1024;

const allocate = (n: number): Uint8Array => new Uint8Array(Buffer.allocUnsafeSlow(n).buffer);

let shared: Uint8Array | undefined;
let pool = new Uint8Array(0);
let poolFill = 0;

/** node's `onread` of a socket. */
export class Reader {
  #own: Uint8Array | undefined;
  #fill = 0;
  #long = false;

  constructor(readonly take: (chunk: Uint8Array) => void) {}

  /** Asked for before each read. */
  readonly buffer = (): Uint8Array => {
    if (!this.#long) {
      this.#own = undefined;
      shared ??= allocate(READ);
      return shared;
    }
    if (this.#own === undefined || OWN - this.#fill < READ) {
      this.#own = allocate(OWN);
      this.#fill = 0;
    }
    return this.#own.subarray(this.#fill);
  };

  readonly callback = (n: number, buffer: Uint8Array): boolean => {
    const chunk = this.#own === undefined ? copied(buffer, n) : buffer.subarray(0, n);
    this.#fill += n;
    this.#long = n >= LONG;
    this.take(chunk);
    return true;
  };
}

/** The first `n` octets, elsewhere. */
function copied(buffer: Uint8Array, n: number): Uint8Array {
  if (n >= POOL) return buffer.slice(0, n);
  if (poolFill + n > pool.length) {
    pool = allocate(POOL) as Uint8Array<ArrayBuffer>;
    poolFill = 0;
  }
  const chunk = pool.subarray(poolFill, poolFill + n);
  poolFill += n;
  chunk.set(buffer.subarray(0, n));
  return chunk;
}
