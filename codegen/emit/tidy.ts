/** Lays out printed code: indents by brackets, and folds what is too long for a line. */

const WIDTH = 100;
const OPEN = "([{";
const CLOSE = ")]}";

/** `text` holds one statement, or the beginning or end of a block, a line. */
export function tidy(text: string): string {
  const lines: string[] = [];
  /** For each open bracket the line that opened it. */
  const open: number[] = [];
  for (const [i, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    const closing = /^[)\]}]*/.exec(line)?.[0].length ?? 0;
    const depth = new Set(open.slice(0, open.length - closing)).size;
    lines.push(...fold(line, "  ".repeat(depth)));
    for (const c of line) {
      if (OPEN.includes(c)) open.push(i);
      else if (CLOSE.includes(c)) open.pop();
    }
  }
  return `${lines.join("\n").trim()}\n`;
}

/** A line, as several if it is too long: the longest bracket's parts, each on a line of its own. */
function fold(line: string, indent: string): string[] {
  if (indent.length + line.length <= WIDTH || line.startsWith("/")) return [indent + line];
  const [from, to] = longest(line);
  if (to - from < 2) return [indent + line];
  const inner = split(line.slice(from + 1, to));
  const last = inner.at(-1) ?? "";
  // A call whose last argument is an object: only that is unfolded.
  if (line[from] === "(" && inner.length > 1 && last.startsWith("{")) {
    const head = line.slice(0, to - last.length);
    if (indent.length + head.length < WIDTH) return [...block(head, last, line.slice(to), indent)];
  }
  return block(line.slice(0, from), line.slice(from, to + 1), line.slice(to + 1), indent);
}

/** `head`, the parts of a bracket, and `rest` behind it. */
function block(head: string, bracket: string, rest: string, indent: string): string[] {
  const inner = split(bracket.slice(1, -1));
  const deeper = `${indent}  `;
  const short = inner.every((p) => /^[\w.-]+$/.test(p));
  const parts = short ? fill(inner, deeper) : inner.flatMap((p) => fold(`${p},`, deeper));
  return [`${indent}${head}${bracket[0]}`, ...parts, ...fold(bracket.slice(-1) + rest, indent)];
}

/** Where the longest pair of outermost brackets stands that holds a list: no parenthesis but a call's. */
function longest(line: string): [number, number] {
  let best: [number, number] = [0, 0];
  let depth = 0;
  let from = 0;
  for (const [i, c] of [...line].entries()) {
    if (OPEN.includes(c) && depth++ === 0) from = i;
    if (!CLOSE.includes(c) || --depth > 0 || i - from <= best[1] - best[0]) continue;
    if (line[from] !== "(" || /\w/.test(line[from - 1] ?? "")) best = [from, i];
  }
  return best;
}

/** At the commas that stand in no bracket. */
function split(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (const [i, c] of [...text].entries()) {
    if (OPEN.includes(c)) depth++;
    if (CLOSE.includes(c)) depth--;
    if (c !== "," || depth > 0) continue;
    parts.push(text.slice(from, i).trim());
    from = i + 1;
  }
  return [...parts, text.slice(from).trim()].filter((p) => p !== "");
}

/** As many to a line as fit. */
function fill(parts: readonly string[], indent: string): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const more = `${last ?? indent}${last === undefined || last === indent ? "" : " "}${part},`;
    if (last !== undefined && more.length <= WIDTH) lines[lines.length - 1] = more;
    else lines.push(`${indent}${part},`);
  }
  return lines;
}
