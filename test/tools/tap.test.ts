/** Taps at every joint of live sockets: what passed is in the capture, and was not changed by it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { dissect } from "../../runtime/dissect/index.js";
import {
  hop,
  integrity,
  open,
  pair0,
  type Stack,
  sp,
  spIpc,
  stack,
  tap,
  tcp,
  tls,
  ws,
  xpair0,
} from "../../runtime/index.js";
import type { Layer } from "../../runtime/layer.js";
import { check } from "../../runtime/stack.js";
import { nothingThrown } from "../hostile/calm.js";
import { body, joined, same } from "../laws/octets.js";
import { ca, shows } from "../support/certificates.js";
import { peerTest } from "../support/peers.js";
import { type Stage, staged } from "../support/stage.js";
import { until } from "../support/until.js";
import { type Capture, captured, messages, segmentOf, streamOf, unwrapped } from "./captured.js";

const test = nothingThrown(suite("tap"));

const folder = mkdtempSync(join(tmpdir(), "wirestack-"));
test.after(() => rmSync(folder, { recursive: true }));

type Tap = ReturnType<typeof tap>;

/** One tap that stands in every stack of this test, beside another, and so at every joint. */
const EVERYTHING = join(folder, "everything.pcapng");
const everything = tap(EVERYTHING);

/** A tap whose capture can be read at any time. */
class Listening {
  readonly #pieces: Uint8Array[] = [];
  readonly layer = tap({ to: (octets) => void this.#pieces.push(octets) });

  read(): Capture {
    return captured(joined(this.#pieces));
  }
}

const SIZES = [0, 1, 64, 65, 500, 20_000, 70_001];
const OUT = SIZES.map((n) => body(n, n + 1));
const IN = SIZES.map((n) => body(n + 3, n + 2));
/** One that nothing contains by chance. */
const mark = (bodies: readonly Uint8Array[]) => Buffer.from(bodies[4] as Uint8Array);

type Side = "dial" | "listen";
const client = { ca, servername: "localhost" };
const server = shows("localhost");
let names = 0;

/** Sends in both directions at a time, and closes; answers with the address. */
async function exchange(
  stage: Stage,
  scheme: string,
  of: (side: Side) => readonly Layer[],
): Promise<string> {
  const opened = (side: Side) => stage.open(check(of(side)) as Stack<"pair0">);
  const [near, far] = [opened("dial"), opened("listen")] as const;
  const options = (o: object) => (scheme === "tls+tcp" ? { tls: o } : {});
  const where = scheme === "inproc" ? `inproc://tap/${names++}` : stage.any(scheme as "tcp");
  const { url } = await far.listen(where, options(server));
  await near.dial(url, options(client)).ready;
  const give = async (to: typeof near, bodies: readonly Uint8Array[]) => {
    for (const b of bodies) await to.send(b);
  };
  const take = async (from: typeof near, bodies: readonly Uint8Array[]) => {
    for (const b of bodies) assert.ok(same(await from.receive(), b), "nothing is changed");
  };
  await Promise.all([give(near, OUT), give(far, IN), take(far, OUT), take(near, IN)]);
  await near.close();
  await far.close();
  return url;
}

const HOP = "hop@1(NNpsk0,25519_AESGCM_SHA256)";
const sealed = () => hop({ pattern: "NNpsk0", psk: new Uint8Array(32) });

/** Of a joint: what stands there, from the protocol down to where the address goes on. */
const JOINTS: Readonly<Record<string, (taps: readonly Tap[]) => readonly Layer[]>> = {
  port: (taps) => [...taps, pair0(), xpair0()],
  raw: (taps) => [pair0(), ...taps, xpair0()],
  link: (taps) => [pair0(), xpair0(), ...taps],
  "link above a hop": (taps) => [pair0(), xpair0(), ...taps, sealed()],
  "link below a hop": (taps) => [pair0(), xpair0(), sealed(), ...taps],
};

for (const scheme of ["inproc", "ipc", "tcp", "tls+tcp", "ws"] as const) {
  for (const [joint, of] of Object.entries(JOINTS)) {
    if (/tls|ws/.test(scheme) && joint !== "link") continue;
    test(
      `${joint}, ${scheme}: every message, in order, in the direction that it went`,
      staged(async (stage) => {
        const [near, far] = [new Listening(), new Listening()];
        const url = await exchange(stage, scheme, (side) =>
          of([(side === "dial" ? near : far).layer, everything]),
        );
        const below = joint === "link below a hop";
        // Of a hop: a handshake, and no more records than messages.
        const least = below ? 6 : 2 * SIZES.length;
        let [ours, theirs] = [near.read(), far.read()];
        await until("both ends to have told", () => {
          [ours, theirs] = [near.read(), far.read()];
          const [n, m] = [ours.packets.length, theirs.packets.length];
          return n >= least && m >= least && heard(ours, theirs);
        });
        for (const [gone, bodies] of [
          [messages(ours.packets, "out"), OUT],
          [messages(theirs.packets, "out"), IN],
        ] as const) {
          if (below) {
            assert.ok(!Buffer.concat(gone).includes(mark(bodies)), "sealed");
            continue;
          }
          assert.is(gone.length, bodies.length);
          assert.ok(gone.every((m, i) => same(m, bodies[i] as Uint8Array)));
        }
        described(ours, joint, scheme, url);
      }),
    );
  }
}

/** What was heard on either side is what was said on the other; the last words may have come too late. */
function heard(one: Capture, other: Capture): boolean {
  return [
    [one, other],
    [other, one],
  ].every(([from, to]) => {
    const said = messages((from as Capture).packets, "out");
    const came = messages((to as Capture).packets, "in");
    if (came.length > said.length) return false;
    assert.ok(came.every((m, i) => same(m, said[i] as Uint8Array)));
    return came.length >= said.length - 1;
  });
}

/** What the file says of this joint, on the side that dialed. */
function described({ places, packets }: Capture, joint: string, scheme: string, url: string): void {
  const [face] = joint.split(" ");
  const hopped = joint === "link below a hop";
  const flow = { "tap.joint": face, "sp.type": 16, ...(hopped ? { "sp.layers": HOP } : {}) };
  for (const place of places) {
    assert.is(place.link, 252);
    assert.equal([place.out, place.in], [flow, flow]);
    assert.match(place.stack, /\[tap\] > tap/);
  }
  assert.ok(packets.every((p) => unwrapped(p).by === (hopped ? "hop" : "data")));
  if (face !== "link") {
    const which = places.map((p) => p.name.replace(/\d+ .*/, "N"));
    assert.equal(which.sort(), ["pipe N", "socket"]);
    return assert.ok(packets.every((p) => (p.place.name === "socket") === (p.way === "out")));
  }
  assert.is(places.length, 1);
  const [place] = places;
  const rest = url.slice(url.indexOf("://") + 3);
  if (scheme === "inproc" || scheme === "ipc") {
    const at = scheme === "ipc" ? rest : url;
    assert.is(place?.name, `dial ${at} → ${at}`);
    assert.equal(place?.ends, [`${at} (dial)`, `${at} (listen)`]);
  } else {
    const [ours = "", theirs = ""] = place?.ends ?? [];
    assert.is(place?.name, `dial ${ours} → ${theirs}`);
    assert.match(ours, /^127\.0\.0\.1:\d+$/);
    assert.is(theirs, rest.split("/")[0]);
  }
}

/** Of octets: layers above the joint, and those below it that the stack has itself. */
type Lower = (side: Side) => readonly Layer[];
const OCTETS: Readonly<Record<string, readonly [scheme: string, above: Lower, below: Lower]>> = {
  tcp: ["tcp", () => [sp()], () => []],
  ipc: ["ipc", () => [spIpc()], () => []],
  "inside TLS": ["tls+tcp", () => [sp()], () => []],
  "outside TLS": ["tcp", (side) => [sp(), tls(side === "dial" ? client : server)], () => [tcp()]],
  ws: ["ws", () => [ws()], () => [tcp()]],
  "between WebSocket and TLS": [
    "ws",
    () => [ws()],
    (side) => [tls(side === "dial" ? client : server), tcp()],
  ],
};

/** Both sides have said the end. */
const over = ({ packets }: Capture) => packets.filter((p) => segmentOf(p).flags & 1).length === 2;

for (const [name, [scheme, above, below]] of Object.entries(OCTETS)) {
  test(
    `octets, ${name}: a whole conversation`,
    staged(async (stage) => {
      const [near, far] = [new Listening(), new Listening()];
      await exchange(stage, scheme, (side) => {
        const taps = [(side === "dial" ? near : far).layer, everything];
        return [pair0(), xpair0(), ...above(side), ...taps, ...below(side)];
      });
      let [ours, theirs] = [near.read(), far.read()];
      await until("both ends to have told", () => {
        [ours, theirs] = [near.read(), far.read()];
        return over(ours) && over(theirs);
      });
      for (const [said, came, bodies] of [
        [streamOf(ours.packets, "out"), streamOf(theirs.packets, "in"), OUT],
        [streamOf(theirs.packets, "out"), streamOf(ours.packets, "in"), IN],
      ] as const) {
        assert.ok(came.length > 90_000 && same(said.subarray(0, came.length), came));
        // A client of WebSocket's masks what it says.
        const hidden = name === "outside TLS" || (scheme === "ws" && bodies === OUT);
        assert.is(Buffer.from(said).includes(mark(bodies)), !hidden);
      }
      const [place, ...others] = ours.places;
      assert.is(others.length, 0);
      assert.equal(
        [place?.link, place?.out, place?.in],
        [101, { "sp.type": 16 }, { "sp.type": 16 }],
      );
    }),
  );
}

test("dissect finds every message of a conversation again", async () => {
  const file = join(folder, "dissected.pcapng");
  const layer = tap(file);
  await staged((stage) =>
    exchange(stage, "tcp", (side) =>
      side === "dial" ? [pair0(), xpair0(), sp(), layer] : [pair0(), xpair0()],
    ).then(() => {}),
  )();
  await until("the file to be whole", () => over(captured(new Uint8Array(readFileSync(file)))));
  const found: Uint8Array[] = [];
  for await (const frame of dissect(file)) {
    assert.equal(frame.remarks, []);
    for (const m of frame.messages) found.push(m.payload);
  }
  assert.is(found.length, OUT.length + IN.length);
  for (const b of [...OUT, ...IN]) assert.ok(found.some((m) => same(m, b)));
});

test("a stack's layers are told from its headers: those of the connection, and those end to end", async () => {
  const ear = new Listening();
  const keys = [{ id: 1, secret: new Uint8Array(32) }];
  const [near, far] = [
    open(stack(integrity({ keys }), pair0(), xpair0(), sealed(), ear.layer)),
    open(stack(integrity({ keys }), pair0(), xpair0(), sealed())),
  ];
  await far.listen("inproc://tap/told");
  await near.dial("inproc://tap/told").ready;
  await near.close();
  await far.close();
  await until("it to have told", () => ear.read().packets.length > 0);
  const [place] = ear.read().places;
  assert.is(place?.stack, "integrity > pair0 > xpair0 > hop > [tap] > inproc");
  const flow = {
    "tap.joint": "link",
    "sp.type": 16,
    "sp.layers": HOP,
    "sp.body": "integrity.trailer",
  };
  assert.equal(place?.out, flow);
});

peerTest(test, "tshark", "tshark reads all of it without complaint", () => {
  const options = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"];
  const fields = [
    "frame.protocols",
    "tcp.checksum.status",
    "ip.checksum.status",
    "tcp.analysis.flags",
    "_ws.malformed",
    "_ws.expert.severity",
  ].flatMap((name) => ["-e", name]);
  const { status, stdout, stderr } = spawnSync(
    "tshark",
    ["-n", ...options, "-r", EVERYTHING, "-T", "fields", ...fields],
    { encoding: "utf8", maxBuffer: 1 << 26 },
  );
  // It warns of root, whoever that is.
  const said = stderr.split("\n").filter((line) => !/^(Running as user .*|)$/.test(line));
  assert.equal([status, said], [0, []]);
  const rows = stdout.split("\n").slice(0, -1);
  assert.is(rows.length, captured(new Uint8Array(readFileSync(EVERYTHING))).packets.length);
  for (const row of rows) {
    const [protocols = "", ...found] = row.split("\t");
    const checked = /^raw:ip:tcp/.test(protocols) ? ["1", "1"] : ["", ""];
    assert.equal(found.slice(0, 4), [...checked, "", ""], row);
    // Chats tell of connections that begin and end; from warnings on something is wrong.
    const severities = (found[4] ?? "").split(",").map(Number);
    assert.ok(Math.max(...severities) < 0x600000, row);
  }
  assert.ok(rows.some((row) => row.startsWith("exported_pdu")));
  assert.ok(rows.some((row) => row.startsWith("raw:ip:tcp")));
});

test.run();
