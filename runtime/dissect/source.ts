/** Octets under dissection, and where they come from. */

/**
 * `frame`: as captured. `reassembled`: fragments of a datagram. `stream`: segments in order. `unmasked`,
 * `joined`, `decrypted`: what an operation has made of the octets of another source.
 */
export type SourceKind = "frame" | "reassembled" | "stream" | "unmasked" | "joined" | "decrypted";

/** A run of an assembled source's octets, and the frame that brought them. */
export interface Piece {
  /** Octets from the source's first. */
  readonly at: number;
  readonly octets: number;
  readonly frame: number;
  /** Octets from the frame's first. */
  readonly offset: number;
}

export interface Source {
  readonly kind: SourceKind;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Of a frame: octets from its first to this source's first; else 0. */
  readonly origin: number;
  /** Number of the frame that brought the octets, or the last of them. */
  readonly frame: number;
  /** Of a frame: octets from the file's first, if the file is not compressed. */
  readonly file?: number;
  /** Of an assembled source. */
  readonly pieces?: readonly Piece[];
  /** It was sealed, or a part of it. */
  readonly secret?: true;
}

export function sourceOf(
  kind: SourceKind,
  bytes: Uint8Array,
  frame: number,
  more: Partial<Pick<Source, "origin" | "file" | "pieces" | "secret">> = {},
): Source {
  const { buffer, byteOffset, byteLength } = bytes;
  const view = new DataView(buffer, byteOffset, byteLength);
  // What slice() gives of a Buffer is no copy, and copies are written to.
  const plain =
    bytes.constructor === Uint8Array ? bytes : new Uint8Array(buffer, byteOffset, byteLength);
  return { kind, bytes: plain, view, origin: 0, frame, ...more };
}

/** A part of a source with octets of its own, to be kept when the source's are gone. */
export function kept(source: Source, from: number, to: number): Source {
  const { kind, bytes, frame, origin, file, pieces, secret } = source;
  return sourceOf(kind, bytes.slice(from, to), frame, {
    origin: kind === "frame" ? origin + from : 0,
    ...(file === undefined ? {} : { file: file + from }),
    ...(pieces === undefined ? {} : { pieces: cut(pieces, from, to) }),
    ...(secret && { secret }),
  });
}

/** The pieces of a source's octets, counted from `at`. */
export function piecesOf(source: Source, from: number, to: number, at: number): Piece[] {
  const { pieces, frame, origin } = source;
  if (pieces === undefined) return [{ at, octets: to - from, frame, offset: origin + from }];
  return cut(pieces, from, to).map((p) => ({ ...p, at: p.at + at }));
}

/** Pieces follow one another: the first of these is looked for by halves. */
function cut(pieces: readonly Piece[], from: number, to: number): Piece[] {
  let [i, end] = [0, pieces.length];
  while (i < end) {
    const mid = (i + end) >>> 1;
    const { at, octets } = pieces[mid] as Piece;
    if (at + octets <= from) i = mid + 1;
    else end = mid;
  }
  const found: Piece[] = [];
  for (let p = pieces[i]; p !== undefined && p.at < to; p = pieces[++i]) {
    const start = Math.max(p.at, from);
    const octets = Math.min(p.at + p.octets, to) - start;
    if (octets > 0) found.push({ ...p, at: start - from, octets, offset: p.offset + start - p.at });
  }
  return found;
}

/** Octets that come bit by bit; room doubles, so that adding costs the same however small the parts. */
export class Growing {
  #bytes = new Uint8Array(0);
  readonly #pieces: Piece[] = [];
  #frame = 0;
  #secret: true | undefined;
  length = 0;

  add(source: Source, from: number, to: number): void {
    const length = this.length + to - from;
    if (length > this.#bytes.length) {
      const wider = new Uint8Array(Math.max(length, 2 * this.#bytes.length, 64));
      wider.set(this.#bytes.subarray(0, this.length));
      this.#bytes = wider;
    }
    this.#bytes.set(source.bytes.subarray(from, to), this.length);
    // One by one: there may be more than a call takes arguments.
    for (const piece of piecesOf(source, from, to, this.length)) this.#pieces.push(piece);
    this.#frame = Math.max(this.#frame, source.frame);
    this.#secret ??= source.secret;
    this.length = length;
  }

  /** What has come, as a source; its octets stay as they are whatever is added. */
  source(kind: SourceKind): Source {
    const all = this.#pieces;
    const count = all.length;
    const secret = this.#secret;
    const bytes = this.#bytes.subarray(0, this.length);
    let own: readonly Piece[] | undefined;
    return {
      ...sourceOf(kind, bytes, this.#frame, secret ? { secret } : {}),
      // Who only looks whether enough has come does not ask for them.
      get pieces() {
        own ??= all.slice(0, count);
        return own;
      },
    };
  }
}
