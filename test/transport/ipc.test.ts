/** Local sockets as files: who may open them, whose they are, and when they go. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ipc, pull, push, rep, req, StackError, SystemError } from "../../runtime/index.js";
import { type Stage, staged } from "../support/stage.js";
import { until } from "../support/until.js";

const test = suite("ipc");

const mode = (path: string): number => statSync(path).mode & 0o777;

async function refused(doing: Promise<unknown>, system: string): Promise<void> {
  await doing.then(
    () => assert.unreachable(),
    (error) => {
      assert.instance(error, SystemError);
      assert.is(error.system, system);
    },
  );
}

/** A socket file as a process leaves it that was killed. */
async function stale(stage: Stage): Promise<string> {
  const path = stage.path();
  const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => console.log())`;
  const program = stage.start(process.execPath, "-e", script);
  await until("the socket file", () => program.written > 0);
  program.kill();
  await program.end;
  assert.ok(lstatSync(path).isSocket());
  return path;
}

test(
  "the file is private from its first moment, whatever the process's mask",
  staged(async (stage) => {
    const path = stage.path();
    const before = process.umask(0);
    try {
      const bound = stage.open(rep()).listen(`ipc://${path}`);
      // Before anything else has had its turn.
      assert.is(mode(path), 0o600);
      await bound;
      assert.is(mode(path), 0o600);
      assert.is(process.umask(0), 0);
    } finally {
      process.umask(before);
    }
  }),
);

test(
  "a socket file that nobody serves any more is taken over, privately",
  staged(async (stage) => {
    const path = await stale(stage);
    chmodSync(path, 0o777);
    const socket = stage.open(pull());
    const { url } = await socket.listen(`ipc://${path}`);
    assert.is(mode(path), 0o600);
    const other = stage.open(push());
    await other.dial(url).ready;
    await other.send("in use again");
    assert.is((await socket.receive({ timeout: 10_000 })).length, 12);
  }),
);

test(
  "a socket file that somebody serves is not taken over",
  staged(async (stage) => {
    const path = stage.path();
    const server = createServer((connection) => connection.destroy());
    stage.after(() => server.close());
    await new Promise<void>((done) => server.listen(path, done));
    const { ino } = lstatSync(path);
    await refused(stage.open(rep()).listen(`ipc://${path}`), "EADDRINUSE");
    assert.is(lstatSync(path).ino, ino);

    const ours = stage.path();
    const first = stage.open(rep());
    first.serve((body) => body);
    await first.listen(`ipc://${ours}`);
    await refused(stage.open(rep()).listen(`ipc://${ours}`), "EADDRINUSE");
    const requester = stage.open(req());
    requester.dial(`ipc://${ours}`);
    assert.is((await requester.request("still", { timeout: 10_000 })).length, 5);
  }),
);

test(
  "a file, a folder and a link are left as they are",
  staged(async (stage) => {
    const file = stage.path();
    writeFileSync(file, "precious");
    const folder = stage.path();
    mkdirSync(folder);
    const link = stage.path();
    symlinkSync(file, link);
    const toStale = stage.path();
    symlinkSync(await stale(stage), toStale);
    for (const path of [file, folder, link, toStale]) {
      await refused(stage.open(rep()).listen(`ipc://${path}`), "EADDRINUSE");
    }
    assert.is(readFileSync(file, "utf8"), "precious");
    assert.ok(lstatSync(folder).isDirectory());
    assert.ok(lstatSync(link).isSymbolicLink());
    assert.ok(lstatSync(toStale).isSymbolicLink());
  }),
);

test(
  "the file goes when the listener closes, and when the socket does",
  staged(async (stage) => {
    const [one, two] = [stage.path(), stage.path()];
    const socket = stage.open(rep());
    const listener = await socket.listen(`ipc://${one}`);
    await socket.listen(`ipc://${two}`);
    assert.ok(existsSync(one));
    await listener.close();
    assert.not(existsSync(one));
    assert.ok(existsSync(two));
    await socket.close();
    assert.not(existsSync(two));
  }),
);

test(
  "a path that is too long, or none, is said at once",
  staged(async (stage) => {
    const socket = stage.open(rep());
    const long = `/tmp/${"x".repeat(103)}`;
    assert.is(long.length, 108);
    for (const [url, sentence] of [
      [`ipc://${long}`, "the system takes paths of 107 octets at most"],
      [`ipc:///tmp/${"ü".repeat(52)}`, "the system takes paths of 107 octets at most"],
      ["ipc://", "needs a path, as ipc:///tmp/service.ipc"],
      ["ipc:///tmp/a\0b", "'ipc:///tmp/a\\0b': no path has a NUL in it"],
    ] as const) {
      assert.throws(
        () => socket.dial(url),
        (error: unknown) => error instanceof StackError && error.message.includes(sentence),
      );
      await socket.listen(url).then(
        () => assert.unreachable(),
        (error) => {
          assert.instance(error, StackError);
          assert.match(error.message, sentence);
        },
      );
    }
    await refused(socket.listen(`ipc://${stage.path()}/nowhere`), "ENOENT");
  }),
);

test(
  "dialing a path where nothing is, or a file, is refused with the system's word, and tried again",
  staged(async (stage) => {
    const file = stage.path();
    writeFileSync(file, "");
    const later = stage.path();
    for (const [path, system] of [
      [later, "ENOENT"],
      [file, "ECONNREFUSED"],
    ] as const) {
      const socket = stage.open(req());
      const heard: unknown[] = [];
      socket.on("refused", ({ error }) => heard.push(error));
      socket.dial(`ipc://${path}`);
      await until("two refusals", () => heard.length > 1);
      assert.instance(heard[0], SystemError);
      assert.is((heard[0] as SystemError).system, system);
    }
  }),
);

test(
  "the file's rights are as told, from its first moment, also where another is taken over",
  staged(async (stage) => {
    const before = process.umask(0o022);
    try {
      for (const rights of [0o660, 0o666, 0o777, 0o600]) {
        const fresh = stage.path();
        for (const path of [fresh, await stale(stage)]) {
          const bound = stage.open(rep()).listen(`ipc://${path}`, { ipc: { mode: rights } });
          if (path === fresh) assert.is(mode(path), rights);
          await bound;
          assert.is(mode(path), rights);
          assert.is(process.umask(), 0o022);
        }
      }
    } finally {
      process.umask(before);
    }
  }),
);

test("rights that are none are refused, with some that are", () => {
  for (const rights of [-1, 0o1000, 1.5, Number.NaN, "660" as never]) {
    assert.throws(
      () => ipc({ mode: rights }),
      `ipc.mode is rights of a file, such as 0o660; not ${rights}`,
    );
  }
});

test.run();
