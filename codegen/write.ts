/** What lies in the output folder, compared with what should, and made equal to it. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { isGenerated, type Outputs } from "./generate.js";

export type Difference = { readonly path: string } & (
  | { readonly kind: "missing" }
  /** The first line, from 1, that differs: as it is, and as it should be. */
  | {
      readonly kind: "changed";
      readonly line: number;
      readonly is: string;
      readonly should: string;
    }
  /** Once generated, and no longer. */
  | { readonly kind: "orphan" }
  /** Not generated; `inTheWay` of a file that should be. */
  | { readonly kind: "foreign"; readonly inTheWay: boolean }
);

/** Every file of the folder, absolute, sorted; what begins with a dot is nobody's business. */
export function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith(".") && name !== "node_modules")
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesIn(path) : [path];
    })
    .sort();
}

/** How the folder and the outputs differ. */
export function compare(outputs: Outputs, folder: string): Difference[] {
  const differences: Difference[] = [];
  for (const path of new Set([...outputs.keys(), ...filesIn(folder)])) {
    const should = outputs.get(path);
    const is = existsSync(path) ? readFileSync(path, "utf8") : undefined;
    if (is === should) continue;
    if (is === undefined) differences.push({ path, kind: "missing" });
    else if (!isGenerated(is))
      differences.push({ path, kind: "foreign", inTheWay: should !== undefined });
    else if (should === undefined) differences.push({ path, kind: "orphan" });
    else differences.push({ path, kind: "changed", ...firstDifference(is, should) });
  }
  return differences.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function firstDifference(is: string, should: string) {
  const [a, b] = [is.split("\n"), should.split("\n")];
  const at = a.findIndex((line, i) => line !== b[i]);
  const i = at < 0 ? a.length : at;
  return { line: i + 1, is: a[i] ?? "", should: b[i] ?? "" };
}

/** Removes what is no longer generated, then writes what is not there as it should be. */
export function write(outputs: Outputs, differences: readonly Difference[], folder: string): void {
  for (const { path, kind } of differences) {
    if (kind === "orphan") remove(path, folder);
  }
  for (const { path, kind } of differences) {
    if (kind !== "missing" && kind !== "changed") continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, outputs.get(path) ?? "");
  }
}

/** Removes a file, and the folders that it leaves empty. */
function remove(path: string, folder: string): void {
  rmSync(path);
  for (let dir = dirname(path); dir !== folder && readdirSync(dir).length === 0; dir = dirname(dir))
    rmdirSync(dir);
}
