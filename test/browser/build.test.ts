/** The browser build, as far as nobody needs a browser for it: what it exports, imports, and weighs. */
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build, stop } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as page from "../../runtime/browser.js";
import * as root from "../../runtime/index.js";

const test = suite("browser build");
test.after(() => stop());

/** What a bundler makes of a script that has the package. */
async function bundled(script: string) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: script, resolveDir: resolve(".") },
    bundle: true,
    minify: true,
    platform: "browser",
    format: "esm",
    target: "es2022",
    write: false,
    metafile: true,
  });
  const octets = outputFiles[0]?.contents as Uint8Array;
  return { octets, gzipped: gzipSync(octets, { level: 9 }).length, metafile };
}

/** Needs octets of the system's, or node's own work. */
const NODES = ["hopKeys", "spIpc", "ipc", "node", "readKeyLog", "tcp", "tls", "ws"];

test("it exports what the package does, but for what only node has", () => {
  assert.equal(
    Object.keys(root).filter((name) => !(name in page)),
    NODES.toSorted(),
  );
  assert.equal(
    Object.keys(page).filter((name) => !(name in root)),
    [],
  );
  assert.equal(Object.keys(page.schemes), ["ws://", "wss://", "inproc://", "memory://"]);
});
test("a bundler that builds for browsers takes it, and meets nothing of node's", async () => {
  const { metafile } = await bundled('export * from "wirestack"');
  const inputs = Object.keys(metafile.inputs).filter((name) => name !== "<stdin>");
  assert.ok(inputs.includes("dist/runtime/browser.js"));
  const nodes = /^dist\/runtime\/(node|reader|borrower|framing\/ws|transport\/(tcp|tls|ipc)\b)/;
  assert.equal(
    inputs.filter((name) => !name.startsWith("dist/") || nodes.test(name)),
    [],
  );
  assert.equal(
    Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter((i) => i.external)),
    [],
  );
});

/** What a page takes, and octets that it may weigh, gzipped. */
const weights: readonly [name: string, script: string, most: number][] = [
  // Layers, stacks, hub, port, socket, world; without a protocol or a transport.
  ["the core", 'export { opener, stack, web } from "wirestack";', 15_000],
  ["all that there is", 'export * from "wirestack"', 48_500],
  [
    "REQ by WebSocket alone",
    `import { opener, req, web, websocket, xreq } from "wirestack";
     const open = opener({ "ws://": [websocket], "wss://": [websocket] }, web);
     export { open, req, websocket, xreq };`,
    20_500,
  ],
];

for (const [name, script, most] of weights) {
  test(`${name} weighs ${most} octets at most, gzipped`, async () => {
    const { octets, gzipped, metafile } = await bundled(script);
    console.log(`${name}: ${octets.length} octets, ${gzipped} gzipped`);
    const parts = Object.values(metafile.outputs)[0]?.inputs ?? {};
    const heaviest = Object.entries(parts)
      .sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)
      .slice(0, 10)
      .map(([path, { bytesInOutput }]) => `${bytesInOutput} ${path}`);
    assert.ok(gzipped <= most, `${gzipped} octets; the heaviest:\n${heaviest.join("\n")}`);
  });
}

test("names of errors and of layers outlive a minifier", async () => {
  const { octets } = await bundled(`
    import { open, opener, req, StackError, web, websocket } from "wirestack";
    export const error = String(new StackError("x"));
    let offered;
    const socket = open(req());
    const make = (url, protocols) => { offered = [url, protocols]; throw new Error("none"); };
    socket.dial("ws://there", { websocket: make });
    socket.close();
    export { offered };`);
  const url = `data:text/javascript;base64,${Buffer.from(octets).toString("base64")}`;
  const { error, offered } = (await import(url)) as { error: string; offered: unknown };
  assert.is(error, "StackError: x");
  assert.equal(offered, ["ws://there", ["rep.sp.nanomsg.org"]]);
});

test.run();
