/** Captures in memory, read and taken apart. */
import {
  CaptureReader,
  Dissector,
  type DissectorOptions,
  type Frame,
  type Packet,
  type Registry,
} from "../../runtime/dissect/index.js";

/** The packets of a capture file's octets. */
export function packetsOf(octets: Uint8Array): Packet[] {
  const reader = new CaptureReader();
  reader.push(octets);
  reader.end();
  const found: Packet[] = [];
  for (let p = reader.next(); p !== undefined; p = reader.next()) found.push(p);
  return found;
}

/** What is found in packets, and behind the last what streams still held. */
export function framesOf(
  packets: readonly Packet[],
  headers?: Registry,
  options: DissectorOptions = {},
): Frame[] {
  const dissector = new Dissector(headers, options);
  const found = packets.map((p) => dissector.packet(p));
  const last = packets.at(-1);
  return last === undefined ? [] : [...found, dissector.finish(last)];
}
