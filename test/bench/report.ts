/** What a set of measurements is asked for and comes to, and how that is printed. */
import { availableParallelism, loadavg } from "node:os";

export interface Options {
  /** If not as the set has it. */
  readonly rounds: number | undefined;
  /** A part of the names of those that are wanted. */
  readonly only: string;
  /** A part of the names of the rivals that are wanted. */
  readonly against: string;
  /** Less of everything, and sooner. */
  readonly quick: boolean;
}

export interface Goal {
  readonly text: string;
  readonly met: boolean;
}

export interface Row {
  readonly name: string;
  readonly who: string;
  /** Nanoseconds an operation: the median of the rounds, and the best. */
  readonly median?: number;
  readonly least?: number;
  /** One for each column of the report; NaN leaves it empty. */
  readonly ratios?: readonly number[];
  readonly goal?: Goal;
  readonly note?: string;
}

export interface Report {
  /** Heads of the ratios. */
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** Goals that are better told in a sentence than beside a row. */
  readonly goals?: readonly Goal[];
  /** What a reader has to know of the circumstances. */
  readonly note?: string;
}

/** With more load than cores, times mean little, and CPU times mean more. */
export function circumstances(): string {
  const [load = 0] = loadavg();
  return `node ${process.version}, ${availableParallelism()} cores, load ${load.toFixed(1)}`;
}

export const missed = ({ rows, goals = [] }: Report): readonly Goal[] =>
  [...rows.flatMap((r) => r.goal ?? []), ...goals].filter(({ met }) => !met);

const known = (x = Number.NaN): number | undefined => (Number.isNaN(x) ? undefined : x);
const mark = ({ met }: Goal): string => (met ? "✔" : "✘");

export function table({ columns, rows, goals = [], note }: Report): string {
  const head = ["", "", "ns", "ns, best", ...columns, "goal", ""];
  const lines = rows.map(({ name, who, median, least, ratios, goal, note }, i) => [
    name === rows[i - 1]?.name ? "" : name,
    who,
    median?.toFixed(1) ?? note ?? "",
    least?.toFixed(1) ?? "",
    ...columns.map((_, k) => known(ratios?.[k])?.toFixed(2) ?? ""),
    goal?.text ?? "",
    goal === undefined ? "" : mark(goal),
  ]);
  const all = [head, ...lines];
  const widths = head.map((_, k) => Math.max(...all.map((line) => line[k]?.length ?? 0)));
  const cell = (text: string, k: number) =>
    k < 2 ? text.padEnd(widths[k] ?? 0) : text.padStart(widths[k] ?? 0);
  const told = goals.map((goal) => `${goal.text} ${mark(goal)}`);
  const lead = all.map((line) => line.map(cell).join("  ").trimEnd());
  return [...lead, ...told, ...(note === undefined ? [] : [note])].join("\n");
}
