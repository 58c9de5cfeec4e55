/** Packets as a capture would hold them, of a stream that suffers what networks do. */

import { registry } from "../../generated/dissect.js";
import * as ip from "../../generated/net/ipv4.js";
import * as tcp from "../../generated/net/tcp.js";
import * as greeting from "../../generated/sp/greeting.js";
import * as request from "../../generated/sp/request.js";
import * as framing from "../../generated/sp/tcp.js";
import type { Packet } from "../../runtime/dissect/capture.js";
import { Dissector } from "../../runtime/dissect/dissector.js";
import type { Frame, Message } from "../../runtime/dissect/frame.js";

/** A TCP segment from the client, or from the server if `back`. */
export interface Segment {
  readonly seq: number;
  readonly syn?: boolean;
  readonly payload: Uint8Array;
  readonly back?: boolean;
}

const CLIENT = [0x0a000001, 49152] as const;
const SERVER = [0x0a000002, 5555] as const;

/** LINKTYPE_IPV4 packets of one connection. */
export function packets(segments: readonly Segment[]): Packet[] {
  return segments.map(({ seq, syn = false, payload, back = false }, i) => {
    const [[from, source], [to, destination]] = back ? [SERVER, CLIENT] : [CLIENT, SERVER];
    const octets = new Uint8Array(ip.MIN + tcp.MIN + payload.length);
    const v = new DataView(octets.buffer);
    const head = ip.write(v, 0, 0, 0, octets.length, i % 65536, 2, 0, 64, 6, from, to, []);
    const flags = syn ? tcp.Flags.syn : tcp.Flags.ack;
    const at = tcp.write(v, head, source, destination, seq % 2 ** 32, 0, flags, 65535, 0, 0, []);
    octets.set(payload, at);
    const time = { seconds: i, nanoseconds: 0 };
    const length = octets.length;
    return { number: i + 1, link: 228, time, length, octets, offset: 0, interface: 0, origin: {} };
  });
}

/** A request of so many octets, all of them `fill`. */
export function message(id: number, length: number, fill = id % 251): Uint8Array {
  const made = new Uint8Array(framing.MAX + 4 + length).fill(fill);
  const v = new DataView(made.buffer);
  const at = framing.write(v, 0, 4 + length);
  request.write(v, at, [0x80000000 + id]);
  return made;
}

export function hello(type: number): Uint8Array {
  const made = new Uint8Array(greeting.MAX);
  greeting.write(new DataView(made.buffer), 0, type, greeting.Stack.plain);
  return made;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A stream cut into segments of so many octets, the SYN in front. */
export function segments(stream: Uint8Array, size: number, isn = 1000): Segment[] {
  const made: Segment[] = [{ seq: isn, syn: true, payload: new Uint8Array(0) }];
  for (let at = 0; at < stream.length; at += size) {
    made.push({ seq: (isn + 1 + at) % 2 ** 32, payload: stream.subarray(at, at + size) });
  }
  return made;
}

/** What the dissector makes of packets; the last frame is what the end leaves. */
export function* dissected(list: Iterable<Packet>): Generator<Frame> {
  const dissector = new Dissector(registry);
  let last: Packet | undefined;
  for (const packet of list) {
    last = packet;
    yield dissector.packet(packet);
  }
  if (last !== undefined) yield dissector.finish(last);
}

export const frames = (list: readonly Packet[]): Frame[] => [...dissected(list)];

export function messages(list: readonly Segment[]): Message[] {
  const found: Message[] = [];
  for (const frame of dissected(packets(list))) found.push(...frame.messages);
  return found;
}
