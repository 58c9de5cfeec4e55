/** Lays out printed code: indents by brackets, and folds what is too long for a line. */

const WIDTH = 100;
const OPEN = "([{";
const CLOSE = ")]}";

/** `text` holds one statement, or the beginning or end of a block, a line. */
export function tidy(text: string): string {
  const lines: string[] = [];
  let depth = 0;
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    const closes = /^[)\]}]/.test(line) ? 1 : 0;
    lines.push(...fold(line, "  ".repeat(depth - closes)));
    for (const c of line) depth += OPEN.includes(c) ? 1 : CLOSE.includes(c) ? -1 : 0;
  }
  return `${lines.join("\n").trim()}\n`;
}

/** A line, as several if it is too long: the longest bracket's parts, each on a line of its own. */
function fold(line: string, indent: string): string[] {
  if (indent.length + line.length <= WIDTH || line.startsWith("/")) return [indent + line];
  const [from, to] = longest(line);
  if (to - from < 2) return [indent + line];
  const inner = split(line.slice(from + 1, to));
  const deeper = `${indent}  `;
  const short = inner.every((p) => /^[\w.-]+$/.test(p));
  const parts = short ? fill(inner, deeper) : inner.flatMap((p) => fold(`${p},`, deeper));
  return [indent + line.slice(0, from + 1), ...parts, ...fold(line.slice(to), indent)];
}

/** Where the longest pair of outermost brackets stands. */
function longest(line: string): [number, number] {
  let best: [number, number] = [0, 0];
  let depth = 0;
  let from = 0;
  for (const [i, c] of [...line].entries()) {
    if (OPEN.includes(c) && depth++ === 0) from = i;
    if (CLOSE.includes(c) && --depth === 0 && i - from > best[1] - best[0]) best = [from, i];
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
