/** Key logs: who is written where, and what is opened by what was written. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as handshake from "../../generated/hop/handshake.js";
import * as piece from "../../generated/hop/piece.js";
import * as record from "../../generated/hop/record.js";
import type { Crypto } from "../../runtime/crypto.js";
import type { Env, Files } from "../../runtime/env.js";
import {
  type HopOptions,
  hop,
  node,
  open,
  pull,
  push,
  readKeyLog,
  StackError,
  SystemError,
  stack,
  xpull,
  xpush,
} from "../../runtime/index.js";
import { nodeCrypto } from "../../runtime/node-crypto.js";
import { body, same } from "../laws/octets.js";
import { optionsOf, PATTERNS, type Side, SUITES } from "./keys.js";
import { meet } from "./meeting.js";
import { type End, Session } from "./session.js";

const test = suite("key log");
const folder = mkdtempSync(join(tmpdir(), "wirestack-keys-"));
test.after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => join(folder, `keys-${files++}.log`);

const hex = (octets: Uint8Array) => Buffer.from(octets).toString("hex");
const LINE = /^HOP \S+( [0-9a-f]{64}){4}\n$/;

/** The ephemeral key that a side sent in clear: what a dissector has of it. */
const senderOf = (end: End) =>
  hex((end.wire.sent[0] as Uint8Array).subarray(handshake.MAX, handshake.MAX + 32));

/** A session that writes its line to `log`; options are both sides'. */
function logged(log: (line: string) => void, more: object = {}, seed = 1): Session {
  const options = (side: Side) =>
    optionsOf(side, "NNpsk0", side === "dial" ? { ...more, keyLog: log } : more);
  return new Session(seed, options).run();
}

/** A session's records in both directions, one a message, and what is in them. */
function recorded(messages: number, more: object = {}, seed = 1) {
  const lines: string[] = [];
  const session = logged((line) => lines.push(line), more, seed);
  const bodies = Array.from({ length: messages }, (_, i) => body(20 + i, seed + i));
  const of = (end: End) => {
    const first = end.wire.sent.slice(1);
    return { sender: senderOf(end), records: [...first, ...bodies.map((b) => end.record(b))] };
  };
  return { log: lines.join(""), bodies, dial: of(session.dial), listen: of(session.listen) };
}

/** Whether that record was opened, and this message was in it. */
function holds(plain: Uint8Array | undefined, message: Uint8Array): boolean {
  const before = record.MAX + piece.size(message.length);
  return plain !== undefined && same(plain.subarray(before), message);
}

const octetsOf = (plain: Uint8Array | undefined) => plain !== undefined;

// --- what is written ---

for (const pattern of PATTERNS) {
  for (const suiteName of SUITES) {
    test(`${pattern}, ${suiteName}: both sides write the same line, by the keys that were seen`, () => {
      const lines: Record<Side, string[]> = { dial: [], listen: [] };
      const session = new Session(1, (side) =>
        optionsOf(side, pattern, {
          suite: suiteName,
          keyLog: (line: string) => lines[side].push(line),
        }),
      ).run();
      assert.ok(session.dial.open && session.listen.open);
      assert.is(lines.dial.length, 1, "a line a session");
      assert.equal(lines.dial, lines.listen);
      const [line = ""] = lines.dial;
      assert.match(line, LINE);
      const [, said, initiator, responder, there, back] = line.trim().split(" ");
      assert.equal(
        [said, initiator, responder],
        [suiteName, senderOf(session.dial), senderOf(session.listen)],
      );
      assert.is.not(there, back);
      session.dial.record(body(100, 1));
      session.run();
      assert.is(lines.dial.length + lines.listen.length, 2, "and none later");
      const keys = readKeyLog(line);
      const last = session.dial.wire.sent.at(-1) as Uint8Array;
      assert.ok(holds(keys.opener(senderOf(session.dial))?.open(last), body(100, 1)));
    });
  }
}

/** A world whose files are node's, and whose names are its own. */
function world(more: Partial<Env> = {}): Env {
  const { keyLog: _, ...bare } = node;
  return { ...bare, names: new Map(), ...more };
}

/** Sends a message from a PUSH to a PULL, as often as they are to meet. */
async function talk(
  env: Env,
  times: number,
  more: Partial<Record<Side, object>> = {},
): Promise<void> {
  const layer = (side: Side) => hop(optionsOf(side, "NNpsk0", more[side]));
  const taker = open(stack(pull(), xpull(), layer("listen")), { env });
  await taker.listen("memory://here");
  for (let i = 0; i < times; i++) {
    const sender = open(stack(push(), xpush(), layer("dial")), { env });
    sender.dial("memory://here");
    await sender.send(`message ${i}`);
    assert.is(new TextDecoder().decode(await taker.receive()), `message ${i}`);
    await sender.close();
  }
  await taker.close();
}

const linesOf = (path: string) => readFileSync(path, "utf8").split(/(?<=\n)/);

test("a file is its owner's only, opened once, and added to: a line a session", async () => {
  const path = newPath();
  let opened = 0;
  const counting: Files = {
    ...(node.files as Files),
    open: (...how) => {
      opened++;
      return (node.files as Files).open(...how);
    },
  };
  const env = world({ files: counting });
  await talk(env, 3, { dial: { keyLog: path } });
  assert.is(statSync(path).mode & 0o777, 0o600);
  assert.is(linesOf(path).length, 3);
  await talk(env, 2, { dial: { keyLog: path }, listen: { keyLog: path } });
  assert.is(opened, 1);
  await talk(world(), 1, { listen: { keyLog: path } });
  const lines = linesOf(path);
  assert.is(lines.length, 3 + 2 * 2 + 1, "each side that logs writes one");
  for (const line of lines) assert.match(line, LINE);
  assert.is(new Set(lines).size, 3 + 2 + 1);
});

test("a file that is there keeps its rights, and what is in it", async () => {
  const path = newPath();
  writeFileSync(path, "# of Monday\n", { mode: 0o640 });
  await talk(world(), 1, { dial: { keyLog: path } });
  assert.is(statSync(path).mode & 0o777, 0o640);
  const [first, second = ""] = linesOf(path);
  assert.is(first, "# of Monday\n");
  assert.match(second, LINE);
});

test("the world's own file has all its sessions, but for those that go elsewhere", async () => {
  const [path, other] = [newPath(), newPath()];
  const env = world({ keyLog: path });
  await talk(env, 1);
  assert.is(linesOf(path).length, 2, "both sides");
  await talk(env, 1, { dial: { keyLog: other } });
  assert.is(linesOf(path).length, 2 + 1);
  assert.is(linesOf(other).length, 1);
  assert.is(linesOf(other)[0], linesOf(path)[2]);
});

test("WIRESTACK_KEYLOGFILE is that file in a process of node's", () => {
  const path = newPath();
  const script = `
    import { hop, open, pull, push, stack, xpull, xpush } from "wirestack";
    const sealed = hop({ pattern: "NNpsk0", psk: new Uint8Array(32).fill(1) });
    const taker = open(stack(pull(), xpull(), sealed));
    await taker.listen("memory://here");
    const sender = open(stack(push(), xpush(), sealed));
    sender.dial("memory://here");
    await sender.send("x");
    await taker.receive();
    await Promise.all([sender.close(), taker.close()]);`;
  const run = (keyLog: string) =>
    spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
      env: { ...process.env, WIRESTACK_KEYLOGFILE: keyLog },
    });
  const { status, stdout, stderr } = run(path);
  assert.equal([status, stdout, stderr], [0, "", ""]);
  assert.is(statSync(path).mode & 0o777, 0o600);
  assert.is(linesOf(path).length, 2);
  assert.match(linesOf(path)[0] as string, LINE);
});

/** Cryptography that remembers what ciphers' keys were, and where their octets were. */
function remembering() {
  const given = new WeakMap<object, Uint8Array>();
  const found = { texts: [] as string[], octets: [] as Uint8Array[] };
  const { noise } = nodeCrypto;
  const crypto: Crypto = {
    ...nodeCrypto,
    secretKey(octets) {
      const key = nodeCrypto.secretKey(octets);
      given.set(key, octets);
      return key;
    },
    noise: {
      ...noise,
      cipher(name, key) {
        const octets = given.get(key) as Uint8Array;
        found.octets.push(octets);
        found.texts.push(hex(octets));
        return noise.cipher(name, key);
      },
    },
  };
  return { ...found, crypto };
}

test("by default nothing is written, no file is opened, and no key is to be seen", async () => {
  const { texts, octets, crypto } = remembering();
  const never = (): never => {
    throw new Error("a file is opened");
  };
  const reports: unknown[] = [];
  const env = world({
    crypto,
    files: { open: never, rename: never, whole: never, last: never },
    report: (error) => reports.push(error),
  });
  const seen: unknown[] = [];
  const layers = (side: Side) => stack(pull(), xpull(), hop(optionsOf(side, "NNpsk0")));
  const taker = open(layers("listen"), { env });
  taker.on("attached", (e) => seen.push(e));
  taker.on("detached", (e) => seen.push(e));
  await taker.listen("memory://here");
  const sender = open(
    stack(push(), xpush(), hop(optionsOf("dial", "NNpsk0", { rekey: { records: 1 } }))),
    { env },
  );
  sender.dial("memory://here");
  for (let i = 0; i < 5; i++) await sender.send(`message ${i}`);
  for (let i = 0; i < 5; i++) await taker.receive();
  seen.push(sender.stats(), taker.stats(), sender, taker, layers("dial"));
  const said = inspect(seen, { depth: Infinity, showHidden: true, maxArrayLength: Infinity });
  await Promise.all([sender.close(), taker.close()]);
  assert.ok(texts.length > 4, "of both sides and both directions");
  for (const key of texts) assert.is(said.includes(key), false);
  for (const left of octets) assert.ok(same(left, new Uint8Array(32)), "wiped");
  assert.equal([reports, [...env.names.keys()]], [[], []]);
});

test("who logs keeps no octets of keys either", () => {
  const { texts, octets, crypto } = remembering();
  const lines: string[] = [];
  const keyLog = (line: string) => lines.push(line);
  new Session(1, (side) => optionsOf(side, "XX", { keyLog }), undefined, crypto).run();
  for (const left of octets) assert.ok(same(left, new Uint8Array(32)), "wiped");
  const [there, back] = (lines[0] as string).trim().split(" ").slice(4) as [string, string];
  const times = (key: string) => texts.filter((text) => text === key).length;
  assert.equal([times(there), times(back)], [2, 2], "what both have");
  assert.ok(texts.length > 2 * 2, "of the handshake's own keys nobody is told");
});

// --- what cannot be written ---

const missing = join(folder, "no-such-folder", "keys.log");
const dialer = (env: Env, more: object) =>
  open(stack(push(), xpush(), hop(optionsOf("dial", "NNpsk0", more))), { env });
const listener = (env: Env, more: object) =>
  open(stack(pull(), xpull(), hop(optionsOf("listen", "NNpsk0", more))), { env });

/** What `dial` and `listen` throw, of which nothing may be left. */
async function refusals(env: Env, more: object): Promise<Error[]> {
  const thrown: Error[] = [];
  const [sender, taker] = [dialer(env, more), listener(env, more)];
  try {
    sender.dial("memory://nowhere");
  } catch (error) {
    thrown.push(error as Error);
  }
  await taker.listen("memory://nowhere").catch((error) => thrown.push(error));
  assert.equal([...env.names.keys()], []);
  await Promise.all([sender.close(), taker.close()]);
  return thrown;
}

test("dial and listen throw for a file that cannot be written, before they begin", async () => {
  const thrown = await refusals(world(), { keyLog: missing });
  assert.is(thrown.length, 2);
  for (const error of thrown) {
    assert.instance(error, SystemError);
    assert.is((error as SystemError).system, "ENOENT");
    assert.match(error.message, missing);
  }
});

test("a world without files says to give a function, which does there", async () => {
  const { files: _, ...bare } = world();
  const thrown = await refusals(bare, { keyLog: "keys.log" });
  assert.is(thrown.length, 2);
  for (const error of thrown) {
    assert.instance(error, StackError);
    assert.match(error.message, "give 'keyLog' of 'hop' a function");
  }
  const lines: string[] = [];
  await talk({ ...bare, names: new Map() }, 1, { dial: { keyLog: (l: string) => lines.push(l) } });
  assert.is(lines.length, 1);
});

test("what is neither path nor function is refused by hop itself", () => {
  for (const keyLog of ["", 5, true, null, {}]) {
    assert.throws(
      () => hop(optionsOf("dial", "NNpsk0", { keyLog }) as HopOptions),
      (error: Error) => error instanceof StackError && error.message.includes("'keyLog'"),
    );
  }
});

test("the world's file, if it cannot be written, is reported once, and everything goes on", async () => {
  const reports: Error[] = [];
  const env = world({ keyLog: missing, report: (error) => reports.push(error as Error) });
  await talk(env, 3);
  assert.is(reports.length, 1);
  assert.match(reports[0]?.message as string, "no keys are logged: ");
  assert.match(reports[0]?.message as string, "ENOENT");
  const thrown = await refusals(world({ keyLog: missing }), { keyLog: missing });
  assert.is(thrown.length, 2, "for the option it is an error at any rate");
});

test("a disk that fills up is reported once, and everything goes on", async () => {
  const reports: unknown[] = [];
  let written = 0;
  const full: Files = {
    ...(node.files as Files),
    open: () => ({
      size: 0,
      write() {
        if (++written > 1) throw new SystemError("write keys.log", { code: "ENOSPC" });
      },
      close() {},
    }),
  };
  const env = world({ files: full, report: (error) => reports.push(error) });
  await talk(env, 4, { dial: { keyLog: "keys.log" } });
  assert.is(written, 2, "nothing behind what may be half a line");
  assert.equal(
    reports.map((e) => (e as SystemError).system),
    ["ENOSPC"],
  );
});

test("a function that throws is reported, and everything goes on", async () => {
  const reports: unknown[] = [];
  const keyLog = () => {
    throw new Error("mine");
  };
  const env = world({ report: (error) => reports.push(error) });
  await talk(env, 2, { dial: { keyLog } });
  assert.equal(reports.map(String), ["Error: mine", "Error: mine"]);
});

test("a function may close the socket of which it hears, and nothing is left", async () => {
  for (const closer of ["dial", "listen"] as const) {
    const close: Partial<Record<Side, () => void>> = {};
    let asked = 0;
    const keyLog = () => {
      asked++;
      close[closer]?.();
    };
    const means = {
      dial: optionsOf("dial", "XX", closer === "dial" ? { keyLog } : {}),
      listen: optionsOf("listen", "XX", closer === "listen" ? { keyLog } : {}),
      options: { reconnect: { min: 100_000 } },
    };
    await meet(means, async ({ world, sender, taker, sending, taking }) => {
      close.dial = () => void sender.close();
      close.listen = () => void taker.close();
      await world.sleep(30_000);
      for (const { attached, detached } of [sending, taking]) {
        assert.is(attached.length, detached.length, closer);
      }
      assert.is(asked, 1);
    });
  }
});

test("nothing is heard of a hop behind its end, if that comes of its line", () => {
  for (const side of ["dial", "listen"] as const) {
    let end: End | undefined;
    const keyLog = () => end?.top.below.control({ type: "close" });
    const session = new Session(1, (s) => optionsOf(s, "XX", s === side ? { keyLog } : {}));
    const mine = session[side];
    mine.wire.control = (c) => {
      if (c.type === "close") mine.wire.above.event({ type: "closed" });
    };
    end = mine;
    session.run();
    assert.equal(mine.top.events.map((e) => e.type).indexOf("closed"), mine.top.events.length - 1);
    assert.ok(mine.top.events.length > 0, side);
  }
});

// --- what is opened by it ---

test("records of both directions are opened in order, through every new key", () => {
  for (const suiteName of SUITES) {
    const more = { suite: suiteName, rekey: { records: 3 } };
    const { log, bodies, ...ends } = recorded(40, more);
    for (const { sender, records } of [ends.dial, ends.listen]) {
      const opener = readKeyLog(log).opener(sender);
      const plain = records.map((sealed) => opener?.open(sealed));
      assert.ok(plain.every(octetsOf), suiteName);
      const rest = plain.slice(-40);
      assert.ok(rest.every((p, i) => holds(p, bodies[i] as Uint8Array)));
      assert.ok(plain.some((p) => p?.[0] === record.Type.rekey));
    }
  }
});

test("the same session may be in a capture twice: each opener begins at the beginning", () => {
  const { log, dial } = recorded(5, { rekey: { records: 2 } });
  const keys = readKeyLog(log);
  for (let i = 0; i < 2; i++) {
    const opener = keys.opener(dial.sender);
    assert.ok(dial.records.every((sealed) => octetsOf(opener?.open(sealed))));
  }
});

test("a capture that lost one record or two in a row has all the others opened", () => {
  const { log, dial } = recorded(12, { rekey: { records: 3 } });
  for (const lost of [1, 2]) {
    for (let at = 0; at + lost < dial.records.length; at++) {
      const opener = readKeyLog(log).opener(dial.sender);
      const rest = dial.records.toSpliced(at, lost);
      assert.ok(
        rest.every((sealed) => octetsOf(opener?.open(sealed))),
        `without ${lost} at ${at}`,
      );
    }
  }
});

test("64 lost records are got over, also at the beginning and at a new key; 65 are not", () => {
  for (const more of [{}, { rekey: { records: 100 } }]) {
    const { log, dial } = recorded(120, more);
    for (const at of [0, 1, 70, 99]) {
      for (const lost of [64, 65]) {
        const opener = readKeyLog(log).opener(dial.sender);
        const opened = dial.records.toSpliced(at, lost).map((s) => octetsOf(opener?.open(s)));
        const all = opened.length;
        assert.is(opened.filter(Boolean).length, lost === 64 ? all : at, `${lost} lost at ${at}`);
      }
    }
  }
});

test("records that are doubled, changed, cut or another's do not open, and all others do", () => {
  const { log, dial, listen } = recorded(10, { rekey: { records: 4 } });
  const keys = readKeyLog(log);
  const changed = (sealed: Uint8Array, at: number) => {
    const octets = sealed.slice();
    octets[at] = (octets[at] as number) ^ 1;
    return octets;
  };
  const opener = keys.opener(dial.sender);
  for (const [i, sealed] of dial.records.entries()) {
    // Before anything has opened, three in vain are the most.
    if (i > 0) {
      const before = dial.records[i - 1] as Uint8Array;
      for (const bad of [before, listen.records[i] ?? before, new Uint8Array(0), sealed.slice(1)]) {
        assert.is(opener?.open(bad), undefined);
      }
      for (const at of [0, sealed.length - 1]) {
        assert.is(opener?.open(changed(sealed, at)), undefined);
      }
    }
    const copy = sealed.slice();
    assert.ok(octetsOf(opener?.open(sealed)), `record ${i}`);
    assert.ok(same(sealed, copy), "what is opened stays as it was");
  }
});

/** Cryptography that counts what was tried. */
function counting() {
  const tried = { opens: 0 };
  const { noise } = nodeCrypto;
  const crypto: Crypto = {
    ...nodeCrypto,
    noise: {
      ...noise,
      cipher(name, key) {
        const aead = noise.cipher(name, key);
        return {
          seal: (...of) => aead.seal(...of),
          open: (...of) => {
            tried.opens++;
            return aead.open(...of);
          },
        };
      },
    },
  };
  return Object.assign(tried, { crypto });
}

test("a wrong log opens nothing, and costs little", () => {
  const { log, dial, listen } = recorded(150);
  const other = recorded(0, {}, 7).log;
  assert.is(readKeyLog(other).opener(dial.sender), undefined, "nobody that it knows");
  assert.is(readKeyLog("").opener(dial.sender), undefined);
  // The right names, and another session's keys.
  const parts = log.trim().split(" ");
  const wrong = [...parts.slice(0, 4), ...other.trim().split(" ").slice(4)].join(" ");
  const swapped = [...parts.slice(0, 4), parts[5], parts[4]].join(" ");
  for (const text of [wrong, swapped]) {
    for (const { sender, records } of [dial, listen]) {
      const count = counting();
      const opener = readKeyLog(text, count.crypto).opener(sender);
      assert.ok(opener);
      for (const sealed of records) assert.is(opener?.open(sealed), undefined);
      assert.is(count.opens, 3 * 2 * 65);
    }
  }
  // A capture that lost too much costs what 65 records cost, not all that follow.
  const count = counting();
  const opener = readKeyLog(log, count.crypto).opener(dial.sender);
  assert.ok(octetsOf(opener?.open(dial.records[0] as Uint8Array)));
  for (const sealed of dial.records.slice(70)) assert.is(opener?.open(sealed), undefined);
  assert.is(count.opens, 1 + 65 * 2 * 65);
});

test("so do captures without number that name a sender whose records they do not have", () => {
  const { log, dial } = recorded(1);
  const count = counting();
  const keys = readKeyLog(log, count.crypto);
  const strange = new Uint8Array(40);
  for (let i = 0; i < 1000; i++) {
    const opener = keys.opener(dial.sender);
    for (let k = 0; k < 5; k++) assert.is(opener?.open(strange), undefined);
  }
  assert.is(count.opens, 16 * 3 * 2 * 65 + 984 * 3 * 2);
  const opener = keys.opener(dial.sender);
  assert.ok(octetsOf(opener?.open(dial.records[0] as Uint8Array)), "what is whole opens still");
});

test("an opener takes whatever octets there are, and never throws", () => {
  const { log, dial } = recorded(3);
  const keys = readKeyLog(log);
  for (const n of [0, 1, 15, 16, 17, 65_535, 65_536, 100_000]) {
    const opener = keys.opener(dial.sender);
    assert.is(opener?.open(new Uint8Array(n)), undefined, `${n} octets`);
    assert.ok(octetsOf(opener?.open(dial.records[0] as Uint8Array)), "and all is as it was");
  }
});

test("64 records that somebody changed are got over like as many lost", () => {
  const { log, dial } = recorded(70);
  const opener = readKeyLog(log).opener(dial.sender);
  const opened = dial.records.map((sealed, i) =>
    octetsOf(opener?.open(i > 0 && i <= 64 ? sealed.slice().reverse() : sealed)),
  );
  assert.is(opened.filter((is) => !is).length, 64);
});

// --- what is wrong in a log ---

const A = "a".repeat(64);
const GOOD = `HOP 25519_AESGCM_SHA256 ${A} ${"b".repeat(64)} ${"c".repeat(64)} ${"d".repeat(64)}`;

test("empty lines, comments and ends of lines as of Windows say nothing", () => {
  const keys = readKeyLog(`\r\n# ${A}\r\n\n${GOOD}\r\n#\n   \n`);
  assert.ok(keys.opener(A));
  assert.ok(keys.opener("b".repeat(64)));
  for (const nobody of ["", "c".repeat(64), "constructor", "__proto__", A.toUpperCase()]) {
    assert.is(keys.opener(nobody), undefined);
  }
  assert.ok(readKeyLog(GOOD).opener(A), "the last line needs no newline");
});

test("a line that is not right is refused by its number, and nothing of it is repeated", () => {
  const words = GOOD.split(" ");
  const without = (n: number, by = "") => words.map((w, i) => (i === n ? by : w)).join(" ");
  const wrong: readonly (readonly [line: string, said: string])[] = [
    [`CLIENT_RANDOM ${A} ${A}`, "does not begin with HOP"],
    [A, "does not begin with HOP"],
    [` ${GOOD}`, "does not begin with HOP"],
    ["HOP", "its suite is none of 25519_AESGCM_SHA256, 25519_ChaChaPoly_SHA256"],
    [without(1, "25519_AESGCM_SHA512"), "its suite is none of"],
    [without(1, "constructor"), "its suite is none of"],
    [without(2, A.slice(1)), "the initiator's ephemeral key is not 64 hexadecimal digits"],
    [without(3, A.toUpperCase()), "the responder's ephemeral key is not 64 hex"],
    [without(4, `${A}a`), "the key that the initiator sends with is not 64 hex"],
    [words.slice(0, 5).join(" "), "the key that the responder sends with is not 64 hex"],
    [GOOD.slice(0, -1), "the key that the responder sends with is not 64 hex"],
    [`${GOOD} ${A}`, "something stands behind its last key"],
  ];
  for (const [line, said] of wrong) {
    try {
      readKeyLog(`# first\n${GOOD}\n${line}\n`);
      assert.unreachable(line);
    } catch (error) {
      assert.instance(error, TypeError);
      const { message } = error as Error;
      assert.ok(message.startsWith("key log, line 3: "), message);
      assert.match(message, said);
      assert.is(/[0-9a-f]{32}/i.test(message), false, "no part of a key");
    }
  }
});

test("no text crashes the parser", () => {
  const word = fc.oneof(
    fc.constantFrom("HOP", "#", ...SUITES, A, "__proto__", "\u{1f511}", "\r", "\0"),
    fc.string({ maxLength: 70 }),
  );
  const line = fc.oneof(
    fc.array(word, { maxLength: 8 }).map((words) => words.join(" ")),
    fc.tuple(fc.nat(GOOD.length), fc.string()).map(([at, s]) => GOOD.slice(0, at) + s),
    fc.constant(GOOD),
  );
  const text = fc.array(line, { maxLength: 5 }).map((lines) => lines.join("\n"));
  fc.assert(
    fc.property(text, (said) => {
      try {
        readKeyLog(said).opener(A)?.open(new Uint8Array(40));
      } catch (error) {
        assert.instance(error, TypeError);
        assert.match((error as Error).message, /^key log, line \d+: /);
      }
    }),
    { numRuns: 300 },
  );
});

test.run();
