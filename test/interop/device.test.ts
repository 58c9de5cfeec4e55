/** Through devices: of each library between sockets of ours, and ours between sockets of others. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  device,
  type Exchanger,
  type Layer,
  pair0,
  pull,
  push,
  type Raw,
  rep,
  req,
  xpair0,
  xpull,
  xpush,
  xrep,
  xreq,
} from "../../runtime/index.js";
import { peerTest } from "../support/peers.js";
import { SCHEMES, type Scheme, type Stage, staged } from "../support/stage.js";
import { until } from "../support/until.js";
import {
  bodyOf,
  type Foreign,
  foreigners,
  type Library,
  libnanomsg,
  libnng,
  libraries,
  OPPOSITE,
  type Role,
  received,
} from "./foreign.js";

const test = suite("device");

const bodies = [bodyOf(1), bodyOf(0), bodyOf(300_000), bodyOf(2_000)];

/** A device that listens at both ends, once it does: another takes its place if a port was taken. */
async function listening(stage: Stage, library: Library, front: Role, scheme: Scheme) {
  for (;;) {
    const urls = [await stage.free(scheme), await stage.free(scheme)] as const;
    const [a, b] = urls.map((url) => ({ side: "listen", url }) as const);
    const program = library.device(stage, front, a as never, b as never);
    const probe = stage.open(front === "pair0" ? xpair0() : PROBES[front]());
    const dialer = probe.dial(urls[1]);
    await Promise.race([dialer.ready, program.end]);
    await probe.close();
    if (!program.over) return { front: urls[0], back: urls[1] };
  }
}

/** Who a device's back talks to. */
const PROBES = { rep: xrep, pull: xpull, req: xreq, push: xpush } as const;

for (const library of libraries) {
  for (const scheme of SCHEMES) {
    peerTest(
      test,
      library.name,
      `requests and replies go through ${library.name}'s device over ${scheme}`,
      staged(async (stage) => {
        const { front, back } = await listening(stage, library, "rep", scheme);
        const replier = stage.open(rep());
        replier.serve((body) => body.map((octet) => octet ^ 255));
        await replier.dial(back).ready;
        const requester = stage.open(req());
        await requester.dial(front).ready;
        for (const body of bodies) {
          const reply = await requester.request(body, { timeout: 10_000 });
          assert.equal(
            reply,
            body.map((octet) => octet ^ 255),
          );
        }
      }),
    );

    peerTest(
      test,
      library.name,
      `pushed messages go through ${library.name}'s device over ${scheme}`,
      staged(async (stage) => {
        const { front, back } = await listening(stage, library, "pull", scheme);
        const puller = stage.open(pull());
        await puller.dial(back).ready;
        const pusher = stage.open(push());
        await pusher.dial(front).ready;
        for (const body of bodies) await pusher.send(body);
        for (const body of bodies) assert.equal(await puller.receive({ timeout: 10_000 }), body);
      }),
    );

    peerTest(
      test,
      library.name,
      `pairs talk both ways through ${library.name}'s device over ${scheme}`,
      staged(async (stage) => {
        const { front, back } = await listening(stage, library, "pair0", scheme);
        const [one, other] = [stage.open(pair0()), stage.open(pair0())];
        await one.dial(front).ready;
        await other.dial(back).ready;
        await talk(one, other);
        await talk(other, one);
      }),
    );
  }
}

async function talk(from: Exchanger, to: Exchanger): Promise<void> {
  for (const body of bodies) await from.send(body);
  for (const body of bodies) assert.equal(await to.receive({ timeout: 10_000 }), body);
}

peerTest(
  test,
  "libnng",
  "a request goes through libnng's device, then libnanomsg's, then ours, and its reply back",
  staged(async (stage) => {
    const nng = await listening(stage, libnng, "rep", "tcp");
    const nanomsg = await listening(stage, libnanomsg, "rep", "ipc");
    const between = relay(stage, xrep(), xreq());
    await between.front.dial(nng.back).ready;
    await between.back.dial(nanomsg.front).ready;
    const last = relay(stage, xrep(), xreq());
    await last.front.dial(nanomsg.back).ready;
    const replier = stage.open(rep());
    replier.serve((body) => body);
    const { url } = await last.back.listen(stage.any("tcp"));
    await replier.dial(url).ready;
    const requester = stage.open(req());
    await requester.dial(nng.front).ready;
    for (const body of bodies) {
      assert.equal(await requester.request(body, { timeout: 10_000 }), body);
    }
  }),
);

type RawLayer = Layer<"link", "raw">;

/** A device of ours; it ends with its sockets. */
function relay(stage: Stage, front: RawLayer, back: RawLayer): { front: Raw; back: Raw } {
  const ends = { front: stage.open(front), back: stage.open(back) };
  const end = device(ends.front, ends.back);
  end.catch((error) => assert.unreachable(String(error)));
  return ends;
}

/** Whose front end it is, and what stands behind. */
const OURS = {
  req: [xrep, xreq],
  push: [xpull, xpush],
  pair0: [xpair0, xpair0],
} as const;

const pairs = foreigners.map(
  (one, i) => [one, foreigners[(i + 1) % foreigners.length] as Foreign] as const,
);

for (const [one, other] of pairs) {
  for (const role of Object.keys(OURS) as (keyof typeof OURS)[]) {
    for (const scheme of SCHEMES) {
      peerTest(
        test,
        one.name,
        `${one.name}'s ${role} reaches ${other.name}'s ${OPPOSITE[role]} through our device over ${scheme}`,
        staged(async (stage) => {
          const [front, back] = OURS[role];
          const ends = relay(stage, front(), back());
          const urls = [
            (await ends.front.listen(stage.any(scheme))).url,
            (await ends.back.listen(stage.any(scheme))).url,
          ] as const;
          const question = bodyOf(70_000, 1);
          const answer = bodyOf(90_000, 2);
          // The far end first, so that nothing is sent before somebody is there to take it.
          const far = other.start(
            stage,
            OPPOSITE[role],
            "dial",
            urls[1],
            role === "push" ? [] : [stage.file(answer)],
          );
          await until(
            () => `a connection of ${far}`,
            () => ends.back.stats().attached === 1,
          );
          const near = one.start(stage, role, "dial", urls[0], [stage.file(question)]);
          await until(
            () => `the question at ${far}`,
            () => received(far).length === 1,
          );
          assert.equal(new Uint8Array(received(far)[0] as Uint8Array), question);
          if (role === "push") return;
          await until(
            () => `the answer at ${near}`,
            () => received(near).length === 1,
          );
          assert.equal(new Uint8Array(received(near)[0] as Uint8Array), answer);
        }),
      );
    }
  }
}

test.run();
