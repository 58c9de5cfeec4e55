/** What lists say about a message. */
import type { HeaderTable } from "../../generated/dissect.js";
import type { Direction, Flow } from "./flow.js";
import { hex, valueText } from "./format.js";
import type { Layer, Message } from "./frame.js";
import type { Source } from "./source.js";

/** A message as it was found: its octets, and what stands around them. */
export interface Found extends Pick<Message, "protocol" | "peer" | "frame" | "guessed"> {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
  readonly claim: number;
  /** The header that carries it, and the message's own, if it has one. */
  readonly carrier: HeaderTable;
  readonly header: Layer | undefined;
  /** What stands within all its headers, if they could be read. */
  readonly inner: Inner | undefined;
  readonly flow: Flow;
  readonly way: Direction;
}

/** Octets that no header claims any more. */
export interface Inner {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

export function messageOf(found: Found): Message {
  const { source, start, end, claim, carrier, header, flow, way, inner } = found;
  const { bytes } = source;
  const { head, end: stop, nodes } = header?.walked ?? { head: start, end, nodes: [] };
  return {
    frame: found.frame,
    stream: flow.number,
    ...flow.named(way),
    transport: carrier.name.slice(carrier.name.lastIndexOf(".") + 1),
    protocol: found.protocol,
    peer: found.peer,
    length: claim - start,
    missing: claim - end,
    guessed: found.guessed,
    tags: hex(bytes.subarray(start, head)).match(/.{1,8}/g) ?? [],
    // What is computed has no bits of its own.
    shows: nodes.filter((n) => n.bits === 0).map((n) => [lastWord(n.name), valueText(n)]),
    source: (inner?.source ?? source).secret ? "decrypted" : source.kind,
    payload:
      inner?.source.bytes.subarray(inner.start, inner.end) ??
      bytes.subarray(head, Math.max(head, stop)),
  };
}

const lastWord = (name: string): string => name.slice(name.lastIndexOf(".") + 1);
