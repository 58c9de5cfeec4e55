/** What an editor shows of a decoded value: the spec's own comments, and the way to their lines. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("types");

const FILE = join(process.cwd(), "test/editor.ts");
const TEXT = `
import type { wsFrame } from "../spec/index.js";
import type { Value } from "../spec/lang.js";
declare const frame: Value<typeof wsFrame>;
frame.fin; frame.length; frame.key;
`;

const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile("tsconfig.json", ts.sys.readFile).config,
  ts.sys,
  process.cwd(),
);
const service = ts.createLanguageService({
  getCompilationSettings: () => options,
  getScriptFileNames: () => [FILE],
  getScriptVersion: () => "1",
  getScriptSnapshot: (path) => {
    if (path === FILE) return ts.ScriptSnapshot.fromString(TEXT);
    return existsSync(path) ? ts.ScriptSnapshot.fromString(readFileSync(path, "utf8")) : undefined;
  },
  getCurrentDirectory: () => process.cwd(),
  getDefaultLibFileName: ts.getDefaultLibFilePath,
  fileExists: (path) => path === FILE || existsSync(path),
  readFile: (path) => readFileSync(path, "utf8"),
});

const spec = readFileSync("spec/ws/frame.ts", "utf8").split("\n");

for (const [name, comment] of [
  ["fin", "Last frame of a message."],
  ["length", "Octets of payload; shortest form only."],
  ["key", "XORed with the payload, octet by octet, over and over."],
] as const) {
  const at = TEXT.indexOf(`frame.${name}`) + "frame.".length;

  test(`hovering over ${name} shows the spec's comment`, () => {
    const shown = service.getQuickInfoAtPosition(FILE, at)?.documentation;
    assert.is(ts.displayPartsToString(shown), comment);
  });

  test(`the definition of ${name} is its line in the spec`, () => {
    const [found, ...more] = service.getDefinitionAtPosition(FILE, at) ?? [];
    assert.is(more.length, 0);
    assert.match(found?.fileName ?? "", /spec\/ws\/frame\.ts$/);
    const before = spec.join("\n").slice(0, found?.textSpan.start);
    assert.match(spec[before.split("\n").length - 1] ?? "", new RegExp(`^ +${name}: `));
  });
}

test.run();
