/** One connection among those of a socket: whose it is, closing it, refusing it, and what its address says. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Type } from "../../generated/sp/greeting.js";
import {
  type DialOptions,
  device,
  type Facts,
  type ListenOptions,
  node,
  open,
  PeerError,
  type PipeInfo,
  pair0,
  pull,
  push,
  rep,
  req,
  respondent,
  sp,
  stack,
  surveyor,
  tcp,
  xpull,
  xpush,
  xrep,
  xreq,
} from "../../runtime/index.js";
import { placed, SCHEMES, text } from "../protocol/place.js";
import { pem } from "../support/certificates.js";
import { staged } from "../support/stage.js";
import { Stranger } from "../support/stranger.js";
import { until } from "../support/until.js";
import { World } from "../world/world.js";

const test = suite("pipe");

// --- who asks ---

test(
  "who answers is told by which connection a request came, and by TLS who asks",
  staged(async (stage) => {
    const server = stage.open(rep());
    const seen: (string | undefined)[] = [];
    server.serve((body, ask) => {
      seen.push(ask.pipe.facts.tls?.certificate?.subject);
      return body;
    });
    const here: PipeInfo[] = [];
    server.on("attached", ({ pipe }) => here.push(pipe));
    const [ca, cert] = [pem("ca"), pem("localhost")];
    const tls = { ca, cert, key: cert, requestCert: true };
    const { url } = await server.listen("tls+tcp://127.0.0.1:0", { tls });
    const client = stage.open(req());
    const mine = pem("client");
    client.dial(url.replace("127.0.0.1", "localhost"), { tls: { ca, cert: mine, key: mine } });
    await client.request("who am I?", { timeout: 10_000 });
    assert.is(seen.length, 1);
    assert.match(seen[0] ?? "", /client/);
    assert.is(here[0]?.facts.tls?.certificate?.subject, seen[0]);
  }),
);

for (const scheme of SCHEMES) {
  test(
    `over ${scheme} an ask names the same object as the events do, whoever asks`,
    placed(scheme, async (place) => {
      for (const [asks, answers] of [
        [place.open(req()), place.open(rep())],
        [place.open(surveyor()), place.open(respondent())],
      ] as const) {
        const here: PipeInfo[] = [];
        answers.on("attached", ({ pipe }) => here.push(pipe));
        const gone: PipeInfo[] = [];
        answers.on("detached", ({ pipe }) => gone.push(pipe));
        await place.join(asks, answers);
        if ("survey" in asks) asks.survey("?");
        else asks.request("?").catch(() => {});
        const ask = await answers.receive();
        assert.is(ask.pipe, here[0]);
        assert.ok(ask.pipe.number > 0);
        await asks.close();
        await place.settle();
        assert.is(gone[0], here[0]);
        ask.reply("to nobody");
      }
    }),
  );
}

test(
  "a device's `through` may ask from whom a message is",
  placed("tcp", async (place) => {
    const [front, back] = [place.open(xrep()), place.open(xreq())];
    const [good, bad, server] = [place.open(req()), place.open(req()), place.open(rep())];
    const known: PipeInfo[] = [];
    front.on("attached", ({ pipe }) => known.push(pipe));
    void device(front, back, {
      through: (m, from) => (from === front && from.from(m) !== known[0] ? undefined : m),
    });
    server.serve((body) => body);
    await place.join(good, front);
    await place.join(bad, front);
    await place.join(back, server);
    assert.is(text(await good.request("let through")), "let through");
    bad.request("not").catch(() => {});
    await place.settle();
    assert.is(server.stats().received, 1);
  }),
);

// --- closing one ---

for (const scheme of SCHEMES) {
  test(
    `over ${scheme} one connection is closed for a reason; the others stay, and its dialer comes again`,
    placed(scheme, async (place) => {
      const one = place.open(pull());
      const here: PipeInfo[] = [];
      one.on("attached", ({ pipe }) => here.push(pipe));
      const went: { pipe: PipeInfo; error: Error | undefined }[] = [];
      one.on("detached", ({ pipe, error }) => went.push({ pipe, error }));
      const [two, three] = [place.open(push()), place.open(push())];
      await place.join(two, one);
      await place.join(three, one);
      const why = new Error("enough of you");
      here[0]?.close(why);
      here[0]?.close(new Error("again"));
      await place.settle();
      assert.equal(went, [{ pipe: here[0], error: why }]);
      assert.is(three.stats().detached, 0);
      await three.send("still here");
      assert.is(text(await one.receive()), "still here");
      await place.world.sleep(60_000);
      assert.is(here.length, 3);
      await two.send("here again");
      assert.is(text(await one.receive()), "here again");
      // What has gone is closed already.
      here[0]?.close();
      assert.is(one.stats().detached, 1);
    }),
  );

  test(
    `over ${scheme} a connection may be closed as soon as it is told of`,
    placed(scheme, async (place) => {
      const [one, two] = [place.open(pair0()), place.open(pair0(), { reconnect: { min: 1e6 } })];
      one.on("attached", ({ pipe }) => pipe.close());
      const url = scheme === "tcp" ? "tcp://10.0.0.1:1" : `${scheme}://at-once`;
      await one.listen(url);
      two.dial(url);
      await place.settle();
      assert.equal([one.stats().attached, one.stats().detached], [1, 1]);
      assert.is(two.stats().detached, two.stats().attached);
    }),
  );
}

test(
  "what is sent after a connection was closed goes to others",
  placed("tcp", async (place) => {
    const one = place.open(push(), { reconnect: { min: 1e6 } });
    const [two, three] = [place.open(pull()), place.open(pull())];
    const here: PipeInfo[] = [];
    one.on("attached", ({ pipe }) => here.push(pipe));
    await place.join(one, two);
    await place.join(one, three);
    here[0]?.close();
    for (let i = 0; i < 10; i++) await one.send(`${i}`);
    await place.settle();
    assert.is(two.stats().received, 0);
    assert.is(three.stats().received, 10);
  }),
);

// --- refusing one ---

const answers: readonly (readonly [string, () => boolean | string, string])[] = [
  ["false", () => false, "the application does not accept this peer"],
  ["a text", () => "not on the list", "not on the list"],
  ["nothing", () => undefined as never, "the application does not accept this peer"],
  ["a promise", () => Promise.resolve(true) as never, "the application does not accept this peer"],
];

for (const scheme of SCHEMES) {
  for (const [name, accept, sentence] of answers) {
    test(
      `over ${scheme} a peer of whom accept says ${name} takes no part`,
      placed(scheme, async (place) => {
        for (const side of ["dial", "listen"] as const) {
          const ours = place.open(pull(), { reconnect: { min: 1e6 } });
          const theirs = place.open(push(), { reconnect: { min: 1e6 } });
          const refused: Error[] = [];
          ours.on("refused", ({ error }) => refused.push(error));
          const url = scheme === "tcp" ? `tcp://10.0.0.1:${side.length}` : `${scheme}://${side}`;
          await theirs.send("must not arrive");
          if (side === "listen") {
            await ours.listen(url, { accept });
            theirs.dial(url);
          } else {
            await theirs.listen(url);
            ours.dial(url, { accept });
          }
          await place.settle();
          assert.equal(
            refused.map((e) => [e instanceof PeerError, e.message]),
            [[true, sentence]],
          );
          const { attached, received } = ours.stats();
          assert.equal([attached, received], [0, 0]);
          await Promise.all([ours.close(), theirs.close()]);
        }
      }),
    );
  }
}

test(
  "accept is given what the opening told, and lets in whom it wants; whose protocol is wrong is not asked about",
  staged(async (stage) => {
    const asked: Facts[] = [];
    const accept = (facts: Facts) => {
      asked.push(facts);
      return asked.length > 1;
    };
    const socket = stage.open(pull());
    const refused: Error[] = [];
    socket.on("refused", ({ error }) => refused.push(error));
    const { url } = await socket.listen("tcp://127.0.0.1:0", { accept });
    await (await Stranger.greet(url, Type.pull)).ended();
    await until("the stranger's refusal", () => refused.length === 1);
    assert.is(asked.length, 0);
    const sends = stage.open(push());
    await sends.dial(url).ready;
    await until("the second to be let in", () => socket.stats().attached === 1);
    assert.is(asked.length, 2);
    assert.match(asked[0]?.remote ?? "", /^127\.0\.0\.1:\d+$/);
    assert.is(asked[0]?.type, Type.push);
    await sends.send("let in");
    assert.is(text(await socket.receive({ timeout: 10_000 })), "let in");
  }),
);

test("an accept that throws refuses, and `error` tells; one that closes the socket closes it", async () => {
  const env = { ...node, names: new Map() };
  const [ours, theirs] = [open(pull(), { env }), open(push(), { env, linger: 0 })];
  const errors: unknown[] = [];
  ours.on("error", ({ error }) => errors.push(error));
  const boom = new Error("boom");
  await ours.listen("inproc://throws", {
    accept: () => {
      throw boom;
    },
  });
  theirs.dial("inproc://throws");
  await until("the refusal", () => ours.stats().refused === 1);
  assert.equal(errors, [boom]);
  let closed: Promise<void> | undefined;
  const accept = () => {
    closed = ours.close();
    return true;
  };
  await ours.listen("inproc://closes", { accept });
  theirs.dial("inproc://closes");
  await until("the close", () => closed !== undefined);
  await closed;
  assert.is(ours.stats().attached, 0);
  await theirs.close();
});

test("a link that is refused says why", async () => {
  const protocol = { name: "pair0", type: Type.pair0, peer: Type.pair0 };
  const links = open(stack(sp({ protocol }), tcp()));
  const listener = await links.listen("tcp://127.0.0.1:0");
  await links.dial(listener.url, { accept: () => "not this one" }).then(
    () => assert.unreachable(),
    (error) => assert.is(error.message, "not this one"),
  );
  await links.close();
});

// --- what an address says ---

test(
  "recvMax of an address holds for its connections, and the socket's for others",
  placed("tcp", async (place) => {
    const socket = place.open(pull(), { recvMax: 100 });
    const near = place.open(pull(), { recvMax: 100 });
    const from = [0, 0, 0].map(() => place.open(push(), { reconnect: { min: 1e6 } }));
    const [small, own, big] = from as [(typeof from)[0], (typeof from)[0], (typeof from)[0]];
    await socket.listen("tcp://10.0.0.1:1", { recvMax: 10 });
    await socket.listen("tcp://10.0.0.1:2");
    await big.listen("tcp://10.0.0.1:3");
    await small.dial("tcp://10.0.0.1:1").ready;
    await own.dial("tcp://10.0.0.1:2").ready;
    await near.dial("tcp://10.0.0.1:3", { recvMax: 0 }).ready;
    await small.send(new Uint8Array(11));
    await own.send(new Uint8Array(11));
    await big.send(new Uint8Array(101));
    assert.is((await socket.receive()).length, 11);
    assert.is((await near.receive()).length, 101);
    await place.settle();
    assert.equal(socket.stats().malformed, { recvMax: 1 });
    assert.is(near.stats().detached, 0);
  }),
);

test("openTimeout and reconnect of an address hold for it", async () => {
  const world = new World({ seed: 3 });
  await world.run(async () => {
    const socket = open(pull(), { env: world.host("dialer"), reconnect: { min: 1, max: 1 } });
    world.network.conditions = { ...world.network.conditions, hangs: 1 };
    const refused: (readonly [string, number])[] = [];
    const url = (n: number) => `tcp://10.0.0.9:${n}`;
    socket.on("refused", (e) => refused.push([e.error.message, world.clock.now]));
    socket.dial(url(1), { openTimeout: 100, reconnect: { min: 50, max: 50 } });
    const slow = socket.dial(url(2), { openTimeout: Infinity });
    await world.sleep(1000);
    assert.ok(refused.length >= 5 && refused.length <= 7, `${refused.length} attempts`);
    for (const [said] of refused) assert.is(said, `${url(1)}: not open within 100 ms`);
    await slow.close();
    await socket.close();
  });
});

test("options of an address that are none are refused in a sentence, on either side", async () => {
  const socket = open(pull());
  const url = "tcp://127.0.0.1:0";
  const both: readonly (readonly [object, RegExp])[] = [
    [{ recvMax: -1 }, /^recvMax is a whole number, 0 or more; not -1$/],
    [{ openTimeout: 0 }, /^openTimeout is milliseconds, 1 or more; not 0$/],
    [{ accept: true }, /^accept is a function of a peer's facts; not true$/],
    [
      { linger: 5 },
      /has no layer 'linger' to give options to, and (dial|listen) no option of that/,
    ],
  ];
  const dial = [[{ reconnect: { min: -1 } }, /^reconnect\.min is milliseconds/]] as const;
  const listen = [[{ reconnect: { min: 1 } }, /and listen no option of that name$/]] as const;
  for (const [options, sentence] of [...both, ...dial]) {
    assert.throws(() => socket.dial(url, options as DialOptions), sentence);
  }
  for (const [options, sentence] of [...both, ...listen]) {
    const said = await socket.listen(url, options as ListenOptions).catch((e) => e);
    assert.match(said.message, sentence);
  }
  await socket.close();
});

test("options for a layer that the stack has already are refused: it has its own", () => {
  const whole = open(stack(push(), xpush(), sp(), tcp()));
  const part = open(stack(pull(), xpull(), sp()));
  for (const run of [
    () => whole.dial("tcp://127.0.0.1:1", { tcp: {} } as DialOptions),
    () => part.dial("tcp://127.0.0.1:1", { sp: {} }),
  ]) {
    assert.throws(
      run,
      /^the stack ends in .(sp|tcp)., so tcp:\/\/ brings no .(sp|tcp).: give its options in the stack$/,
    );
  }
});

test.run();
