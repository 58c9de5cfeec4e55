/** What is generated is strict TypeScript, for headers that nobody wrote, too. */
import fc from "fast-check";
import ts from "typescript";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { emitCodec } from "../../codegen/emit/codec.js";
import { SpecError } from "../../codegen/error.js";
import { modelOf } from "../oracle/compile.js";
import { randomHeaders } from "../oracle/random-specs.js";
import { SEED, TIMES } from "./all.js";

const test = suite("types of what is generated");

test("random headers' codecs compile, strictly", () => {
  const codecs = new Map<string, string>(
    fc
      .sample(randomHeaders, { numRuns: 120 * TIMES, seed: SEED })
      .map((h) => modelOf(h))
      .flatMap((m, i) => (m instanceof SpecError ? [] : [[`/h${i}.ts`, emitCodec(m)] as const])),
  );
  const options: ts.CompilerOptions = {
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts"],
    types: [],
    noEmit: true,
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => codecs.has(path) || fileExists(path);
  host.getSourceFile = (path, version, ...more) => {
    const text = codecs.get(path);
    return text === undefined
      ? getSourceFile(path, version, ...more)
      : ts.createSourceFile(path, text, version);
  };
  const found = ts.getPreEmitDiagnostics(ts.createProgram([...codecs.keys()], options, host));
  const said = found.slice(0, 5).map(({ file, start = 0, messageText }) => {
    const line = file?.text.slice(0, start).split("\n").length ?? 0;
    const text = file?.text.split("\n")[line - 1];
    return `${file?.fileName}:${line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}: ${text}`;
  });
  assert.equal(said, [], `${found.length} mistakes, seed ${SEED}`);
});

test.run();
