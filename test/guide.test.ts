// timeout: 120
/** The guide in CONTRIBUTING: what it shows is what is there, and every command of it runs as it stands. */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

const guide = readFileSync(".github/CONTRIBUTING.md", "utf8");
const CLI = join(process.cwd(), "dist/runtime/cli/main.js");

test("every file that it shows is the one that is tested", () => {
  const shown = [...guide.matchAll(/<!-- file: (.*) -->\n```\w+\n([\s\S]*?)```/g)];
  for (const [, path = "", text] of shown) assert.is(text, readFileSync(path, "utf8"), path);
  const files = readdirSync("test/guide", { recursive: true, encoding: "utf8" });
  const sources = files.filter((name) => /\.\w+$/.test(name)).map((name) => `test/guide/${name}`);
  assert.equal(shown.map(([, path]) => path as string).sort(), sources.sort());
});

test("its commands, in their order, from an empty folder to messages in a capture", () => {
  const commands = [
    ...guide.slice(guide.indexOf("## Write one")).matchAll(/^(?:\$ )?(np[mx]|node) (.*)$/gm),
  ]
    .map(([, program = "", args = ""]) => [program, ...args.split(" ")])
    .filter(([program]) => program !== "npm");
  assert.equal(
    commands.map(([program, first]) => `${program} ${first}`),
    ["npx wirestack", "npx wirestack", "node --test", "npx wirestack"],
  );
  const folder = mkdtempSync(join(tmpdir(), "wirestack-"));
  const run = ([program = "", ...args]: readonly string[]): string => {
    const own = program === "npx" ? [CLI, ...args.slice(1)] : args;
    const done = spawnSync(process.execPath, own, { cwd: folder, encoding: "utf8" });
    assert.is(done.status, 0, `${program} ${args.join(" ")}\n${done.stdout}${done.stderr}`);
    return done.stdout;
  };
  try {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(process.cwd(), join(folder, "node_modules/wirestack"));
    const [begin, generate, check, dissect] = commands as [string[], string[], string[], string[]];
    assert.match(
      run(begin),
      /^wrote specs\/acme\/deflate\.ts\n.*\n.*\n.*files.*\nnext: node --test specs/,
    );
    // That passes, as another test holds; then it is changed to what the guide shows.
    cpSync("test/guide", folder, { recursive: true });
    run(generate);
    const said = run(check);
    assert.match(said, /# fail 0\n/);
    assert.match(said, /acmeDeflate \(link → link\): \d+ checks passed/);
    run(["node", "use.mjs"]);
    // Ports and numbers are others each time.
    const plain = (text: string) =>
      text.replace(/127\.0\.0\.1:\d+/g, "…").replace(/ {2}[0-9a-f]{8} {2}/g, "  …  ");
    const [, expected = ""] = /\$ npx wirestack dissect.*\n([\s\S]*?)```/.exec(guide) ?? [];
    assert.is(plain(run(dissect)), plain(expected));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("every place and file that it links to is there", () => {
  const anchors = [...guide.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
  for (const [, to = ""] of guide.matchAll(/\]\(([^)]+)\)/g)) {
    if (to.startsWith("#")) assert.ok(anchors.includes(to.slice(1)), to);
    else if (!to.startsWith("http")) readFileSync(join(".github", to));
  }
});

test.run();
