/** What a codec costs whoever ships it to a browser: only what is used, and that is small. */
import { build } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("size");

async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: process.cwd(), loader: "ts" },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

test("reading and writing WebSocket frames takes 2 kB", async () => {
  const text = await bundle(
    'export { measure, prepend, read, write } from "./generated/ws/frame.js";',
  );
  assert.ok(text.length <= 2048, `${text.length} octets`);
});

test("what is not used is not shipped", async () => {
  const text = await bundle('export { MAX } from "./generated/ws/frame.js";');
  assert.ok(text.length < 40, text);
});

test.run();
