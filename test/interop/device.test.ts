/** Through devices: of each library between sockets of ours, and ours between sockets of others. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  device,
  type Exchanger,
  type Layer,
  type Port,
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
import { installed, peerTest } from "../support/peers.js";
import { SCHEMES, type Scheme, type Stage, staged } from "../support/stage.js";
import { until } from "../support/until.js";
import {
  bodyOf,
  type End,
  type Foreign,
  fileOf,
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

/** Brings two sockets of ours to the ends of a library's device, which listens at both. */
async function between(
  stage: Stage,
  library: Library,
  scheme: Scheme,
  front: Role,
  near: Port,
  far: Port,
): Promise<void> {
  // Somebody may have taken a port meanwhile: then the device ends, and another takes its place.
  for (;;) {
    const urls = [await stage.free(scheme), await stage.free(scheme)] as const;
    const program = library.device(stage, front, listenAt(urls[0]), listenAt(urls[1]));
    const dialers = [far.dial(urls[1]), near.dial(urls[0])];
    const ready = Promise.all(dialers.map((dialer) => dialer.ready));
    ready.catch(() => {});
    if (await Promise.race([ready.then(() => true), program.end.then(() => false)])) return;
    for (const dialer of dialers) await dialer.close();
  }
}

const listenAt = (url: string): End => ({ side: "listen", url });

for (const library of libraries) {
  for (const scheme of SCHEMES) {
    peerTest(
      test,
      library.name,
      `requests and replies go through ${library.name}'s device over ${scheme}`,
      staged(async (stage) => {
        const replier = stage.open(rep());
        replier.serve((body) => body.map((octet) => octet ^ 255));
        const requester = stage.open(req());
        await between(stage, library, scheme, "rep", requester, replier);
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
        const [pusher, puller] = [stage.open(push()), stage.open(pull())];
        await between(stage, library, scheme, "pull", pusher, puller);
        for (const body of bodies) await pusher.send(body);
        for (const body of bodies) assert.equal(await puller.receive({ timeout: 10_000 }), body);
      }),
    );

    peerTest(
      test,
      library.name,
      `pairs talk both ways through ${library.name}'s device over ${scheme}`,
      staged(async (stage) => {
        const [one, other] = [stage.open(pair0()), stage.open(pair0())];
        await between(stage, library, scheme, "pair0", one, other);
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

/** Of two that a test needs, one that is missing, if one is. */
const wanted = (one: Foreign, other: Foreign): string =>
  installed(one.name) ? other.name : one.name;

peerTest(
  test,
  wanted(libnng, libnanomsg),
  "a request goes through libnng's device, then libnanomsg's, then ours, and its reply back",
  staged(async (stage) => {
    const [requester, replier] = [stage.open(req()), stage.open(rep())];
    replier.serve((body) => body);
    const [first, last] = [relay(stage, xrep(), xreq()), relay(stage, xrep(), xreq())];
    await between(stage, libnng, "tcp", "rep", requester, first.front);
    await between(stage, libnanomsg, "ipc", "rep", first.back, last.front);
    const { url } = await last.back.listen(stage.any("tcp"));
    await replier.dial(url).ready;
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
        wanted(one, other),
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
            role === "push" ? [] : [fileOf(90_000, 2)],
          );
          await until(
            () => `a connection of ${far}`,
            () => ends.back.stats().attached === 1,
          );
          const near = one.start(stage, role, "dial", urls[0], [fileOf(70_000, 1)]);
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
