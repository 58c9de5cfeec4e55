/** `wirestack codegen FOLDER --out DIR`: specs of one's own, in a package that is not ours. */
import { spawnSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { generate, type Project } from "../../codegen/generate.js";
import { Workshop } from "../support/workshop.js";

const test = suite<{ shop: Workshop }>("codegen folder");

test.before((context) => {
  context.shop = new Workshop();
});
test.before.each(({ shop }) => {
  // As `npm init` makes it: nothing says that scripts are modules.
  shop.write("user/package.json", "{}");
  shop.write("user/my-specs/.keep", "");
});
test.after.each(({ shop }) => shop.remove("user"));
test.after(({ shop }) => shop.close());

const own = (shop: Workshop, ...more: string[]) =>
  shop.codegen("user/my-specs", "--out", "user/my-generated", ...more);

test("JavaScript runs as it is, whatever the package around it is", async ({ shop }) => {
  const { code, err } = await own(shop, "--js", "--new", "acme/trace");
  assert.is(code, 0, err);
  symlinkSync(process.cwd(), shop.path("node_modules/wirestack"));
  const ran = await shop.node("--test", "user/my-specs/acme/trace.test.mjs");
  assert.is(ran.code, 0, ran.out);
  assert.match(ran.out, /^# pass 2\d$/m);
  assert.match(shop.read("user/my-generated/acme/trace.d.ts"), "export interface AcmeTrace {");
  assert.is((await own(shop, "--js", "--check")).code, 0);
  shop.remove("node_modules/wirestack");
});

test("a folder stays TypeScript, or JavaScript, as it was begun", async ({ shop }) => {
  const begun = [
    [[], "--js", "without --js; leave it out, or take another folder"],
    [["--js"], "", "with --js; add --js, or take another folder"],
  ] as const;
  for (const [i, [how, other, says]] of begun.entries()) {
    const made = `user/made${i}`;
    const run = (...more: string[]) => shop.codegen("user/my-specs", "--out", made, ...more);
    assert.is((await run(...how, "--new", `acme/trace${i}`)).code, 0);
    const codec = `${made}/acme/trace0.${i === 0 ? "ts" : "js"}`;
    const text = shop.read(codec);
    for (const more of [[], ["--check"], ["--watch"], ["--new", "acme/more"]]) {
      const { code, err } = await run(...(other === "" ? [] : [other]), ...more);
      assert.is(code, 1);
      assert.is(err, `wirestack codegen: ${made} was generated ${says}\n`);
    }
    assert.is(shop.read(codec), text);
    assert.not(shop.has("user/my-specs/acme/more.ts"));
  }
});

test("what a test in TypeScript is run with is said, and runs it", async ({ shop }) => {
  const { out } = await own(shop, "--new", "acme/trace");
  const [, command] = /^next: (.*), which passes; /m.exec(out) ?? [];
  assert.ok(command?.startsWith("npx esbuild user/my-specs/acme/trace.test.ts "), out);
  symlinkSync(process.cwd(), shop.path("node_modules/wirestack"));
  const bin = shop.path("node_modules/esbuild/bin");
  const ran = spawnSync(`set -o pipefail; ${command?.replace("npx ", `${bin}/`)}`, {
    cwd: shop.root,
    shell: "bash",
    encoding: "utf8",
  });
  assert.is(ran.status, 0, ran.stdout + ran.stderr);
  assert.match(ran.stdout, /pass 2\d$/m);
  shop.remove("node_modules/wirestack");
});

test("arbitraries, which need a package, come only if they are asked for", async ({ shop }) => {
  await own(shop, "--new", "acme/trace");
  assert.not(shop.has("user/my-generated/arbitraries"));
  assert.ok(shop.has("user/my-generated/vectors/acme/trace.json"));
  assert.is((await own(shop, "--arbitraries")).code, 0);
  assert.ok(shop.has("user/my-generated/arbitraries/acme/trace.ts"));
  assert.is((await own(shop, "--check")).code, 1);
});

test("what is missing is said all at once, and before anything is written", async ({ shop }) => {
  for (const name of ["ts-morph", "esbuild"]) shop.uninstall(name);
  try {
    const args = ["user/my-specs", "--out", "user/my-generated", "--new", "acme/trace"];
    const { code, err } = await shop.node("dist/codegen/main.js", ...args);
    assert.is(code, 1);
    assert.match(err, /run: npm install --save-dev esbuild ts-morph\n$/);
    assert.not(shop.has("user/my-specs/acme"));
  } finally {
    for (const name of ["ts-morph", "esbuild"]) shop.install(name);
  }
});

test("vectors come with it, are checked, and go with their spec", async ({ shop }) => {
  await own(shop, "--new", "acme/trace");
  const path = "user/my-generated/vectors/acme/trace.json";
  const { head } = JSON.parse(shop.read(path));
  assert.ok(head.accepted.length > 1 && head.refused.length > 0);
  shop.change(path, '"size":', '"sizes":');
  const { code, err } = await own(shop, "--check");
  assert.is(code, 1);
  assert.match(err, /vectors\/acme\/trace\.json:\d+: is not as generated/);
  shop.write("user/my-specs/mark.ts", shop.read("user/my-specs/acme/trace.ts"));
  shop.remove("user/my-specs/acme");
  assert.is((await own(shop)).code, 0);
  assert.not(shop.has(path));
  assert.ok(shop.has("user/my-generated/vectors/mark.json"));
});

test("the first line names the user's command and folder", async ({ shop }) => {
  await own(shop, "--new", "acme/trace");
  assert.match(
    shop.read("user/my-generated/acme/trace.ts"),
    /^\/\/ Generated by `wirestack codegen` from my-specs\/acme\/trace\.ts\./,
  );
});

test("a spec may stand on our headers, by their tables and names", async ({ shop }) => {
  const spec = (table: string) => `import { header, to, u8 } from "wirestack/spec";
/** Mark. */
export const mark = header("acme.mark", { a: u8 }, { ref: "-", on: { "${table}": true } })
  .payload({ next: () => [to("ws.frame")] });
`;
  shop.write("user/my-specs/mark.ts", spec("tcp.stream"));
  assert.is((await own(shop)).code, 0);
  shop.write("user/my-specs/mark.ts", spec("tcp.streem"));
  const { code, err } = await own(shop);
  assert.is(code, 1);
  assert.is(
    err,
    "user/my-specs/mark.ts:3:70: no header looks anything up in 'tcp.streem'; " +
      "did you mean 'tcp.stream'?\n",
  );
});

test("a folder without a header is told how to begin", async ({ shop }) => {
  const { code, err } = await own(shop);
  assert.is(code, 1);
  assert.match(err, "no file of this folder exports a header; write one, or begin with --new");
});

test("a spec cannot take the name of a file that the generator makes", async ({ shop }) => {
  await own(shop, "--new", "dissect");
  const { code, err } = await own(shop);
  assert.is(code, 1);
  assert.match(err, /^user\/my-specs\/dissect\.ts:4:14: 'dissect' is also what a file/);
});

test.run();

const repository = suite("codegen repository");

const project: Project = {
  specs: `${process.cwd()}/spec`,
  name: "spec",
  out: `${process.cwd()}/generated`,
  command: "npm run codegen",
  registry: true,
  javascript: false,
  arbitraries: true,
  known: { headers: new Set(), tables: new Set(), numbers: new Set() },
};

repository("two generations give the same octets", async () => {
  assert.equal([...(await generate(project))], [...(await generate(project))]);
});

repository.run();
