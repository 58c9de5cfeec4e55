/** Frames for people: a line for each layer, below it its fields, each with the octets it stands in. */
import type { Node } from "../../generated/dissect.js";
import { epochText, escaped, hex, octetsText, preview, valueText } from "./format.js";
import type { Frame, Layer, Message, Rest } from "./frame.js";
import type { Source } from "./source.js";

/** Octets of a field that are shown. */
const SHOWN = 8;

/** `verbose`: also fields that say nothing new, and what all mean. */
export function treeText(frame: Frame, verbose = false): string {
  const lines = [titleOf(frame)];
  // Of one source there may be many parts, and it may have many pieces.
  const places = new Map<Source, string>();
  for (const part of frame.parts) {
    const where = places.get(part.source) ?? whereOf(part.source, frame);
    places.set(part.source, where);
    if (part.is === "octets") lines.push(restLine(part, where));
    else for (const line of layerLines(part, where, verbose)) lines.push(line);
  }
  for (const m of frame.messages) lines.push(`  » ${sentence(m)}`);
  for (const r of frame.remarks) lines.push(`  ! ${r}`);
  return `${lines.join("\n")}\n`;
}

function titleOf({ packet, protocols, late }: Frame): string {
  if (late) return "After the last frame";
  const { number, time, length, octets } = packet;
  const cut = octets.length < length ? `, ${octets.length} captured` : "";
  const when = time === undefined ? "" : `  ${epochText(time)}`;
  return `Frame ${number}${when}  ${octetsText(length)}${cut}  ${protocols.join(":")}`;
}

/** A message in a line, for lists. */
export function messageText(m: Message): string {
  const tags = m.tags.length === 0 ? "" : `  ${m.tags.join(" ")}`;
  return `${m.protocol || "?"}/${m.transport}  ${m.from} → ${m.to}  ${octetsText(m.length)}${tags}  ${bodyText(m)}`;
}

/** A message in a line, with what its header means. */
function sentence(m: Message): string {
  const who = m.peer === undefined ? m.protocol || "?" : `${m.protocol} → ${m.peer}`;
  const shows = m.shows.map(([name, text]) => `  ${name} ${text}`).join("");
  return `${who} over ${m.transport}  ${m.from} → ${m.to}  ${octetsText(m.length)}${shows}  ${bodyText(m)}`;
}

function bodyText({ payload, missing, frame, guessed, source }: Message): string {
  const cut = missing === 0 ? "" : `  cut: ${octetsText(missing)} missing in frame ${frame}`;
  const secret = source === "decrypted" ? "  decrypted" : "";
  return `${preview(payload)}${secret}${cut}${guessed ? "  found by guessing" : ""}`;
}

function restLine({ source, from, to, lack, what, sealed }: Rest, where: string): string {
  const missing = lack === 0 ? "" : `, ${lack} more missing`;
  // Of what is sealed nothing can be seen but how long it is.
  const octets = sealed ? "" : preview(source.bytes.subarray(from, to));
  return `  ${what}  ${octetsText(to - from)}${missing}${where}  ${octets}`.trimEnd();
}

/** Which octets are meant, if not those of the frame itself. */
function whereOf({ kind, frame, pieces = [] }: Source, { packet, late }: Frame): string {
  if (kind === "frame") return late || frame !== packet.number ? ` of frame ${frame}` : "";
  const first = pieces.reduce((n, p) => Math.min(n, p.frame), Infinity);
  const last = pieces.reduce((n, p) => Math.max(n, p.frame), 0);
  if (pieces.length === 0 || (!late && first === packet.number)) return ` (${kind})`;
  return ` (${kind}, ${first === last ? `frame ${first}` : `frames ${first} to ${last}`})`;
}

function layerLines({ walked, source, flow }: Layer, where: string, verbose: boolean): string[] {
  const { table, start, head, cut, nodes, notes } = walked;
  const ends = flow === undefined ? "" : `  ${flow.from} → ${flow.to}  flow ${flow.number}`;
  const [from, to] = head === start ? trailerOf(nodes) : [start, head];
  const octets = from === to ? "no octets" : `octets ${from}–${to - 1}${where}`;
  // What a title says after its first words is for the catalogue.
  const title = verbose ? table.title : table.title.replace(/[:,].*/, "");
  const lines = [`  ${table.protocol}  ${title}  ${octets}${ends}`];
  if (verbose) lines.push(`      ${table.ref}`);
  for (const node of nodes) {
    if (!verbose && !tells(node)) continue;
    const doc = verbose && node.table !== undefined ? `  — ${node.table.doc}` : "";
    lines.push(`${nodeLine(node, source.bytes)}${doc}`);
  }
  for (const n of notes) lines.push(`      ! ${n.severity}: ${n.text}`);
  if (cut) lines.push("      ! cut off: octets of this header are missing");
  return lines;
}

/** From where to where fields stand that are no head's: behind a payload. */
function trailerOf(nodes: readonly Node[]): readonly [number, number] {
  const fields = nodes.filter((node) => node.bits > 0);
  if (fields.length === 0) return [0, 0];
  const ends = fields.map(({ bit, bits }) => bit + bits);
  return [Math.min(...fields.map((f) => f.bit)) / 8, Math.max(...ends) / 8];
}

/** Whether a field says more than that all is as always: what is constant, and flags not set, do not. */
function tells({ depth, value, table, notes }: Node): boolean {
  if (notes !== undefined) return true;
  if (table !== undefined && "konst" in table) return false;
  return !(depth > 0 && value === false);
}

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
