/** The shape of the repository and of the package, as far as a machine can see it. */
import { readdirSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("shape");

const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));
const manifest = json("package.json");

test("the top level holds what the design names, and nothing else", () => {
  const names = readdirSync(".").filter((name) => !name.startsWith("."));
  const made = ["node_modules", "dist", "coverage"];
  assert.equal(names.filter((name) => !made.includes(name)).sort(), [
    "LICENSE",
    "README.md",
    "codegen",
    "generated",
    "package-lock.json",
    "package.json",
    "runtime",
    "spec",
    "test",
    "tsconfig.json",
  ]);
});

test("whoever installs the package installs nothing else", () => {
  assert.equal(manifest.dependencies ?? {}, {});
  for (const name of Object.keys(manifest.peerDependencies)) {
    assert.is(manifest.peerDependenciesMeta[name]?.optional, true, `${name} is optional`);
    assert.ok(manifest.devDependencies[name], `${name} is there in development`);
  }
});

test("typescript stays at 6.0, the compiler that ts-morph bundles", () => {
  assert.match(manifest.devDependencies.typescript, /^~6\.0\.\d+$/);
  assert.match(json("node_modules/typescript/package.json").version, /^6\.0\./);
});

test("esbuild is pinned to one version, since dist depends on it", () => {
  assert.is(manifest.devDependencies.esbuild, "0.28.2");
});

test("the lock file names no download address", () => {
  const { packages } = json("package-lock.json");
  const resolved = Object.keys(packages).filter((name) => packages[name].resolved);
  assert.equal(resolved, []);
});

test("everything that the package exports lies in a tree that it ships", () => {
  const targetsOf = (entry: unknown): string[] =>
    typeof entry === "string" ? [entry] : Object.values(entry as object).flatMap(targetsOf);
  const { "./package.json": _, ...entries } = manifest.exports;
  const targets = targetsOf(entries);
  const shipped = new RegExp(`^(./)?(${manifest.files.join("|")})/`);
  for (const target of [...targets, manifest.bin.wirestack]) assert.match(target, shipped);
});

test.run();
