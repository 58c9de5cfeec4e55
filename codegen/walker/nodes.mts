/** What the walker finds: nodes for fields, and around them what the header says about its payload. */
import type { FieldTable, Format, HeaderTable, NextTable, ViaTable } from "./tables.mjs";

export type Value = number | bigint | boolean | string | Uint8Array | undefined;

/** `error`: the codec refuses it. `warning`: it is kept, and unwelcome. */
export interface Note {
  readonly severity: "error" | "warning";
  readonly text: string;
}

/** Of a checksum. `partial`: the sum of the pseudo-header alone, which a network card was to complete. */
export type Status = "good" | "bad" | "partial (offload)" | "zero" | "unverified";

/** A field that was found, or a value computed from fields. */
export interface Node {
  readonly name: string;
  readonly value: Value;
  readonly format: Format;
  /** From the source's first octet; a computed value has 0 bits. */
  readonly bit: number;
  readonly bits: number;
  /** Fields inside a field are one deeper. */
  readonly depth: number;
  /** The value's name. */
  readonly meaning?: string | undefined;
  readonly table?: FieldTable;
  notes?: Note[];
  status?: Status;
}

/** What stands around a header. */
export interface Around {
  /** Where the layer below says that the header's octets end; past `end` if some are missing. */
  readonly claim: number;
  /** Byte order for a header that takes it from its caller. */
  readonly little?: boolean;
  /** Flow facts; they may be set by this header. */
  readonly facts: Facts;
  /** Sum of the pseudo-header's words, its length not counted. */
  pseudo?(): number | undefined;
}
export interface Facts {
  get(name: string): number | string | undefined;
  set(name: string, value: number | string): void;
}

/** A via operation and its values. */
export interface Step {
  readonly op: ViaTable["op"];
  readonly sender?: string;
  readonly with: Readonly<Record<string, number>>;
}
/** What follows. */
export interface Choice {
  readonly next: NextTable;
  /** Of the table that `next` looks up; a fact's value is found in the flow. */
  readonly value: number;
  /** Of a list: what stands on the last. */
  readonly beyond?: Choice | undefined;
}

/** Sender and receiver on a layer. */
export interface Ends {
  readonly from: Value;
  readonly to: Value;
  readonly format: Format;
  /** Sum of their octets as 16-bit words, for a pseudo-header. */
  readonly words: number;
}

/** A header taken apart. Offsets are octets in its view. */
export interface Walked {
  readonly table: HeaderTable;
  readonly start: number;
  /** Where the head ends, or is cut. */
  readonly head: number;
  /** Where the payload's octets end, and where they should: past `end` if some are missing. */
  readonly end: number;
  readonly claim: number;
  /** Octets of the head are missing. */
  readonly cut: boolean;
  /** Empty if nothing was to be recorded. */
  readonly nodes: readonly Node[];
  /** What is wrong with the header as a whole. */
  readonly notes: readonly Note[];
  readonly ends: Ends | undefined;
  readonly via: readonly Step[];
  readonly next: Choice | undefined;
}

/** Adds a remark to a node, if there is one. */
export function note(node: Node | undefined, severity: Note["severity"], text: string): void {
  if (node === undefined) return;
  node.notes ??= [];
  node.notes.push({ severity, text });
}

/** Marks a constant, a name or an arm that is not kept to. */
export function broken(node: Node, { fault }: FieldTable): void {
  if (fault !== undefined) note(node, fault.strict ? "error" : "warning", fault.text);
}
