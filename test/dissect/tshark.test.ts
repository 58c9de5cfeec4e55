import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CaptureError, dissect } from "../../runtime/dissect/index.js";
import { frameRow } from "../../runtime/dissect/rows.js";
import { peerTest } from "../support/peers.js";

const test = suite("tshark");
const FIELDS = [
  "frame.number",
  "frame.time_epoch",
  "frame.len",
  "frame.cap_len",
  "frame.protocols",
  "eth.dst",
  "eth.src",
  "eth.type",
  "vlan.id",
  "ip.len",
  "ip.id",
  "ip.ttl",
  "ip.proto",
  "ip.checksum",
  "ip.src",
  "ip.dst",
  "ip.hdr_len",
  "ip.flags.df",
  "ip.flags.mf",
  "ip.frag_offset",
  "ipv6.src",
  "ipv6.dst",
  "ipv6.plen",
  "ipv6.nxt",
  "ipv6.hlim",
  "tcp.srcport",
  "tcp.dstport",
  "tcp.seq_raw",
  "tcp.ack_raw",
  "tcp.len",
  "tcp.hdr_len",
  "tcp.flags",
  "tcp.window_size_value",
  "tcp.checksum",
  "tcp.urgent_pointer",
  "udp.srcport",
  "udp.dstport",
  "udp.length",
  "udp.checksum",
];
/** These two read differently, or one of them not at all; that they end well is tested elsewhere. */
const EXEMPT = /ipfrag|modified|hexdump|garbage|huge-caplen|trunc-file-header/;

async function ours(file: string): Promise<string[]> {
  const rows: string[] = [];
  try {
    for await (const frame of dissect(file)) if (!frame.late) rows.push(frameRow(frame, FIELDS));
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
  }
  return rows;
}

/** Rows of tshark, of one capture. */
function theirs(file: string): string[] {
  const args = ["-n", "-r", file, "-T", "fields", ...FIELDS.flatMap((f) => ["-e", f])];
  // A capture that is cut short ends with an error, after all that could be read.
  return spawnSync("tshark", args, { encoding: "utf8", maxBuffer: 1 << 28 })
    .stdout.trimEnd()
    .split("\n");
}

/** Captures behind one another: tshark takes a third of a second to start. */
function merged(files: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), "wirestack-tshark-"));
  try {
    const all = join(folder, "all.pcapng");
    execFileSync("mergecap", ["-a", "-w", all, ...files]);
    return theirs(all);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Compares every cell; answers how many there were. */
function compare(name: string, mine: readonly string[], theirs: readonly string[]): number {
  let cells = 0;
  for (const [i, row] of theirs.entries()) {
    const [own = [], other] = [mine[i]?.split("\t"), row.split("\t")];
    other.forEach((value, k) => {
      // Above tcp and udp the lists name what each knows.
      const lower = (list = "") => list.replace(/(:(tcp|udp)):.*/, "$1");
      const listed = FIELDS[k] === "frame.protocols";
      const want = listed ? lower(value) : value;
      assert.is(listed ? lower(own[k]) : own[k], want, `${name} frame ${i + 1} ${FIELDS[k]}`);
      cells++;
    });
  }
  assert.is(mine.length, theirs.length, name);
  return cells;
}

const captures = (folder: string) =>
  readdirSync(`test/captures/${folder}`)
    .filter((name) => !EXEMPT.test(name))
    .map((name) => `test/captures/${folder}/${name}`);

peerTest(test, "tshark", "the columns of peers are those of tshark", async () => {
  const files = captures("peers");
  const rows = merged(files);
  let cells = 0;
  let from = 0;
  for (const file of files) {
    const own = await ours(file);
    const part = rows.slice(from, from + own.length);
    const numbered = part.map((row, i) => row.replace(/^\d+/, String(i + 1)));
    cells += compare(file, own, numbered);
    from += own.length;
  }
  assert.is(from, rows.length);
  assert.ok(cells > 10_000, `${cells} cells`);
});

peerTest(test, "tshark", "the columns of variants are those of tshark", async () => {
  let cells = 0;
  // Each for itself: how they are written is what they are about.
  for (const file of captures("variants")) cells += compare(file, await ours(file), theirs(file));
  assert.ok(cells > 10_000, `${cells} cells`);
});

test.run();
