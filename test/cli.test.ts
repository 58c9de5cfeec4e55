import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

const CLI = "dist/runtime/cli/main.js";
const VARIANTS = "test/captures/variants";

function run(args: readonly string[], input?: Uint8Array) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    ...(input === undefined ? {} : { input }),
  });
  return { status, stdout, stderr };
}

test("exit codes tell usage, unreadable and damaged apart, and all whole frames are printed", () => {
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
    const { status, stdout } = run(["dissect", `${VARIANTS}/nano_reqrep_tcp.${name}`]);
    assert.is(status, code, name);
    if (name === "trunc-mid-packet.pcap") assert.is(stdout.match(/^Frame /gm)?.length, 22);
  }
  assert.is(run(["dissect", "no-such-file"]).status, 2);
});

test("a mistake in the arguments is answered with what to do", () => {
  const file = `${VARIANTS}/nano_reqrep_tcp.be-us.pcap`;
  const cases: [string[], RegExp][] = [
    [["dissect"], /give the capture file/],
    [["dissect", "--format", "xml", file], /tree, tsv, ndjson/],
    [["dissect", "--format", "tsv", file], /-e FIELD/],
    [["dissect", "--format", "tsv", "-e", "ip.scr", file], /no field 'ip.scr'/],
    [["dissect", "--colour", file], /--colour/],
    [["disect"], /no command 'disect'/],
  ];
  for (const [args, says] of cases) {
    const { status, stderr, stdout } = run(args);
    assert.is(status, 1, args.join(" "));
    assert.match(stderr, says);
    assert.is(stdout, "");
  }
});

test("standard input is read, gzip or not", () => {
  const file = `${VARIANTS}/nano_reqrep_tcp.be-us.pcap`;
  const plain = run(["dissect", "--messages", file]).stdout;
  assert.is(run(["dissect", "--messages", "-"], readFileSync(file)).stdout, plain);
  const packed = readFileSync(`${VARIANTS}/nano_reqrep_tcp.us.pcap.gz`);
  assert.is(run(["dissect", "--messages", "-"], packed).stdout, plain);
  assert.is(plain.trimEnd().split("\n").length, 8);
});

test("messages as TSV have the columns of the independent extractor", () => {
  const file = "test/captures/peers/dev-nng-reqrep.pcap";
  const [header, ...rows] = run(["dissect", "--messages", "--format", "tsv", file])
    .stdout.trimEnd()
    .split("\n");
  const columns = /^# file\t(frame\t.*)$/m.exec(readFileSync("test/captures/messages.tsv", "utf8"));
  assert.is(header, columns?.[1]);
  assert.is(rows.length, 4);
});

test("NDJSON is one object a line, for frames and for messages", () => {
  const file = "test/captures/peers/ws-reqrep-nanoreq-nngrep.pcap";
  for (const args of [
    ["--format", "ndjson"],
    ["--format", "ndjson", "--messages"],
  ]) {
    const { stdout } = run(["dissect", ...args, file]);
    for (const line of stdout.trimEnd().split("\n")) assert.type(JSON.parse(line), "object");
  }
});

test("no output holds a control character, whatever the payload", () => {
  const { stdout } = run(["dissect", "test/captures/peers/tcp-push-nng-big.pcap"]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  assert.not.match(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

test("help and version are there for every command", () => {
  for (const args of [["--help"], ["dissect", "--help"], ["codegen", "--help"]]) {
    const { status, stdout } = run(args);
    assert.is(status, 0, args.join(" "));
    assert.match(stdout, /wirestack/);
  }
  assert.is(run(["--version"]).stdout, "0.1.0\n");
});

test("start checks, dissects, and says what to try next", () => {
  const { status, stdout } = run(["start"]);
  assert.is(status, 0);
  assert.match(stdout, /files are as generated/);
  assert.match(stdout, /req\/tcp .*"ping"/);
  assert.match(stdout.trimEnd().split("\n").at(-1) ?? "", /^Next: /);
});

test("a folder of one's own becomes codecs and a catalogue", () => {
  const folder = mkdtempSync(join(tmpdir(), "wirestack-"));
  try {
    const made = run(["codegen", "test/specs", "--out", join(folder, "made")]);
    assert.is(made.status, 0, made.stderr);
    const code = readFileSync(join(folder, "made/acme/trace.ts"), "utf8");
    assert.match(code, /export function measure\(v: DataView, o: number, end: number\): number/);
    assert.match(readFileSync(join(folder, "made/headers.md"), "utf8"), /acme\.trace/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
