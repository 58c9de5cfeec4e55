import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CaptureReader, type Damage, type Packet } from "../../runtime/dissect/capture.js";

const VARIANTS = "test/captures/variants";

function load(name: string): Uint8Array {
  const octets = readFileSync(`${VARIANTS}/${name}`);
  return name.endsWith(".gz") ? gunzipSync(octets) : octets;
}

/** Everything that a reader says of octets that come in these pieces. */
function readAll(pieces: readonly Uint8Array[]): { packets: Packet[]; damage: Damage | undefined } {
  const reader = new CaptureReader();
  const packets: Packet[] = [];
  const drain = () => {
    for (let p = reader.next(); p !== undefined; p = reader.next()) packets.push(p);
  };
  for (const piece of pieces) {
    reader.push(piece);
    drain();
  }
  reader.end();
  drain();
  return { packets, damage: reader.damage };
}

const summary = ({ packets, damage }: ReturnType<typeof readAll>) => ({
  damage,
  packets: packets.map((p) => ({ ...p, octets: Buffer.from(p.octets).toString("hex") })),
});

test("any chunking of a capture gives the same packets", () => {
  for (const name of readdirSync(VARIANTS)) {
    const octets = load(name);
    const whole = summary(readAll([octets]));
    fc.assert(
      fc.property(fc.array(fc.nat(octets.length), { maxLength: 20 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), octets.length];
        const pieces = at.slice(1).map((end, i) => octets.subarray(at[i], end));
        assert.equal(summary(readAll(pieces)), whole, name);
      }),
      { numRuns: 20 },
    );
  }
});

test("every container and link type holds the same 23 frames", () => {
  const frames = (name: string) => readAll([load(name)]).packets.length;
  for (const name of readdirSync(VARIANTS)) {
    if (/garbage|hexdump|trunc|huge|frag|merged|concatenated/.test(name)) continue;
    assert.is(frames(name), 23, name);
  }
  assert.is(frames("concatenated_sections.pcapng"), 69);
  assert.is(frames("merged_two_ifs.pcapng"), 46);
});

test("nanoseconds stay nanoseconds, in both formats", () => {
  const second = (name: string) => readAll([load(name)]).packets[1]?.time?.nanoseconds;
  assert.is(second("nano_reqrep_tcp.be-us.pcap"), 583_976_000);
  assert.is(second("nano_reqrep_tcp.le-ns.pcap"), 583_976_037);
  assert.is(second("nano_reqrep_tcp.le.pcapng"), 583_976_000);
});

test("a damaged file gives every packet before the damage, and says where it is", () => {
  const cut = readAll([load("nano_reqrep_tcp.trunc-mid-packet.pcap")]);
  assert.is(cut.packets.length, 22);
  assert.is(cut.damage?.text, "ends inside frame 23: 66 octets claimed, 59 octets left");
  const header = readAll([load("nano_reqrep_tcp.trunc-mid-record-header.pcap")]);
  assert.is(header.packets.length, 1);
  assert.is(header.damage?.offset, 114);
});

test("a claim of two gigabytes is damage before memory is taken", () => {
  const { packets, damage } = readAll([load("nano_reqrep_tcp.huge-caplen.pcap")]);
  assert.is(packets.length, 0);
  assert.match(damage?.text ?? "", /claims 2147483647 octets/);
});

test("what is no capture is unreadable, and an empty file is", () => {
  for (const name of ["garbage.pcap", "hexdump.txt", "trunc-file-header.pcap"]) {
    assert.is(readAll([load(`nano_reqrep_tcp.${name}`)]).damage?.unreadable, true, name);
  }
  assert.is(readAll([]).damage?.text, "is empty");
});

test("arbitrary octets behind a good beginning never throw", () => {
  const starts = [
    "nano_reqrep_tcp.be-us.pcap",
    "nano_reqrep_tcp.le.pcapng",
    "merged_two_ifs.pcapng",
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...starts),
      fc.nat(400),
      fc.uint8Array({ maxLength: 200 }),
      (name, keep, noise) => {
        readAll([load(name).slice(0, keep), noise]);
      },
    ),
    { numRuns: 2000 },
  );
});

test("flipped octets of a capture never throw, and packets stay inside the file", () => {
  const octets = load("concatenated_sections.pcapng").slice(0, 2000);
  fc.assert(
    fc.property(fc.nat(octets.length - 1), fc.nat(255), (at, value) => {
      const broken = Uint8Array.from(octets);
      broken[at] = value;
      for (const p of readAll([broken]).packets) {
        assert.ok(p.offset + p.octets.length <= broken.length);
      }
    }),
    { numRuns: 1000 },
  );
});

test.run();
