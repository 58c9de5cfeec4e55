/**
 * Compresses what is worth it, message by message.
 *
 * It stands on a link and shows one: below a raw protocol, above what the address brings. What it does not
 * understand closes the connection, and is counted. `stack(req(), xreq(), acmeDeflate())`
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { Element, Message, WireError } from "wirestack";
import * as header from "../../made/acme/deflate.js";

const { Packing } = header;

/** `from`: octets of a message from which on it is tried. */
export function acmeDeflate({ from = 256 } = {}) {
  return {
    name: "acmeDeflate",
    below: "link",
    above: "link",
    headers: [header.HEADER],
    make: (context) => new Deflate(context, from),
  };
}

class Deflate extends Element {
  #context;
  #from;

  constructor(context, from) {
    super();
    this.#context = context;
    this.#from = from;
  }

  down(m) {
    const { length } = m;
    const packed = length < this.#from ? undefined : deflateRawSync(joined(m));
    // What does not get shorter goes as it is: no octet of it is copied.
    if (packed === undefined || packed.length >= length) return this.#put(m, Packing.none, length);
    const { room, slab } = this.#context;
    const other = Message.around(plain(packed), room.head + header.MAX, slab);
    other.exchange = m.exchange;
    this.#put(other, Packing.deflate, length);
  }

  #put(m, packing, length) {
    m.push(header.MAX, this.#context.slab);
    header.write(m.view, m.start, packing, length);
    this.below.down(m);
  }

  up(m) {
    const { slab, limits } = this.#context;
    // It may lie across segments.
    const n = m.measure(header.measure, slab);
    if (n < 0) return this.#close(header.explain(n, m.view, m.start, m.end));
    const { packing, length } = header.read(m.view, m.start, m.end);
    m.pop(n);
    if (packing === Packing.none) {
      if (m.length === length) return this.above.up(m);
      return this.#close(`acme.deflate.length: is ${length}, but ${m.length} octets follow`);
    }
    // Before memory is taken: a few octets may claim, and become, gigabytes.
    const most = limits.recvMax || 2 ** 32;
    if (length > most) return this.#close(`recvMax: ${length} octets; ${most} are allowed`);
    const octets = inflated(joined(m), length);
    if (octets?.length !== length) {
      return this.#close(`acme.deflate.length: is ${length}, and not what comes of the payload`);
    }
    const other = Message.of(octets);
    other.pipe = m.pipe;
    this.above.up(other);
  }

  #close(said) {
    this.below.control({ type: "close", error: new WireError("acmeDeflate", said) });
  }
}

/** All octets of a message in one piece, as zlib wants them. */
function joined(m) {
  const segments = m.segments();
  return segments.length === 1 ? segments[0] : Buffer.concat(segments);
}

/** What becomes of them, `most` octets at most; undefined if they are broken. */
function inflated(octets, most) {
  try {
    return plain(inflateRawSync(octets, { maxOutputLength: Math.max(1, most) }));
  } catch {
    return undefined;
  }
}

const plain = (b) => new Uint8Array(b.buffer, b.byteOffset, b.length);
