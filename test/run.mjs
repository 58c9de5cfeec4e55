// npm test [-- PART-OF-PATH …]: uvu, one process a file, two at a time.
//
// uvu alone lets three things pass for success, or for nothing at all: a file that forgets
// test.run() (0 tests, exit code 0), a hook that throws (the error is swallowed, exit code 0), and a
// test that waits for ever. So this runner believes only uvu's closing numbers, asks for at least
// one test a file, and kills what outlives its time: 60 s, or WIRESTACK_TEST_TIMEOUT, or the file's
// own first line `// timeout: 120`.
//
// `--dir DIR` runs the *.test.mjs of another folder as they are: that is how the runner is tested.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { build, ensureInstalled, root } from "../codegen/build.mjs";

const AT_ONCE = 2;
const running = new Set();

const args = process.argv.slice(2);
const at = args.indexOf("--dir");
const fixtures = at < 0 ? undefined : resolve(args.splice(at, 2)[1]);

const total = { passed: 0, failed: 0, skipped: 0 };
try {
  const files = fixtures ? plainFiles(fixtures) : await builtFiles();
  const wanted = files.filter(
    ({ name }) => !args.length || args.some((part) => name.includes(part)),
  );
  // Who asks for more time than others goes first, so that none of these is still alone at the end.
  wanted.sort((a, b) => limit(b) - limit(a));
  if (wanted.length === 0) throw new Error("no test file of that name");
  await Promise.all(Array.from({ length: AT_ONCE }, () => drain(wanted)));
} catch (error) {
  console.log(`✘ ${error.message}`);
  total.failed++;
}
const skips = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`\n${total.passed} passed, ${total.failed} failed${skips}`);
process.exitCode = total.failed > 0 ? 1 : 0;

async function builtFiles() {
  ensureInstalled();
  await build({ trees: ["spec", "codegen", "generated", "runtime", "test"] });
  return find(join(root, "test"), ".test.ts").map((name) => ({
    name: name.replace(/\.test\.ts$/, ""),
    source: join(root, "test", name),
    script: join(root, "dist/test", name.replace(/\.ts$/, ".js")),
  }));
}

function plainFiles(folder) {
  return find(folder, ".test.mjs").map((name) => {
    const script = join(folder, name);
    return { name: name.replace(/\.test\.mjs$/, ""), source: script, script };
  });
}

function find(folder, end) {
  if (!existsSync(folder)) throw new Error(`no folder ${folder}`);
  const names = readdirSync(folder, { recursive: true });
  return names
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(end))
    .sort();
}

async function drain(queue) {
  for (let file = queue.shift(); file; file = queue.shift()) {
    const outcome = judge(await run(file));
    total.passed += outcome.passed;
    total.failed += outcome.failed;
    total.skipped += outcome.skips.length;
    report(file, outcome);
  }
}

function run(file) {
  const seconds = limit(file);
  const start = performance.now();
  const child = spawn(process.execPath, ["--enable-source-maps", file.script], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that the peers a test started go when it goes.
    detached: true,
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
  });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    kill(child);
  }, seconds * 1000);
  return new Promise((done) => {
    child.on("exit", () => {
      clearTimeout(timer);
      // An orphan that holds our pipe open would keep "close" from coming.
      kill(child);
    });
    child.on("close", (code, signal) => {
      running.delete(child);
      const time = (performance.now() - start) / 1000;
      done({ output: stripVTControlCharacters(output), code, signal, time, late, seconds });
    });
  });
}

function limit({ source }) {
  const [line] = readFileSync(source, "utf8").split("\n", 1);
  const own = /^\/\/ timeout: (\d+(?:\.\d+)?)\s*$/.exec(line)?.[1];
  return Number(own ?? process.env.WIRESTACK_TEST_TIMEOUT ?? 60);
}

/** What a file's tests came to, and what is wrong with the file itself, if anything. */
function judge({ output, code, signal, time, late, seconds }) {
  const closing = /^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)$/gm;
  const numbers = [...output.matchAll(closing)].at(-1)?.slice(1).map(Number);
  const [tests, passed, skipped] = numbers ?? [0, 0, 0];
  const skips = [...output.matchAll(/^skipped: .+$/gm)].map(([line]) => line);
  const fault = faultOf();
  return { passed, failed: tests - passed + (fault ? 1 : 0), skips, fault, time, output };

  function faultOf() {
    if (late) {
      const why = numbers ? "its tests are done, but something is left open" : "a test hangs";
      return `killed after ${seconds} s: ${why}`;
    }
    if (signal) return `died by ${signal}`;
    if (!numbers) return code === 0 ? "no test ran: is test.run() missing?" : `exit code ${code}`;
    if (tests + skipped === 0) return "has no tests";
    if (skipped !== skips.length) return "skips without a reason: test.only or test.skip left in?";
    if (code !== 0 && passed === tests) return `exit code ${code} after its tests passed`;
    return undefined;
  }
}

function report({ name }, { passed, failed, skips, fault, time, output }) {
  const bad = failed > 0;
  const count = bad ? `${passed} passed, ${failed} failed` : `${passed}`;
  console.log(`${bad ? "✘" : "✔"} ${name.padEnd(36)} ${count.padStart(4)}  ${time.toFixed(2)} s`);
  for (const line of skips) console.log(`  ${line}`);
  if (fault) console.log(`  ${fault}`);
  if (bad) console.log(output.replace(/^(?=.)/gm, "  │ ").trimEnd());
}

function kill(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nobody of the group is left.
  }
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    for (const child of running) kill(child);
    process.exit(1);
  });
}
