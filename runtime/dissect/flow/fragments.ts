/** Puts a datagram together from its fragments, in whatever order they come. */
import { type Piece, piecesOf, type Source, sourceOf } from "../source.js";

/** Fragments of one datagram. Those that overlap: the first copy of an octet counts. */
class Datagram {
  /** Sorted, without overlaps. */
  #parts: { at: number; source: Source; from: number; to: number }[] = [];
  /** Octets of the whole, when the last fragment is there. */
  #size: number | undefined;
  octets = 0;

  add(at: number, more: boolean, source: Source, from: number, to: number): void {
    if (!more) this.#size ??= at + to - from;
    let start = at;
    const stop = at + to - from;
    const add = (end: number) => {
      if (start >= end) return;
      const bytes = source.bytes.slice(from + start - at, from + end - at);
      const origin = source.kind === "frame" ? source.origin + from + start - at : 0;
      const copy = sourceOf(source.kind, bytes, source.frame, { origin });
      this.#parts.push({ at: start, source: copy, from: 0, to: end - start });
      this.octets += end - start;
    };
    for (const p of [...this.#parts]) {
      if (p.at + p.to <= start) continue;
      add(Math.min(p.at, stop));
      start = Math.max(start, p.at + p.to);
    }
    add(stop);
    this.#parts.sort((a, b) => a.at - b.at);
  }

  /** The datagram, if no octet is missing. */
  whole(frame: number): Source | undefined {
    if (this.#size === undefined) return undefined;
    let at = 0;
    for (const p of this.#parts) {
      if (p.at !== at) return undefined;
      at += p.to;
    }
    if (at < this.#size) return undefined;
    const bytes = new Uint8Array(at);
    const pieces: Piece[] = [];
    for (const p of this.#parts) {
      bytes.set(p.source.bytes, p.at);
      pieces.push(...piecesOf(p.source, p.from, p.to, p.at));
    }
    return sourceOf("reassembled", bytes.subarray(0, this.#size), frame, { pieces });
  }
}

export interface Fragment {
  /** What the fragments of one datagram have in common. */
  readonly key: string;
  /** Octets from the datagram's first. */
  readonly offset: number;
  /** Others stand behind this one. */
  readonly more: boolean;
}

export class Fragments {
  readonly #open = new Map<string, Datagram>();

  constructor(
    /** Datagrams that may be incomplete at a time; the oldest is forgotten. */
    readonly limit = 512,
    /** Octets of a datagram at most. */
    readonly longest = 2 ** 16,
  ) {}

  /** The whole datagram, when this fragment completes it. */
  take(
    { key, offset, more }: Fragment,
    source: Source,
    from: number,
    to: number,
  ): Source | undefined {
    const datagram = this.#open.get(key) ?? new Datagram();
    if (offset + to - from > this.longest) return undefined;
    datagram.add(offset, more, source, from, to);
    const whole = datagram.whole(source.frame);
    this.#open.delete(key);
    if (whole !== undefined) return whole;
    this.#open.set(key, datagram);
    if (this.#open.size > this.limit) {
      for (const oldest of this.#open.keys()) {
        this.#open.delete(oldest);
        break;
      }
    }
    return undefined;
  }
}
