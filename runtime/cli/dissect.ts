/** `wirestack dissect FILE`. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Writable } from "node:stream";
import {
  CaptureError,
  Dissector,
  dissect,
  type Frame,
  type Keys,
  type Message,
  type Registry,
} from "../dissect/index.js";
import {
  frameFields,
  frameObject,
  frameRow,
  messageColumns,
  messageObject,
  messageRow,
} from "../dissect/rows.js";
import { messageText, treeText } from "../dissect/tree.js";
import { readKeyLog } from "../secure/hop/keys.js";
import { parsed } from "./options.js";
import { registryOf } from "./specs.js";
import type { Terminal } from "./terminal.js";

const HELP = `wirestack dissect [OPTIONS] FILE

Takes a capture apart: pcap or pcapng, also gzipped; - reads standard input. What a tap has written
says itself which layers stand above it.

  --messages          one line a message instead of a tree a frame
  --keys FILE         a key log of hops (hop({ keyLog }), WIRESTACK_KEYLOGFILE): opens what they sealed
  --specs FOLDER      headers of your own, as wirestack codegen SPECS --out FOLDER has generated them;
                      as often as you like
  --format FORMAT     tree (default), tsv, ndjson
  -e FIELD            a column of --format tsv; once for each
  --fields            list the names of all fields, then end
  -v, --verbose       with each field what it means
  -h, --help

Examples
  wirestack dissect capture.pcap
  wirestack dissect --messages capture.pcap
  wirestack dissect --format tsv -e frame.number -e ip.src -e tcp.len capture.pcap
  tcpdump -U -w - port 5555 | wirestack dissect --messages -
  wirestack dissect --messages --keys keys.log sealed.pcap
  wirestack dissect --specs ./my-generated tap.pcapng

Exit codes: 0 all read, 1 usage, 2 unreadable, 3 cut short or damaged after the frames printed
`;

/** What a remark on records says that no key opens. */
const STAYS = " sealed: ";
const FORMATS = ["tree", "tsv", "ndjson"];

interface Options {
  readonly file: string;
  readonly format: string;
  readonly fields: readonly string[];
  readonly messages: boolean;
  readonly verbose: boolean;
  readonly registry: Registry;
  /** The log, and what it is called. */
  readonly keys: Keys | undefined;
}

/** Runs the command; resolves with its exit code. */
export async function dissectCommand(
  args: string[],
  terminal: Pick<Terminal, "stdout" | "stderr"> = process,
): Promise<number> {
  let options: Options | number;
  try {
    options = await understand(args, terminal.stdout);
  } catch (error) {
    terminal.stderr.write(
      `wirestack dissect: ${(error as Error).message}\nsee: wirestack dissect --help\n`,
    );
    return 1;
  }
  return typeof options === "number" ? options : run(options, terminal);
}

async function understand(args: string[], stdout: Writable): Promise<Options | number> {
  const { values, positionals } = await parsed({
    args,
    allowPositionals: true,
    options: {
      messages: { type: "boolean", default: false },
      keys: { type: "string" },
      specs: { type: "string", multiple: true, default: [] },
      format: { type: "string", default: "tree" },
      field: { type: "string", short: "e", multiple: true, default: [] },
      fields: { type: "boolean", default: false },
      verbose: { type: "boolean", short: "v", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    stdout.write(HELP);
    return 0;
  }
  const registry = await registryOf(values.specs);
  const known = new Set([...frameFields, ...new Dissector(registry).names()]);
  if (values.fields) {
    stdout.write(`${[...known].sort().join("\n")}\n`);
    return 0;
  }
  const [file, ...more] = positionals;
  if (file === undefined) throw new Error("give the capture file, or - for standard input");
  if (more.length > 0) throw new Error(`one file at a time, not also '${more[0]}'`);
  if (!FORMATS.includes(values.format))
    throw new Error(`--format is ${FORMATS.join(", ")}, not '${values.format}'`);
  for (const field of values.field) {
    if (known.has(field)) continue;
    const own = values.specs.length === 0 ? "; headers of your own need --specs FOLDER" : "";
    throw new Error(`no field '${field}'${suggestion(field, known)}${own}`);
  }
  if (values.field.length > 0 && (values.format !== "tsv" || values.messages)) {
    throw new Error("-e names columns of frames: it needs --format tsv, without --messages");
  }
  if (values.format === "tsv" && !values.messages && values.field.length === 0) {
    throw new Error("--format tsv needs columns: -e FIELD, once for each; --fields lists them");
  }
  const { format, messages, verbose } = values;
  const keys = values.keys === undefined ? undefined : keysOf(values.keys);
  return { file, format, fields: values.field, messages, verbose, registry, keys };
}

function keysOf(path: string): Keys {
  try {
    return readKeyLog(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`--keys ${path}: ${(error as Error).message}`);
  }
}

/** Names that end or begin as the wrong one does. */
function suggestion(field: string, known: ReadonlySet<string>): string {
  const last = field.split(".").at(-1) ?? "";
  const near = [...known].filter(
    (k) => k.endsWith(`.${last}`) || k.startsWith(field) || k.startsWith(`${field.slice(0, -1)}`),
  );
  return near.length === 0
    ? "; --fields lists them"
    : `; did you mean ${near.slice(0, 3).join(" or ")}?`;
}

async function run(
  options: Options,
  { stdout: out, stderr }: Pick<Terminal, "stdout" | "stderr">,
): Promise<number> {
  const print = async (text: string) => {
    if (text !== "" && !out.write(text)) await once(out, "drain");
  };
  if (options.format === "tsv") {
    await print(`${(options.messages ? messageColumns : options.fields).join("\t")}\n`);
  }
  let found = 0;
  let sealed = 0;
  const stays: string[][] = [];
  const strange = new Map<string, number>();
  const list = new List(options.format);
  try {
    const { registry, keys } = options;
    for await (const frame of dissect(options.file, { registry, keys })) {
      found += frame.messages.length;
      for (const part of frame.parts) {
        if (part.is !== "octets") continue;
        if (part.sealed) sealed++;
        const { unknown } = part;
        if (unknown !== undefined) strange.set(unknown, (strange.get(unknown) ?? 0) + 1);
      }
      // A tree has these lines itself.
      if (options.messages) stays.push(frame.remarks.filter((r) => r.includes(STAYS)));
      await print(options.messages ? list.add(frame) : textOf(frame, options));
    }
    await print(list.rest());
  } catch (error) {
    await print(list.rest());
    if (error instanceof CaptureError) {
      const { damage, frames } = error;
      const before = damage.unreadable
        ? ""
        : ` (${frames} ${frames === 1 ? "frame" : "frames"} before that)`;
      stderr.write(`wirestack dissect: ${error.message}${before}\n`);
      return damage.unreadable ? 2 : 3;
    }
    const { code, message } = error as NodeJS.ErrnoException;
    const said = code === "EISDIR" ? `${options.file} is a folder; give a capture` : message;
    stderr.write(`wirestack dissect: ${said}\n`);
    return 2;
  }
  for (const [name, n] of strange) {
    const messages = n === 1 ? "1 message is" : `${n} messages are`;
    const mend = "--specs FOLDER brings what wirestack codegen has made of its spec";
    stderr.write(
      `wirestack dissect: ${messages} of '${name}', whose headers are not known; ${mend}\n`,
    );
  }
  for (const remark of stays.flat()) stderr.write(`wirestack dissect: ${remark}\n`);
  if (sealed > 0 && options.keys === undefined) {
    const records = sealed === 1 ? "1 record is" : `${sealed} records are`;
    stderr.write(
      `wirestack dissect: ${records} sealed; --keys FILE opens what a key log has keys for\n`,
    );
  } else if (options.messages && options.format === "tree" && found + sealed + strange.size === 0) {
    stderr.write("wirestack dissect: no messages; without --messages all frames are shown\n");
  }
  return 0;
}

function textOf(frame: Frame, { format, fields, verbose }: Options): string {
  // What comes after the last frame repeats no row of it.
  if (format === "tsv") return frame.late ? "" : `${frameRow(frame, fields)}\n`;
  if (format === "ndjson") return `${JSON.stringify(frameObject(frame))}\n`;
  return `${treeText(frame, verbose)}\n`;
}

/** A list of messages in the order of their frames: those behind a hole are found late. */
class List {
  #rows: { readonly frame: number; readonly text: string }[] = [];

  constructor(readonly format: string) {}

  /** The rows that nothing can come before any more. */
  add({ messages, waits }: Frame): string {
    for (const m of messages) {
      // A table's rows are whole messages, and no guesses.
      if (this.format === "tsv" && (m.missing > 0 || m.guessed)) continue;
      this.#rows.push({ frame: m.frame, text: this.#row(m) });
    }
    return waits ? "" : this.rest();
  }

  rest(): string {
    const rows = this.#rows.sort((a, b) => a.frame - b.frame);
    this.#rows = [];
    return rows.map((r) => `${r.text}\n`).join("");
  }

  #row(m: Message): string {
    if (this.format === "tsv") return messageRow(m);
    if (this.format === "ndjson") return JSON.stringify(messageObject(m));
    return `${String(m.frame).padStart(6)}  ${messageText(m)}`;
  }
}
