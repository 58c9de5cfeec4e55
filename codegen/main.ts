/** The command: `npm run codegen` in this repository, `wirestack codegen` for specs of one's own. */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { resolve as absolute, dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isFresh, remember } from "./cache.js";
import { SpecError } from "./error.js";
import { generate, isGenerated, type Project } from "./generate.js";
import { MissingPackage, needPackages } from "./need.js";
import { create } from "./new.js";
import { type Known, numbersIn, tablesOf } from "./resolve.js";
import { watch } from "./watch.js";
import { compare, type Difference, write } from "./write.js";

const HELP = `Generates codecs, dissector tables, documentation and test material from specs.

  wirestack codegen FOLDER --out DIR [--js] [--arbitraries] [--check | --watch | --new NAME]
  npm run codegen -- [--check | --watch | --new NAME]      in wirestack's own repository

  --out DIR      where the generated files go; a folder of their own
  --js           JavaScript with declarations, instead of TypeScript
  --arbitraries  also what draws valid and broken headers, for property tests with fast-check
  --check        writes nothing; fails if what is there is not what would be generated
  --watch        generates again after every change of a spec
  --new NAME     writes a first spec, its layer and its test, then generates

Examples

  npx wirestack codegen ./my-specs --out ./my-generated --new acme/trace
  npx wirestack codegen ./my-specs --out ./my-generated --watch
  npx wirestack codegen ./my-specs --out ./my-generated --check
  npm run codegen -- --new acme/trace
`;

/** Runs the command; resolves to its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await run(args);
  } catch (error) {
    if (error instanceof SpecError || error instanceof MissingPackage) console.error(error.message);
    else if (error instanceof Usage) console.error(`wirestack codegen: ${error.message}`);
    else throw error;
    return 1;
  }
}

/** The command cannot do what it was asked: what is wrong, and what to do. */
class Usage extends Error {}

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  if (values.check === true && (values.watch === true || values.new !== undefined)) {
    throw new Usage("--check writes nothing; leave out --watch and --new");
  }
  const project = await projectOf(positionals, values);
  sameManner(project);
  if (values.check === true) return await check(project);
  const first: string[] = [];
  if (values.new !== undefined) {
    needPackages();
    first.push(...mistaken(() => create(values.new ?? "", project)));
    for (const path of first) console.log(`wrote ${shown(path)}`);
  }
  if (values.watch === true) await keepUpdating(project);
  else if (isFresh(project)) console.log("nothing has changed");
  else await update(project);
  if (values.new !== undefined) console.log(`next: ${guide(project, first)}`);
  return 0;
}

/** Where it says how to go on. `first`: what was written to begin with. */
function guide({ javascript, specs, registry }: Project, first: readonly string[]): string {
  const path = join(ROOT, ".github/CONTRIBUTING.md");
  const script = shown(first.find((p) => p.endsWith(".test.ts")) ?? specs);
  const bundle = `npx esbuild ${script} --bundle --packages=external --platform=node --format=esm`;
  const typescript = `${bundle} | node --input-type=module`;
  const test = registry ? "npm test" : javascript ? `node --test ${script}` : typescript;
  return `${test}, which passes; then make it yours: ${shown(path)}, "Write one"`;
}

function parse(args: readonly string[]) {
  const options = {
    out: { type: "string" },
    js: { type: "boolean" },
    arbitraries: { type: "boolean" },
    check: { type: "boolean" },
    watch: { type: "boolean" },
    new: { type: "string" },
    help: { type: "boolean", short: "h" },
  } as const;
  return mistaken(
    () => parseArgs({ args: [...args], options, allowPositionals: true }),
    "; see --help",
  );
}

/** What `action` throws is the user's mistake, not ours. */
function mistaken<T>(action: () => T, more = ""): T {
  try {
    return action();
  } catch (error) {
    throw new Usage(`${(error as Error).message}${more}`);
  }
}

/** The package's own folder: that of `dist`. */
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

interface Asked {
  readonly out?: string;
  readonly js?: boolean;
  readonly arbitraries?: boolean;
  readonly new?: string;
}

async function projectOf(
  folders: readonly string[],
  { out, js = false, arbitraries = false, new: first }: Asked,
): Promise<Project> {
  const [folder, another] = folders;
  if (another !== undefined)
    throw new Usage(`one folder of specs at a time, not also '${another}'`);
  if (folder === undefined) {
    if (!existsSync(join(ROOT, "spec/lang.ts")))
      throw new Usage("give the folder of your specs; see --help");
    if (out !== undefined || js || arbitraries)
      throw new Usage("--out, --js and --arbitraries are for a folder of your own; give it first");
    const own = {
      specs: join(ROOT, "spec"),
      out: join(ROOT, "generated"),
      command: "npm run codegen",
    };
    const manner = { registry: true, javascript: false, arbitraries: true };
    return { ...own, ...manner, name: shown(own.specs), known: NOTHING };
  }
  if (out === undefined) throw new Usage("say where the generated files go: --out DIR");
  const specs = absolute(folder);
  if (`${specs}${sep}`.startsWith(`${absolute(out)}${sep}`)) {
    throw new Usage(`--out ${out} holds the specs; give generated files a folder of their own`);
  }
  // What is new may be the first that is there.
  if (!existsSync(specs) && first === undefined) {
    throw new Usage(`there is no folder ${folder}; --new NAME begins one`);
  }
  return {
    specs,
    out: absolute(out),
    name: shown(specs),
    command: "wirestack codegen",
    registry: false,
    javascript: js,
    arbitraries,
    known: ours(),
  };
}

/** Generating in the other manner would remove what is there, and what imports it would fail. */
function sameManner({ out, javascript }: Project): void {
  const other = join(out, javascript ? "dissect.ts" : "dissect.js");
  if (!existsSync(other) || !isGenerated(readFileSync(other, "utf8"))) return;
  const [how, mend] = javascript ? ["without", "leave it out"] : ["with", "add --js"];
  throw new Usage(`${shown(out)} was generated ${how} --js; ${mend}, or take another folder`);
}

const NOTHING: Known = { headers: new Set(), tables: new Set(), numbers: new Set() };

/** What specs elsewhere may refer to: the headers of this package, and where they look things up. */
function ours(): Known {
  const path = join(ROOT, "dist/generated/model.json");
  if (!existsSync(path)) return NOTHING;
  const model = JSON.parse(readFileSync(path, "utf8"));
  return {
    headers: new Set(model.headers.map((h: { name: string }) => h.name)),
    tables: tablesOf(model),
    numbers: numbersIn(model),
  };
}

/** Generates what is not there as it should be. */
async function update(project: Project): Promise<void> {
  const start = performance.now();
  const sources = new Set<string>();
  const outputs = await generate(project, sources);
  const differences = compare(outputs, project.out);
  const foreign = differences.filter((d) => d.kind === "foreign");
  const blocking = foreign.find((d) => d.inTheWay);
  if (blocking !== undefined) {
    throw new Usage(
      `${shown(blocking.path)} was not generated and would be overwritten; move it elsewhere`,
    );
  }
  write(outputs, differences, project.out);
  for (const { path } of foreign)
    console.error(`${shown(path)}: kept, though it was not generated; move it elsewhere`);
  if (foreign.length === 0) remember(project, [...sources, ...outputs.keys()]);
  const count = (...kinds: Difference["kind"][]) =>
    differences.filter((d) => kinds.includes(d.kind)).length;
  const removed = count("orphan");
  const ms = Math.round(performance.now() - start);
  console.log(
    `${outputs.size} files, ${count("missing", "changed")} written${removed > 0 ? `, ${removed} removed` : ""} (${ms} ms)`,
  );
}

/** Tells how the folder differs from what would be generated. */
async function check(project: Project): Promise<number> {
  const outputs = await generate(project);
  const differences = compare(outputs, project.out);
  if (differences.length === 0) {
    console.log(`${outputs.size} files are as generated`);
    return 0;
  }
  for (const d of differences) console.error(difference(d));
  console.error(`${differences.length} of ${outputs.size} files differ; run: ${again(project)}`);
  return 1;
}

function difference(d: Difference): string {
  const path = shown(d.path);
  switch (d.kind) {
    case "missing":
      return `${path}: is missing`;
    case "orphan":
      return `${path}: no spec stands behind it any more`;
    case "foreign":
      return `${path}: was not generated; move it elsewhere`;
    case "changed":
      return `${path}:${d.line}: is not as generated\n  is      ${d.is}\n  should  ${d.should}`;
  }
}

const again = ({ command, registry, specs, out, javascript, arbitraries }: Project): string =>
  registry
    ? command
    : `npx ${command} ${shown(specs)} --out ${shown(out)}${javascript ? " --js" : ""}${arbitraries ? " --arbitraries" : ""}`;

async function keepUpdating(project: Project): Promise<void> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  const tried = async () => {
    try {
      await update(project);
    } catch (error) {
      if (!(error instanceof SpecError || error instanceof Usage)) throw error;
      console.error(error.message);
    }
  };
  // It listens before it says so: who changes a file at that word is heard.
  const watching = watch(project.specs, tried, stop.signal);
  console.log(`watching ${shown(project.specs)}`);
  await watching;
}

/** A path as the user would write it. */
function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return (near.startsWith("..") ? path : near || ".").replaceAll("\\", "/");
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
) {
  process.exitCode = await main(process.argv.slice(2));
}
