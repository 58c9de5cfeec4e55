/** The runner is believed by everybody, so it is shown every way in which a test file can lie. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("runner");

const uvu = `import { test } from ${JSON.stringify(import.meta.resolve("uvu"))};`;
const peers = `import { peerTest } from ${JSON.stringify(import.meta.resolve("./support/peers.js"))};`;
const missing = `${uvu} ${peers}
  test("one and one are two", () => {});
  peerTest(test, "no-such-program", "a peer answers", () => {});
  test.run();`;

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  /** The very last line. */
  readonly closing: string | undefined;
}

/** Runs the runner over files that are written for the occasion. */
async function run(
  files: Record<string, string>,
  { env = {}, args = [] }: { env?: NodeJS.ProcessEnv; args?: string[] } = {},
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "wirestack-runner-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, `${name}.test.mjs`), text);
    }
    const child = spawn(process.execPath, ["test/run.mjs", "--dir", folder, ...args], {
      env: { ...process.env, WIRESTACK_REQUIRE_PEERS: "0", ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
    const code = await new Promise<number | null>((done) => child.on("close", done));
    return { code, output, closing: output.trimEnd().split("\n").at(-1) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("tests that pass are counted over all files", async () => {
  const two = `${uvu} test("a", () => {}); test("b", async () => {}); test.run();`;
  const outcome = await run({ one: two, other: two });
  assert.is(outcome.closing, "4 passed, 0 failed");
  assert.is(outcome.code, 0);
});

test("a part of a path chooses files", async () => {
  const one = `${uvu} test("a", () => {}); test.run();`;
  const outcome = await run({ codec: one, stack: one }, { args: ["cod"] });
  assert.is(outcome.closing, "1 passed, 0 failed");
});

test("a part of a path that no file has is a failure", async () => {
  const outcome = await run({}, { args: ["codec"] });
  assert.is(outcome.closing, "0 passed, 1 failed");
  assert.is(outcome.code, 1);
});

test("a failing test fails the run and is shown in full", async () => {
  const outcome = await run({
    failing: `${uvu} test("a", () => {}); test("b", () => { throw new Error("why it failed"); }); test.run();`,
  });
  assert.is(outcome.closing, "1 passed, 1 failed");
  assert.is(outcome.code, 1);
  assert.match(outcome.output, "why it failed");
});

test("a file that forgets test.run() is a failure", async () => {
  const outcome = await run({ forgetful: `${uvu} test("a", () => {});` });
  assert.is(outcome.closing, "0 passed, 1 failed");
  assert.is(outcome.code, 1);
});

test("a file without tests is a failure", async () => {
  const outcome = await run({ empty: `${uvu} test.run();` });
  assert.is(outcome.closing, "0 passed, 1 failed");
});

test("a test that never settles beside a live socket is killed", async () => {
  const outcome = await run({
    hanging: `// timeout: 0.5
      import { createServer } from "node:net"; ${uvu}
      test("a", () => {});
      test("b", () => new Promise(() => createServer().listen(0)));
      test.run();`,
  });
  assert.is(outcome.closing, "0 passed, 1 failed");
  assert.is(outcome.code, 1);
  assert.match(outcome.output, "killed after 0.5 s: a test hangs");
});

test("the environment sets the time of files that name none", async () => {
  const outcome = await run(
    { hanging: `${uvu} test("a", () => new Promise(() => setInterval(() => {}, 9))); test.run();` },
    { env: { WIRESTACK_TEST_TIMEOUT: "0.4" } },
  );
  assert.match(outcome.output, "killed after 0.4 s");
  assert.is(outcome.closing, "0 passed, 1 failed");
});

test("a test that never settles beside nothing is a failure", async () => {
  const outcome = await run({
    stuck: `${uvu} test("a", () => new Promise(() => {})); test.run();`,
  });
  assert.is(outcome.closing, "0 passed, 1 failed");
  assert.is(outcome.code, 1);
});

test("a socket left open after the last test is a failure", async () => {
  const outcome = await run({
    leaking: `// timeout: 0.5
      import { createServer } from "node:net"; ${uvu}
      test("a", () => void createServer().listen(0)); test.run();`,
  });
  assert.is(outcome.closing, "1 passed, 1 failed");
  assert.match(outcome.output, "something is left open");
});

test("a child that a file leaves behind does not hold the run up", async () => {
  const outcome = await run({
    parent: `import { spawn } from "node:child_process"; ${uvu}
      test("a", () => spawn("sleep", ["30"], { stdio: "inherit" }).unref()); test.run();`,
  });
  assert.is(outcome.closing, "1 passed, 0 failed");
});

test("a stray rejection is a failure", async () => {
  const outcome = await run({
    stray: `${uvu} test("a", async () => {
      Promise.reject(new Error("nobody listens"));
      await new Promise((done) => setTimeout(done, 50));
    }); test.run();`,
  });
  assert.is(outcome.closing, "0 passed, 1 failed");
  assert.match(outcome.output, "nobody listens");
});

test("a hook that throws is a failure, although uvu exits with 0", async () => {
  const outcome = await run({
    hook: `${uvu} test.before(() => { throw new Error("no"); }); test("a", () => {}); test.run();`,
  });
  assert.is(outcome.closing, "0 passed, 1 failed");
  assert.is(outcome.code, 1);
});

test("a file that does not load is a failure", async () => {
  const outcome = await run({ broken: "import './not-there.mjs';" });
  assert.is(outcome.closing, "0 passed, 1 failed");
});

test("a test.only left in is a failure", async () => {
  const outcome = await run({
    only: `${uvu} test("a", () => {}); test.only("b", () => {}); test.run();`,
  });
  assert.is(outcome.closing, "1 passed, 1 failed");
  assert.match(outcome.output, "test.only");
});

test("a missing peer is a skip with a name", async () => {
  const outcome = await run({ peer: missing });
  assert.is(outcome.closing, "1 passed, 0 failed, 1 skipped");
  assert.is(outcome.code, 0);
  assert.match(outcome.output, "skipped: a peer answers (no-such-program not installed)");
});

test("a missing peer is a failure where peers are required", async () => {
  const outcome = await run({ peer: missing }, { env: { WIRESTACK_REQUIRE_PEERS: "1" } });
  assert.is(outcome.closing, "1 passed, 1 failed");
  assert.is(outcome.code, 1);
  assert.match(outcome.output, "no-such-program not installed");
});

test.run();
