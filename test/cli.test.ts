import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { dissectCommand } from "../runtime/cli/dissect.js";
import { abreast } from "./support/abreast.js";

const test = abreast(suite("cli"), 3);

const CLI = "dist/runtime/cli/main.js";
const VARIANTS = "test/captures/variants";

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The whole of it, as a shell starts it. */
async function run(args: readonly string[], input?: Uint8Array): Promise<Outcome> {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text) => {
      said[name] += text;
    });
  }
  child.stdin.on("error", () => {}).end(input);
  const [status] = (await once(child, "close")) as [number | null];
  return { status, ...said };
}

/** `wirestack dissect` in this process. */
async function dissected(...args: string[]): Promise<Outcome> {
  const said = { stdout: "", stderr: "" };
  const to = (name: keyof typeof said) =>
    new Writable({
      write(text, _, done) {
        said[name] += text;
        done();
      },
    });
  const status = await dissectCommand(args, { stdout: to("stdout"), stderr: to("stderr") });
  return { status, ...said };
}

test("exit codes tell usage, unreadable and damaged apart, and all whole frames are printed", async () => {
  const codes: Record<string, number> = {
    "garbage.pcap": 2,
    "hexdump.txt": 2,
    "trunc-file-header.pcap": 2,
    "huge-caplen.pcap": 3,
    "trunc-mid-packet.pcap": 3,
    "trunc-mid-record-header.pcap": 3,
    "ipfrag.pcap": 0,
    "ipfrag-rev.pcap": 0,
    "modified.pcap": 0,
    "snap60.pcap": 0,
  };
  for (const [name, code] of Object.entries(codes)) {
    const { status, stdout } = await dissected(`${VARIANTS}/nano_reqrep_tcp.${name}`);
    assert.is(status, code, name);
    if (name === "trunc-mid-packet.pcap") assert.is(stdout.match(/^Frame /gm)?.length, 22);
  }
  assert.is((await dissected("no-such-file")).status, 2);
  // And the process itself ends with it.
  const damaged = await run(["dissect", `${VARIANTS}/nano_reqrep_tcp.trunc-mid-packet.pcap`]);
  assert.is(damaged.status, 3);
});

test("a mistake in the arguments is answered with what to do", async () => {
  const file = `${VARIANTS}/nano_reqrep_tcp.be-us.pcap`;
  const cases: [string[], RegExp][] = [
    [[], /give the capture file/],
    [["--format", "xml", file], /tree, tsv, ndjson/],
    [["--format", "tsv", file], /-e FIELD/],
    [["--format", "tsv", "-e", "ip.scr", file], /no field 'ip.scr'/],
    [["--colour", file], /--colour/],
  ];
  for (const [args, says] of cases) {
    const { status, stderr, stdout } = await dissected(...args);
    assert.is(status, 1, args.join(" "));
    assert.match(stderr, says);
    assert.is(stdout, "");
  }
  const { status, stderr, stdout } = await run(["disect"]);
  assert.equal([status, stdout], [1, ""]);
  assert.match(stderr, /no command 'disect'/);
});

test("standard input is read, gzip or not", async () => {
  const file = `${VARIANTS}/nano_reqrep_tcp.be-us.pcap`;
  const plain = (await dissected("--messages", file)).stdout;
  assert.is((await run(["dissect", "--messages", "-"], readFileSync(file))).stdout, plain);
  const packed = readFileSync(`${VARIANTS}/nano_reqrep_tcp.us.pcap.gz`);
  assert.is((await run(["dissect", "--messages", "-"], packed)).stdout, plain);
  assert.is(plain.trimEnd().split("\n").length, 8);
});

test("messages as TSV have the columns of the independent extractor", async () => {
  const file = "test/captures/peers/dev-nng-reqrep.pcap";
  const { stdout } = await dissected("--messages", "--format", "tsv", file);
  const [header, ...rows] = stdout.trimEnd().split("\n");
  const columns = /^# file\t(frame\t.*)$/m.exec(readFileSync("test/captures/messages.tsv", "utf8"));
  assert.is(header, columns?.[1]);
  assert.is(rows.length, 4);
});

test("NDJSON is one object a line, for frames and for messages", async () => {
  const file = "test/captures/peers/ws-reqrep-nanoreq-nngrep.pcap";
  for (const args of [
    ["--format", "ndjson"],
    ["--format", "ndjson", "--messages"],
  ]) {
    const { stdout } = await dissected(...args, file);
    for (const line of stdout.trimEnd().split("\n")) assert.type(JSON.parse(line), "object");
  }
});

test("no output holds a control character, whatever the payload", async () => {
  const { stdout } = await dissected("test/captures/peers/tcp-push-nng-big.pcap");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  assert.not.match(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

test("help and version are there for every command", async () => {
  for (const args of [["--help"], ["dissect", "--help"], ["codegen", "--help"]]) {
    const { status, stdout } = await run(args);
    assert.is(status, 0, args.join(" "));
    assert.match(stdout, /wirestack/);
  }
  assert.is((await run(["--version"])).stdout, "0.1.0\n");
});

test("a folder of one's own becomes codecs and a catalogue", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wirestack-"));
  try {
    const made = await run(["codegen", "test/specs", "--out", join(folder, "made")]);
    assert.is(made.status, 0, made.stderr);
    const code = readFileSync(join(folder, "made/acme/trace.ts"), "utf8");
    assert.match(code, /export function measure\(v: DataView, o: number, end: number\): number/);
    assert.match(readFileSync(join(folder, "made/headers.md"), "utf8"), /acme\.trace/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
