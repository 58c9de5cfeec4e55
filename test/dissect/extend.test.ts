import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { main } from "../../codegen/main.js";
import { merge, type Registry, registry } from "../../runtime/dissect/index.js";
import { framesOf, packetsOf } from "../support/dissected.js";

const SPEC = `import { bit, bits, header, u16 } from "wirestack/spec";

/** Note that an experimental protocol puts in front of its payload. */
export const acmeNote = header(
  "acme.note",
  {
    /** Somebody waits for an answer. */
    urgent: bit,
    /** What it is about. */
    topic: bits(15),
    /** The how many-th it is. */
    count: u16,
  },
  { ref: "ACME notes", on: { "sp.type": 0xf001 } },
).payload();
`;

/** A capture of PAIR, in which both sides say that they speak 0xf001 instead. */
function experimental(): Uint8Array {
  const hex = readFileSync("test/captures/peers/tcp-pair0-nano-nng.pcap").toString("hex");
  return Buffer.from(hex.replaceAll("0053500000100000", "00535000f0010000"), "hex");
}

test("one spec file more, and dissect shows its header over SP", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wirestack-"));
  const { log } = console;
  try {
    mkdirSync(join(folder, "specs"));
    writeFileSync(join(folder, "specs/note.ts"), SPEC);
    console.log = () => {};
    assert.is(await main([join(folder, "specs"), "--out", join(folder, "made"), "--js"]), 0);
    console.log = log;
    const made = (await import(pathToFileURL(join(folder, "made/dissect.js")).href)) as {
      registry: Registry;
    };
    const octets = experimental();
    const without = framesOf(packetsOf(octets), registry).flatMap((f) => f.messages);
    assert.is(without.length, 2);
    assert.equal(
      without.map((m) => m.tags),
      [[], []],
    );

    const all = framesOf(packetsOf(octets), merge(registry, made.registry));
    const layers = all
      .flatMap((f) => f.parts)
      .flatMap((part) =>
        part.is === "header" && part.walked.table.name === "acme.note" ? [part] : [],
      );
    assert.is(layers.length, 2);
    // "from" begins both payloads: 0x66 0x72 0x6f 0x6d.
    const values = layers[0]?.walked.nodes.map((n) => [n.name, n.value]);
    assert.equal(values, [
      ["acme.note.urgent", false],
      ["acme.note.topic", 0x6672],
      ["acme.note.count", 0x6f6d],
    ]);
    assert.equal(
      all.flatMap((f) => f.messages).map((m) => m.tags),
      [["66726f6d"], ["66726f6d"]],
    );
  } finally {
    console.log = log;
    rmSync(folder, { recursive: true });
  }
});

test.run();
