/** Sockets under integrity: every protocol, wherever the other side is, and keys that change meanwhile. */
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  bus,
  device,
  type Exchanger,
  integrity,
  type IntegrityKey as Key,
  KeyRing,
  open,
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
  type Sender,
  type SocketOptions,
  stack,
  star,
  sub,
  surveyor,
  type Taker,
  xbus,
  xpair1,
  xpub,
  xpull,
  xpush,
  xrep,
  xreq,
  xrespondent,
  xstar,
  xsub,
  xsurveyor,
} from "../../../runtime/index.js";
import type { Layer } from "../../../runtime/layer.js";
import { body } from "../../laws/octets.js";
import { staged } from "../../support/stage.js";
import { until } from "../../support/until.js";
import { World } from "../../world/world.js";

const test = suite("sockets");
const keys: readonly Key[] = [{ id: 1, secret: new Uint8Array(randomBytes(32)) }];
const sealed = integrity({ keys });

/** Two ends, one after another: the nearer asks, or sends first. Says what came of a body. */
interface Two {
  readonly near: Port;
  readonly far: Port;
  pass(octets: Uint8Array): Promise<Uint8Array[]>;
}
type Open = (side: "near" | "far") => SocketOptions;

function oneWay(near: Sender, far: Taker): Two {
  return {
    near,
    far,
    async pass(octets) {
      await near.send(octets);
      return [await far.receive()];
    },
  };
}

function bothWays(near: Exchanger, far: Exchanger): Two {
  return {
    near,
    far,
    async pass(octets) {
      await near.send(octets);
      const there = await far.receive();
      await far.send(octets);
      return [there, await near.receive()];
    },
  };
}

interface Pattern {
  make(options: Open): Two;
  /** A device's two ends; none: it goes through none. */
  readonly raw?: readonly [front: () => Layer, back: () => Layer];
}

const patterns: Readonly<Record<string, Pattern>> = {
  req: {
    make(options) {
      const near = open(stack(sealed, req(), xreq()), options("near"));
      const far = open(stack(sealed, rep({ ttl: 15 })), options("far"));
      far.serve((question) => question);
      return { near, far, pass: async (octets) => [await near.request(octets)] };
    },
    raw: [() => xrep({ ttl: 15 }), xreq],
  },
  survey: {
    make(options) {
      const near = open(stack(sealed, surveyor(), xsurveyor()), options("near"));
      const far = open(stack(sealed, respondent({ ttl: 15 })), options("far"));
      far.serve((question) => question);
      const pass = async (octets: Uint8Array) => {
        for await (const answer of near.survey(octets, { surveyTime: 60_000 })) return [answer];
        return [];
      };
      return { near, far, pass };
    },
    raw: [() => xrespondent({ ttl: 15 }), xsurveyor],
  },
  push: {
    make: (options) =>
      oneWay(
        open(stack(sealed, push()), options("near")),
        open(stack(sealed, pull()), options("far")),
      ),
    raw: [xpull, xpush],
  },
  pub: {
    make(options) {
      const far = open(stack(sealed, sub()), options("far"));
      far.subscribe("");
      return oneWay(open(stack(sealed, pub()), options("near")), far);
    },
    raw: [xsub, xpub],
  },
  pair0: {
    make: (options) =>
      bothWays(
        open(stack(sealed, pair0()), options("near")),
        open(stack(sealed, pair0()), options("far")),
      ),
  },
  pair1: {
    make: (options) =>
      bothWays(
        open(stack(sealed, pair1({ ttl: 15 })), options("near")),
        open(stack(sealed, pair1({ ttl: 15 })), options("far")),
      ),
    raw: [() => xpair1({ ttl: 15 }), () => xpair1({ ttl: 15 })],
  },
  bus: {
    make: (options) =>
      bothWays(
        open(stack(sealed, bus()), options("near")),
        open(stack(sealed, bus()), options("far")),
      ),
    raw: [xbus, xbus],
  },
  star: {
    make: (options) =>
      bothWays(
        open(stack(sealed, star({ ttl: 15 }), xstar({ ttl: 15 })), options("near")),
        open(stack(sealed, star({ ttl: 15 }), xstar({ ttl: 15 })), options("far")),
      ),
  },
};

const SIZES = [0, 1, 511, 70_000];

for (const [name, { make, raw }] of Object.entries(patterns)) {
  for (const scheme of ["tcp", "ipc", "inproc", "memory"]) {
    test(`${name} over ${scheme}, in either mode, through no device and as many as there may be`, async () => {
      for (const mode of ["scatter", "contiguous"] as const) {
        for (const devices of raw === undefined ? [0] : [0, 13]) {
          const world = new World({ seed: devices + 1 });
          let names = 0;
          const place = () =>
            scheme === "tcp" ? `tcp://10.0.0.1:${7000 + names++}` : `${scheme}://${names++}`;
          const sockets: Port[] = [];
          await world.run(async () => {
            const { near, far, pass } = make((side) => ({ mode, env: world.host(side) }));
            sockets.push(near, far);
            let from: Port = near;
            for (let i = 0; i < devices; i++) {
              const [front, back] = (raw as NonNullable<typeof raw>).map((end) =>
                open(end() as never, { env: world.host(`device ${i}`) }),
              ) as unknown as [Raw, Raw];
              sockets.push(front, back);
              void device(front, back);
              await world.waits(joined(from, front, place()), `device ${i}`);
              from = back;
            }
            await world.waits(joined(from, far, place()), "the far end");
            for (const [i, size] of SIZES.entries()) {
              const octets = body(size, i);
              const came = await world.waits(pass(octets), `${size} octets`);
              assert.ok(came.length > 0);
              for (const one of came) assert.equal(one, octets);
            }
            for (const port of [near, far]) {
              assert.equal({ ...port.stats().malformed, ...port.stats().dropped }, {});
            }
            for (const socket of sockets) await world.waits(socket.close(), "close");
          });
        }
      }
    });
  }
}

/** Connects two; both know it. */
async function joined(dialing: Port, listening: Port, url: string): Promise<void> {
  const attached = new Promise<void>((done) => void listening.on("attached", () => done()));
  await listening.listen(url);
  await dialing.dial(url).ready;
  await attached;
}

test(
  "every pattern between two processes, over tcp and ipc",
  staged(async (stage) => {
    const secret = randomBytes(32);
    const layer = integrity({ keys: [{ id: 1, secret }] });
    const other = fileURLToPath(new URL("other.js", import.meta.url));
    for (const scheme of ["tcp", "ipc"] as const) {
      const places = Array.from({ length: 6 }, () => stage.any(scheme));
      const child = stage.start(process.execPath, other, secret.toString("hex"), ...places);
      await until(
        () => `addresses from ${child}`,
        () => child.output.includes("\n"),
      );
      const urls = JSON.parse(child.output.toString()) as Record<string, string>;
      const at = async <P extends Port>(port: P, name: string): Promise<P> => {
        await port.dial(urls[name] as string).ready;
        return port;
      };
      const requester = await at(stage.open(stack(layer, req())), "replier");
      const asker = await at(stage.open(stack(layer, surveyor())), "responder");
      const pair = await at(stage.open(stack(layer, pair1())), "pair");
      const neighbour = await at(stage.open(stack(layer, bus())), "neighbour");
      const puller = await at(stage.open(stack(layer, pull())), "pusher");
      const publisher = await at(stage.open(stack(layer, pub())), "reader");
      const timeout = 10_000;
      for (const size of [5, 100, 200_000]) {
        const octets = body(size, size);
        octets.set(Buffer.from("topic"));
        assert.equal(await requester.request(octets, { timeout }), octets);
        const { value } = await asker.survey(octets, { surveyTime: timeout }).next();
        assert.equal(value, octets);
        for (const port of [pair, neighbour]) {
          await port.send(octets);
          assert.equal(await port.receive({ timeout }), octets);
        }
        await publisher.send("another topic");
        await publisher.send(octets);
        assert.equal(await puller.receive({ timeout }), octets);
      }
      for (const port of [requester, asker, pair, neighbour, puller, publisher]) {
        assert.equal({ ...port.stats().malformed }, {});
      }
    }
  }),
);

test("three keys that overlap follow one another, clocks differ, and no message is lost", async () => {
  const world = new World({ seed: 3 });
  const day = 86_400_000;
  const secrets = [1, 2, 3].map((n) => body(32, n));
  const ring = () =>
    new KeyRing([
      { id: 1, secret: secrets[0] as Uint8Array, notAfter: 2 * day },
      { id: 2, secret: secrets[1] as Uint8Array, notBefore: day, notAfter: 4 * day },
      { id: 3, secret: secrets[2] as Uint8Array, notBefore: 3 * day },
    ]);
  const signs = ring();
  await world.run(async () => {
    const [one, other] = [world.host("push"), world.host("pull")];
    // The clocks on their walls are up to nine seconds apart, either way.
    let [time, apart] = [0, 0];
    one.date = () => time;
    other.date = () => time + apart;
    const near = open(stack(integrity({ keys: signs }), push()), { env: one });
    const far = open(stack(integrity({ keys: ring() }), pull()), { env: other });
    await joined(near, far, "tcp://10.0.0.1:7000");
    const used = new Set<number | undefined>();
    const sent = 3000;
    for (let i = 0; i < sent; i++) {
      time = Math.floor((i * 5 * day) / sent) + (i % 3) * 100;
      // Around each change every combination is met.
      if (i % 10 === 0) time = (1 + Math.floor((i * 4) / sent)) * day + ((i / 10) % 3) - 1;
      apart = ((i % 7) - 3) * 3000;
      used.add(signs.current(time));
      await near.send(body(20, i));
      assert.equal(await world.waits(far.receive(), `message ${i}`), body(20, i));
    }
    assert.equal([...used].sort(), [1, 2, 3]);
    assert.equal({ ...near.stats().dropped, ...far.stats().malformed }, {});
    await near.close();
    await far.close();
  });
});

test("keys are given and taken away while requests are under way, and none is lost", async () => {
  const world = new World({ seed: 4 });
  await world.run(async () => {
    const first = { id: 1, secret: body(32, 1) };
    const rings = [new KeyRing([first]), new KeyRing([first])] as const;
    const near = open(stack(integrity({ keys: rings[0] }), req()), { env: world.host("req") });
    const far = open(stack(integrity({ keys: rings[1] }), rep()), { env: world.host("rep") });
    far.serve(async (question) => {
      await world.sleep(world.random.between(0, 5));
      return question;
    });
    await joined(near, far, "tcp://10.0.0.1:7000");
    for (let id = 2; id < 30; id++) {
      const asking = Array.from({ length: 20 }, async (_, i) => {
        await world.sleep(world.random.between(0, 20));
        assert.equal(await world.waits(near.request(body(9, i)), `reply ${i}`), body(9, i));
      });
      // Both have it before either signs by it; the old one goes last.
      const key = { id, secret: body(32, id), notBefore: world.clock.now + 10 };
      for (const ring of rings) {
        await world.sleep(world.random.between(0, 4));
        ring.add(key);
      }
      await Promise.all(asking);
      for (const ring of rings) ring.remove(id - 1);
      assert.equal(rings[0].ids, [id]);
    }
    for (const port of [near, far]) {
      assert.equal({ ...port.stats().malformed, ...port.stats().dropped }, {});
    }
    await near.close();
    await far.close();
  });
});

test.run();
