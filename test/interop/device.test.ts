/** Through devices: of each library between sockets of ours, and ours between sockets of others. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  bus,
  device,
  type Exchanger,
  type Layer,
  type Port,
  pair0,
  pair1,
  pub,
  pull,
  push,
  type Raw,
  rep,
  req,
  respondent,
  type Surveyor,
  sub,
  surveyor,
  type Taker,
  TimeoutError,
  xbus,
  xpair0,
  xpair1,
  xpub,
  xpull,
  xpush,
  xrep,
  xreq,
  xrespondent,
  xsub,
  xsurveyor,
} from "../../runtime/index.js";
import { abreast } from "../support/abreast.js";
import { installed, peerTest } from "../support/peers.js";
import { type Scheme, type Stage, staged } from "../support/stage.js";
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
  sends,
} from "./foreign.js";

const test = abreast(suite("device"), 3);
const SCHEMES: readonly Scheme[] = ["tcp", "ipc", "ws"];

const bodies = [bodyOf(1), bodyOf(0), bodyOf(300_000), bodyOf(2_000)];
/** The longest at the end: a device of nanomsg's drops what comes while it still writes. */
const fleeting = [...bodies].sort((a, b) => a.length - b.length);

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

    for (const [role, layer] of Object.entries({ pair0, pair1 })) {
      if (!library.roles.includes(role as Role)) continue;
      peerTest(
        test,
        library.name,
        `${role} talks both ways through ${library.name}'s device over ${scheme}`,
        staged(async (stage) => {
          const [one, other] = [stage.open(layer()), stage.open(layer())] as const;
          await between(stage, library, scheme, role as Role, one, other);
          await talk(one, other);
          await talk(other, one);
        }),
      );
    }

    peerTest(
      test,
      library.name,
      `surveys and responses go through ${library.name}'s device over ${scheme}`,
      staged(async (stage) => {
        const responder = stage.open(respondent());
        responder.serve((body) => body.map((octet) => octet ^ 255));
        const asker = stage.open(surveyor());
        await between(stage, library, scheme, "respondent", asker, responder);
        await reached(async () => (await asked(asker, KNOCK, 100)) !== undefined);
        for (const body of fleeting) {
          assert.equal(
            await asked(asker, body, 10_000),
            body.map((octet) => octet ^ 255),
          );
        }
      }),
    );

    peerTest(
      test,
      library.name,
      `what is published goes through ${library.name}'s device over ${scheme}`,
      staged(async (stage) => {
        const [publisher, subscriber] = [stage.open(pub()), stage.open(sub())];
        subscriber.subscribe("");
        await between(stage, library, scheme, "sub", publisher, subscriber);
        await knock(publisher, subscriber);
        await relate(publisher, subscriber);
      }),
    );

    peerTest(
      test,
      library.name,
      `buses talk both ways through ${library.name}'s device over ${scheme}`,
      staged(async (stage) => {
        const [one, other] = [stage.open(bus()), stage.open(bus())];
        await between(stage, library, scheme, "bus", one, other);
        await knock(one, other);
        await relate(one, other);
        await relate(other, one);
      }),
    );
  }
}

type Speaker = Pick<Exchanger, "send">;
type Hearer = Pick<Taker, "receive">;

async function talk(from: Speaker, to: Hearer): Promise<void> {
  for (const body of bodies) await from.send(body);
  for (const body of bodies) assert.equal(await to.receive({ timeout: 10_000 }), body);
}

/** As `talk`, one by one. */
async function relate(from: Speaker, to: Hearer): Promise<void> {
  for (const body of fleeting) {
    await from.send(body);
    let heard = await to.receive({ timeout: 10_000 });
    while (Buffer.compare(heard, KNOCK) === 0) heard = await to.receive({ timeout: 10_000 });
    assert.equal(heard, body);
  }
}

const KNOCK = bodyOf(7);

/** Says something until it is heard: a device drops it until both its ends have their connections. */
function knock(from: Speaker, to: Hearer): Promise<void> {
  return reached(async () => {
    await from.send(KNOCK);
    try {
      await to.receive({ timeout: 50 });
      return true;
    } catch (error) {
      if (error instanceof TimeoutError) return false;
      throw error;
    }
  });
}

async function reached(attempt: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await attempt())) assert.ok(performance.now() < deadline, "nothing gets through");
}

/** The first response, if one comes in time. */
async function asked(
  asker: Surveyor,
  body: Uint8Array,
  surveyTime: number,
): Promise<Uint8Array | undefined> {
  for await (const response of asker.survey(body, { surveyTime })) return response;
  return undefined;
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
  pair1: [xpair1, xpair1],
  pub: [xsub, xpub],
  surveyor: [xrespondent, xsurveyor],
  bus: [xbus, xbus],
} as const;

for (const role of Object.keys(OURS) as (keyof typeof OURS)[]) {
  const able = foreigners.filter(({ roles }) => roles.includes(role));
  for (const [i, one] of able.entries()) {
    const other = able[(i + 1) % able.length] as Foreign;
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
            sends(OPPOSITE[role]) ? [fileOf(90_000, 2)] : [],
          );
          await until(
            () => `a connection of ${far}`,
            () => ends.back.stats().attached === 1,
          );
          const near = one.start(stage, role, "dial", urls[0], [fileOf(70_000, 1)]);
          await until(
            () => `the question at ${far}`,
            () => received(far).length > 0,
          );
          assert.equal(new Uint8Array(received(far)[0] as Uint8Array), question);
          if (!sends(OPPOSITE[role])) return;
          await until(
            () => `the answer at ${near}`,
            () => received(near).length > 0,
          );
          assert.equal(new Uint8Array(received(near)[0] as Uint8Array), answer);
        }),
      );
    }
  }
}

test.run();
