/** Headers of a user's own, from the folder in which `wirestack codegen` has generated their code. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { merge, type Registry, registry } from "../dissect/index.js";

/** Ours, and those of the folders; theirs count where names are the same. Throws what says how to mend it. */
export async function registryOf(folders: readonly string[]): Promise<Registry> {
  let all = registry;
  for (const folder of folders) all = merge(all, await generated(folder));
  return all;
}

async function generated(folder: string): Promise<Registry> {
  const javascript = join(resolve(folder), "dissect.js");
  const typescript = existsSync(join(folder, "dissect.ts"));
  if (!existsSync(javascript) && !typescript) {
    const made = "the folder that 'wirestack codegen SPECS --out FOLDER' has generated";
    throw new Error(`--specs ${folder}: no dissect.js or dissect.ts there; give ${made}`);
  }
  const module = existsSync(javascript)
    ? ((await import(pathToFileURL(javascript).href)) as { registry?: Registry })
    : await compiled(folder);
  if (module.registry === undefined) {
    throw new Error(`--specs ${folder}: its dissect exports no registry; generate it again`);
  }
  return module.registry;
}

async function compiled(folder: string): Promise<{ registry?: Registry }> {
  const { run } = await import("../../codegen/run.js");
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const sources = names.filter((name) => name.endsWith(".ts"));
  const files = new Map(
    sources.map((name) => [name.replaceAll("\\", "/"), readFileSync(join(folder, name), "utf8")]),
  );
  return (await run(files, ["dissect.ts"])).get("dissect.ts") as { registry?: Registry };
}
