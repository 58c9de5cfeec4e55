/** Hops in whole stacks: over every framing, at their cost in copies and writes, and when much goes wrong. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  hop,
  ipc,
  type LayerOptions,
  open,
  pub,
  pull,
  push,
  rep,
  req,
  sp,
  spIpc,
  stack,
  sub,
  tcp,
  ws,
  xpub,
  xpull,
  xpush,
  xrep,
  xreq,
  xsub,
} from "../../runtime/index.js";
import { watch } from "../../runtime/kit/spy.js";
import { TIMES } from "../laws/all.js";
import { body, same } from "../laws/octets.js";
import { ca, shows } from "../support/certificates.js";
import { recording } from "../support/recording.js";
import { staged } from "../support/stage.js";
import { until } from "../support/until.js";
import { Random } from "../world/random.js";
import { CALM, World } from "../world/world.js";
import { optionsOf, PSK } from "./keys.js";

const test = suite("hop in stacks");
const sealed = () => hop({ pattern: "NNpsk0", psk: PSK });

const tls = { near: { tls: { ca, servername: "localhost" } }, far: { tls: shows("localhost") } };
const rows: Readonly<Record<string, { near?: LayerOptions; far?: LayerOptions }>> = {
  tcp: {},
  ipc: {},
  ws: {},
  "tls+tcp": tls,
  wss: tls,
};

for (const [scheme, { near = {}, far = {} }] of Object.entries(rows)) {
  test(
    `over ${scheme}: requests of all sizes come through, and the end is a close`,
    staged(async (stage) => {
      const server = stage.open(stack(rep(), xrep(), hop(optionsOf("listen", "XX"))));
      server.serve((octets) => octets);
      const ends: (Error | undefined)[] = [];
      server.on("detached", ({ error }) => ends.push(error));
      const { url } = await server.listen(
        scheme === "ipc" ? stage.any("ipc") : `${scheme}://127.0.0.1:0`,
        far,
      );
      const client = stage.open(stack(req(), xreq(), hop(optionsOf("dial", "XX"))), {
        linger: 5000,
      });
      const dialer = client.dial(url, near);
      assert.match(client.toString(), "contiguous from 'hop' down");
      for (const n of [0, 1, 64, 16_384, 65_515, 1_000_000]) {
        assert.ok(same(await client.request(body(n, n), { timeout: 10_000 }), body(n, n)));
      }
      assert.is((await dialer.ready).facts.hop?.pattern, "XX");
      await client.close();
      await until("the server to hear of it", () => ends.length === 1);
      assert.equal(ends, [undefined]);
    }),
  );
}

test("layers may be spelled out, over whatever frames them", () => {
  const all = [
    stack(req(), xreq(), sealed(), sp(), tcp()),
    stack(req(), xreq(), sealed(), spIpc(), ipc()),
    stack(req(), xreq(), sealed(), ws(), tcp()),
  ];
  for (const layers of all) assert.match(layers.toString(), "contiguous from 'hop' down");
});

// --- copies ---

const MESSAGES = 5;
/** The longest message that one record holds. */
const RECORD = 65_514;
let names = 0;

/** Records of a message on its own. */
const recordsOf = (size: number) => Math.ceil(size / RECORD);

for (const mode of ["as it needs", "contiguous"] as const) {
  test(`${mode}: a body is copied once, sealed once, and put where it is sent from, and no oftener`, async () => {
    const options = mode === "contiguous" ? { mode } : {};
    for (const size of [200, 512, 513, 16_000, RECORD, 1_000_000]) {
      const near = open(stack(push(), xpush(), sealed()), options);
      const far = open(stack(pull(), xpull(), sealed()), options);
      const url = `memory://hop/${names++}`;
      await far.listen(url);
      await near.dial(url).ready;
      await near.send("first");
      await far.receive();
      const [n, f] = [near.stats(), far.stats()];
      const spy = watch();
      try {
        for (let i = 0; i < MESSAGES; i++) {
          await near.send(body(size, i));
          assert.ok(same(await far.receive(), body(size, i)));
        }
      } finally {
        spy.close();
      }
      const [N, F] = [near.stats(), far.stats()];
      const records = MESSAGES * recordsOf(size);
      assert.is(N.copies - n.copies, MESSAGES, `${size} octets: once a body`);
      assert.is(N.copiedOctets - n.copiedOctets, MESSAGES * size);
      assert.is(N.sealed - n.sealed, records);
      assert.is(F.unsealed - f.unsealed, records);
      assert.equal([N.outOfRoom, N.gathered, F.outOfRoom, F.gathered], [0, 0, 0, 0]);
      // What is seen is what is counted: bodies, and what the cipher put out, at either side.
      const seen = spy.copies.reduce((sum, octets) => sum + octets, 0);
      const counted =
        N.copiedOctets - n.copiedOctets + (F.copiedOctets - f.copiedOctets) + MESSAGES * size;
      // `body` and `same` are the test's own, heads and tags are small.
      const own = MESSAGES * 100 + records * 100 + 2048;
      assert.ok(
        seen >= counted && seen <= counted + own,
        `${size}: ${seen} seen, ${counted} counted`,
      );
      await Promise.all([near.close(), far.close()]);
    }
  });
}

test("a message to three is copied for each, and its body stays as it was", async () => {
  const near = open(stack(pub(), xpub(), sealed()));
  const fars = [1, 2, 3].map(() => open(stack(sub(), xsub(), sealed())));
  const url = `memory://hop/${names++}`;
  await near.listen(url);
  for (const far of fars) {
    far.subscribe("");
    await far.dial(url).ready;
  }
  await until("all to be there", () => near.stats().attached === 3);
  const { copies } = near.stats();
  const sent = body(3000, 1);
  await near.send(sent);
  for (const far of fars) assert.ok(same(await far.receive(), body(3000, 1)));
  assert.ok(same(sent, body(3000, 1)));
  assert.is(near.stats().copies - copies, 3);
  await Promise.all([near, ...fars].map((s) => s.close()));
});

test("a loop of sends fills its records and its writes, and lets timers run", async () => {
  const { env, writes } = recording();
  const far = open(stack(pull(), xpull(), sealed()), { env });
  const { url } = await far.listen("tcp://127.0.0.1:0");
  const near = open(stack(push(), xpush(), sealed()), { env });
  await near.dial(url).ready;
  let fired = 0;
  const timer = setInterval(() => fired++, 1);
  const message = new Uint8Array(64);
  const before = writes.length;
  const { sealed: earlier } = near.stats();
  const taking = (async () => {
    for (let i = 0; i < 100_000; i++) await far.receive();
  })();
  for (let i = 0; i < 100_000; i++) await near.send(message);
  await taking;
  clearInterval(timer);
  const records = near.stats().sealed - earlier;
  assert.ok(100_000 / records >= 100, `${100_000 / records} messages in a record`);
  assert.ok(100_000 / (writes.length - before) >= 100, `${writes.length - before} writes`);
  assert.ok(fired >= 3, `the timer ran ${fired} times`);
  await Promise.all([near.close(), far.close()]);
});

test("one message at a time is not kept waiting: it is sealed and written in the tick it was sent in", async () => {
  const { env, writes } = recording();
  const far = open(stack(pull(), xpull(), sealed()), { env });
  const { url } = await far.listen("tcp://127.0.0.1:0");
  const near = open(stack(push(), xpush(), sealed()), { env });
  await near.dial(url).ready;
  await near.send("first");
  await far.receive();
  const before = writes.length;
  near.trySend("now");
  assert.is(writes.length, before, "not yet");
  await new Promise<void>((done) =>
    process.nextTick(() => process.nextTick(() => process.nextTick(done))),
  );
  assert.is(writes.length, before + 1);
  await far.receive();
  await Promise.all([near.close(), far.close()]);
});

// --- when much goes wrong ---

test("on a network that delays, cuts, stalls and loses connections every request is answered, and nothing stays", async () => {
  for (let seed = 1; seed <= 24 * TIMES; seed++) {
    const random = new Random(seed);
    const conditions = {
      ...CALM,
      delay: [0.1, random.between(0.2, 20)] as const,
      chop: random.often(0.5) ? random.whole(1, 3000) : 0,
      window: random.whole(100, 100_000),
      mark: random.whole(100, 100_000),
      reading: random.often(0.3) ? 2 : 0,
      refuses: 0.1,
    };
    const terms = {
      padding: random.often(0.5) ? ("buckets" as const) : ("none" as const),
      rekey: { records: random.whole(1, 5) },
      lifetime: random.often(0.5) ? { records: random.whole(1, 30) } : {},
    };
    const pattern = (["XX", "IK", "KK", "NNpsk0"] as const)[seed % 4] ?? "XX";
    const world = new World({ seed, conditions });
    await world.run(async () => {
      const client = open(
        stack(req({ resendTime: 5000 }), xreq(), hop(optionsOf("dial", pattern, terms))),
        {
          env: world.host("req"),
          reconnect: { min: 10, max: 100 },
        },
      );
      const server = open(stack(rep(), xrep(), hop(optionsOf("listen", pattern, terms))), {
        env: world.host("rep"),
      });
      server.serve((octets) => octets);
      await server.listen("tcp://10.0.0.1:5555");
      client.dial("tcp://10.0.0.1:5555");
      let over = false;
      const trouble = (async () => {
        for (let i = 0; i < 10 && !over; i++) {
          await world.sleep(random.between(1, 400));
          for (const link of world.network.links) if (random.often(0.5)) link.drop();
        }
        world.network.calm();
      })();
      const asked = Array.from({ length: 20 }, async (_, i) => {
        const n = random.often(0.2) ? random.whole(60_000, 140_000) : random.whole(0, 2000);
        assert.ok(same(await world.waits(client.request(body(n, i)), `reply ${i}`), body(n, i)));
      });
      await Promise.all(asked);
      over = true;
      await trouble;
      await Promise.all([client.close(), server.close()]);
    });
  }
});

test.run();
