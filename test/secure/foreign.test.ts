// timeout: 120
/** A Noise of other people's makes every exported handshake with us, as either side, and talks. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Exchanger, hop, open, pair0, stack, xpair0 } from "../../runtime/index.js";
import { body, same } from "../laws/octets.js";
import { peerTest } from "../support/peers.js";
import { KEYS, optionsOf, PATTERNS, PSK, type Side, SUITES } from "./keys.js";

const test = suite("foreign hop");
/** Debian's own: only that one has dissononce. */
const PYTHON = "/usr/bin/python3";

const hex = (base64: string) => Buffer.from(base64, "base64").toString("hex");
/** Private keys of `KEYS`, as they were made. */
const PRIVATE = { dial: 1, listen: 2 } as const;

/** What the peer has, which is at the side that is not ours. */
function needs(pattern: string, theirs: Side): Record<string, string> {
  const ours = theirs === "dial" ? "listen" : "dial";
  if (pattern === "NNpsk0") return { psk: Buffer.from(PSK).toString("hex") };
  const s = Buffer.alloc(32, PRIVATE[theirs]).toString("hex");
  const knows = pattern === "KK" || (pattern === "IK" && theirs === "dial");
  return knows ? { s, rs: hex(KEYS[ours].publicKey) } : { s };
}

async function talk(socket: Exchanger, child: ChildProcess): Promise<void> {
  let said = "";
  child.stderr?.on("data", (text) => {
    said += text;
  });
  const gone = once(child, "close");
  const attached = new Promise<Uint8Array>((done, failed) => {
    socket.on("attached", ({ pipe }) => done(pipe.facts.hop?.handshakeHash as Uint8Array));
    socket.on("refused", ({ error }) => failed(error));
  });
  const hash = await attached;
  assert.ok(same(await socket.receive({ timeout: 10_000 }), hash), "both have the same hash");
  for (const n of [0, 1, 64, 32_766, 32_767, 65_514, 65_515, 200_000]) {
    await socket.send(body(n, n));
    assert.ok(same(await socket.receive({ timeout: 10_000 }), body(n, n)), `${n} octets: ${said}`);
  }
  for (let i = 0; i < 20; i++) await socket.send(body(10, i));
  for (let i = 0; i < 20; i++) assert.ok(same(await socket.receive(), body(10, i)));
  const detached: unknown[] = [];
  socket.on("detached", ({ error }) => detached.push(error));
  await socket.close();
  const [code] = await gone;
  assert.is(code, 0, said);
  assert.equal(detached, [undefined]);
}

for (const pattern of PATTERNS) {
  for (const suiteName of SUITES) {
    for (const side of ["dial", "listen"] as const) {
      peerTest(
        test,
        "dissononce",
        `${pattern}, ${suiteName}: we ${side}, dissononce does the other`,
        async () => {
          const theirs = side === "dial" ? "listen" : "dial";
          // Each has new keys at a pace of its own.
          const options = optionsOf(side, pattern, { suite: suiteName, rekey: { records: 3 } });
          const socket = open(stack(pair0(), xpair0(), hop(options)), { linger: 5000 });
          const given = JSON.stringify({
            pattern,
            suite: suiteName,
            records: 2,
            ...needs(pattern, theirs),
          });
          const start = (port: string) =>
            spawn(PYTHON, ["test/secure/peer.py", theirs, port, given], {
              stdio: ["ignore", "pipe", "pipe"],
            });
          let child: ChildProcess | undefined;
          try {
            if (side === "listen") {
              const { url } = await socket.listen("tcp://127.0.0.1:0");
              child = start(url.slice(url.lastIndexOf(":") + 1));
            } else {
              child = start("0");
              const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
              const [port] = await once(lines, "line");
              socket.dial(`tcp://127.0.0.1:${port}`);
            }
            await talk(socket, child);
          } finally {
            child?.kill();
            await socket.close();
          }
        },
      );
    }
  }
}

test.run();
