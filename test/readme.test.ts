import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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

test("the spec that it shows is the one that is tested", () => {
  const [, spec] = /<!-- file: (?:.*) -->\n```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  assert.is(spec, readFileSync("test/specs/acme/trace.ts", "utf8"));
});

test("every script that it names exists", () => {
  for (const [, name = ""] of readme.matchAll(/npm (?:run )?(start|test|codegen|check|bench)\b/g)) {
    assert.type(scripts[name], "string", name);
  }
});

test("every file that it links to is there", () => {
  for (const [, path = ""] of readme.matchAll(/\]\((\.[^)]+)\)/g)) readFileSync(path);
});

test.run();
