/** Frames for people: a line for each layer, below it its fields, each with the octets it stands in. */
import type { Node } from "../../generated/dissect.js";
import type { Frame, Layer, Message } from "./dissector.js";
import { epochText, escaped, hex, preview, valueText } from "./format.js";

/** Octets of a field that are shown. */
const SHOWN = 8;

/** `verbose`: also what a field means. */
export function treeText(frame: Frame, verbose = false): string {
  const { packet } = frame;
  const cut = packet.octets.length < packet.length ? `, ${packet.octets.length} captured` : "";
  const when = packet.time === undefined ? "" : `  ${epochText(packet.time)}`;
  const lines = [
    `Frame ${packet.number}${when}  ${packet.length} octets${cut}  ${frame.protocols.join(" ")}`,
  ];
  for (const layer of frame.layers) lines.push(...layerLines(layer, verbose));
  for (const { source, from, to } of frame.rest) {
    lines.push(`  data  ${to - from} octets  ${preview(source.bytes.subarray(from, to))}`);
  }
  for (const m of frame.messages) lines.push(`  » ${messageText(m)}`);
  for (const r of frame.remarks) lines.push(`  ! ${r}`);
  return `${lines.join("\n")}\n`;
}

/** A message in a line. */
export function messageText(m: Message): string {
  const tags = m.tags.length === 0 ? "" : `  ${m.tags.join(" ")}`;
  const of = `${m.length} ${m.length === 1 ? "octet" : "octets"}`;
  return `${m.protocol}/${m.transport}  ${m.from} → ${m.to}  ${of}${tags}  ${preview(m.payload)}`;
}

function layerLines({ walked, source }: Layer, verbose: boolean): string[] {
  const { table, start, head, cut } = walked;
  const where = source.kind === "frame" ? "" : ` (${source.kind})`;
  const lines = [`  ${table.protocol}  ${table.title}${where}  octets ${start}–${head}`];
  const nodes = verbose ? walked.nodes : walked.nodes.filter(tells);
  for (const node of nodes) lines.push(nodeLine(node, source.bytes));
  for (const n of walked.notes) lines.push(`      ! ${n.text}`);
  if (cut) lines.push("      ! cut off: octets of this header are missing");
  if (!verbose) return lines;
  return lines.flatMap((l, i) => {
    const doc = nodes[i - 1]?.table?.doc;
    return i === 0 ? [l, `      ${table.ref}`] : doc === undefined ? [l] : [`${l}  — ${doc}`];
  });
}

/** Flags that are not set and lists that are empty say little. */
const tells = ({ depth, value, bits, format }: Node): boolean =>
  !(depth > 0 && value === false) && (bits > 0 || format !== "hex");

function nodeLine(node: Node, bytes: Uint8Array): string {
  const { bit, bits, name, depth, meaning, status, notes = [] } = node;
  const first = Math.floor(bit / 8);
  const last = Math.ceil((bit + bits) / 8);
  const octets = bytes.subarray(first, Math.min(last, first + SHOWN));
  const more = last - first > SHOWN ? "…" : "";
  const at = bits === 0 ? "" : String(first).padStart(4, "0");
  const raw = bits === 0 ? "" : `${hex(octets)}${more}`;
  const value = `${valueText(node)}${meaning === undefined ? "" : ` (${escaped(meaning)})`}`;
  const marks = [
    ...(status === undefined ? [] : [status]),
    ...notes.map((n) => `${n.severity}: ${n.text}`),
  ];
  const text = marks.length === 0 ? "" : `  [${marks.join("; ")}]`;
  const label = `${"  ".repeat(depth)}${name}`;
  return `    ${at.padEnd(5)}${raw.padEnd(18)}${label.padEnd(28)} ${value}${text}`.trimEnd();
}
