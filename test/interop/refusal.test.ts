/** Whoever speaks another protocol is refused, and `refused` says who it was; the next one is welcome. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Type } from "../../generated/sp/greeting.js";
import {
  bus,
  PeerError,
  pair0,
  pair1,
  pub,
  pull,
  push,
  rep,
  req,
  respondent,
  type SocketEvents,
  sub,
  surveyor,
  TimeoutError,
  WireError,
} from "../../runtime/index.js";
import { abreast } from "../support/abreast.js";
import { peerTest } from "../support/peers.js";
import { type Program, type Scheme, SIDES, type Side, staged } from "../support/stage.js";
import { until } from "../support/until.js";
import {
  fileOf,
  foreigners,
  OPPOSITE,
  ROLES,
  type Role,
  secured,
  sends,
  termsOf,
} from "./foreign.js";

const test = abreast(suite("refusal"), 2);

const layers = {
  req,
  rep,
  push,
  pull,
  pair0,
  pair1,
  pub,
  sub,
  surveyor,
  respondent,
  bus,
} as const;
/** For each role, one that it cannot talk to. */
const WRONG = {
  req: "push",
  rep: "rep",
  push: "req",
  pull: "pair0",
  pair0: "pull",
  pair1: "pair0",
  pub: "pub",
  sub: "push",
  surveyor: "rep",
  respondent: "req",
  bus: "surveyor",
} as const satisfies Record<Role, Role>;

for (const foreign of foreigners) {
  for (const scheme of foreign.schemes) {
    peerTest(
      test,
      foreign.name,
      `each protocol refuses another one of ${foreign.name}'s over ${scheme}, each side dialing, and says which`,
      staged(async (stage) => {
        const file = fileOf(10);
        const meet = async (role: Role, side: Side) => {
          // nanomsg's answer to the wrong WebSocket client never ends.
          const soon = scheme === "ws" && side === "dial" ? { openTimeout: 1000 } : {};
          const socket = stage.open<Role>(layers[role](), soon);
          const heard: SocketEvents["refused"][] = [];
          socket.on("refused", (e) => heard.push(e));
          const theirs = WRONG[role];
          const says = saysOf(scheme, side, role, theirs);
          const files = (of: Role) => (sends(of) ? [file] : []);
          let stranger: Program;
          if (side === "dial") {
            const url = await stage.free(scheme);
            stranger = foreign.start(stage, theirs, "listen", url, files(theirs));
            socket.dial(url, termsOf(scheme));
          } else {
            const { url } = await socket.listen(stage.any(scheme), termsOf(scheme));
            stranger = foreign.start(stage, theirs, "dial", url, files(theirs));
          }
          const found = () => heard.find(({ error }) => says.test(error.message));
          await until(
            () =>
              `${role} to refuse ${theirs} of ${stranger}; heard: ${heard.at(-1)?.error.message}`,
            () => found() !== undefined,
          );
          // It would try again and again.
          stranger.kill();
          const { error, facts } = found() as SocketEvents["refused"];
          assert.ok(error instanceof PeerError || error instanceof TimeoutError);
          if (!upgrades(scheme)) assert.is(facts.type, Type[theirs]);
          const { refused, attached, malformed } = socket.stats();
          assert.is(attached, 0);
          assert.ok(refused > 0);
          assert.equal({ ...malformed }, {});
          if (!foreign.roles.includes(OPPOSITE[role])) return;
          const { url } = await socket.listen(stage.any(scheme), termsOf(scheme));
          foreign.start(stage, OPPOSITE[role], "dial", url, files(OPPOSITE[role]));
          await until(`${role} to take in the right one`, () => socket.stats().attached === 1);
        };
        const met: Promise<unknown>[] = [];
        for (const role of ROLES) {
          met.push(Promise.all(SIDES.map((side) => meet(role, side))));
          // NNG's handshakes are slow: 22 of them at a time would be late.
          if (secured(scheme)) await met.at(-1);
        }
        await Promise.all(met);
      }),
    );
  }

  for (const role of (["pair0", "pair1"] as const).filter((role) => foreign.roles.includes(role))) {
    peerTest(
      test,
      foreign.name,
      `${role} refuses a second peer of ${foreign.name}'s, and the first one stays`,
      staged(async (stage) => {
        const socket = stage.open<typeof role>(layers[role]());
        const said: string[] = [];
        socket.on("refused", ({ error }) => said.push(error.message));
        const { url } = await socket.listen(stage.any("tcp"));
        const file = fileOf(10);
        foreign.start(stage, role, "dial", url, [file]);
        await socket.receive({ timeout: 10_000 });
        foreign.start(stage, role, "dial", url, [file]);
        await until("a refusal", () => said.length > 0);
        assert.is(said[0], `${role} has a peer already`);
        assert.is(socket.stats().detached, 0);
      }),
    );
  }

  peerTest(
    test,
    foreign.name,
    `an octet more than recvMax from ${foreign.name} ends its connection, and is counted`,
    staged(async (stage) => {
      const socket = stage.open(pull());
      const why: unknown[] = [];
      socket.on("detached", ({ error }) => why.push(error));
      const { url } = await socket.listen(stage.any("tcp"));
      foreign.start(stage, "push", "dial", url, [fileOf(2 ** 20 + 1)]);
      await until("the end of the connection", () => why.length > 0);
      assert.instance(why[0], WireError);
      assert.ok((socket.stats().malformed.recvMax ?? 0) > 0);
      assert.is(socket.tryReceive(), undefined);
    }),
  );
}

const upgrades = (scheme: Scheme): boolean => scheme === "ws" || scheme === "wss";

/** What a refusal says. Whom a WebSocket server turns away is not told what it is. */
function saysOf(scheme: Scheme, side: Side, role: Role, theirs: Role): RegExp {
  if (upgrades(scheme) && side === "dial") {
    return /^ws: the server answered 400 |^ws: .*nanomsg's answer|: not open within/;
  }
  const [ours, other, wanted] = [Type[role], Type[theirs], Type[OPPOSITE[role]]].map(hex);
  return new RegExp(`^the peer's protocol is ${other}; ${role} \\(${ours}\\) talks to ${wanted}$`);
}

const hex = (n: number): string => `0x${n.toString(16)}`;

test.run();
