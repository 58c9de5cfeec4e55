/** Sealed hops in an ordinary capture: nothing but sizes without keys, every message with them. */
import { readFileSync, writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Frame, Keys, Packet } from "../../runtime/dissect/index.js";
import {
  hop,
  open,
  pull,
  push,
  readKeyLog,
  stack,
  tap,
  xpull,
  xpush,
} from "../../runtime/index.js";
import { framesOf, packetsOf } from "../support/dissected.js";
import { peerTest } from "../support/peers.js";
import { staged } from "../support/stage.js";
import { until } from "../support/until.js";
import { converse, SAID, type Said } from "./capture.js";

const test = suite("capture of sealed hops");

/** By tcpdump 4.99.3, beside `converse`; and the log of keys that it left. */
const PCAP = readFileSync("test/captures/sealed/hops.pcap");
const LOG = readFileSync("test/captures/sealed/keys.txt", "utf8");

const frames = (octets: Uint8Array, keys?: Keys) =>
  framesOf(packetsOf(octets), undefined, { keys });

const messages = (all: readonly Frame[]) => all.flatMap((frame) => frame.messages);
const texts = (all: readonly Frame[]): Said[] =>
  messages(all).map(({ protocol, payload }) => ({
    protocol,
    body: Buffer.from(payload).toString(),
  }));
const remarks = (all: readonly Frame[]) => all.flatMap((frame) => frame.remarks);
const sealed = (all: readonly Frame[]) =>
  all.flatMap((frame) => frame.parts).filter((part) => part.is === "octets" && part.sealed);

test("with the key log every message is there, each as decrypted", () => {
  const all = frames(PCAP, readKeyLog(LOG));
  assert.equal(texts(all), SAID);
  assert.equal([...new Set(messages(all).map((m) => m.source))], ["decrypted"]);
  assert.equal(remarks(all), []);
  assert.is(sealed(all).length, 0);
});

test("a Buffer is read, and never written: it gives the same a second time", () => {
  const keys = readKeyLog(LOG);
  const before = Buffer.from(PCAP).toString("hex");
  assert.equal(texts(frames(PCAP, keys)), texts(frames(PCAP, keys)));
  assert.is(PCAP.toString("hex"), before);
});

test("what it shows is whole: greeting, layers, handshake, records, request, trailer", () => {
  const names = frames(PCAP, readKeyLog(LOG))
    .flatMap((frame) => frame.parts)
    .flatMap((part) => (part.is === "header" ? [part.walked.table.name] : []));
  for (const name of [
    "sp.greeting",
    "sp.stack",
    "sp.tcp",
    "ws.frame",
    "sp.ws",
    "hop.message",
    "hop.handshake",
    "hop.ephemeral",
    "hop.sealed",
    "hop.record",
    "hop.piece",
    "hop.padding",
    "sp.request",
    "integrity.trailer",
  ])
    assert.ok(names.includes(name), name);
});

test("without keys there is nothing but sizes", () => {
  const all = frames(PCAP);
  assert.equal(texts(all), []);
  assert.ok(sealed(all).length > 50);
  assert.equal(remarks(all), []);
});

test("a log of other sessions says so, for each direction", () => {
  const wrong = LOG.replace(/ [0-9a-f]{64}/g, (key) => ` ${[...key.slice(1)].reverse().join("")}`);
  const all = frames(PCAP, readKeyLog(wrong));
  assert.equal(texts(all), []);
  const said = remarks(all);
  assert.is(said.length, 6);
  for (const remark of said) {
    assert.match(
      remark,
      /^tcp \d, \S+ → \S+: \d+ records? stays? sealed: the key log has no keys of [0-9a-f]{16}…$/,
    );
  }
});

test("a log whose keys are wrong says so, and costs little", () => {
  // The last two of a line are the keys; the two before name the session.
  const wrong = LOG.replace(
    / [0-9a-f]{64} [0-9a-f]{64}$/gm,
    ` ${"00".repeat(32)} ${"11".repeat(32)}`,
  );
  const all = frames(PCAP, readKeyLog(wrong));
  assert.equal(texts(all), []);
  for (const remark of remarks(all)) assert.match(remark, /sealed: the keys of .* open none$/);
});

test("where something is missing, no message is put together from what was before and behind it", () => {
  const keys = readKeyLog(LOG);
  const bodies = new Set(SAID.map(({ body }) => body));
  const all = packetsOf(PCAP);
  const cut = (p: Packet) => ({ ...p, octets: p.octets.subarray(0, 100) });
  // Those that carry a message of several records, and a few others.
  const some = all.filter(({ number, length }) => length > 5000 || number % 11 === 0);
  for (const one of some) {
    for (const left of [all.filter((p) => p !== one), all.map((p) => (p === one ? cut(p) : p))]) {
      const found = messages(framesOf(left, undefined, { keys })).filter(
        (m) => m.missing === 0 && !m.guessed,
      );
      const strange = found.filter((m) => !bodies.has(Buffer.from(m.payload).toString()));
      assert.equal(
        strange.map((m) => m.length),
        [],
        `packet ${one.number}`,
      );
    }
  }
});

test("nor where a record never came, and nothing else shows that", async () => {
  const seen: Uint8Array[] = [];
  const lines: string[] = [];
  const psk = new Uint8Array(32).fill(9);
  const sink = open(stack(pull(), xpull(), hop({ pattern: "NNpsk0", psk })));
  const keyLog = (line: string) => void lines.push(line);
  const sealing = hop({ pattern: "NNpsk0", psk, keyLog });
  const below = tap({ to: (octets) => void seen.push(octets) });
  const source = open(stack(push(), xpush(), sealing, below));
  await sink.listen("inproc://pieces");
  source.dial("inproc://pieces");
  for (const body of ["a", "b".repeat(200_000), "c", "d"]) {
    await source.send(body);
    await sink.receive({ timeout: 5000 });
  }
  await Promise.all([source.close(), sink.close()]);
  const all = packetsOf(Buffer.concat(seen));
  const keys = readKeyLog(lines.join(""));
  const sizes = (list: readonly Packet[]) =>
    messages(framesOf(list, undefined, { keys })).map((m) => m.length);
  assert.equal(sizes(all), [1, 200_000, 1, 1]);
  const records = all.filter(({ length }) => length > 1000);
  assert.is(records.length, 4);
  for (const record of records) {
    const found = sizes(all.filter((p) => p !== record));
    // What comes right behind may be another message, or the end of this one.
    assert.equal(found, record === records.at(-1) ? [1, 1] : [1, 1, 1]);
  }
});

test("of a record that is cut no key is blamed", () => {
  const cut = packetsOf(PCAP).map((p) => ({ ...p, octets: p.octets.subarray(0, 300) }));
  const said = remarks(framesOf(cut, undefined, { keys: readKeyLog(LOG) })).filter((r) =>
    r.includes("sealed"),
  );
  assert.ok(said.length > 0);
  for (const remark of said) assert.match(remark, /sealed: octets are missing$/);
});

test("half a session's keys open half of it", () => {
  const [first = ""] = LOG.split("\n");
  const all = frames(PCAP, readKeyLog(first));
  assert.equal(
    texts(all),
    SAID.filter(({ protocol }) => protocol === "req" || protocol === "rep"),
  );
});

test("no capture and no log can make it throw", () => {
  const keys = readKeyLog(LOG);
  for (let i = 0; i < 40; i++) {
    const octets = new Uint8Array(PCAP);
    // Beyond the file's header: so that there are frames.
    for (let k = 0; k < 20; k++) {
      const at = 24 + ((i * 7919 + k * 104729) % (octets.length - 24));
      octets[at] = (octets[at] as number) ^ (i + k);
    }
    frames(octets.subarray(0, 24 + ((i * 2003) % octets.length)), keys);
  }
});

peerTest(
  test,
  "tcpdump",
  "what tcpdump captures, with the key log, is what a tap above the hop has seen",
  staged(async (stage) => {
    const places = {
      asked: await stage.free("tcp"),
      pushed: await stage.free("tcp"),
      news: `${await stage.free("ws")}/news`,
    };
    const ports = Object.values(places).map((url) => `port ${/:(\d+)/.exec(url)?.[1]}`);
    const tcpdump = stage.start("tcpdump", "-i", "lo", "-U", "-w", "-", ports.join(" or "));
    await until(
      () => `${tcpdump}`,
      () => tcpdump.said.includes("listening") || tcpdump.over,
    );
    const seen: Uint8Array[] = [];
    const log = stage.path();
    await converse(places, log, tap({ to: (octets) => seen.push(octets) }));
    const keys = readKeyLog(readFileSync(log, "utf8"));
    const captured = () => texts(frames(tcpdump.output, keys));
    // Looking costs more than waiting, so only at what is new.
    let looked = 0;
    const all = () => {
      const { written } = tcpdump;
      if (written === looked) return false;
      looked = written;
      return captured().length === SAID.length;
    };
    await until(() => `${tcpdump}, ${captured().length} messages`, all);
    assert.equal(captured(), SAID);
    const tapped = () => texts(frames(Buffer.concat(seen)));
    await until("what the tap has seen", () => tapped().length === SAID.length);
    assert.equal(tapped(), SAID);
    assert.equal(texts(frames(tcpdump.output)), []);
    if (process.env.WIRESTACK_RECORD === "1") {
      writeFileSync("test/captures/sealed/hops.pcap", tcpdump.output);
      writeFileSync("test/captures/sealed/keys.txt", readFileSync(log));
    }
  }),
);

test.run();
