import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

const readme = readFileSync("README.md", "utf8");
const scripts = (
  JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> }
).scripts;

test("every command that it shows prints what it shows", () => {
  const shown = [
    ...readme.matchAll(/<!-- run -->\n```console\n\$ npx wirestack (.*)\n([^`]*)```/g),
  ];
  assert.is(shown.length, 3);
  const folder = mkdtempSync(join(tmpdir(), "wirestack-"));
  try {
    for (const [, command = "", output = ""] of shown) {
      const args = command.split(" ").map((a) => (a === "made" ? join(folder, a) : a));
      const { status, stdout } = spawnSync(
        process.execPath,
        ["dist/runtime/cli/main.js", ...args],
        {
          encoding: "utf8",
        },
      );
      assert.is(status, 0, command);
      const [first = ""] = output.split("…\n");
      assert.ok(stdout.startsWith(first), `${command}\n${stdout}`);
      if (!output.includes("…")) assert.is(stdout, output);
    }
    const made = readFileSync(join(folder, "made/acme/trace.ts"), "utf8");
    const [, picture = "?"] = /```text\n(\/\*\*[\s\S]*? \*\/)\n```/.exec(readme) ?? [];
    assert.ok(made.includes(picture), "the picture is the generated one");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("every file that it shows is the one that is tested", () => {
  const shown = [...readme.matchAll(/<!-- file: (.*) -->\n```\w+\n([\s\S]*?)```/g)];
  for (const [, path = "", text] of shown) assert.is(text, readFileSync(path, "utf8"), path);
  const examples = readdirSync("test/examples").map((name) => `test/examples/${name}`);
  const paths = shown.map(([, path]) => path as string).sort();
  assert.equal(paths, [...examples, "test/specs/acme/trace.ts"].sort());
});

test("every script that it names exists", () => {
  for (const [, name = ""] of readme.matchAll(/npm (?:run )?(start|test|codegen|check|bench)\b/g)) {
    assert.type(scripts[name], "string", name);
  }
});

/** What a heading is called in a link. */
const anchor = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\w -]/g, "")
    .replaceAll(" ", "-");
const anchors = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => anchor(title));

test("every file and every place that it links to is there", () => {
  const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, to = ""]) => to.replace(/\s+/g, ""));
  assert.ok(links.length > 40);
  for (const link of links.filter((to) => !to.startsWith("http"))) {
    const [path = "", place] = link.split("#");
    assert.ok(path === "" || existsSync(path), link);
    if (place === undefined) continue;
    const text = path === "" ? readme : readFileSync(path, "utf8");
    assert.ok(anchors(text).includes(place), link);
  }
});

test.run();
