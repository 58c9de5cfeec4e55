/** What a tap writes, when, and to which file; and that nothing which goes wrong with that harms what passes. */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Message,
  node,
  open,
  pair0,
  StackError,
  SystemError,
  sp,
  stack,
  tap,
  web,
  xpair0,
} from "../../runtime/index.js";
import { layerChecks } from "../../runtime/kit/index.js";
import { body, joined } from "../../runtime/kit/octets.js";
import { watch } from "../../runtime/kit/spy.js";
import { nodeFiles } from "../../runtime/node-files.js";
import { same } from "../laws/octets.js";
import { RUNS } from "../laws/runs.js";
import { staged } from "../support/stage.js";
import {
  type Capture,
  captured,
  messages,
  type Packet,
  segmentOf,
  streamOf,
  unwrapped,
} from "./captured.js";
import { Desk, Tapped } from "./desk.js";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;
const EMPTY = new Uint8Array(0);

const test = suite("tap, its file");

const FILE = "captures.old/traffic.pcapng";
const of = (n: number, from = 0): Uint8Array[] =>
  Array.from({ length: n }, (_, i) => body(100 + (i % 7), from + i + 1));
const equal = (a: readonly Uint8Array[], b: readonly Uint8Array[]) =>
  a.length === b.length && a.every((x, i) => same(x, b[i] as Uint8Array));

// ---------------------------------------------------------------------------------- when it is written

test("what waits is written 10 ms after it came, when a buffer is full, and when nobody uses it any more", () => {
  const desk = new Desk();
  const pipe = new Tapped(desk, tap(FILE), "link");
  const written = () => captured(desk.read(FILE)).packets.length;
  pipe.pass(...of(2));
  desk.advance(9);
  assert.is(written(), 0);
  desk.advance(1);
  assert.is(written(), 2);
  assert.is(desk.armed, 0, "nothing waits, and nobody is waked");
  pipe.pass(...of(500));
  assert.ok(written() > 300, "64 KiB do not wait");
  pipe.pass(body(200_000, 1));
  assert.is(written(), 503, "what is longer than the buffer is written at once, and whole");
  pipe.pass(...of(3));
  pipe.close();
  assert.is(written(), 506);
  assert.equal([desk.opened, desk.armed, desk.lasts.size, desk.names.size], [0, 0, 0, 0]);
});

test("what waits when the process ends is written", () => {
  const desk = new Desk();
  const pipe = new Tapped(desk, tap(FILE), "link");
  pipe.pass(...of(2));
  for (const f of desk.lasts) f();
  assert.ok(equal(messages(captured(desk.read(FILE)).packets, "out"), of(1)));
});

test("times are nanoseconds since 1970, and do not go back when the clock is set", () => {
  const desk = new Desk();
  const pipe = new Tapped(desk, tap(FILE), "link");
  const start = BigInt(desk.wall) * 1_000_000n;
  pipe.pass(...of(1));
  desk.wall -= 3_600_000;
  desk.advance(0.000_123);
  pipe.pass(...of(1));
  desk.advance(90 * 86_400_000);
  pipe.pass(...of(1));
  pipe.close();
  const [a, b, c] = captured(desk.read(FILE)).packets.map((p) => p.time - start);
  assert.equal([a, b], [0n, 123n]);
  assert.ok(Number(c) - 90 * 86_400e9 < 1000);
});

test("it says which version wrote it", () => {
  const desk = new Desk();
  const pipe = new Tapped(desk, tap(FILE), "link");
  pipe.pass(...of(1));
  pipe.close();
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  assert.is(captured(desk.read(FILE)).application, `wirestack ${version}`);
});

test("only this user may read it", () => {
  const desk = new Desk();
  new Tapped(desk, tap(FILE), "link").close();
  assert.is(desk.modes.get(FILE), 0o600);
});

// ------------------------------------------------------------------------------------------ one message

test("a packet has all octets of its message: headers in the window, and a body of others'", () => {
  const desk = new Desk();
  const pipe = new Tapped(desk, tap(FILE), "link");
  const lengths = [0, 3, 128, 129, 5000, 80_000];
  const whole = lengths.map((n) => {
    const m = Message.of(body(n, 7));
    m.rest = [body(n + 1, 8), body(0, 1), body(n + 2, 9)];
    const octets = joined(m.segments());
    pipe.element.down(m);
    return octets;
  });
  pipe.close();
  assert.ok(equal(messages(captured(desk.read(FILE)).packets, "out"), whole));
  assert.ok(
    equal(
      pipe.down.map((m) => joined(m.segments())),
      whole,
    ),
  );
});

test("of a longer one 256 KiB are kept, as Wireshark reads no more", () => {
  const desk = new Desk();
  const pipe = new Tapped(desk, tap(FILE), "link");
  const m = Message.of(body(1_000_000, 1));
  m.rest = [body(10, 1)];
  pipe.element.up(m);
  pipe.pass(...of(1));
  pipe.close();
  const [long, short] = captured(desk.read(FILE)).packets as [Packet, Packet];
  assert.is(long.octets.length, 256 * 1024);
  const { octets } = unwrapped(long);
  assert.is(long.length - long.octets.length, 1_000_010 - octets.length);
  assert.ok(same(octets, body(1_000_000, 1).subarray(0, octets.length)));
  assert.ok(same(unwrapped(short).octets, of(1)[0] as Uint8Array));
});

test("names may be longer than any capture holds", () => {
  const desk = new Desk();
  const facts = { local: "a".repeat(200_000), remote: "b".repeat(200_000) };
  const pipe = new Tapped(desk, tap(FILE), "octets", "dial", facts);
  pipe.pass(...of(2));
  pipe.close();
  assert.equal([desk.reported, pipe.down.length, pipe.up.length], [[], 1, 1]);
  assert.ok(desk.read(FILE).length < 70_000);
});

test("passing costs no buffer of its own, and the very messages go on", () => {
  for (const joint of ["link", "octets"] as const) {
    const desk = new Desk();
    const pipe = new Tapped(desk, tap({ file: FILE, limit: 1 << 20 }), joint);
    const all = of(200);
    pipe.pass(...all);
    const each = all.map((octets) => Message.of(octets));
    const spy = watch();
    for (const m of each) pipe.element.down(m);
    for (const m of each) pipe.element.up(m);
    spy.close();
    // What is written is the disk's, which keeps a copy.
    assert.ok(spy.allocations.filter((n) => n < 60_000).length === 0, joint);
    assert.ok(each.every((m, i) => pipe.down[100 + i] === m && pipe.up[100 + i] === m));
  }
});

// -------------------------------------------------------------------------------------------- rotation

/** Files of one rotation, the oldest first, each whole by itself. */
function rotated(desk: Desk, files: number): Capture[] {
  const paths = [...desk.disk.keys()];
  const older = Array.from(
    { length: files - 1 },
    (_, i) => `captures.old/traffic.${files - 1 - i}.pcapng`,
  );
  assert.equal(paths.sort(), [...older, FILE].sort());
  return [...older, FILE].map((path) => captured(desk.read(path)));
}

test("a full file makes room for the next one, between two packets: nothing is lost or doubled", () => {
  const desk = new Desk();
  const limit = 10_000;
  const layer = tap({ file: FILE, limit, files: 100 });
  const [one, two] = [new Tapped(desk, layer, "link"), new Tapped(desk, layer, "link", "listen")];
  const [first, second] = [of(300), of(300, 1000)];
  for (const [i, octets] of first.entries()) {
    one.pass(octets);
    two.pass(second[i] as Uint8Array);
  }
  one.close();
  two.close();
  const files = rotated(desk, desk.disk.size);
  assert.ok(files.length > 5);
  const packets = files.flatMap((f) => f.packets);
  const by = (verb: string) => packets.filter((p) => p.place.name.startsWith(verb));
  assert.ok(equal(messages(by("dial"), "out"), first));
  assert.ok(equal(messages(by("listen"), "out"), second));
  for (const f of files) assert.equal([f.sections, f.places.length], [1, 2]);
  const sizes = [...desk.disk.keys()].map((path) => desk.read(path).length);
  assert.ok(sizes.every((n) => n <= limit));
  assert.ok(sizes.filter((n) => n > limit - 1000).length >= files.length - 1, "and they are full");
});

test("who is silent is not described again in files that know nothing of it", () => {
  const desk = new Desk();
  const layer = tap({ file: FILE, limit: 5000, files: 100 });
  const [silent, one] = [
    new Tapped(desk, layer, "link", "listen"),
    new Tapped(desk, layer, "link"),
  ];
  silent.pass(...of(1));
  one.pass(...of(100));
  const files = rotated(desk, desk.disk.size);
  assert.equal([files[0]?.places.length, files[1]?.places.length], [2, 1]);
});

for (const [files, kept] of [
  [1, 1],
  [2, 2],
  [4, 4],
] as const) {
  test(`of ${files} files the oldest has to go`, () => {
    const desk = new Desk();
    const pipe = new Tapped(desk, tap({ file: FILE, limit: 2000, files }), "link");
    const all = of(200);
    pipe.pass(...all);
    pipe.close();
    const packets = rotated(desk, kept).flatMap((f) => f.packets);
    assert.ok(packets.length > kept && packets.length < 100);
    const out = messages(packets, "out");
    assert.ok(
      equal(out, all.filter((_, i) => i % 2 === 0).slice(-out.length)),
      "the newest are there",
    );
  });
}

test("a file that somebody tidied up is not missed", () => {
  const desk = new Desk();
  const pipe = new Tapped(desk, tap({ file: FILE, limit: 2000, files: 3 }), "link");
  pipe.pass(...of(40));
  desk.disk.delete("captures.old/traffic.1.pcapng");
  pipe.pass(...of(40));
  assert.equal(desk.reported, []);
});

test("a file holds one packet at least, however low the limit", () => {
  const desk = new Desk();
  const pipe = new Tapped(desk, tap({ file: FILE, limit: 1, files: 10 }), "link");
  pipe.pass(...of(5));
  pipe.close();
  assert.equal(
    rotated(desk, 5).map((f) => f.packets.length),
    [1, 1, 1, 1, 1],
  );
});

test("with an infinite limit there is one file", () => {
  const desk = new Desk();
  const pipe = new Tapped(desk, tap({ file: FILE, limit: Infinity }), "link");
  for (let i = 0; i < 300; i++) pipe.pass(body(256 * 1024, i));
  pipe.close();
  assert.equal([...desk.disk.keys()], [FILE]);
  assert.ok(desk.read(FILE).length > 64 << 20);
});

test("a conversation that goes on in another file has its handshake there, its first octets, and goes on where it was", () => {
  const desk = new Desk();
  const layer = tap({ file: FILE, limit: 20_000, files: 100 });
  const pipe = new Tapped(desk, layer, "octets", "listen");
  const all = of(1000);
  pipe.pass(...all);
  pipe.close();
  const files = rotated(desk, desk.disk.size);
  assert.ok(files.length > 5);
  const said = {
    out: joined(all.filter((_, i) => i % 2 === 0)),
    in: joined(all.filter((_, i) => i % 2 === 1)),
  };
  const found = { out: new Uint8Array(said.out.length), in: new Uint8Array(said.in.length) };
  const seen = { out: 0, in: 0 };
  for (const { packets, places } of files) {
    assert.is(places.length, 1);
    const segments = packets.map((p) => ({ way: p.way, ...segmentOf(p) }));
    assert.equal(
      segments.slice(0, 3).map((s) => [s.way, s.flags]),
      [
        ["in", 2],
        ["out", 18],
        ["in", 16],
      ],
    );
    for (const way of ["out", "in"] as const) {
      const own = segments.filter((s) => s.way === way);
      const begin = own[0]?.sequence ?? 0;
      const data = own.filter((s) => s.payload.length > 0);
      for (const [i, s] of data.entries()) {
        const at = (s.sequence - begin - 1) >>> 0;
        assert.ok(same(s.payload, said[way].subarray(at, at + s.payload.length)));
        if (i === 0) assert.is(at, 0, "the first octets are there");
        else if (at < seen[way]) assert.unreachable("only the first octets are there twice");
        found[way].set(s.payload, at);
        seen[way] = Math.max(seen[way], at + s.payload.length);
      }
    }
  }
  assert.ok(same(found.out, said.out) && same(found.in, said.in), "all files together have all");
  assert.ok([...desk.disk.keys()].every((path) => desk.read(path).length <= 20_000));
});

// --------------------------------------------------------------------------------------- what goes wrong

test("a write that fails is told once, and harms nobody: everything passes, nothing is written", () => {
  for (const joint of ["raw", "link", "octets"] as const) {
    const desk = new Desk();
    const pipe = new Tapped(desk, tap(FILE), joint);
    desk.room = 5000;
    const all = of(2000);
    pipe.pass(...all);
    desk.advance(100);
    assert.is(desk.reported.length, 1);
    assert.match(
      String(desk.reported[0]),
      /SystemError: write captures.old\/traffic.pcapng: ENOSPC/,
    );
    assert.equal([pipe.down.length, pipe.up.length], [1000, 1000]);
    desk.room = Infinity;
    pipe.pass(...of(2000));
    pipe.element.control({ type: "close" });
    pipe.close();
    assert.ok(desk.read(FILE).length <= 5000);
    assert.equal([desk.reported.length, desk.armed, desk.opened, desk.lasts.size], [1, 0, 0, 0]);
  }
});

test("so is a next file that cannot be begun", () => {
  const desk = new Desk();
  const pipe = new Tapped(desk, tap({ file: FILE, limit: 2000 }), "link");
  pipe.pass(...of(2));
  desk.barred.add(FILE);
  pipe.pass(...of(100));
  assert.match(
    desk.reported.map(String).join(),
    /^SystemError: open captures.old\/traffic.pcapng: EACCES$/,
  );
  assert.is(pipe.down.length + pipe.up.length, 102);
  pipe.close();
  assert.is(desk.opened, 0);
});

test("so is a function that throws; what it sends through the same tap is not captured", () => {
  const desk = new Desk();
  const pieces: Uint8Array[] = [];
  let pipe: Tapped | undefined;
  let broken = false;
  const layer = tap({
    to(octets) {
      if (broken) throw new Error("enough");
      pieces.push(octets);
      pipe?.pass(body(9, 9));
    },
  });
  pipe = new Tapped(desk, layer, "link");
  pipe.pass(...of(3));
  desk.advance(10);
  pipe.pass(...of(1, 50));
  desk.advance(10);
  assert.ok(
    equal(
      captured(joined(pieces)).packets.map((p) => unwrapped(p).octets),
      [...of(3), ...of(1, 50)],
    ),
  );
  broken = true;
  pipe.pass(...of(1));
  desk.advance(10);
  assert.is(desk.reported.map(String).join(), "Error: enough");
  pipe.pass(...of(1));
  desk.advance(10);
  pipe.close();
  assert.is(desk.reported.length, 1);
});

test("pieces belong to whoever takes them", () => {
  const desk = new Desk();
  const pieces: Uint8Array[] = [];
  const pipe = new Tapped(desk, tap({ to: (octets) => void pieces.push(octets) }), "octets");
  for (const octets of of(20)) {
    pipe.pass(octets);
    desk.advance(10);
  }
  pipe.close();
  assert.ok(same(streamOf(captured(joined(pieces)).packets, "out"), joined(of(20))));
});

const missing = "/no/such/folder/traffic.pcapng";
const refused = (e: unknown) =>
  e instanceof SystemError && e.system === "ENOENT" && e.message === `open ${missing}: ENOENT`;
const rejects = async (p: Promise<unknown>, expected: (e: unknown) => boolean) => {
  const error = await p.then(
    () => undefined,
    (e) => e,
  );
  assert.ok(expected(error), String(error));
};

test(
  "a file that cannot be written is told by open, dial or listen",
  staged(async (stage) => {
    assert.throws(() => open(stack(tap(missing), pair0(), xpair0())), refused);
    assert.throws(() => open(stack(pair0(), tap(missing), xpair0())), refused);
    const below = stage.open(stack(pair0(), xpair0(), tap(missing)));
    assert.throws(() => below.dial("inproc://nobody"), refused);
    await rejects(below.listen("inproc://nobody"), refused);
    const lower = stage.open(stack(pair0(), xpair0(), sp(), tap(missing)));
    assert.throws(() => lower.dial("tcp://127.0.0.1:1"), refused);
    await rejects(lower.listen("tcp://127.0.0.1:0"), refused);
  }),
);

test("where there are no files, a tap says what to give it", () => {
  const layer = tap(FILE);
  assert.throws(
    () => layer.check?.("dial", web),
    /'tap' writes a file, and there are none here: give it 'to'/,
  );
  assert.throws(
    () => open(stack(tap(FILE), pair0(), xpair0()), { env: web }),
    (e: unknown) => e instanceof StackError,
  );
});

test("a file that another tap writes is refused, and free when that one is through", () => {
  const desk = new Desk();
  const [one, two] = [tap(FILE), tap(`./${FILE}`)];
  const said =
    /another tap\(\) writes '.\/captures.old\/traffic.pcapng': use the same one here, or another file/;
  one.check?.("listen", desk);
  assert.throws(() => two.check?.("listen", desk), said);
  const pipe = new Tapped(desk, one, "link");
  pipe.pass(...of(2));
  assert.throws(() => new Tapped(desk, two, "raw"), said);
  // On a connection that comes later there is nobody to throw at.
  const late = new Tapped(desk, two, "link");
  late.pass(...of(2));
  assert.match(desk.reported.map(String).join(), said);
  late.close();
  pipe.close();
  assert.is(captured(desk.read(FILE)).packets.length, 2);
  const three = new Tapped(desk, tap(FILE), "link");
  three.pass(...of(1));
  three.close();
  assert.is(captured(desk.read(FILE)).packets.length, 1, "what was there is replaced");
});

test("node's files have one name, however a path is written", () => {
  for (const path of ["traffic.pcapng", "./traffic.pcapng", "captures/../traffic.pcapng"]) {
    assert.is(nodeFiles.whole(path), resolve("traffic.pcapng"));
  }
});

// ---------------------------------------------------------------------------------------- one tap, many

test("a tap that is used again goes on in its file, in a section of its own", () => {
  const desk = new Desk();
  const layer = tap({ file: FILE, limit: 5000, files: 100 });
  layer.check?.("dial", desk);
  const all = of(60);
  for (let i = 0; i < 60; i += 10) {
    layer.check?.("dial", desk);
    const pipe = new Tapped(desk, layer, "link");
    pipe.pass(...all.slice(i, i + 10));
    pipe.close();
  }
  const files = rotated(desk, desk.disk.size);
  assert.ok(files.length > 1 && files.some((f) => f.sections > 1));
  const packets = files.flatMap((f) => f.packets);
  assert.ok(
    equal(
      packets.map((p) => unwrapped(p).octets),
      all,
    ),
  );
  assert.ok([...desk.disk.keys()].every((path) => desk.read(path).length <= 5000));
});

test("connections have no two conversations of the same addresses at a time, and begin to count elsewhere", () => {
  const desk = new Desk();
  const layer = tap(FILE);
  // Both ends of one connection, which are the same addresses; and two that have none.
  const dialed = { local: "127.0.0.1:40000", remote: "127.0.0.1:5555" };
  const accepted = { local: dialed.remote, remote: dialed.local };
  const path = { local: "/tmp/x", remote: "/tmp/x" };
  const six = { local: "[::1]:40000", remote: "[fe80::2%eth0]:5555" };
  const mapped = { local: "[::ffff:10.0.0.1]:40000", remote: "10.0.0.2:80" };
  const all = [
    ["dial", dialed],
    ["listen", accepted],
    ["dial", path],
    ["listen", path],
    ["dial", six],
    ["dial", mapped],
    ["dial", {}],
    ["dial", { local: "127.0.0.1:99999", remote: "127.0.0.1:1" }],
    ["dial", { local: "1.2.3.4.5:1", remote: "[1:2:x::]:1" }],
  ] as const;
  const pipes = all.map(([side, facts]) => new Tapped(desk, layer, "octets", side, facts));
  for (const pipe of pipes) pipe.pass(...of(4));
  for (const pipe of pipes) pipe.close();
  const again = new Tapped(desk, layer, "octets", "dial", dialed);
  again.pass(...of(4));
  again.close();
  const { packets, places } = captured(desk.read(FILE));
  const first = places.map((place) => segmentOf(packets.find((p) => p.place === place) as Packet));
  assert.equal(
    first.map((s) => `${s.from} ${s.to}`),
    [
      "127.0.0.1:40000 127.0.0.1:5555",
      "127.0.0.1:49152 127.0.0.1:1",
      "127.0.0.1:49153 127.0.0.1:1",
      "127.0.0.1:49154 127.0.0.1:1",
      `${"0.".repeat(15)}1:40000 254.128.${"0.".repeat(13)}2:5555`,
      "10.0.0.1:40000 10.0.0.2:80",
      "127.0.0.1:49155 127.0.0.1:1",
      "127.0.0.1:49156 127.0.0.1:1",
      "127.0.0.1:49157 127.0.0.1:1",
      "127.0.0.1:40000 127.0.0.1:5555",
    ],
  );
  for (const place of places) {
    const own = packets.filter((p) => p.place === place);
    assert.ok(same(streamOf(own, "out"), joined(of(4).filter((_, i) => i % 2 === 0))));
    assert.ok(same(streamOf(own, "in"), joined(of(4).filter((_, i) => i % 2 === 1))));
  }
  assert.is(new Set(first.map((s) => s.sequence)).size, first.length);
  assert.equal(places.at(2)?.ends, ["/tmp/x (dial)", "/tmp/x (listen)"]);
  assert.equal(places.at(3)?.ends, ["/tmp/x (listen)", "/tmp/x (dial)"]);
  assert.equal(places.at(6)?.ends, ["(dial)", "(listen)"]);
});

test("who says the end first says it first", () => {
  for (const [ours, way] of [
    [true, "out"],
    [false, "in"],
  ] as const) {
    const desk = new Desk();
    const pipe = new Tapped(desk, tap(FILE), "octets");
    pipe.pass(...of(2));
    if (ours) pipe.element.control({ type: "end" });
    pipe.close();
    const last = captured(desk.read(FILE)).packets.slice(-3);
    assert.equal(
      last.map((p) => segmentOf(p).flags),
      [17, 17, 16],
    );
    assert.is(last[0]?.way, way);
  }
});

test("100,000 connections leave nothing behind", () => {
  const desk = new Desk();
  let octets = 0;
  const layer = tap({
    to(piece) {
      octets += piece.length;
    },
  });
  const stays = new Tapped(desk, layer, "link");
  const short = (n: number) => {
    for (let i = 0; i < n; i++) {
      const facts = { local: `10.0.${i >> 8}.1:${40_000 + (i & 255)}`, remote: "10.1.0.1:5555" };
      const pipe = new Tapped(desk, layer, i % 2 === 0 ? "link" : "octets", "dial", facts);
      pipe.pass(EMPTY);
      pipe.close();
    }
  };
  short(20_000);
  gc();
  const before = process.memoryUsage().heapUsed;
  short(80_000);
  gc();
  const more = process.memoryUsage().heapUsed - before;
  assert.ok(more < 2 ** 20, `${more} octets more`);
  assert.ok(octets > 40_000_000);
  stays.close();
});

test("neither do connections of a socket, above the protocol", () => {
  const desk = new Desk();
  const pieces: Uint8Array[] = [];
  const { element } = new Tapped(
    desk,
    tap({ to: (p) => void pieces.push(p) }),
    "raw",
    "dial",
    undefined,
  );
  const pipes = [1, 2].map((number) => ({
    number,
    facts: { local: `/tmp/${number}`, remote: "/tmp/x" },
  }));
  for (const pipe of pipes) element.event({ type: "attached", pipe });
  const from = (pipe: object | undefined) => {
    const m = Message.of(body(5, 5));
    m.pipe = pipe;
    element.up(m);
  };
  for (const pipe of pipes) from(pipe);
  element.event({ type: "detached", pipe: pipes[0] as object });
  for (const pipe of [...pipes, undefined]) from(pipe);
  element.control({ type: "close" });
  const names = captured(joined(pieces)).packets.map((p) => p.place.name);
  const [one, two] = ["pipe 1 /tmp/1 → /tmp/x", "pipe 2 /tmp/2 → /tmp/x"];
  assert.equal(names, [one, two, "socket", two, "socket"]);
  const ends = captured(joined(pieces)).places.map((p) => p.ends);
  assert.equal(ends, [
    ["/tmp/1", "/tmp/x"],
    ["/tmp/2", "/tmp/x"],
    ["socket", "pipes"],
  ]);
});

// ------------------------------------------------------------------------------------------- as a layer

test("it passes on what it does not know, and shows the octets to who would borrow", () => {
  for (const joint of ["raw", "link", "octets"] as const) {
    const pipe = new Tapped(new Desk(), tap({ to() {} }), joint);
    pipe.element.control({ type: "acme.unknown" } as never);
    pipe.element.event({ type: "acme.unknown" } as never);
    assert.equal(
      [pipe.controls.at(-1)?.type, pipe.events.at(-1)?.type],
      Array(2).fill("acme.unknown"),
    );
  }
  const pipe = new Tapped(new Desk(), tap({ to() {} }), "octets");
  let lent: unknown = "nothing said";
  pipe.element.control({ type: "lend", to: (duplex) => (lent = duplex) });
  assert.equal([lent, pipe.controls], [undefined, []]);
});

test("a stack prints it as any other layer, and may end in it", () => {
  assert.is(
    stack(pair0(), xpair0(), tap(FILE)).toString(),
    [
      "pair0   raw → pair0",
      "xpair0  link → raw",
      "tap     any → same",
      "room 0 before, 0 behind; scatter; stands on 'link'",
    ].join("\n"),
  );
  assert.match(stack(tap(FILE)).toString(), /stands on 'any'$/);
});

const bad: readonly [name: string, given: unknown, said: RegExp][] = [
  ["nothing", {}, /tap takes a file's path, or 'to': a function of octets; one of them/],
  ["both", { file: "x", to() {} }, /one of them/],
  ["no path", "", /file is a path; not nothing/],
  ["no text", { file: 5 }, /file is a path; not 5/],
  ["no function", { to: "x" }, /to is a function of octets; not x/],
  ["a limit of nothing", { file: "x", limit: 0 }, /limit is a whole number, 1 or more; not 0/],
  ["no file at all", { file: "x", files: 0 }, /files is a whole number, 1 or more; not 0/],
  [
    "a limit of a function's",
    { to() {}, limit: 5 },
    /limit and files are for a file, not for 'to'/,
  ],
  ["another name", { path: "x" }, /tap has no option 'path'; it has file, limit, files, to/],
  ["none", undefined, /tap takes options: an object; not undefined/],
];

for (const [name, given, said] of bad) {
  test(`${name} is refused in a sentence`, () => assert.throws(() => tap(given as never), said));
}

test(
  "a file of the system's is for this user alone, and whole",
  staged(async (stage) => {
    const file = stage.path();
    const layer = tap(file);
    layer.check?.("dial", node);
    const pipe = new Tapped(
      Object.assign(new Desk(), { files: node.files }),
      tap(stage.path()),
      "link",
    );
    pipe.close();
    assert.is(statSync(file).mode & 0o777, 0o600);
  }),
);

/** What it writes for each message is given away: that is measured above. */
const others = Object.assign((name: string, run: Parameters<typeof test>[1]) => {
  if (!name.includes("more memory")) test(name, run);
}, test) as typeof test;
for (const face of ["octets", "link", "ports"] as const) {
  // Into what is to be written, and from there to whoever takes it.
  const checks = layerChecks({ ...RUNS, make: () => tap({ to() {} }), face, copies: 3 });
  for (const { name, run } of checks) others(`on ${face}, ${name}`, run);
}

test.run();
