import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
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

function theirs(file: string): string[] {
  const args = ["-n", "-r", file, "-T", "fields", ...FIELDS.flatMap((f) => ["-e", f])];
  try {
    const out = execFileSync("tshark", args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return out.trimEnd().split("\n");
  } catch (error) {
    // A capture that is cut short ends with an error, after all that could be read.
    return String((error as { stdout: string }).stdout)
      .trimEnd()
      .split("\n");
  }
}

for (const folder of ["peers", "variants"]) {
  peerTest(test, "tshark", `the columns of ${folder} are those of tshark`, async () => {
    let cells = 0;
    for (const name of readdirSync(`test/captures/${folder}`)) {
      if (EXEMPT.test(name)) continue;
      const file = `test/captures/${folder}/${name}`;
      const [a, b] = [await ours(file), theirs(file)];
      for (const [i, row] of b.entries()) {
        const [mine = [], other] = [a[i]?.split("\t"), row.split("\t")];
        other.forEach((value, k) => {
          // Above tcp and udp the lists name what each knows.
          const lower = (list = "") => list.replace(/(:(tcp|udp)):.*/, "$1");
          const listed = FIELDS[k] === "frame.protocols";
          const want = listed ? lower(value) : value;
          if (listed) mine[k] = lower(mine[k]);
          assert.is(mine[k], want, `${name} frame ${i + 1} ${FIELDS[k]}`);
          cells++;
        });
      }
      assert.is(a.length, b.length, name);
    }
    assert.ok(cells > 10_000, `${cells} cells`);
  });
}

test.run();
