// timeout: 240
/** The package as a stranger gets it: packed, installed in an empty folder, used. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as esbuild from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { open, rep } from "../runtime/index.js";
import { pathOf } from "./support/certificates.js";
import { peerTest } from "./support/peers.js";

const test = suite<{ folder: string }>("package");
const npm = (args: string[], cwd: string) =>
  execFileSync("npm", [...args, "--silent", "--no-audit", "--no-fund"], { cwd, encoding: "utf8" });

test.before((context) => {
  const folder = mkdtempSync(join(tmpdir(), "wirestack-"));
  context.folder = folder;
  const [tarball = ""] = npm(["pack", "--pack-destination", folder], ".")
    .trim()
    .split("\n")
    .slice(-1);
  writeFileSync(
    join(folder, "package.json"),
    '{ "name": "stranger", "type": "module", "private": true }',
  );
  npm(["install", "--omit=optional", "--omit=peer", "--offline", `./${tarball}`], folder);
  copyFileSync("test/captures/peers/dev-nng-reqrep.pcap", join(folder, "capture.pcap"));
  cpSync("test/examples", folder, { recursive: true });
  cpSync("test/specs", join(folder, "my-specs"), { recursive: true });
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

const README = readFileSync("README.md", "utf8");
/** What the README says that an example prints. */
const prints = (name: string): string | undefined =>
  new RegExp(`<!-- prints: .*/${name} -->\n\`\`\`text\n([\\s\\S]*?)\`\`\``).exec(README)?.[1];

const npx = (cwd: string, ...args: string[]) =>
  spawnSync("npx", ["--no-install", "wirestack", ...args], { cwd, encoding: "utf8" });
/** What npx runs, without the half second that it takes. */
const wirestack = (cwd: string, ...args: string[]) =>
  spawnSync("node_modules/.bin/wirestack", args, { cwd, encoding: "utf8" });

test("it has no dependency and brings none", ({ folder }) => {
  const lock = readFileSync(join(folder, "package-lock.json"), "utf8");
  const { packages } = JSON.parse(lock) as { packages: object };
  const installed = Object.keys(packages).filter((p) => p.startsWith("node_modules/"));
  const needed = installed.filter(
    (p) => !(packages as Record<string, { optional?: boolean; peer?: boolean }>)[p]?.peer,
  );
  assert.equal(needed, ["node_modules/wirestack"]);
});

test("dissect works at once", ({ folder }) => {
  const { status, stdout } = npx(folder, "dissect", "--messages", "capture.pcap");
  assert.is(status, 0);
  assert.is(stdout.trim().split("\n").length, 4);
});

test("codegen says what to install, and works when it is", ({ folder }) => {
  const args = ["codegen", "./my-specs", "--out", "./my-generated"];
  const bare = wirestack(folder, ...args);
  assert.is(bare.status, 1);
  assert.match(bare.stderr, /npm install --save-dev (esbuild|ts-morph)/);
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  for (const name of ["esbuild", "ts-morph"]) {
    symlinkSync(resolve("node_modules", name), join(folder, "node_modules", name));
  }
  const { status, stderr } = wirestack(folder, ...args);
  assert.is(status, 0, stderr);
  assert.match(
    readFileSync(join(folder, "my-generated/acme/trace.ts"), "utf8"),
    /interface AcmeTrace/,
  );
});

test("a layer of one's own is begun by --new, and passes its test", async (c) => {
  const args = ["codegen", "./my-layers", "--out", "./my-codecs", "--new", "acme/mark"];
  const { status, stderr } = wirestack(c.folder, ...args);
  assert.is(status, 0, stderr);
});

test("what the README says of a layer of one's own, command by command", async ({ folder }) => {
  const part = README.slice(README.indexOf("## You design a layer"));
  const commands = [
    ...part.slice(0, part.indexOf("\n## ")).matchAll(/^(npx wirestack|node) (.*)$/gm),
  ]
    .map(([, program = "", args = ""]) => ({ program, args: args.split(" ") }))
    .filter(({ args }) => !args.includes("made"));
  const said: string[] = [];
  for (const { program, args } of commands) {
    if (program === "node") said.push(await printed(folder, ...args));
    else {
      const { status, stdout, stderr } = wirestack(folder, ...args);
      assert.is(status, 0, stderr);
      said.push(stdout);
    }
  }
  const [begun = "", tested = "", reply = "", shown = ""] = said;
  assert.match(begun, /^wrote layers\/acme\/mark\.ts\n/);
  assert.match(
    begun,
    /next: node --test layers, .* node_modules\/wirestack\/\.github\/CONTRIBUTING\.md/,
  );
  assert.match(tested, /^# pass 2\d$/m);
  assert.is(reply, "through a layer of mine\n");
  assert.match(shown, /acme\.mark\.kind +1 \(last\)/);
  assert.match(shown, /req → rep over link .* "through a layer of mine"/);
});

test("every subpath imports in plain JavaScript", ({ folder }) => {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as { exports: object };
  const paths = Object.keys(exports)
    .filter((p) => p !== "./package.json")
    .map((p) => p.replace("*", "ws/frame").replace(/^\./, "wirestack"));
  const script = paths.map(
    (p) => `if (Object.keys(await import("${p}")).length === 0) throw "${p}";`,
  );
  writeFileSync(join(folder, "all.mjs"), script.join("\n"));
  const { status, stderr } = spawnSync(process.execPath, ["all.mjs"], {
    cwd: folder,
    encoding: "utf8",
  });
  assert.is(status, 0, stderr);
});

const STRICT =
  "--strict --noUncheckedIndexedAccess --exactOptionalPropertyTypes --noImplicitOverride --noEmit " +
  "--module nodenext --target es2023 --lib es2023 --types node";

/** What a stranger's strict compiler says to these files: nothing. */
async function compiles(folder: string, ...files: string[]): Promise<void> {
  const tsc = resolve("node_modules/typescript/bin/tsc");
  const types = ["--typeRoots", resolve("node_modules/@types")];
  assert.is(await printed(folder, tsc, ...STRICT.split(" "), ...types, ...files), "");
}

/** Runs a program in the folder; resolves with what it prints. */
async function printed(folder: string, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, args, { cwd: folder, timeout: 60_000 });
  let out = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      out += text;
    });
  }
  const [code] = await once(child, "close");
  assert.is(code, 0, out);
  return out;
}

test("examples that need nobody run as they are", async ({ folder }) => {
  assert.is(await printed(folder, "three-lines.mjs"), "hello, myself\n");
  assert.match(await printed(folder, "work.mjs"), /received: 1000, .* malformed: \{\} \}\n$/);
  assert.is(await printed(folder, "publish.mjs"), "weather: sunny\n");
  assert.is(await printed(folder, "survey.mjs"), "left is here\nright is here\n");
  assert.is(
    await printed(folder, "integrity.mjs"),
    "signed by key 2\ndropped: integrity: no trailer\nno answer\n",
  );
  assert.is(await printed(folder, "websocket.mjs"), "asked over WebSocket\nwelcome\n");
  assert.is(await printed(folder, "device.mjs"), "→ 74 octets\n← 74 octets\nthrough two hops\n");
  assert.is(await printed(folder, "tap.mjs"), prints("tap.mjs"));
  const hop = await printed(folder, "hop.mjs");
  assert.match(hop, /^room .*; contiguous from 'hop' down\nknown: true\nsealed and signed\n/m);
  assert.match(hop, /^refused: stacks differ: 'hop@1.*, which is a plain socket/m);
});

test("what the README says of taps and keys, command by command", async ({ folder }) => {
  const server = open(rep());
  server.serve(() => "pong");
  const { url } = await server.listen("tcp://127.0.0.1:0");
  const part = README.slice(README.indexOf("From a shell, with a tap"));
  const commands = [...part.slice(0, part.indexOf("```\n\n")).matchAll(/^npx wirestack (.*)$/gm)];
  const said: string[] = [];
  for (const [, args = ""] of commands) {
    const own = args.replace("tcp://127.0.0.1:5555", url).split(" ");
    said.push(await printed(folder, "node_modules/.bin/wirestack", ...own));
  }
  await server.close();
  const [reply = "", traffic = "", opened = "", marked = ""] = said;
  assert.is(reply, '"pong"\n');
  assert.match(traffic, /» req → rep over link .* "ping"/);
  assert.match(traffic, /» rep → req over link .* "pong"/);
  assert.match(opened, /push\/link .* "seen from inside" {2}decrypted\n/);
  assert.match(marked, /acme\.mark\.length/);
});

test("the example over TLS runs, and tells who is there", async ({ folder }) => {
  const certificates = ["ca", "localhost", "client"].map((name) => resolve(pathOf(name)));
  assert.is(
    await printed(folder, "tls.mjs", ...certificates),
    "here is CN=wirestack test client\nbetween us\n",
  );
});

test("examples that ask somebody run as they are, and print what the README shows", async (c) => {
  const server = open(rep());
  server.serve(() => "pong");
  const { url } = await server.listen("tcp://127.0.0.1:0");
  assert.is(await printed(c.folder, "request.mjs", url), "pong\n");
  assert.is(await printed(c.folder, "layers.mjs", url), prints("layers.mjs"));
  await server.close();
});

peerTest(test, "nngcat", "the example for nngcat gets its reply", async ({ folder }) => {
  const url = `ipc://${join(folder, "nngcat.ipc")}`;
  const nngcat = spawn("nngcat", ["--rep", "--listen", url, "--data", "pong"], { stdio: "ignore" });
  try {
    assert.is(await printed(folder, "request.mjs", url), "pong\n");
  } finally {
    nngcat.kill();
  }
});

test("the example in TypeScript runs, compiled for node 20", async ({ folder }) => {
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(folder, "using.ts")],
    write: false,
    format: "esm",
    target: "node20",
  });
  writeFileSync(join(folder, "using.mjs"), outputFiles[0]?.contents ?? "");
  assert.is(
    await printed(folder, "using.mjs"),
    "closed at the end of this block, whatever happens\n",
  );
});

test("a strict consumer, and a layer of one's own, compile against its types", async ({
  folder,
}) => {
  writeFileSync(
    join(folder, "consumer.ts"),
    `import { header, u16, type Value } from "wirestack/spec";
import { wsFrame } from "wirestack/specs";
import { dissect, type Frame } from "wirestack/dissect";
import { type Dialer, open, type Requester, req, sp, type Stack, stack, tcp, xreq } from "wirestack";
import { MAX, measure, type WsFrame } from "wirestack/generated/ws/frame";
/** Mine. */
const mine = header("my.own", { length: u16 }, { ref: "-" });
const value: Value<typeof mine> = { length: 1 };
const frame: Value<typeof wsFrame> = { fin: true, opcode: 1, masked: false, length: value.length };
export const n: number = measure(new DataView(new ArrayBuffer(MAX)), 0, MAX);
export type Both = [Frame, WsFrame];
export const frames: AsyncGenerator<Frame, void> = dissect("capture.pcap");
export { frame };
const whole: Stack<"req", "ground"> = stack(req({ resendTime: 500 }), xreq(), sp(), tcp());
const socket: Requester = open(whole, { recvMax: 0, reconnect: { max: 1000 } });
socket.on("refused", ({ facts, error }) => [facts.type?.toFixed(), error.message]);
export const dialer: Dialer = socket.dial("tcp://127.0.0.1:5555");
export const reply: Promise<Uint8Array> = socket.request("ping", { timeout: 500 });
// @ts-expect-error: a protocol cannot stand on octets
stack(req(), xreq(), tcp());
// @ts-expect-error: opcode 3 has no name
export const wrong: Value<typeof wsFrame> = { ...frame, opcode: 3 };
`,
  );
  const [layer, its] = ["my-layers/acme/mark.layer.ts", "my-layers/acme/mark.test.ts"];
  await compiles(folder, "consumer.ts", layer, its);
});

/** Of a page's author: no types of node's, those of the DOM instead. */
const AUTHOR = `import { open, opcodes, pair0, type Requester, req, stack, type WebSocketObject, websocket, xpair0 } from "wirestack";
const socket: Requester = open(req(), { reconnect: { max: 1000 } });
socket.dial("wss://example.org/sp");
export const reply: Promise<Uint8Array> = socket.request("ping", { timeout: 500 });
const object = new WebSocket("ws://example.org", "pair.sp.nanomsg.org");
export const same: WebSocketObject = object;
export const pair = open(stack(opcodes(), pair0(), xpair0(), websocket(object)));
export const again = websocket((url, protocols) => new WebSocket(url, protocols));
socket.dial("ws://example.org", { websocket: object });
export const link = open(stack(websocket())).dial("ws://example.org");
import { type KitOptions, layerChecks } from "wirestack/kit";
export const checks = (options: KitOptions) => layerChecks(options).map(({ name }) => name);
// @ts-expect-error: a page has no TCP
import { tcp } from "wirestack";
`;
const PAGE =
  "--strict --noUncheckedIndexedAccess --exactOptionalPropertyTypes --noEmit --target es2022 " +
  "--module esnext --moduleResolution bundler --customConditions browser --types null " +
  "--lib es2023,dom,esnext.disposable";

test("a page's author compiles against its types, without those of node", async ({ folder }) => {
  writeFileSync(join(folder, "author.ts"), AUTHOR);
  const tsc = resolve("node_modules/typescript/bin/tsc");
  assert.is(await printed(folder, tsc, ...PAGE.split(" "), "author.ts"), "");
});

test.run();
