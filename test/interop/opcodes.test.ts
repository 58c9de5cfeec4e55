/** Text and other octets over WebSocket, where nanomsg says which by NN_WS_MSG_TYPE, and we by `opcodes()`. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  bus,
  type Exchanger,
  opcodes,
  type Port,
  pair0,
  pub,
  pull,
  push,
  stack,
  sub,
  Utf8,
} from "../../runtime/index.js";
import { peerTest } from "../support/peers.js";
import { SIDES, type Side, type Stage, staged } from "../support/stage.js";
import { until } from "../support/until.js";
import { bodyOf, came, fileWith, libnanomsg, OPPOSITE, sends } from "./foreign.js";

const test = suite("opcodes with nanomsg");

const text = "grüße, 世界 ".repeat(5000);
const octets = bodyOf(70_000, 1);
/** A process of theirs sends all of it as one kind. */
const THEIRS = {
  text: fileWith("text", Buffer.from(text)),
  octets: fileWith("octets", octets),
} as const;
type Kind = keyof typeof THEIRS;

/** Those whose messages have no header: what is text stays text. */
const OPENS = {
  pair0: (stage: Stage) => stage.open(stack(opcodes(), pair0())),
  push: (stage: Stage) => stage.open(stack(opcodes(), push())),
  pull: (stage: Stage) => stage.open(stack(opcodes(), pull())),
  pub: (stage: Stage) => stage.open(stack(opcodes(), pub())),
  sub(stage: Stage) {
    const socket = stage.open(stack(opcodes(), sub()));
    socket.subscribe("");
    return socket;
  },
  bus: (stage: Stage) => stage.open(stack(opcodes(), bus())),
} as const;

async function exchange(stage: Stage, role: keyof typeof OPENS, side: Side, kind: Kind) {
  const socket = OPENS[role](stage) as Port & Partial<Pick<Exchanger, "send" | "receive">>;
  const opposite = OPPOSITE[role];
  const files = sends(opposite) ? [THEIRS[kind]] : [];
  const start = kind === "text" ? libnanomsg.text : libnanomsg.start;
  const program = await stage.meet(socket, side, "ws", (side, url) =>
    start(stage, opposite, side, url, files),
  );
  await until("a connection", () => socket.stats().attached > 0);
  if (sends(opposite)) {
    const body = await socket.receive?.({ timeout: 10_000 });
    assert.is(body instanceof Utf8, kind === "text");
    assert.ok(Buffer.from(body as Uint8Array).equals(kind === "text" ? Buffer.from(text) : octets));
  }
  if (!sends(role)) return;
  for (const [i, body] of [text, octets, ""].entries()) {
    await socket.send?.(body);
    await until(`message ${i} at ${program}`, () => came(program).length > i);
  }
  const [first, second, third] = came(program);
  assert.equal([first?.text, second?.text, third?.text], [true, false, true]);
  assert.is(Buffer.from(first?.body ?? "").toString(), text);
  assert.ok(Buffer.from(second?.body ?? "").equals(octets));
  assert.is(third?.body.length, 0);
}

for (const role of Object.keys(OPENS) as (keyof typeof OPENS)[]) {
  peerTest(
    test,
    "libnanomsg",
    `${role} with opcodes() and libnanomsg's ${OPPOSITE[role]} with NN_WS_MSG_TYPE tell text from octets, each side dialing`,
    staged(async (stage) => {
      const kinds = sends(OPPOSITE[role]) ? (["text", "octets"] as const) : (["octets"] as const);
      await Promise.all(
        SIDES.flatMap((side) => kinds.map((kind) => exchange(stage, role, side, kind))),
      );
    }),
  );
}

peerTest(
  test,
  "libnanomsg",
  "without opcodes() text of nanomsg's ends its connection, and what it sends as octets comes",
  staged(async (stage) => {
    const socket = stage.open(pull());
    const why: unknown[] = [];
    socket.on("detached", ({ error }) => why.push(error));
    const { url } = await socket.listen(stage.any("ws"));
    libnanomsg.text(stage, "push", "dial", url, [THEIRS.text]);
    await until("the end of the connection", () => why.length > 0);
    assert.match(String(why[0]), /text/);
    libnanomsg.start(stage, "push", "dial", url, [THEIRS.octets]);
    assert.ok(Buffer.from(await socket.receive({ timeout: 10_000 })).equals(octets));
  }),
);

test.run();
