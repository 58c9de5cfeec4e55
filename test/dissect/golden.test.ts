/** Trees of a dozen captures, as they were when somebody read them. WIRESTACK_UPDATE=1 writes them anew. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CaptureError, dissect } from "../../runtime/dissect/index.js";
import { treeText } from "../../runtime/dissect/tree.js";

const GOLDEN = "test/captures/golden";
const CAPTURES = [
  "peers/dev-nng-survey.pcap",
  "peers/ipc-reqrep-nanoreq-nngrep.pcap",
  "peers/tcp-mismatch-pair0-pair1.pcap",
  "peers/tcp-pair1-mangos-nng.pcap",
  "peers/tcp-reqrep-nanoreq-nngrep.pcap",
  "peers/tcp-star-mangos-mangos.pcap",
  "peers/udp-reqrep-nng2-nng2.pcap",
  "peers/ws-pubsub-nanopub-nngsub.pcap",
  "peers/ws-reqrep-nngreq-nanorep.pcap",
  "variants/nano_reqrep_tcp.ipfrag-rev.pcap",
  "variants/nano_reqrep_tcp.ipv6-hbh.pcap",
  "variants/nano_reqrep_tcp.qinq.pcap",
  "variants/nano_reqrep_tcp.snap60.pcap",
];

async function tree(file: string): Promise<string> {
  let text = "";
  try {
    for await (const frame of dissect(`test/captures/${file}`)) text += `${treeText(frame)}\n`;
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    text += `${error.message}\n`;
  }
  return text;
}

for (const file of CAPTURES) {
  test(`the tree of ${file} is the one that was read`, async () => {
    const path = `${GOLDEN}/${file.replace(/^\w+\//, "")}.txt`;
    const now = await tree(file);
    if (process.env.WIRESTACK_UPDATE === "1") {
      mkdirSync(GOLDEN, { recursive: true });
      writeFileSync(path, now);
    }
    assert.ok(existsSync(path), `${path} is missing; look at the tree, then WIRESTACK_UPDATE=1`);
    assert.fixture(now, readFileSync(path, "utf8"));
  });
}

test.run();
