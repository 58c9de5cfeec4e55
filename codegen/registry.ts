/** The list of all specs, `spec/index.ts`: adding one touches no second file by hand. */
import type { Exported } from "./read.js";
import { isHeader, isOpener, isStack } from "./resolve.js";

/** Folders in reading order: our own protocol first, then from the top of the wire downwards. */
const READING = ["sp", "ws", "secure", "net", "file"];

/** One export a line, each with the first sentence of its comment. */
export function registry(exports: readonly Exported[]): string {
  const own = exports.filter(({ value }) => isHeader(value) || isOpener(value) || isStack(value));
  const rank = ({ file, value }: Exported) => {
    if (isStack(value)) return READING.length + 1;
    const at = READING.indexOf(file.slice(0, file.indexOf("/")));
    return at < 0 ? READING.length : at;
  };
  const lines = own
    .map((e, i) => ({ e, i }))
    .sort((a, b) => rank(a.e) - rank(b.e) || a.i - b.i)
    .map(
      ({ e }) => `/** ${sentence(e.doc) || e.id}. */\nexport { ${e.id} } from "./${e.file}.js";`,
    );
  return `${lines.join("\n")}\n`;
}

const sentence = (doc: string): string =>
  (doc.split(/\.(?:\s|$)/)[0] ?? "").replace(/\s+/g, " ").trim();
