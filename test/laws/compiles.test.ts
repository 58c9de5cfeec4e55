/** What is generated is strict TypeScript, for headers that nobody wrote, too. */
import fc from "fast-check";
import ts from "typescript";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { emitCodec } from "../../codegen/emit/codec.js";
import { SpecError } from "../../codegen/error.js";
import { bit, bits, bytes, choose, header, oneOf, u8 } from "../../spec/lang.js";
import { modelOf } from "../oracle/compile.js";
import { randomHeaders } from "../oracle/random-specs.js";
import { SEED, TIMES } from "./all.js";

const test = suite("types of what is generated");

/** What the compiler says of codecs of these headers: at most five of its sentences. */
function mistakes(headers: readonly unknown[]): string[] {
  const codecs = new Map<string, string>(
    headers
      .map((h) => modelOf(h as Parameters<typeof modelOf>[0]))
      .flatMap((m, i) => (m instanceof SpecError ? [] : [[`/h${i}.ts`, emitCodec(m)] as const])),
  );
  assert.ok(codecs.size > 0.8 * headers.length);
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
  return found
    .map(({ file, start = 0, messageText }) => {
      const line = file?.text.slice(0, start).split("\n").length ?? 0;
      const text = file?.text.split("\n")[line - 1] ?? "";
      return `${file?.fileName}:${line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}: ${text}`;
    })
    .filter((said) => !TWICE.test(said))
    .slice(0, 5);
}

/** `a === 7 && a !== 1`: the second says nothing, and its author should know. */
const TWICE = /no overlap\.: .*\b(\w+) [!=]== \S+ (?:\|\||&&).*\b\1 [!=]== /;

test("random headers' codecs compile, strictly", () => {
  const headers = fc.sample(randomHeaders, { numRuns: 50 * TIMES, seed: SEED });
  assert.equal(mistakes(headers), [], `seed ${SEED}`);
});

test("values that types know are compared with others, and in arms", () => {
  const known = header("x", { kind: oneOf(u8, { a: 1, b: 2 }), has: bit, n: bits(7) }, { ref: "-" })
    .and((h) => ({ more: oneOf(u8, { c: 1, d: 2 }).when(h.has), x: u8.when(h.kind.ne(7)) }))
    .and((h) => ({
      octets: bytes(h.more).when(h.has),
      part: choose(h.kind, {
        one: { is: 1, of: { y: u8.when(h.kind.ne(2)) } },
        two: { is: 2, of: { z: u8 } },
      }),
    }));
  assert.equal(mistakes([known]), []);
});

test.run();
