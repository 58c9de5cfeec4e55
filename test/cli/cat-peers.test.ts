/** `wirestack cat` against nngcat and nanocat. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { open, push } from "../../runtime/index.js";
import { abreast } from "../support/abreast.js";
import { peerTest } from "../support/peers.js";
import { ANY, bound, cat, LONG, MESSAGES, Program, Running } from "./running.js";

const test = abreast(suite<{ folder: string }>("cat with others"), 6);

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), "wirestack-"));
});
test.after(({ folder }) => {
  Running.stop();
  rmSync(folder, { recursive: true });
});

const FORMATS = ["quoted", "ascii", "raw", "hex", "msgpack"];

/** What a program that pulls at `url` prints of the messages. */
async function printed(puller: Running, url: string): Promise<string> {
  const socket = open(push());
  socket.dial(url);
  for (const m of [...MESSAGES, ...LONG]) await socket.send(m, { copy: true });
  assert.is(await puller.ended, 0, puller.err);
  await socket.close();
  return puller.out;
}

for (const format of FORMATS) {
  peerTest(test, "nngcat", `--${format} prints what nngcat's --${format} prints`, async (c) => {
    const theirs = `ipc://${join(c.folder, `theirs-${format}`)}`;
    const ours = cat("--pull", "--listen", ANY, `--${format}`, "--count", "6", "--verbose");
    const other = new Program("nngcat", ["--pull", "--listen", theirs, `--${format}`, "-C", "6"]);
    const out = await Promise.all([printed(ours, await bound(ours)), printed(other, theirs)]);
    assert.is(out[0], out[1]);
  });
}

interface Peer {
  readonly tool: string;
  readonly listen: string;
  readonly dial: string;
  /** How who is not heard by all says it again. */
  readonly again: readonly string[];
}
const PEERS: readonly Peer[] = [
  { tool: "nngcat", listen: "--listen", dial: "--dial", again: [] },
  { tool: "nanocat", listen: "--bind", dial: "--connect", again: ["-i", ".1"] },
];

for (const { tool, listen, dial, again } of PEERS) {
  const peer = (...args: string[]) => new Program(tool, args);

  peerTest(test, tool, `${tool} asks, and is asked`, async ({ folder }) => {
    const served = cat("--rep", "--listen", ANY, "--data", "pong", "-C", "1", "--verbose");
    // nanocat asks once and then waits for another reply, unless told when to end.
    const asks = peer("--req", dial, await bound(served), "--data", "ping", "--quoted");
    assert.is(await asks.until(({ out }) => /^.*\n/.exec(out)?.[0]), '"pong"\n');
    assert.equal([await served.ended, served.out], [0, '"ping"\n']);

    const url = `ipc://${join(folder, `${tool}-rep`)}`;
    peer("--rep", listen, url, "--data", "pong");
    const asked = cat("--req", "--dial", url, "--async", "--data", "ping");
    assert.equal([await asked.ended, asked.out], [0, '"pong"\n']);
  });

  peerTest(test, tool, `${tool} pushes, and pulls`, async ({ folder }) => {
    const pulled = cat("--pull", "--listen", ANY, "-C", "1", "--verbose");
    peer("--push", dial, await bound(pulled), "--data", "work");
    assert.equal([await pulled.ended, pulled.out], [0, '"work"\n']);

    const url = `ipc://${join(folder, `${tool}-pull`)}`;
    const pulls = peer("--pull", listen, url, "--quoted");
    const pushed = cat("--push", "--dial", url, "--async", "--data", "work");
    assert.is(await pulls.until(({ out }) => /^.*\n/.exec(out)?.[0]), '"work"\n');
    assert.is(await pushed.ended, 0);
  });

  peerTest(test, tool, `${tool} publishes, and subscribes`, async ({ folder }) => {
    const taken = cat("--sub", "--listen", ANY, "--subscribe", "n", "-C", "1", "--verbose");
    peer("--pub", dial, await bound(taken), "--data", "news", ...again);
    assert.equal([await taken.ended, taken.out], [0, '"news"\n']);

    const url = `ipc://${join(folder, `${tool}-sub`)}`;
    const takes = peer("--sub", listen, url, "--quoted", "--subscribe", "n");
    const told = cat("--pub", "--dial", url, "--async", "--data", "news");
    assert.is(await takes.until(({ out }) => /^.*\n/.exec(out)?.[0]), '"news"\n');
    assert.is(await told.ended, 0);
  });

  peerTest(test, tool, `${tool} surveys, and responds`, async ({ folder }) => {
    const served = cat("--respondent", "--listen", ANY, "--data", "here", "--verbose");
    const asks = peer("--surveyor", dial, await bound(served), "--data", "who?", "-Q", ...again);
    assert.is(await asks.until(({ out }) => /^.*\n/.exec(out)?.[0]), '"here"\n');
    assert.match(served.out, /^"who\?"\n/);

    const url = `ipc://${join(folder, `${tool}-respondent`)}`;
    peer("--respondent", listen, url, "--data", "here");
    const asked = cat("--surveyor", "--dial", url, "--async", "-D", "who?", "--recv-timeout", "1");
    assert.equal([await asked.ended, asked.out], [0, '"here"\n']);
  });

  const exchanges = [
    ["--pair0", tool === "nngcat" ? "--pair0" : "--pair"],
    ["--bus", "--bus"],
    ...(tool === "nngcat" ? [["--pair1", "--pair1"]] : []),
  ] as const;
  for (const [ours, theirs] of exchanges) {
    const role = ours.slice(2);
    peerTest(test, tool, `${tool} is its ${role}'s peer, whoever dials`, async ({ folder }) => {
      const one = cat(ours, "--listen", ANY, "--data", "ours", "-C", "1", "--verbose");
      const dials = peer(theirs, dial, await bound(one), "--data", "theirs", "-Q", ...again);
      assert.is(await dials.until(({ out }) => /^.*\n/.exec(out)?.[0]), '"ours"\n');
      assert.equal([await one.ended, one.out], [0, '"theirs"\n']);

      const url = `ipc://${join(folder, `${tool}-${role}`)}`;
      const listens = peer(theirs, listen, url, "--quoted");
      const two = cat(ours, "--dial", url, "--async", "--data", "ours");
      assert.is(await listens.until(({ out }) => /^.*\n/.exec(out)?.[0]), '"ours"\n');
      two.interrupt();
      assert.is(await two.ended, 0);
    });
  }
}

test.run();
