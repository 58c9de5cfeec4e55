/** Integrity among those who know nothing of it: devices pass it on, subscribers read around it. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { TAIL_MIN } from "../../generated/integrity/trailer.js";
import {
  bus,
  integrity,
  type Port,
  pair1,
  pub,
  pull,
  push,
  rep,
  req,
  respondent,
  stack,
  sub,
  surveyor,
} from "../../runtime/index.js";
import { body } from "../laws/octets.js";
import { installed, peerTest } from "../support/peers.js";
import { type Stage, staged } from "../support/stage.js";
import { until } from "../support/until.js";
import {
  type Library,
  libnanomsg,
  libnng,
  nanocat,
  nngcat,
  type Role,
  received,
} from "./foreign.js";

const test = suite("integrity");
const sealed = integrity({ keys: [{ id: 1, secret: body(32, 1) }] });
/** Devices that a message may go through under the ttl of 8 that all have by default. */
const MOST = 7;
const both = [libnng, libnanomsg];
const missing = installed("libnng") ? "libnanomsg" : "libnng";

/** Puts foreign devices, of each library in turn, between two sockets of ours. */
async function chain(
  stage: Stage,
  front: Role,
  near: Port,
  far: Port,
  libraries: readonly Library[] = both,
  devices = MOST,
): Promise<void> {
  const urls = Array.from({ length: devices }, () => stage.any("ipc"));
  const { url } = await far.listen(stage.any("ipc"));
  for (const [i, place] of urls.entries()) {
    const library = libraries[i % libraries.length] as Library;
    const next = urls[i + 1] ?? url;
    library.device(stage, front, { side: "listen", url: place }, { side: "dial", url: next });
  }
  await near.dial(urls[0] as string).ready;
  await until("the far end of the chain", () => far.stats().attached > 0);
}

/** Nothing was refused, by nobody. */
function clean(...ports: readonly Port[]): void {
  for (const port of ports) assert.equal({ ...port.stats().malformed }, {});
}

const bodies = [0, 1, 2000, 100_000].map((n) => body(n, n));
const timeout = 10_000;

peerTest(
  test,
  missing,
  `requests and replies go through ${MOST} devices of nng and nanomsg, and through one more they do not`,
  staged(async (stage) => {
    const near = stage.open(stack(sealed, req({ resendTime: 300 })));
    const far = stage.open(stack(sealed, rep()));
    far.serve((question) => question);
    await chain(stage, "rep", near, far);
    for (const octets of bodies) assert.equal(await near.request(octets, { timeout }), octets);
    clean(near, far);

    const lost = stage.open(stack(sealed, req({ resendTime: 50 })));
    const never = stage.open(stack(sealed, rep()));
    await chain(stage, "rep", lost, never, both, MOST + 1);
    lost.request("too far", { timeout }).catch(() => {});
    await until("a request that came too far", () => (never.stats().dropped.ttl ?? 0) > 0);
    assert.is(never.stats().received, 0);
  }),
);

peerTest(
  test,
  missing,
  `surveys and responses go through ${MOST} devices of nng and nanomsg`,
  staged(async (stage) => {
    const near = stage.open(stack(sealed, surveyor()));
    const far = stage.open(stack(sealed, respondent()));
    far.serve((question) => question);
    await chain(stage, "respondent", near, far);
    for (const octets of bodies) {
      const deadline = performance.now() + timeout;
      for (let answer: Uint8Array | undefined; answer === undefined; ) {
        assert.ok(performance.now() < deadline, "nothing gets through");
        for await (answer of near.survey(octets, { surveyTime: 200 })) assert.equal(answer, octets);
      }
    }
    clean(near, far);
  }),
);

peerTest(
  test,
  missing,
  `pushed messages go through ${MOST} devices of nng and nanomsg`,
  staged(async (stage) => {
    const [near, far] = [stage.open(stack(sealed, push())), stage.open(stack(sealed, pull()))];
    await chain(stage, "pull", near, far);
    for (const octets of bodies) await near.send(octets);
    for (const octets of bodies) assert.equal(await far.receive({ timeout }), octets);
    clean(near, far);
  }),
);

peerTest(
  test,
  "libnng",
  `pairs talk both ways through ${MOST} devices of nng`,
  staged(async (stage) => {
    const [near, far] = [stage.open(stack(sealed, pair1())), stage.open(stack(sealed, pair1()))];
    await chain(stage, "pair1", near, far, [libnng]);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      for (const octets of bodies) await from.send(octets);
      for (const octets of bodies) assert.equal(await to.receive({ timeout }), octets);
    }
    clean(near, far);
  }),
);

peerTest(
  test,
  missing,
  `what is published goes through ${MOST} devices, and buses hear it through as many`,
  staged(async (stage) => {
    const reader = stage.open(stack(sealed, sub()));
    reader.subscribe("weather");
    const station = stage.open(stack(sealed, pub()));
    await chain(stage, "sub", station, reader);
    const [one, other] = [stage.open(stack(sealed, bus())), stage.open(stack(sealed, bus()))];
    await chain(stage, "bus", one, other);
    for (const [from, to] of [
      [station, reader],
      [one, other],
      [other, one],
    ] as const) {
      // Devices drop it until all of them are connected.
      let heard: Uint8Array | undefined;
      await until("something said", () => {
        from.trySend("weather: sunny");
        heard = to.tryReceive();
        return heard !== undefined;
      });
      assert.is(Buffer.from(heard as Uint8Array).toString(), "weather: sunny");
    }
    clean(station, reader, one, other);
  }),
);

for (const foreign of [nngcat, nanocat]) {
  peerTest(
    test,
    foreign.name,
    `${foreign.name} subscribes to a topic, and reads the body with a trailer behind it`,
    staged(async (stage) => {
      const station = stage.open(stack(sealed, pub()));
      const { url } = await station.listen(stage.any("tcp"));
      const names = { nngcat: ["--dial"], nanocat: ["--connect"] } as const;
      const [connect] = names[foreign.name as keyof typeof names];
      const what = ["--sub", "--subscribe", "weather", connect, url, "--msgpack"];
      const program = stage.start(foreign.name, ...what);
      await until(
        () => `a connection of ${program}`,
        () => station.stats().attached === 1,
      );
      // It may subscribe a moment after it connects.
      await until("a publication", () => {
        station.trySend("sports: 2 to 1");
        station.trySend("weather: sunny");
        return received(program).length > 2;
      });
      for (const octets of received(program)) {
        const said = "weather: sunny";
        assert.is(Buffer.from(octets).toString("latin1").slice(0, said.length), said);
        assert.is(octets.length, said.length + TAIL_MIN);
      }
    }),
  );
}

test.run();
