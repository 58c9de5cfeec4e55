/** Rivals that are no dependencies of ours: fetched or compiled when asked for, beside what is built. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../../rivals/", import.meta.url));

/** Installs a package, once; false if that fails, as without a registry. */
export function install(name: string, version: string): boolean {
  if (existsSync(join(folder, "node_modules", name, "package.json"))) return true;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  console.error(`installing ${name} ${version} …`);
  try {
    const args = ["install", "--no-audit", "--no-fund", "--loglevel=error", `${name}@${version}`];
    execFileSync("npm", args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
    return true;
  } catch {
    return false;
  }
}

/** Where a compiled program lies. */
export const programOf = (name: string): string => join(folder, name);

/** Compiles `name.c`; false if there is no compiler, or no such library. */
export function compile(name: string, library: string): boolean {
  mkdirSync(folder, { recursive: true });
  const source = fileURLToPath(new URL(`./${name}.c`, import.meta.url));
  const args = [
    "-O2",
    "-Wall",
    "-Werror",
    "-o",
    programOf(name),
    source,
    `-l${library}`,
    "-pthread",
  ];
  const { status, error, stderr } = spawnSync("gcc", args, { encoding: "utf8" });
  if (status === 0) return true;
  if (error !== undefined || /No such file or directory|cannot find -l/.test(stderr)) return false;
  throw new Error(stderr);
}
