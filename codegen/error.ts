/** Where something stands in a spec file; line and column count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A mistake of a spec's author: where it stands, what is wrong, and how to mend it. */
export class SpecError extends Error {
  readonly code = "SPEC";
  constructor(
    readonly at: Position,
    readonly problem: string,
    readonly mend: string,
  ) {
    super(`${at.file}:${at.line}:${at.column}: ${problem}; ${mend}`);
    this.name = "SpecError";
  }
}

/** Refuses what stands there. */
export function refuse(at: Position, problem: string, mend: string): never {
  throw new SpecError(at, problem, mend);
}

/** How to mend a name that nothing has. */
export function hint(name: string, names: ReadonlySet<string>, what: string): string {
  const near = nearest(name, names);
  return near === undefined
    ? `${what} are: ${[...names].sort().join(", ") || "none"}`
    : `did you mean '${near}'?`;
}

/** The name most like `name`, for "did you mean". */
function nearest(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  // Of a short name something must be left: any two letters are near one another.
  let least = Math.min(name.length - 1, Math.max(2, Math.floor(name.length / 3))) + 1;
  for (const candidate of names) {
    const d = distance(name.toLowerCase(), candidate.toLowerCase());
    if (d < least) [best, least] = [candidate, d];
  }
  return best;
}

/** Edits from one word to the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
