/** Over TLS with nngcat, whose library knows no newer version than 1.2: every protocol, each side dialing. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  bus,
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
  surveyor,
  type TlsOptions,
} from "../../runtime/index.js";
import { ca, pathOf, shows } from "../support/certificates.js";
import { peerTest } from "../support/peers.js";
import { type Program, SIDES, type Side, type Stage, staged } from "../support/stage.js";
import { until } from "../support/until.js";
import { bodyOf, fileOf, received } from "./foreign.js";

const test = suite("tls");

const SIZE = 200_000;
const theirs = bodyOf(SIZE, 1);
const ours = bodyOf(SIZE, 2);
const within = { timeout: 10_000 };

/** What both sides have; each asks for the other's certificate. */
const terms: TlsOptions = { ...shows("localhost"), ca, requestCert: true };

/** nngcat, told that it may trust our authority. `send` is what it does when it has a body. */
function nngcat(stage: Stage, role: string, send: readonly string[], show = "localhost") {
  return (side: Side, url: string): Program => {
    // It looks for the host's name, as text, in our certificate.
    const at = side === "listen" ? url : url.replace("127.0.0.1", "localhost");
    const where = side === "listen" ? "--listen" : "--dial";
    const format = role === "push" || role === "pub" ? [] : ["--msgpack"];
    const trust = ["--cacert", pathOf("ca"), "--cert", pathOf(show)];
    return stage.start("nngcat", `--${role}`, where, at, ...trust, ...format, ...send);
  };
}

const body = ["--file", fileOf(SIZE, 1)];
/** Sends again and again: what was said before a connection was there is gone. */
const often = [...body, "--interval", "1"];

async function arrived(program: Program): Promise<void> {
  await until(
    () => `our body at ${program}`,
    () => received(program).length > 0,
  );
  assert.is(Buffer.compare(received(program)[0] as Uint8Array, ours), 0);
}

function same(got: Uint8Array): void {
  assert.is(Buffer.compare(got, theirs), 0);
}

type Play = (
  stage: Stage,
  meet: (socket: Port, role: string, send?: readonly string[]) => Promise<Program>,
) => Promise<void>;

const plays: Readonly<Record<string, Play>> = {
  async "req and rep"(stage, meet) {
    const socket = stage.open(req());
    const program = await meet(socket, "rep", body);
    same(await socket.request(ours, within));
    await arrived(program);
  },
  async "rep and req"(stage, meet) {
    const socket = stage.open(rep());
    const program = await meet(socket, "req", body);
    const ask = await socket.receive(within);
    same(ask.body);
    ask.reply(ours);
    await arrived(program);
  },
  async "push and pull"(stage, meet) {
    const socket = stage.open(push());
    const program = await meet(socket, "pull");
    await socket.send(ours);
    await arrived(program);
  },
  async "pull and push"(stage, meet) {
    const socket = stage.open(pull());
    await meet(socket, "push", often);
    same(await socket.receive(within));
  },
  async "pub and sub"(stage, meet) {
    const socket = stage.open(pub());
    const program = await meet(socket, "sub", ["--subscribe", ""]);
    // It subscribes to itself: a message that comes before that is not for it.
    await until(
      () => `our body at ${program}`,
      () => {
        socket.trySend(ours);
        return received(program).length > 0;
      },
    );
    await arrived(program);
  },
  async "sub and pub"(stage, meet) {
    const socket = stage.open(sub());
    socket.subscribe(theirs.subarray(0, 4));
    await meet(socket, "pub", often);
    same(await socket.receive(within));
  },
  async "pair0 and pair0"(stage, meet) {
    const socket = stage.open(pair0());
    const program = await meet(socket, "pair0", often);
    same(await socket.receive(within));
    await socket.send(ours);
    await arrived(program);
  },
  async "pair1 and pair1"(stage, meet) {
    const socket = stage.open(pair1());
    const program = await meet(socket, "pair1", often);
    same(await socket.receive(within));
    await socket.send(ours);
    await arrived(program);
  },
  async "surveyor and respondent"(stage, meet) {
    const socket = stage.open(surveyor());
    const program = await meet(socket, "respondent", body);
    await until("a connection", () => socket.stats().attached > 0);
    for await (const answer of socket.survey(ours, { surveyTime: 10_000 })) {
      same(answer);
      break;
    }
    await arrived(program);
  },
  async "respondent and surveyor"(stage, meet) {
    const socket = stage.open(respondent());
    const program = await meet(socket, "surveyor", often);
    const ask = await socket.receive(within);
    same(ask.body);
    ask.reply(ours);
    await arrived(program);
  },
  async "bus and bus"(stage, meet) {
    const socket = stage.open(bus());
    const program = await meet(socket, "bus", often);
    same(await socket.receive(within));
    await socket.send(ours);
    await arrived(program);
  },
};

for (const [name, play] of Object.entries(plays)) {
  peerTest(
    test,
    "nngcat",
    `${name} over tls+tcp, each side dialing`,
    staged(async (stage) => {
      const one = (side: Side) =>
        play(stage, (socket, role, send = []) =>
          stage.meet(socket, side, "tls+tcp", nngcat(stage, role, send), { tls: terms }),
        );
      await Promise.all(SIDES.map(one));
    }),
  );
}

peerTest(
  test,
  "nngcat",
  "an nngcat whose certificate another authority signed is refused, and so is one that is not asked for by name",
  staged(async (stage) => {
    const socket = stage.open(pull());
    const refused: string[] = [];
    socket.on("refused", ({ error }) => refused.push(error.message));
    const { url } = await socket.listen("tls+tcp://127.0.0.1:0", { tls: terms });
    nngcat(stage, "push", often, "stranger")("dial", url);
    await until("a refusal", () => refused.some((said) => said.includes("nobody we trust")));

    const asks = stage.open(pull());
    const heard: string[] = [];
    asks.on("refused", ({ error }) => heard.push(error.message));
    const at = await stage.free("tls+tcp");
    nngcat(stage, "push", often, "elsewhere")("listen", at);
    asks.dial(at, { tls: { ca } });
    await until("a refusal", () => heard.some((said) => said.includes("is for another")));
    assert.is(socket.stats().attached + asks.stats().attached, 0);
  }),
);

peerTest(
  test,
  "nngcat",
  "an nngcat that is another protocol, or speaks no TLS, is refused",
  staged(async (stage) => {
    const socket = stage.open(pull());
    const refused: string[] = [];
    socket.on("refused", ({ error }) => refused.push(error.message));
    const { url } = await socket.listen("tls+tcp://127.0.0.1:0", { tls: shows("localhost") });
    nngcat(stage, "pair0", often)("dial", url);
    await until("a refusal", () =>
      refused.includes("the peer's protocol is 0x10; pull (0x51) talks to 0x50"),
    );
    stage.start("nngcat", "--push", "--dial", url.replace("tls+", ""), ...often);
    await until("a refusal", () => refused.some((said) => said.includes("speaks no TLS")));
    nngcat(stage, "push", often)("dial", url);
    same(await socket.receive(within));
  }),
);

test.run();
