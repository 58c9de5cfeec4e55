/**
 * Which files mattered in the last generation, and what was in them. If all of them still hold that,
 * there is nothing to do, and neither ts-morph nor esbuild need be loaded. Kept under
 * `node_modules/.cache`; where there is no such place, every run generates.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Project } from "./generate.js";
import { specFiles } from "./read.js";
import { filesIn } from "./write.js";

interface Remembered {
  readonly settings: string;
  /** Path → hash of the contents: specs and what they import, our own code, and all outputs. */
  readonly files: Readonly<Record<string, string>>;
}

/** Whether nothing has changed since, neither in what goes in nor in what came out. */
export function isFresh(project: Project): boolean {
  const place = placeOf(project);
  if (place === undefined || !existsSync(place)) return false;
  try {
    const { settings, files } = JSON.parse(readFileSync(place, "utf8")) as Remembered;
    const there = [
      ...filesIn(project.out),
      ...specFiles(project.specs).map((f) => join(project.specs, f)),
    ];
    return (
      settings === settingsOf(project) &&
      there.every((path) => files[path] !== undefined) &&
      Object.entries(files).every(([path, hash]) => hashOf(path) === hash)
    );
  } catch {
    // Half written, or a file is gone: as if nothing were known.
    return false;
  }
}

/** Notes the files that mattered. That they cannot be noted is no failure. */
export function remember(project: Project, files: Iterable<string>): void {
  const place = placeOf(project);
  if (place === undefined) return;
  try {
    const all = [...files, ...ownCode()].map((path) => [path, hashOf(path)]);
    const noted: Remembered = { settings: settingsOf(project), files: Object.fromEntries(all) };
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, JSON.stringify(noted));
  } catch {}
}

function settingsOf({ known: _, ...project }: Project): string {
  return JSON.stringify({ ...project, node: process.version });
}

/** The generator is an input too, and the headers of ours that a spec may refer to. */
function ownCode(): string[] {
  const here = dirname(fileURLToPath(import.meta.url));
  const model = join(here, "../generated/model.json");
  const code = filesIn(here).filter((path) => /\.(js|mts)$/.test(path));
  return [...code, join(here, "../spec/lang.js"), ...(existsSync(model) ? [model] : [])];
}

const hashOf = (path: string): string =>
  createHash("sha256").update(readFileSync(path)).digest("hex");

/** The project's file, in the nearest `node_modules` above its output. */
function placeOf({ out }: Project): string | undefined {
  for (let dir = out; dir !== dirname(dir); dir = dirname(dir)) {
    const modules = join(dir, "node_modules");
    if (!existsSync(modules)) continue;
    const name = createHash("sha256").update(out).digest("hex").slice(0, 16);
    return join(modules, ".cache/wirestack", `${name}.json`);
  }
  return undefined;
}
