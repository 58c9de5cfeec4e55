/**
 * Reads a folder of specs: their values by running them, and what a value cannot carry (doc comments,
 * file and line) by ts-morph. Without ts-morph only documentation and positions would be missing.
 */
import { readdirSync, statSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { BuildFailure } from "esbuild";
import type { Node } from "ts-morph";
import { hint, type Position, SpecError } from "./error.js";
import { needPackages } from "./need.js";

/** What a spec file exports, and where. */
export interface Exported {
  /** Name of the constant. */
  readonly id: string;
  /** Path without extension, from the folder, with slashes. */
  readonly file: string;
  readonly value: unknown;
  readonly doc: string;
  readonly at: Position;
  /** Inside the declaration: property path (`options.type`, `@options.on`) → comment and place. */
  readonly places: ReadonlyMap<string, Place>;
}

export interface Place {
  readonly doc: string;
  readonly at: Position;
  /** Where the same name stands a second time; `twice`: in the same braces, where it is lost. */
  readonly again?: Position;
  readonly twice?: boolean;
}

/** The spec files of a folder, sorted; paths relative to it, with slashes. */
export function specFiles(folder: string): string[] {
  const found: string[] = [];
  const visit = (dir: string) => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== "node_modules" && !entry.name.startsWith(".")) visit(path);
      } else if (/\.ts$/.test(entry.name) && !/\.(d|layer|test|test-d)\.ts$/.test(entry.name)) {
        const file = relative(folder, path).split(sep).join("/");
        if (file !== "lang.ts" && file !== "index.ts") found.push(file);
      }
    }
  };
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Error(`${folder} is no folder; give the folder that holds the specs`);
  }
  visit(folder);
  return found.sort();
}

/**
 * Runs the specs and finds their comments and places. `name` is how messages call the folder;
 * `sources` collects every file that was read, also what specs import from elsewhere.
 */
export async function readSpecs(
  folder: string,
  name: string,
  files: readonly string[],
  sources: Set<string> = new Set(),
): Promise<Exported[]> {
  needPackages();
  const [values, places] = await Promise.all([
    run(folder, name, files, sources),
    locate(folder, name, files),
  ]);
  return files.flatMap((file) => {
    const module = values.get(file) ?? {};
    const known = places.get(file);
    const order = [...(known?.keys() ?? [])];
    return Object.keys(module)
      .sort((a, b) => order.indexOf(a) - order.indexOf(b))
      .map((id): Exported => {
        const found = known?.get(id);
        const at = found?.at ?? { file: `${name}/${file}`, line: 1, column: 1 };
        return {
          id,
          file: file.replace(/\.ts$/, ""),
          value: module[id],
          doc: found?.doc ?? "",
          at,
          places: found?.places ?? new Map(),
        };
      });
  });
}

type Module = Readonly<Record<string, unknown>>;

/** The modules' exports. One bundle in memory: nothing is written, and nothing is cached. */
async function run(
  folder: string,
  name: string,
  files: readonly string[],
  sources: Set<string>,
): Promise<Map<string, Module>> {
  const { build } = await import("esbuild");
  const lang = join(dirname(fileURLToPath(import.meta.url)), "../spec/lang.js");
  const entry = files
    .map((f, i) => `export * as m${i} from ${JSON.stringify(`./${f}`)};`)
    .join("\n");
  const { outputFiles, metafile } = await build({
    absWorkingDir: folder,
    stdin: { contents: entry, resolveDir: folder, loader: "ts" },
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "silent",
    sourcemap: "external",
    outfile: "specs.js",
    plugins: [
      {
        name: "vocabulary",
        setup(b) {
          b.onResolve({ filter: /^wirestack\/spec$/ }, () => ({ path: lang }));
        },
      },
    ],
  }).catch(async (error: unknown) => {
    const { text, location } = (error as Partial<BuildFailure>).errors?.[0] ?? {};
    if (text === undefined || !location) throw error;
    const at = {
      file: join(name, location.file),
      line: location.line,
      column: location.column + 1,
    };
    const word = /^No matching export in ".*\blang\.[jt]s" for import "(.*)"$/.exec(text)?.[1];
    if (word === undefined) throw new SpecError(at, text, "mend the syntax");
    const words = new Set(Object.keys(await import(pathToFileURL(lang).href)));
    throw new SpecError(at, `'${word}' is no word of wirestack/spec`, hint(word, words, "words"));
  });
  for (const file of Object.keys(metafile.inputs)) {
    if (file !== "<stdin>") sources.add(join(folder, file));
  }
  const [map, code] = outputFiles;
  const url = `data:text/javascript;base64,${Buffer.from(code?.contents ?? []).toString("base64")}`;
  try {
    const all = (await import(url)) as Readonly<Record<string, Module>>;
    return new Map(files.map((f, i) => [f, all[`m${i}`] ?? {}]));
  } catch (error) {
    const at = thrownAt(error as Error, map?.text ?? "{}");
    if (at === undefined) throw error;
    const { message, mend } = error as Error & { readonly mend?: string };
    const place = { ...at, file: join(name, at.file) };
    if (mend !== undefined) throw new SpecError(place, message, mend);
    throw new SpecError(place, `running the spec failed: ${message}`, "mend this expression");
  }
}

/** The place in a spec where an error was thrown, or whence the vocabulary was called. */
function thrownAt(error: Error, map: string): Position | undefined {
  const sources = new SourceMap(JSON.parse(map));
  for (const [, line, column] of (error.stack ?? "").matchAll(
    /^ +at .*data:.*:(\d+):(\d+)\)?$/gm,
  )) {
    const found = sources.findEntry(Number(line) - 1, Number(column) - 1);
    if (!("originalSource" in found) || /(^|\/)lang\.[jt]s$/.test(found.originalSource)) continue;
    const { originalSource: file, originalLine, originalColumn } = found;
    return { file, line: originalLine + 1, column: originalColumn + 1 };
  }
  return undefined;
}

interface Declared extends Place {
  readonly places: ReadonlyMap<string, Place>;
}

type Morph = typeof import("ts-morph");
type Found = Map<string, Declared>;
/** Kept from one reading to the next, so that `--watch` parses only what changed. */
const parsed = new Map<string, { text: string; found: Found }>();

async function locate(
  folder: string,
  name: string,
  files: readonly string[],
): Promise<Map<string, Found>> {
  const { readFile } = await import("node:fs/promises");
  const texts = await Promise.all(files.map((f) => readFile(join(folder, f), "utf8")));
  const morph = await import("ts-morph");
  const project = new morph.Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true });
  const result = new Map<string, Found>();
  for (const [i, file] of files.entries()) {
    const text = texts[i] ?? "";
    const key = `${name}/${file}`;
    let kept = parsed.get(key);
    if (kept?.text !== text) {
      const source = project.createSourceFile(file, text, { overwrite: true });
      const found: Found = new Map();
      for (const declaration of source.getVariableDeclarations()) {
        if (!declaration.isExported()) continue;
        const statement = declaration.getVariableStatement();
        found.set(declaration.getName(), {
          doc: statement === undefined ? "" : comment(morph, statement),
          at: position(declaration, key),
          places: placesIn(morph, declaration.getInitializer(), key),
        });
      }
      kept = { text, found };
      parsed.set(key, kept);
    }
    result.set(file, kept.found);
  }
  return result;
}

const position = (node: Node, file: string): Position => {
  const { line, column } = node.getSourceFile().getLineAndColumnAtPos(node.getStart());
  return { file, line, column };
};

function comment({ Node }: Morph, node: Node): string {
  const direct = Node.isJSDocable(node) ? node.getJsDocs().map((d) => d.getDescription()) : [];
  const own =
    direct.length > 0
      ? direct
      : node
          .getLeadingCommentRanges()
          .map((r) => r.getText())
          .filter((t) => t.startsWith("/**"))
          .slice(-1)
          .map((t) => t.replace(/^\/\*\*|\*\/$/g, "").replace(/^\s*\* ?/gm, ""));
  return own.join("\n").replace(/\r/g, "").trim();
}

/** Methods whose arguments are no fields, and the arguments of `header` that are none. */
const ASIDE = new Set(["payload", "sets", "shows", "ends", "little"]);

function placesIn(morph: Morph, root: Node | undefined, file: string): Map<string, Place> {
  const { Node } = morph;
  const places = new Map<string, Place>();
  const nodes = new Map<string, Node>();
  const visit = (node: Node, path: readonly string[]): void => {
    if (Node.isCallExpression(node)) {
      const callee = node.getExpression();
      const method = Node.isPropertyAccessExpression(callee) ? callee.getName() : callee.getText();
      visit(callee, path);
      node.getArguments().forEach((argument, i) => {
        const aside =
          path.length === 0 &&
          (ASIDE.has(method) ? method : i === 2 && method === "header" ? "options" : "");
        const inner = i === 2 && method === "choose" ? [...path, "otherwise"] : path;
        visit(argument, aside ? [`@${aside}`] : inner);
      });
      return;
    }
    if (Node.isPropertyAssignment(node) || Node.isShorthandPropertyAssignment(node)) {
      const name = node.getName().replace(/^\[?["']|["']\]?$/g, "");
      const inner = name === "of" ? path : [...path, name];
      const key = inner.join(".");
      const first = nodes.get(key);
      const known = places.get(key);
      if (name !== "of" && known === undefined) {
        nodes.set(key, node);
        places.set(key, { doc: comment(morph, node), at: position(node, file) });
      } else if (known !== undefined && first !== node && known.again === undefined) {
        const twice = first?.getParent() === node.getParent();
        places.set(key, { ...known, again: position(node, file), twice });
      }
      const value = Node.isPropertyAssignment(node) ? node.getInitializer() : undefined;
      if (value !== undefined) visit(value, inner);
      return;
    }
    if (Node.isIdentifier(node)) {
      // A group of fields in a constant of its own: its comments count where it is used.
      const declared = node
        .getSourceFile()
        .getVariableDeclaration(node.getText())
        ?.getInitializer();
      const within = declared === undefined || node.getAncestors().includes(declared);
      if (!within && declared !== root && path.length > 0) visit(declared, path);
      return;
    }
    node.forEachChild((child) => visit(child, path));
  };
  if (root !== undefined) visit(root, []);
  return places;
}
