// timeout: 120
/** The package as a stranger gets it: packed, installed in an empty folder, used. */
import { execFileSync, spawnSync } from "node:child_process";
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
import { suite } from "uvu";
import * as assert from "uvu/assert";

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
  cpSync("test/specs", join(folder, "my-specs"), { recursive: true });
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

const wirestack = (cwd: string, ...args: string[]) =>
  spawnSync("npx", ["--no-install", "wirestack", ...args], { cwd, encoding: "utf8" });

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
  const { status, stdout } = wirestack(folder, "dissect", "--messages", "capture.pcap");
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

test("a strict consumer compiles against its types", ({ folder }) => {
  writeFileSync(
    join(folder, "consumer.ts"),
    `import { header, u16, type Value } from "wirestack/spec";
import { wsFrame } from "wirestack/specs";
import { dissect, type Frame } from "wirestack/dissect";
import { MAX, measure, type WsFrame } from "wirestack/generated/ws/frame";
/** Mine. */
const mine = header("my.own", { length: u16 }, { ref: "-" });
const value: Value<typeof mine> = { length: 1 };
const frame: Value<typeof wsFrame> = { fin: true, opcode: 1, masked: false, length: value.length };
export const n: number = measure(new DataView(new ArrayBuffer(MAX)), 0, MAX);
export type Both = [Frame, WsFrame];
export const frames: AsyncGenerator<Frame, void> = dissect("capture.pcap");
export { frame };
// @ts-expect-error: opcode 3 has no name
export const wrong: Value<typeof wsFrame> = { ...frame, opcode: 3 };
`,
  );
  const options =
    "--strict --noUncheckedIndexedAccess --exactOptionalPropertyTypes --noEmit --module nodenext --target es2023 --lib es2023 --types node";
  const types = ["--typeRoots", resolve("node_modules/@types")];
  const tsc = resolve("node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(
    process.execPath,
    [tsc, ...options.split(" "), ...types, "consumer.ts"],
    {
      cwd: folder,
      encoding: "utf8",
    },
  );
  assert.is(status, 0, stdout);
});

test.run();
