// Sources → dist/, which mirrors the tree: each .ts becomes one .js, any other file is copied.
//
//   node codegen/build.mjs [--install | --types] [--test] [TREE …]
//
// There is no state to go wrong: an output carries the modification time of its source, and whoever
// finds another time there makes it again. Outputs appear by rename, so that two builds at once, or
// a build beside a running test, never show half a file.
//
// Nothing is imported from packages before ensureInstalled(): in a fresh clone there are none.
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const self = fileURLToPath(import.meta.url);
export const root = dirname(dirname(self));
const dist = join(root, "dist");
const require = createRequire(import.meta.url);

const PUBLISHED = ["spec", "codegen", "generated", "runtime"];
const TREES = [...PUBLISHED, "test"];

/** Runs `npm ci` when a package is missing or is not of the locked version. */
export function ensureInstalled() {
  const read = (path) => JSON.parse(fs.readFileSync(join(root, path), "utf8"));
  const locked = read("package-lock.json").packages;
  const present = (path) => {
    try {
      return read(join(path, "package.json")).version === locked[path]?.version;
    } catch {
      return false;
    }
  };
  const wanted = Object.keys(read("package.json").devDependencies);
  if (wanted.every((name) => present(`node_modules/${name}`))) return;

  console.error("installing what is missing…");
  const { status } = spawnSync(
    "npm",
    ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"],
    { cwd: root, stdio: ["ignore", "ignore", "inherit"], shell: process.platform === "win32" },
  );
  if (status !== 0) throw new Error("npm ci failed");
}

/** Brings dist/ up to date for the given trees. Throws when a source does not parse. */
export async function build({ trees = PUBLISHED, types = false } = {}) {
  forgetOtherRecipes();
  const stale = [];
  for (const tree of trees) {
    const wanted = new Set();
    for (const source of list(root, tree)) {
      // Build scripts run as they are, and type tests are for the compiler alone.
      if (source.endsWith(".mjs") || source.endsWith(".test-d.ts")) continue;
      const output = outputOf(source);
      for (const name of siblings(output)) wanted.add(name);
      const { atime, mtime } = fs.statSync(join(root, source));
      const written = fs.statSync(join(dist, output), { throwIfNoEntry: false });
      if (written?.mtime.getTime() === mtime.getTime()) continue;
      stale.push({ source, output, atime, mtime });
    }
    for (const output of list(dist, tree)) {
      if (!wanted.has(output)) fs.rmSync(join(dist, output));
    }
  }

  const scripts = stale.filter(({ source, output }) => source !== output);
  const text = scripts.length > 0 ? await transpile(scripts) : new Map();
  for (const { source, output, atime, mtime } of stale) {
    // The map first: whoever sees the new script finds its map.
    const map = text.get(`${output}.map`);
    if (map) put(`${output}.map`, map);
    put(output, text.get(output) ?? fs.readFileSync(join(root, source)), atime, mtime);
  }

  const stamp = join(dist, ".types");
  const complete = PUBLISHED.every((tree) => trees.includes(tree)) && !trees.includes("test");
  const declared = fs.existsSync(stamp) ? fs.readFileSync(stamp, "utf8") : undefined;
  if (types ? declared !== edition() : complete && declared === undefined) declare(types, stamp);
}

/** Another esbuild or another version of this file may write other outputs from the same source. */
function forgetOtherRecipes() {
  const { version } = require("esbuild/package.json");
  const recipe = `esbuild ${version}, ${fs.statSync(self).mtime.toISOString()}\n`;
  const path = join(dist, ".recipe");
  if (fs.existsSync(path) && fs.readFileSync(path, "utf8") === recipe) return;
  for (const made of [...TREES, ".types"]) {
    fs.rmSync(join(dist, made), { recursive: true, force: true });
  }
  fs.mkdirSync(dist, { recursive: true });
  fs.writeFileSync(path, recipe);
}

async function transpile(scripts) {
  const esbuild = await import("esbuild");
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: scripts.map(({ source }) => source),
    outbase: root,
    outdir: dist,
    bundle: false,
    format: "esm",
    target: "node20",
    charset: "utf8",
    sourcemap: "linked",
    write: false,
    logLevel: "warning",
  });
  // esbuild's child process would keep ours alive for a moment longer than needed.
  await esbuild.stop();
  return new Map(outputFiles.map((file) => [file.path.slice(dist.length + 1), file.contents]));
}

/** Declarations. Whether the types are sound is for `npm run check`: asking here too takes twice as long. */
function declare(insist, stamp) {
  const config = join(dist, ".tsconfig.json");
  const settings = {
    extends: "../tsconfig.json",
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      noCheck: true,
      incremental: false,
      rootDir: "..",
      outDir: ".",
    },
    include: PUBLISHED.map((tree) => `../${tree}`),
    exclude: [],
  };
  fs.writeFileSync(config, JSON.stringify(settings));
  const { status } = spawnSync(
    process.execPath,
    [require.resolve("typescript/bin/tsc"), "-p", config],
    { cwd: root, stdio: insist ? "inherit" : "ignore" },
  );
  if (insist && status !== 0) throw new Error("the declarations could not be written");
  fs.writeFileSync(stamp, status === 0 ? edition() : "");
}

/** What declarations are made of: the sources, and when each was changed. */
function edition() {
  const sources = PUBLISHED.flatMap((tree) => list(root, tree)).sort();
  return sources.map((path) => `${path} ${fs.statSync(join(root, path)).mtimeMs}\n`).join("");
}

/** Files of a tree, relative to `base`, with `/`. */
function list(base, tree) {
  if (!fs.existsSync(join(base, tree))) return [];
  return fs
    .readdirSync(join(base, tree), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(base.length + 1))
    .map((path) => path.replaceAll("\\", "/"));
}

function outputOf(source) {
  const script = source.endsWith(".ts") && !source.endsWith(".d.ts");
  return script ? source.replace(/\.ts$/, ".js") : source;
}

function siblings(output) {
  if (!output.endsWith(".js")) return [output];
  return [output, `${output}.map`, output.replace(/\.js$/, ".d.ts")];
}

function put(output, contents, atime, mtime) {
  const path = join(dist, output);
  const draft = `${path}.${process.pid}`;
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.writeFileSync(draft, contents);
  if (contents[0] === 0x23 && contents[1] === 0x21) fs.chmodSync(draft, 0o755); // #!
  if (mtime) fs.utimesSync(draft, atime, mtime);
  fs.renameSync(draft, path);
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === self) {
  const args = process.argv.slice(2);
  const named = args.filter((arg) => TREES.includes(arg));
  const unknown = args.find(
    (arg) => !TREES.includes(arg) && !["--install", "--types", "--test"].includes(arg),
  );
  try {
    if (unknown) throw new Error(`unknown argument: ${unknown}`);
    ensureInstalled();
    if (!args.includes("--install")) {
      const trees = named.length > 0 ? named : PUBLISHED;
      await build({
        trees: args.includes("--test") ? [...trees, "test"] : trees,
        types: args.includes("--types"),
      });
    }
  } catch (error) {
    console.error(`build: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
