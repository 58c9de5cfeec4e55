/**
 * Who may import whom. The rule that keeps layers deletable: a concrete layer knows its codecs and
 * the joints, never another layer, and only the scheme table knows them all.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import ts from "typescript";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("imports");

interface Rule {
  readonly files: RegExp;
  /** Sources by their path here, packages and node's own modules by their name. */
  readonly may: readonly RegExp[];
  /** What may come only by `import()`, or as nothing but a type. */
  readonly lazily?: readonly RegExp[];
}

const node = /^node:/;
const lang = /^spec\/lang(\.ts$|\/)/;
/** What layers are made of: messages below, ports above, and the world around. */
const joints =
  /^runtime\/(message|body|block|assembly|layer|hub|multicast|pile|hops|waiting|slots|ranks|stream|borrower|address|topics|answering|port|queues|guard|option|error|identity|subprotocol|env|builtin|crypto|node-crypto|node-files|node|web|reader|stats)\.ts$/;
const generated = /^generated\//;
/** Stands for a name that is not written out, as of a spec that the user points at. */
const computed = "(computed)";
const anything = /^\(computed\)$/;

/** The first rule whose pattern a file matches is the file's rule; a file without one is refused. */
const rules: readonly Rule[] = [
  { files: lang, may: [lang] },
  { files: /^spec\/(index|stacks)\.ts$/, may: [/^spec\//] },
  // The numbers of a family are written once, beside the headers that claim them.
  { files: /^spec\/sp\//, may: [lang, /^spec\/sp\/types\.ts$/] },
  { files: /^spec\//, may: [lang] },
  {
    files: /^codegen\//,
    may: [/^(codegen|spec)\//, node],
    lazily: [/^(ts-morph|esbuild)$/, anything],
  },
  { files: /^generated\/arbitraries\//, may: [generated, /^fast-check$/] },
  { files: /^generated\/dissect(\.ts$|\/)/, may: [generated] },
  { files: generated, may: [] },
  { files: joints, may: [joints, generated], lazily: [node] },
  {
    files: /^runtime\/dissect\//,
    may: [generated, joints, /^runtime\/dissect\//, node],
  },
  // A layer may have a folder of its own, beside the file that is the layer.
  {
    files: /^runtime\/framing\/ws(\.ts$|\/)/,
    may: [generated, joints, node, /^runtime\/framing\/ws\//],
  },
  {
    files: /^runtime\/secure\/hop(\.ts$|\/)/,
    may: [generated, joints, node, /^runtime\/secure\/hop\//],
  },
  {
    files: /^runtime\/secure\/integrity(\.ts$|\/)/,
    may: [generated, joints, node, /^runtime\/secure\/integrity\//],
  },
  {
    files: /^runtime\/tools\/tap(\.ts$|\/)/,
    may: [generated, joints, node, /^runtime\/tools\/tap\//],
  },
  {
    files: /^runtime\/(transport|framing|protocol|secure|tools)\//,
    may: [generated, joints, node],
  },
  {
    files: /^runtime\/(stack|endpoint|socket|link|open|device)\.ts$/,
    may: [joints, /^runtime\/(stack|endpoint|socket|link)\.ts$/],
  },
  // Laws of layers, for whoever writes one: they know no layer, and nobody who runs needs them.
  { files: /^runtime\/kit\//, may: [joints, /^runtime\/stack\.ts$/, /^runtime\/kit\//] },
  {
    files: /^runtime\/(schemes|portable|index|browser)\.ts$/,
    may: [/^runtime\/(?!(cli|kit)\/)/, generated],
  },
  {
    files: /^runtime\/cli\//,
    may: [/^runtime\/(?!kit\/)/, generated, node],
    lazily: [/^codegen\//, anything],
  },
];

interface Import {
  readonly from: string;
  readonly lazy: boolean;
  readonly line: number;
}

/** Every module that a source names, by a parser: emitters hold lines that only look like imports. */
function importsOf(file: string, text: string): Import[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, lazy: boolean) => {
    if (!specifier) return;
    const name = ts.isStringLiteralLike(specifier) ? specifier.text : computed;
    const { line } = source.getLineAndCharacterOfPosition(specifier.getStart(source));
    found.push({ from: resolve(file, name), lazy, line: line + 1 });
  };
  const visit = (n: ts.Node): void => {
    if (ts.isImportDeclaration(n)) {
      add(n.moduleSpecifier, n.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(n)) add(n.moduleSpecifier, n.isTypeOnly);
    else if (ts.isImportTypeNode(n) && ts.isLiteralTypeNode(n.argument)) {
      add(n.argument.literal, true);
    } else if (ts.isCallExpression(n) && n.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(n.arguments[0], true);
    }
    ts.forEachChild(n, visit);
  };
  visit(source);
  return found;
}

function resolve(file: string, name: string): string {
  if (!name.startsWith(".")) return name;
  return posix.join(posix.dirname(file), name).replace(/\.js$/, ".ts");
}

function violations(file: string, text: string): string[] {
  const rule = rules.find(({ files }) => files.test(file));
  if (!rule) return [`${file}: no rule says what it may import; add one to test/imports.test.ts`];
  const { may, lazily = [] } = rule;
  return importsOf(file, text).flatMap(({ from, lazy, line }) => {
    if (may.some((pattern) => pattern.test(from))) return [];
    if (!lazily.some((pattern) => pattern.test(from))) {
      return [`${file}:${line} may not import ${from}`];
    }
    return lazy ? [] : [`${file}:${line} may import ${from} only by import(), or as a type`];
  });
}

function sources(): string[] {
  return ["spec", "codegen", "generated", "runtime"]
    .filter((tree) => existsSync(tree))
    .flatMap((tree) =>
      readdirSync(tree, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts"))
        .map((name) => posix.join(tree, name.replaceAll("\\", "/"))),
    );
}

test("every source imports only what its place allows", () => {
  const found = sources().flatMap((file) => violations(file, readFileSync(file, "utf8")));
  assert.is(found.join("\n"), "");
});

test("what runs statically reaches no package and no test", () => {
  const seen = new Set<string>();
  const foreign: string[] = [];
  const walk = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { from, lazy, line } of importsOf(file, readFileSync(file, "utf8"))) {
      if (lazy || from.startsWith("node:")) continue;
      if (existsSync(from) && !from.startsWith("test/")) walk(from);
      else foreign.push(`${file}:${line} imports ${from}`);
    }
  };
  for (const file of sources()) if (file.startsWith("runtime/")) walk(file);
  assert.is(foreign.join("\n"), "");
});

test("what a page runs reaches nothing of node's", () => {
  const nodes: string[] = [];
  const seen = new Set<string>();
  const walk = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { from, lazy, line } of importsOf(file, readFileSync(file, "utf8"))) {
      if (lazy) continue;
      if (existsSync(from)) walk(from);
      else nodes.push(`${file}:${line} imports ${from}`);
    }
  };
  walk("runtime/browser.ts");
  walk("runtime/kit/index.ts");
  assert.equal(nodes, []);
  assert.ok(seen.has("runtime/transport/websocket.ts"));
  assert.equal(
    ["runtime/node.ts", "runtime/builtin.ts", "runtime/borrower.ts"].filter((f) => seen.has(f)),
    [],
  );
});

const planted: readonly [file: string, text: string, count: number][] = [
  ["spec/sp/frame.ts", 'import { u8 } from "../lang.js";', 0],
  ["spec/sp/frame.ts", 'import { ws } from "../ws/frame.js";', 1],
  ["spec/index.ts", 'export * from "./ws/frame.js";', 0],
  ["spec/lang.ts", 'import "node:fs";', 1],
  ["codegen/read.ts", 'import { Project } from "ts-morph";', 1],
  ["codegen/read.ts", 'import type { Project } from "ts-morph";', 0],
  ["codegen/read.ts", 'const { Project } = await import("ts-morph");', 0],
  ["codegen/emit/codec.ts", 'import { open } from "../../runtime/index.js";', 1],
  ["codegen/emit/codec.ts", 'const text = `\nimport fc from "fast-check";\n`;', 0],
  ["generated/sp/frame.ts", 'import { x } from "./greeting.js";', 1],
  ["generated/arbitraries/sp/frame.ts", 'import fc from "fast-check";', 0],
  ["generated/dissect.ts", 'import { measure } from "./sp/frame.js";', 0],
  ["generated/dissect.ts", 'import { walk } from "../runtime/dissect/walk.js";', 1],
  ["runtime/message.ts", 'import { stack } from "./stack.js";', 1],
  ["runtime/stack.ts", 'import { req } from "./protocol/reqrep.js";', 1],
  ["runtime/protocol/pair.ts", 'import { req } from "./reqrep.js";', 1],
  ["runtime/protocol/pair.ts", 'export type { Req } from "./reqrep.js";', 1],
  ["runtime/framing/ws.ts", 'import * as frame from "../../generated/ws/frame.js";', 0],
  ["runtime/framing/ws.ts", 'import { Frames } from "./ws/frames.js";', 0],
  ["runtime/framing/ws/frames.ts", 'import { sp } from "../sp.js";', 1],
  ["runtime/framing/sp.ts", 'import { Frames } from "./ws/frames.js";', 1],
  ["runtime/dissect/walk.ts", 'import { sp } from "../framing/sp.js";', 1],
  ["runtime/dissect/walk.ts", 'type Sp = import("../framing/sp.js").Sp;', 1],
  ["runtime/kit/couple.ts", 'import { pile } from "../pile.js";', 0],
  ["runtime/kit/couple.ts", 'import { sp } from "../framing/sp.js";', 1],
  ["runtime/kit/chance.ts", 'import fc from "fast-check";', 1],
  ["runtime/index.ts", 'export * from "./kit/index.js";', 1],
  ["runtime/cli/main.ts", 'import { main } from "../../codegen/main.js";', 1],
  ["runtime/cli/main.ts", 'await import("../../codegen/main.js");', 0],
  ["runtime/cli/main.ts", "await import(name);", 0],
  ["runtime/socket.ts", "await import(name);", 1],
  ["runtime/env.ts", 'import { WebSocket } from "ws";', 1],
  ["runtime/schemes.ts", 'import { law } from "../test/laws/law.js";', 1],
  ["runtime/manager.ts", "", 1],
];

for (const [file, text, count] of planted) {
  const verdict = count === 0 ? "is allowed" : "is caught";
  test(`in ${file}, ${text.replaceAll("\n", " ") || "that no rule covers,"} ${verdict}`, () => {
    assert.is(violations(file, text).length, count);
  });
}

test.run();
