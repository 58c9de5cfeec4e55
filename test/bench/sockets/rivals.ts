/** Rivals that are no dependencies of ours: fetched or compiled on first use, beside what is built. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../../rivals/", import.meta.url));

/** Installs a package; false if that fails, as without a registry. */
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
