/** `wirestack cat` against our own sockets. */
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { formats } from "../../runtime/cli/echo.js";
import { dissect } from "../../runtime/dissect/index.js";
import {
  type Listener,
  open,
  type Port,
  pair0,
  pair1,
  pub,
  pull,
  push,
  rep,
  req,
  respondent,
  sub,
} from "../../runtime/index.js";
import { abreast } from "../support/abreast.js";
import { pathOf, shows } from "../support/certificates.js";
import { ANY, bound, cat, LONG, MESSAGES, Running, wirestack } from "./running.js";

const test = abreast(suite<{ folder: string }>("cat"), 8);

const text = (body: Uint8Array) => Buffer.from(body).toString("latin1");

/** A socket of ours at a free port, for as long as `use` takes. */
async function at<P extends Port>(
  socket: P,
  use: (url: string, socket: P) => Promise<void>,
): Promise<void> {
  const { url }: Listener = await socket.listen(ANY);
  await use(url, socket).finally(() => socket.close());
}

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), "wirestack-"));
});
test.after(({ folder }) => {
  Running.stop();
  rmSync(folder, { recursive: true });
});

test("REQ asks as often as it is told, and prints the replies", async () => {
  await at(open(rep()), async (url, socket) => {
    const asked: string[] = [];
    socket.serve((body) => `${asked.push(text(body))}!`);
    const once = cat("--req", "--dial", url, "--data", "ping");
    assert.equal([await once.ended, once.out, once.err], [0, '"1!"\n', ""]);
    const thrice = cat("--req0", "--connect", url, "-D", "ping", "-C", "3", "-i", "0.05", "-A");
    assert.equal([await thrice.ended, thrice.out], [0, "2!3!4!"]);
    assert.equal(asked, ["ping", "ping", "ping", "ping"]);
  });
});

test("REP answers each request, and says who comes and goes if told to be verbose", async () => {
  const served = cat("--rep", "--listen", ANY, "--data", "pong", "--count", "2", "-v");
  const socket = open(req());
  socket.dial(await bound(served));
  assert.is(text(await socket.request("one")), "pong");
  assert.is(text(await socket.request("two")), "pong");
  await socket.close();
  assert.equal([await served.ended, served.out], [0, '"one"\n"two"\n']);
  assert.match(served.err, /attached: 127\.0\.0\.1:\d+, by tcp:/);
  assert.match(served.err, /detached: 127\.0\.0\.1:\d+, by tcp:/);
});

test("PUSH sends a file whole, from several addresses, at fractions of a second", async ({
  folder,
}) => {
  const body = "x".repeat(300_000);
  writeFileSync(join(folder, "job"), body);
  await at(open(pull()), async (first, one) => {
    await at(open(pull()), async (second, two) => {
      const start = performance.now();
      const args = ["--file", join(folder, "job"), "--interval", "0.1", "--count", "3"];
      const sent = cat("--push", "--dial", first, "--dial", second, ...args);
      const bodies = [await one.receive(), await two.receive(), await one.receive()];
      assert.ok(bodies.every((b) => text(b) === body));
      assert.ok(performance.now() - start > 200, "they are apart");
      assert.is(await sent.ended, 0);
    });
  });
});

test("PULL prints what comes, and ends by count or by silence", async () => {
  const counted = cat("--pull", "--bind", ANY, "--count", "1", "--verbose");
  const socket = open(push());
  socket.dial(await bound(counted));
  await socket.send("first");
  assert.equal([await counted.ended, counted.out], [0, '"first"\n']);
  await socket.close();
  const silent = cat("--pull", "--listen", ANY, "--recv-timeout", "1", "--verbose");
  const another = open(push());
  another.dial(await bound(silent));
  await another.send("second");
  assert.equal([await silent.ended, silent.out], [0, '"second"\n']);
  await another.close();
});

for (const role of ["pair0", "pair1", "bus", "star"]) {
  test(`${role.toUpperCase()} sends and receives; a count holds each way`, async () => {
    const how = [`--${role}`, "--count", "2", "--interval", "0.01"];
    const one = cat(...how, "--listen", ANY, "--data", "a", "--verbose");
    const two = cat(...how, "--dial", await bound(one), "--data", "b");
    assert.equal([await one.ended, one.out], [0, '"b"\n"b"\n']);
    assert.equal([await two.ended, two.out], [0, '"a"\n"a"\n']);
  });
}

test("--pair is PAIR1, or with --compat PAIR0", async () => {
  const one = cat("--pair", "--listen", ANY, "-C", "1", "--verbose");
  const zero = cat("--pair", "--compat", "--listen", ANY, "-C", "1", "--verbose");
  const [near, far] = [open(pair1()), open(pair0())];
  near.dial(await bound(one));
  far.dial(await bound(zero));
  await near.send("to one");
  await far.send("to zero");
  assert.equal([await one.ended, one.out], [0, '"to one"\n']);
  assert.equal([await zero.ended, zero.out], [0, '"to zero"\n']);
  await near.close();
  await far.close();
});

test("PUB sends to everybody, as soon as there is somebody, or after a delay", async () => {
  await at(open(sub()), async (first, one) => {
    await at(open(sub()), async (second, two) => {
      for (const s of [one, two]) s.subscribe("");
      const args = ["--data", "news", "--count", "2", "--interval", "0"];
      const sent = cat("--pub0", "--dial", first, "--dial", second, ...args, "--delay", "0.1");
      for (const s of [one, one, two, two]) assert.is(text(await s.receive()), "news");
      assert.is(await sent.ended, 0);
    });
  });
});

test("SUB prints what begins with a topic, or everything", async () => {
  const topics = ["--subscribe", "news", "--subscribe", "weather"];
  const some = cat("--sub", "--listen", ANY, ...topics, "--count", "2", "--verbose");
  const all = cat("--sub0", "--listen", ANY, "--count", "3", "--verbose");
  const socket = open(pub());
  await socket.dial(await bound(some)).ready;
  await socket.dial(await bound(all)).ready;
  for (const body of ["news: a", "sport: b", "weather: c"]) await socket.send(body);
  assert.equal([await some.ended, some.out], [0, '"news: a"\n"weather: c"\n']);
  assert.equal([await all.ended, all.out], [0, '"news: a"\n"sport: b"\n"weather: c"\n']);
  await socket.close();
});

test("SURVEYOR prints what everybody answers in time, survey by survey", async () => {
  await at(open(respondent()), async (first, one) => {
    await at(open(respondent()), async (second, two) => {
      one.serve((body) => `${text(body)} 1`);
      two.serve((body) => `${text(body)} 2`);
      const args = ["--dial", first, "--dial", second, "--data", "who?"];
      const once = cat("--surveyor", ...args, "--recv-timeout", "1");
      const twice = cat("--surveyor0", ...args, "--interval", "1", "--count", "2");
      for (const [asked, n] of [[once, 2] as const, [twice, 4] as const]) {
        assert.is(await asked.ended, 0, asked.err);
        const answers = asked.out.trim().split("\n").sort();
        assert.equal(answers.slice(0, n / 2), Array(n / 2).fill('"who? 1"'));
        assert.equal(answers.slice(n / 2), Array(n / 2).fill('"who? 2"'));
      }
    });
  });
});

test("RESPONDENT answers each survey", async () => {
  const served = cat("--respondent", "--listen", ANY, "--data", "here", "-C", "2", "--verbose");
  const url = await bound(served);
  const asked = cat("--surveyor", "--dial", url, "-D", "who?", "-i", "1", "-C", "2");
  assert.equal([await asked.ended, asked.out], [0, '"here"\n"here"\n']);
  assert.equal([await served.ended, served.out], [0, '"who?"\n"who?"\n']);
});

test("standard input can be sent, and ipc be given by its path", async ({ folder }) => {
  const path = join(folder, "in.ipc");
  const taken = cat("--pull", "-X", path, "--raw", "-C", "1", "--verbose");
  await bound(taken);
  const sent = wirestack(["cat", "--push", "-x", path, "-F", "-"], "from a pipe\n");
  assert.equal([await sent.ended, await taken.ended, taken.out], [0, 0, "from a pipe\n"]);
  assert.not(existsSync(path), "the socket's file is gone");
});

test("formats are quoted, ascii, raw, hex, MessagePack, or nothing", () => {
  const out = (format: string) =>
    MESSAGES.map((m) => Buffer.from(formats[format]?.(m) ?? "?").toString("latin1")).join("");
  const [, empty, words] = out("quoted").split("\n");
  assert.equal([empty, words], ['""', '"\\xc3\\xa9\\"\\\\\\n\\r\\t x"']);
  assert.match(out("ascii"), /^\.{32} !"#.*~\.{129}\.\."\\\.\.\. x$/);
  assert.is(out("raw"), MESSAGES.map(text).join(""));
  assert.match(out("hex"), /^"\\x00\\x01.*\\xff"\n""\n"\\xc3\\xa9\\x22.*\\x78"\n$/);
  const heads = [...MESSAGES, ...LONG].map((m) => {
    const packed = Buffer.from(formats.msgpack?.(m) ?? "?");
    const head = packed.subarray(0, packed.length - m.length);
    assert.ok(packed.subarray(head.length).equals(m));
    return head.toString("hex");
  });
  assert.equal(heads, ["c50100", "c400", "c409", "c4ff", "c50100", "c600010000"]);
  assert.is(out("no"), "");
});

test("over TLS, with or without WebSocket, each side shows what it has, and trusts whom it is told", async () => {
  const mine = ["--cert", pathOf("localhost"), "--cacert", pathOf("ca")];
  for (const url of ["tls+tcp://127.0.0.1:0", "wss://localhost:0/ask"]) {
    const served = cat("--rep", "--listen", url, "--data", "pong", "-v", ...mine);
    const at = await bound(served);
    const asks = (...args: string[]) => cat("--req", "--dial", at, "--data", "ping", ...args);
    const [known, unknown, reckless, bare] = [
      asks("-E", pathOf("client"), "--key", pathOf("client"), "--cacert", pathOf("ca")),
      asks("-E", pathOf("client")),
      asks("-E", pathOf("client"), "-k"),
      asks("--cacert", pathOf("ca"), "--recv-timeout", "5"),
    ];
    assert.equal([await known.ended, known.out], [0, '"pong"\n']);
    assert.is(await unknown.ended, 2);
    assert.match(unknown.err, /signed by nobody we trust.*; see --cacert, --cert,/);
    assert.equal([await reckless.ended, reckless.out], [0, '"pong"\n']);
    await served.until(({ err }) => /refused: .*the peer shows no certificate/.exec(err));
    assert.is.not(await bare.ended, 0);
    served.interrupt();
    assert.equal([await served.ended, served.out], [0, '"ping"\n"ping"\n']);
  }
});

test("over WebSocket a path is part of the address", async () => {
  const served = cat("--pull", "--listen", "ws://127.0.0.1:0/work", "-C", "1", "-v");
  const url = await bound(served);
  const lost = cat("--push", "--dial", url.replace("work", "play"), "--data", "x");
  assert.is(await lost.ended, 2);
  assert.match(lost.err, /404 Not Found; is the path of the address the one/);
  assert.is(await cat("--push", "--dial", url, "--data", "x").ended, 0);
  assert.equal([await served.ended, served.out], [0, '"x"\n']);
});

// --- what it keeps ---

for (const [near, far] of [
  ["req", "rep"],
  ["push", "pull"],
  ["pub", "sub"],
  ["surveyor", "respondent"],
  ["pair0", "pair0"],
  ["pair1", "pair1"],
  ["bus", "bus"],
  ["star", "star"],
] as const) {
  test(`--tap keeps what ${near} and ${far} say to each other`, async ({ folder }) => {
    const files = [near, far].map((name, i) => join(folder, `${name}-${i}.pcapng`));
    const [here = "", there = ""] = files;
    const how = ["--listen", ANY, "--count", "1", "--verbose", "--tap", there];
    const listens = cat(`--${far}`, ...how, ...(far === "rep" ? ["--data", "pong"] : []));
    const url = await bound(listens);
    const asks = near === "surveyor" ? ["--recv-timeout", "0.2"] : [];
    const dials = cat(`--${near}`, "--dial", url, "--data", "ping", "--tap", here, ...asks);
    assert.is(await listens.ended, 0);
    if (near === "req" || near === "push") assert.is(await dials.ended, 0);
    dials.interrupt();
    await dials.ended;
    const both = near === "req" ? ["ping", "pong"] : ["ping"];
    for (const file of files) {
      const said: string[] = [];
      for await (const frame of dissect(file)) {
        for (const m of frame.messages) said.push(`${m.protocol} ${text(m.payload)}`);
      }
      assert.equal(
        said,
        both.map((what, i) => `${i === 0 ? near : far} ${what}`),
      );
    }
  });
}

test("--tap is in clear where the connection is not, and replaces what was there", async ({
  folder,
}) => {
  const file = join(folder, "clear.pcapng");
  writeFileSync(file, "something else");
  const socket = open(pull());
  const { url } = await socket.listen("tls+tcp://127.0.0.1:0", { tls: shows("localhost") });
  const args = ["--insecure", "--data", "between us", "--tap", file];
  assert.is(await cat("--push", "--dial", url, ...args).ended, 0);
  assert.is(text(await socket.receive()), "between us");
  await socket.close();
  assert.ok(readFileSync(file).includes("between us"));
  assert.not.ok(readFileSync(file).includes("something else"));
});

// --- how it ends ---

test("mistakes are answered with what to do, and exit code 1", async () => {
  const to = ["--dial", "tcp://127.0.0.1:1"];
  const cases: [string[], RegExp][] = [
    [[...to], /say which protocol: --req, --rep, --push, .* --bus or --star/],
    [["--req", "--rep", ...to], /one protocol at a time/],
    [["--pair", "--pair0", ...to], /one protocol at a time, not also --pair1/],
    [["--pull", "--subscribe", "a", ...to], /--subscribe is for --sub; --pull has no topics/],
    [["--bus", "--interval", "1", ...to], /--interval is for what is sent: give it by --data/],
    [["--rep", "--data", "x", "--interval", "1", ...to], /--rep sends when it is asked/],
    [["--survey", ...to], /no option '--survey'; did you mean '--surveyor'\?/],
    [["--pull"], /--dial tcp:\/\/127\.0\.0\.1:5555/],
    [["--req", ...to], /--req sends something: give it by --data or --file/],
    [["--pull", ...to, "--data", "x"], /--pull sends nothing/],
    [["--push", ...to, "--data", "x", "--file", "y"], /--data or --file, not both/],
    [["--push", ...to, "--data", "x", "--data", "y"], /--data can be given once only/],
    [["--push", ...to, "--file", "no-such-file"], /--file: ENOENT/],
    [
      ["--pull", ...to, "--tap", "/no/such/x"],
      /--tap: open \/no\/such\/x: ENOENT; name a file that you/,
    ],
    [["--push", ...to, "--dta", "x"], /no option '--dta'; did you mean '--data'\?/],
    [["--pull", ...to, "--raw", "--hex"], /one format at a time/],
    [["--pull", ...to, "--format", "xml"], /quoted, ascii, raw, hex, msgpack, no; not 'xml'/],
    [["--pull", ...to, "--recv-timeout", "soon"], /--recv-timeout is in seconds/],
    [["--pull", ...to, "--count", "1.5"], /--count is a whole number/],
    [["--pull", "--dial", "tcp://here"], /'tcp:\/\/here' is not tcp:\/\/HOST:PORT/],
    [
      ["--pull", ...to, "--insecure"],
      /--insecure is for tls\+tcp:\/\/ and wss:\/\/, and no address/,
    ],
    [["--pull", "--listen", "wss://127.0.0.1:0"], /shows a certificate: give it by --cert/],
    [["--pull", "--dial", "wss://127.0.0.1:1", "--key", "x"], /--key needs --cert/],
    [["--pull", "--dial", "wss://127.0.0.1:1", "--cacert", "none"], /--cacert: ENOENT/],
    [["--pull", "--dial", "wss://127.0.0.1:1", "--cacert", "package.json"], /cannot use its ca/],
    [["--pull", "--dial", "http://here"], /no known scheme; known are .*tcp:\/\//],
  ];
  for (const [args, says] of cases) {
    const mistaken = cat(...args);
    assert.is(await mistaken.ended, 1, args.join(" "));
    assert.match(mistaken.err, says);
    assert.match(mistaken.err, /\nsee: wirestack cat --help\n$/);
  }
});

test("a refusal is 2, and says why", async () => {
  await at(open(rep()), async (url) => {
    const wrong = cat("--push", "--dial", url, "--data", "x");
    const taken = cat("--pull", "--listen", url);
    // A port that was free a moment ago.
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    server.close();
    const nobody = cat("--req", "-l", String(port), "--data", "x");
    assert.equal(await Promise.all([wrong.ended, taken.ended, nobody.ended]), [2, 2, 2]);
    assert.match(wrong.err, "push (0x50) talks to 0x51");
    assert.match(taken.err, "EADDRINUSE, another has this address");
    assert.match(nobody.err, "ECONNREFUSED, nobody listens there");
  });
});

test("a timeout is 3, whether nobody came, or nothing, or no reply", async ({ folder }) => {
  await at(open(rep()), async (url) => {
    const all = [
      cat("--req", "--dial", url, "--data", "x", "--recv-timeout", "0.2"),
      cat("--push", "--listen", ANY, "--data", "x", "--send-timeout", "0.2"),
      cat("--pull", "--listen", ANY, "--recv-timeout", ".2"),
      cat("--push", "-x", join(folder, "none"), "--async", "--data", "x", "--send-timeout", "0.2"),
      cat("--pull", "--listen", ANY, "--recv-timeout", ".2", "--silent"),
      cat("--pub", "--listen", ANY, "--data", "x", "--send-timeout", "0.2"),
    ];
    assert.equal(await Promise.all(all.map((r) => r.ended)), [3, 3, 3, 3, 3, 3]);
    assert.match(all[0]?.err ?? "", "no reply within 200 ms");
    assert.match(
      all[3]?.err ?? "",
      /nobody came within 200 ms; the last one was refused: .*ENOENT/,
    );
    assert.is(all[4]?.err, "");
  });
});

test("a survey that nobody answers is a timeout", async () => {
  await at(open(respondent()), async (url) => {
    const asked = cat("--surveyor", "--dial", url, "--data", "x", "--recv-timeout", "0.2");
    assert.is(await asked.ended, 3);
    assert.match(asked.err, "survey: no response");
  });
});

test("a large message that nobody reads is a timeout, not a success", async () => {
  const server = createServer((socket) => {
    // Greets as PULL does, and reads no further.
    socket.write(Uint8Array.of(0, 0x53, 0x50, 0, 0, 0x51, 0, 0));
    socket.pause();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const args = ["-l", `${port}`, "-F", "-", "--send-timeout", "1"];
  const sent = wirestack(["cat", "--push", ...args], "x".repeat(16 << 20));
  assert.is(await sent.ended, 3, sent.err);
  assert.match(sent.err, "the peer has not taken everything within 1000 ms");
  server.close();
});

test("--async waits for who listens later", async ({ folder }) => {
  const path = join(folder, "later.ipc");
  const asked = cat("--req", "-x", path, "--async", "--data", "x", "--verbose");
  await asked.until(({ err }) => /refused: ipc:.*ENOENT/.exec(err));
  const socket = open(rep());
  socket.serve((body) => body);
  await socket.listen(`ipc://${path}`);
  assert.equal([await asked.ended, asked.out], [0, '"x"\n']);
  await socket.close();
});

test("SIGINT ends it cleanly: 0 for what would go on for ever, 130 for what was not done", async ({
  folder,
}) => {
  const path = join(folder, "served.ipc");
  const served = wirestack(["cat", "--rep", "-X", path, "--verbose"]);
  await bound(served);
  const asked = wirestack(["cat", "--req", "-x", path, "--data", "never answered"]);
  await served.until(({ out }) => /never answered/.exec(out));
  asked.interrupt();
  assert.equal([await asked.ended, asked.err], [130, ""]);
  served.interrupt();
  assert.is(await served.ended, 0);
  assert.not(existsSync(path));
});

test("SIGINT ends it at once too while its peer is away", async () => {
  let url = "";
  let asked: Running | undefined;
  await at(open(rep()), async (where) => {
    url = where;
    asked = cat("--req", "--dial", url, "--data", "x", "--interval", "0.01", "--verbose");
    await asked.until(({ err }) => /attached/.exec(err));
  });
  await asked?.until(({ err }) => /refused: .*ECONNREFUSED/.exec(err));
  const start = performance.now();
  asked?.interrupt();
  assert.is(await asked?.ended, 0);
  assert.ok(performance.now() - start < 3000);
});

test("who reads its output no further ends it quietly", async ({ folder }) => {
  const path = join(folder, "unread.ipc");
  const pulled = wirestack(["cat", "--pull", "-X", path, "--verbose"]);
  const url = await bound(pulled);
  pulled.leave();
  const socket = open(push());
  socket.dial(url);
  const gone = new Promise((done) => socket.on("detached", done));
  await socket.send("a");
  await gone;
  assert.is(await pulled.ended, 0);
  assert.not.match(pulled.err, "EPIPE");
  assert.not(existsSync(path));
  await socket.close();
});

test("a peer that breaks a rule is told of, but not with --silent", async ({ folder }) => {
  for (const silent of [false, true]) {
    const path = join(folder, "strict.ipc");
    const strict = cat("--pull", "-X", path, "-Z", "9", ...(silent ? ["--silent"] : []));
    const socket = open(push());
    const gone = new Promise((done) => socket.on("detached", done));
    await socket.dial(`ipc://${path}`).ready;
    await socket.send("ten octets");
    await gone;
    const told = /^wirestack cat: detached: .*recvMax: a message of 10 octets; 9 are allowed$/m;
    if (!silent) await strict.until(({ err }) => told.exec(err));
    strict.interrupt();
    assert.is(await strict.ended, 0);
    if (silent) assert.is(strict.err, "");
    await socket.close();
  }
});

test("every option of nngcat's is one of ours, with its short form", async () => {
  // As its --help lists them; the last three are for tools of other kinds.
  const long =
    "req0 rep0 pub0 sub0 push0 pull0 surveyor0 respondent0 req rep pub sub push pull surveyor respondent pair0 pair1 pair " +
    "dial connect listen bind bind-local connect-local bind-ipc connect-ipc format ascii quoted hex msgpack raw subscribe silent " +
    "verbose count delay interval recv-timeout send-timeout recv-maxsz compat async insecure cacert cert key file data";
  const short = "L l X x A Q q v C d i Z k E F D";
  for (const name of [
    ...long.split(" ").map((n) => `--${n}`),
    ...short.split(" ").map((n) => `-${n}`),
  ]) {
    const given = cat(name, "--no-such-option");
    assert.is(await given.ended, 1);
    assert.match(
      given.err,
      /no option '--no-such-option'|argument missing|argument is ambiguous/,
      name,
    );
  }
});

test("--help tells of every protocol and option, and wirestack --help of cat", async () => {
  const help = cat("--help");
  assert.is(await help.ended, 0);
  const names =
    "req rep push pull pub sub surveyor respondent pair pair0 pair1 bus star subscribe compat dial listen bind connect data file interval delay count recv-timeout " +
    "send-timeout quoted ascii raw hex msgpack recv-maxsz version silent verbose async cert key cacert insecure tap";
  for (const name of names.split(" ")) assert.match(help.out, new RegExp(`--${name}\\b`));
  const all = wirestack(["--help"]);
  assert.is(await all.ended, 0);
  assert.match(all.out, "wirestack cat ");
});

test.run();
