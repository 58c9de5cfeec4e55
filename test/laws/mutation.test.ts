/** A generated constant that is wrong breaks the laws of the layer that uses it. */
import { spawn } from "node:child_process";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("mutation");

/** Changes a module as it is loaded: what of its text, and to what. */
interface Mutant {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The layer whose laws see it. */
  readonly layer: string;
}

const mutants: readonly Mutant[] = [
  { file: "sp/tcp", from: "const MAX = 8;", to: "const MAX = 9;", layer: "sp" },
  { file: "sp/tcp", from: "head: MAX", to: "head: MAX - 1", layer: "sp" },
  { file: "sp/tcp", from: "head: MAX", to: "head: MAX + 1", layer: "sp" },
  { file: "sp/ipc", from: "v.setUint32(o + 5", to: "v.setUint32(o + 4", layer: "spIpc" },
  { file: "sp/greeting", from: "getUint16(o + 4)", to: "getUint16(o + 3)", layer: "sp" },
];

const none: Mutant = { file: "sp/tcp", from: "const MAX = 8;", to: "const MAX = 8;", layer: "" };

/** Runs in the child, where modules are loaded. */
function hook({ file, from, to }: Mutant): string {
  const load = `export async function load(url, context, next) {
    const loaded = await next(url, context);
    if (!url.endsWith(${JSON.stringify(`/generated/${file}.js`)})) return loaded;
    const text = String(loaded.source);
    const source = text.replaceAll(${JSON.stringify(from)}, ${JSON.stringify(to)});
    if (!text.includes(${JSON.stringify(from)})) throw new Error("nothing to change");
    return { ...loaded, source };
  }`;
  const url = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
  return url(`import { register } from "node:module"; register(${JSON.stringify(url(load))});`);
}

function laws(mutant: Mutant): Promise<{ code: number | null; output: string }> {
  const script = new URL("./layers.test.js", import.meta.url).pathname;
  const child = spawn(process.execPath, ["--import", hook(mutant), script], {
    stdio: ["ignore", "pipe", "inherit"],
    // A wrong constant does not hide: a few cases see it.
    env: { ...process.env, WIRESTACK_RUNS: "0.1" },
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output += text;
  });
  return new Promise((done) => child.on("close", (code) => done({ code, output })));
}

test("without a change the laws hold", async () => {
  const { code, output } = await laws(none);
  assert.is(code, 0, output);
});

for (const mutant of mutants) {
  const { file, from, to, layer } = mutant;
  test(`in ${file}, ${to} in place of ${from} breaks a law of ${layer}`, async () => {
    const { code, output } = await laws(mutant);
    assert.is(code, 1);
    assert.match(output, new RegExp(`FAIL +layers +"${layer}: `));
  });
}

test.run();
