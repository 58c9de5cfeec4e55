/** Counts of hops, where a message that came from one peer goes on to another: PAIR 1 and STAR. */
import type { Context } from "./layer.js";
import type { Message } from "./message.js";

/** The generated codec of a header that counts. */
export interface Hops {
  readonly MAX: number;
  measure(v: DataView, o: number, end: number): number;
  getHops(v: DataView, o: number): number;
  write(v: DataView, o: number, hops: number): number;
}

/**
 * The message with one hop more, in a head of its own: other connections, or a peer in this process, may
 * hold the octets of the one that it came with. Undefined if it has none.
 */
export function onward(m: Message, header: Hops, { slab }: Context): Message | undefined {
  const n = m.measure(header.measure, slab);
  if (n < 0) return undefined;
  const on = m.fork(header.MAX + m.start - m.floor, slab, n);
  on.push(header.MAX, slab);
  header.write(on.view, on.start, header.getHops(m.view, m.start) + 1);
  return on;
}
