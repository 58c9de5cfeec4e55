/** Frames and messages for programs: tab-separated columns, and JSON, one object a line. */
import { createHash } from "node:crypto";
import type { Node } from "../../generated/dissect.js";
import { epochText, hex, valueText } from "./format.js";
import type { Frame, Layer, Message, Rest } from "./frame.js";

/** What is known of a frame besides its headers' fields. */
const OF_FRAME: Readonly<Record<string, (f: Frame) => string>> = {
  "frame.number": (f) => String(f.packet.number),
  "frame.time_epoch": (f) => epochText(f.packet.time),
  "frame.len": (f) => String(f.packet.length),
  "frame.cap_len": (f) => String(f.packet.octets.length),
  "frame.interface_id": (f) => String(f.packet.interface),
  "frame.protocols": (f) => f.protocols.join(":"),
};

export const frameFields: readonly string[] = Object.keys(OF_FRAME);

/** One line: the fields' values; a field that occurs more than once has them joined by commas. */
export function frameRow(frame: Frame, fields: readonly string[]): string {
  const found = new Map<string, string[]>();
  for (const field of fields) found.set(field, []);
  for (const part of frame.parts) {
    if (part.is !== "header") continue;
    for (const node of part.walked.nodes) found.get(node.name)?.push(valueText(node));
  }
  return fields.map((f) => OF_FRAME[f]?.(frame) ?? found.get(f)?.join(",") ?? "").join("\t");
}

/** A frame as an object: protocols, fields with their bit ranges, messages, remarks. */
export function frameObject(frame: Frame): object {
  const { packet } = frame;
  return {
    frame: {
      number: packet.number,
      ...(packet.time === undefined ? {} : { time_epoch: epochText(packet.time) }),
      len: packet.length,
      cap_len: packet.octets.length,
      protocols: frame.protocols,
    },
    layers: frame.parts.map(partObject),
    messages: frame.messages.map(messageObject),
    ...(frame.remarks.length === 0 ? {} : { remarks: frame.remarks }),
  };
}

function partObject(part: Layer | Rest): object {
  const { source } = part;
  const file = source.kind === "frame" ? { file_offset: (source.file ?? 0) + startOf(part) } : {};
  const place = { source: source.kind, offset: source.origin + startOf(part), ...file };
  if (part.is === "octets") {
    const { from, to, lack, what, sealed } = part;
    return {
      octets: what,
      ...place,
      length: to - from,
      ...(lack === 0 ? {} : { missing: lack }),
      ...(sealed && { sealed }),
      hex: hex(source.bytes.subarray(from, to)),
    };
  }
  const { walked, flow } = part;
  return {
    header: walked.table.name,
    ...place,
    length: walked.head - walked.start,
    ...(flow === undefined ? {} : { flow }),
    ...(walked.cut ? { cut: true } : {}),
    fields: walked.nodes.map((node) => fieldObject(node, source.origin * 8)),
    ...(walked.notes.length === 0 ? {} : { notes: walked.notes }),
  };
}

const startOf = (part: Layer | Rest): number =>
  part.is === "header" ? part.walked.start : part.from;

/** `origin`: bits from the frame's first to the source's first. */
function fieldObject(node: Node, origin: number): object {
  const { name, value, bit, bits, meaning, status, notes } = node;
  const plain = typeof value === "number" || typeof value === "boolean";
  return {
    name,
    // Numbers that JSON would round, addresses and octets are text.
    value: plain && node.format !== "ipv4" ? value : valueText(node),
    ...(bits === 0 ? {} : { bit: origin + bit, bits }),
    ...(meaning === undefined ? {} : { meaning }),
    ...(status === undefined ? {} : { status }),
    ...(notes === undefined ? {} : { notes }),
  };
}

/** The columns of a list of messages. */
export const messageColumns = [
  "frame",
  "stream",
  "from",
  "to",
  "transport",
  "protocol",
  "length",
  "tags",
  "payload_length",
  "payload_sha256",
] as const;

const cells = (m: Message): Readonly<Record<(typeof messageColumns)[number], string | number>> => ({
  frame: m.frame,
  stream: m.stream,
  from: m.from,
  to: m.to,
  transport: m.transport,
  protocol: m.protocol,
  length: m.length,
  tags: m.tags.join(","),
  payload_length: m.payload.length + m.missing,
  payload_sha256: createHash("sha256").update(m.payload).digest("hex").slice(0, 16),
});

export const messageRow = (m: Message): string => Object.values(cells(m)).join("\t");

export const messageObject = (m: Message): object => ({
  ...cells(m),
  tags: m.tags,
  source: m.source,
  ...(m.peer === undefined ? {} : { peer: m.peer }),
  ...Object.fromEntries(m.shows),
  ...(m.missing === 0 ? {} : { missing: m.missing }),
  ...(m.guessed ? { guessed: true } : {}),
});
