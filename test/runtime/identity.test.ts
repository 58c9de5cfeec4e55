/** Who is of one kind, and who is not: stacks are compared before anything above the framing opens. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Type } from "../../generated/sp/greeting.js";
import * as codec from "../../generated/sp/stack.js";
import { difference as differenceOf, identityOf } from "../../runtime/identity.js";
import {
  Element,
  type Event,
  type Exchanger,
  type Facts,
  type Layer,
  type Link,
  opcodes,
  open,
  PeerError,
  pair0,
  rep,
  req,
  type Socket,
  type SocketEvents,
  type Stack,
  StackError,
  sp,
  stack,
  type WireError,
  ws,
  xpair0,
  xrep,
  xreq,
} from "../../runtime/index.js";
import { check } from "../../runtime/stack.js";
import { type Scheme, SIDES, type Stage, staged } from "../support/stage.js";
import { octetsOf, Stranger } from "../support/stranger.js";
import { until } from "../support/until.js";

const test = suite("identity");

/** A layer that shows on the wire by its name alone, and notes what is said when it may open. */
function mark(identity: string, heard: Facts[] = []): Layer<"link", "link"> {
  return {
    name: identity.replace(/@.*/, ""),
    below: "link",
    above: "link",
    identity,
    make: () => new Note(heard),
  };
}
class Note extends Element {
  constructor(readonly heard: Facts[]) {
    super();
  }
  override event(e: Event): void {
    if (e.type === "opened") this.heard.push(e.facts);
    this.above.event(e);
  }
}

const seal: Layer<{ same: ["req", "rep"] }, { same: ["req", "rep"] }> = {
  name: "seal",
  below: { same: ["req", "rep"] },
  above: { same: ["req", "rep"] },
  identity: "seal@3",
  make: () => new Element(),
};

const PLACES: readonly (Scheme | "inproc" | "memory")[] = ["tcp", "ipc", "ws", "inproc", "memory"];
let names = 0;
const at = (stage: Stage, place: (typeof PLACES)[number]) =>
  place === "inproc" || place === "memory" ? `${place}://identity-${names++}` : stage.any(place);

function refusals(socket: Pick<Socket, "on">): Error[] {
  const seen: Error[] = [];
  socket.on("refused", ({ error }: SocketEvents["refused"]) => seen.push(error));
  return seen;
}

for (const place of PLACES) {
  test(
    `the same layers open over ${place}, and both ends bind the same octets`,
    staged(async (stage) => {
      const [a, b]: [Facts[], Facts[]] = [[], []];
      const server = stage.open(stack(rep(), xrep(), mark("one@1"), mark("two@1(x,16)", a)));
      const client = stage.open(stack(req(), xreq(), mark("one@1"), mark("two@1(x,16)", b)));
      server.serve((body) => body);
      const { url } = await server.listen(at(stage, place));
      client.dial(url);
      assert.equal(await client.request("hello"), new TextEncoder().encode("hello"));
      assert.equal(a[0]?.identity, ["one@1", "two@1(x,16)"]);
      assert.equal(a[0]?.prologue, b[0]?.prologue);
      const text = Buffer.from(a[0]?.prologue as Uint8Array).toString("latin1");
      assert.is(
        text.slice(text.indexOf("\x01\0\x30")),
        "\x01\0\x30one@1 two@1(x,16)\x01\0\x31one@1 two@1(x,16)",
        "the dialer's first, each with its protocol",
      );
    }),
  );

  for (const [what, ours, theirs, said] of [
    ["another version", ["a@1", "b@1"], ["a@1", "b@2"], "'b@1' is 'b@2' at the peer"],
    ["another order", ["a@1", "b@1"], ["b@1", "a@1"], "'a@1' is 'b@1' at the peer"],
    ["one more", ["a@1"], ["a@1", "b@1"], "the peer has 'b@1', which is not here"],
    ["one less", ["a@1", "b@1"], ["a@1"], "'b@1' is not at the peer"],
    ["none", ["a@1"], [], "'a@1' is not at the peer"],
    ["some, and ours none", [], ["a@1"], "the peer has "],
  ] as const) {
    // Here a close overtakes what the other side would say; it is refused without a reason.
    if (place === "memory") continue;
    test(
      `${what} over ${place} is refused, and the first layer that differs is named`,
      staged(async (stage) => {
        const opened: Facts[] = [];
        const make = (all: readonly string[]) =>
          stage.open({
            ...stack(pair0(), xpair0()),
            layers: [pair0(), xpair0(), ...all.map((name) => mark(name, opened))],
          } as never) as Exchanger;
        const [server, client] = [make(ours), make(theirs)];
        const [here, there] = [refusals(server), refusals(client)];
        const { url } = await server.listen(at(stage, place));
        client.dial(url);
        client.trySend("nobody may see this");
        await until("both to refuse", () => here.length > 0 && there.length > 0);
        assert.instance(here[0], PeerError);
        assert.match(here[0]?.message ?? "", said);
        assert.is(opened.length, 0, "no layer above has opened");
        assert.is(server.stats().received, 0);
        assert.is(server.stats().attached + client.stats().attached, 0);
      }),
    );
  }
}

for (const place of PLACES.filter((p) => p !== "ipc")) {
  test(
    `links over ${place} have an identity, too: the same layers open, others do not`,
    staged(async (stage) => {
      const protocol = { name: "mine", type: 0xf010, peer: 0xf010 };
      const framing = place === "ws" ? [ws()] : place === "inproc" ? [] : [sp({ protocol })];
      const links = (...names: readonly string[]) => {
        const made = open(check([...names.map((n) => mark(n)), ...framing]) as Stack<"link">);
        stage.after(() => void made.close());
        return made;
      };
      const door = await links("one@1").listen(at(stage, place));
      const refused: Error[] = [];
      door.on("refused", ({ error }) => refused.push(error));
      const near = await links("one@1").dial(door.url);
      const { value: far } = await door[Symbol.asyncIterator]().next();
      await near.send(octetsOf("68 69"));
      assert.equal(await (far as Link).receive(), octetsOf("68 69"));
      await links("two@1")
        .dial(door.url)
        .then(
          () => assert.unreachable("another layer is let in"),
          () => {},
        );
      await until("a refusal", () => refused.length > 0);
      assert.match(refused[0]?.message ?? "", "stacks differ: 'one@1' is 'two@1' at the peer");
    }),
  );
}

test(
  "layers above the protocol are compared only between those who say that no device is between them",
  staged(async (stage) => {
    for (const [direct, opens] of [
      [false, true],
      [true, false],
    ] as const) {
      const server = stage.open(stack(rep(), xrep()), { direct });
      server.serve((body) => body);
      const client = stage.open(stack(seal, req(), xreq()), { direct });
      const seen = refusals(client);
      const { url } = await server.listen(stage.any("tcp"));
      const dialer = client.dial(url);
      if (opens) await dialer.ready;
      else await until("a refusal", () => seen.length > 0);
      if (!opens) assert.match(seen[0]?.message ?? "", "'seal@3' is not at the peer");
    }
  }),
);

for (const side of SIDES) {
  test(
    `a plain peer of a socket that ${side}s is refused, and nothing that it sent is delivered`,
    staged(async (stage) => {
      const ours = stage.open(stack(pair0(), xpair0(), mark("one@1")));
      const plain = stage.open(pair0());
      const [here, there] = [refusals(ours), refusals(plain)];
      plain.trySend("too early");
      const [near, far] = side === "listen" ? [ours, plain] : [plain, ours];
      const { url } = await near.listen(stage.any("tcp"));
      far.dial(url);
      await until("both to refuse", () => here.length > 0 && there.length > 0);
      assert.match(here[0]?.message ?? "", "'one@1' is not at the peer, which is a plain socket");
      assert.is(ours.stats().received, 0);
    }),
  );
}

/** A socket with one layer, its refusals, and a stranger who has said that it has layers, too. */
async function met(stage: Stage) {
  const socket = stage.open(stack(pair0(), xpair0(), mark("one@1")));
  const refused = refusals(socket);
  const { url } = await socket.listen(stage.any("tcp"));
  const dial = async () => {
    const stranger = await Stranger.dial(url);
    await stranger.send(octetsOf("00 53 50 00 00 10 00 01"));
    return stranger;
  };
  return { socket, refused, dial };
}

function said(type: number, layers: string): Uint8Array {
  const octets = new Uint8Array(codec.size(layers));
  codec.write(new DataView(octets.buffer), 0, type, layers);
  return octets;
}

test(
  "what is no list of layers ends the connection, and is counted",
  staged(async (stage) => {
    const { socket, refused, dial } = await met(stage);
    const right = said(Type.pair0, "one@1");
    const cases: [octets: Uint8Array, rule: string][] = [
      [right.subarray(0, 2), "sp.stack"],
      [new Uint8Array(0), "sp.stack"],
      [Uint8Array.of(2, ...right.subarray(1)), "sp.stack.version"],
      [said(Type.req, "one@1"), "sp.stack.type"],
      [Uint8Array.of(...right, 0xff), "sp.stack.layers"],
      [new Uint8Array(513).fill(1), "sp.stack"],
      [new Uint8Array(1 << 20), "sp.stack"],
    ];
    for (const [octets, rule] of cases) {
      const stranger = await dial();
      await stranger.message(octets);
      await stranger.ended();
      await until("a refusal", () => refused.length > 0);
      assert.is((refused.pop() as WireError).rule, rule);
    }
    assert.is(socket.stats().received, 0);
  }),
);

test(
  "however it is cut into writes, the right list opens, and what follows it is the first message",
  staged(async (stage) => {
    const { socket, dial } = await met(stage);
    const opening = said(Type.pair0, "one@1");
    const stranger = await dial();
    await stranger.dribble(
      Buffer.concat([stranger.framed(opening), stranger.framed(octetsOf("68 69"))]),
    );
    assert.equal(await socket.receive(), octetsOf("68 69"));
    assert.equal(await stranger.take(0), opening, "ours said the same");
  }),
);

test(
  "a list with one octet changed never opens",
  staged(async (stage) => {
    const { socket, refused, dial } = await met(stage);
    const right = said(Type.pair0, "one@1");
    for (let i = 0; i < right.length; i++) {
      const wrong = Uint8Array.from(right, (octet, k) => (k === i ? octet ^ 1 : octet));
      const stranger = await dial();
      await stranger.message(wrong);
      await stranger.ended();
    }
    await until("all to be refused", () => refused.length === right.length);
    assert.is(socket.stats().attached, 0);
  }),
);

test("what cannot be said is refused before anybody connects", () => {
  assert.throws(
    () => identityOf([mark("a b")]),
    (e: Error) => e instanceof StackError,
  );
  assert.throws(
    () => identityOf(Array.from({ length: 60 }, (_, i) => mark(`layer-${i}@1`))),
    /identity: the layers' names take \d+ octets; 512 are room/,
  );
  assert.equal(
    identityOf([opcodes() as Layer, mark("a@1")]),
    ["a@1"],
    "who shows nothing is not in it",
  );
});

test("two lists are the same exactly when they are spelt the same", () => {
  const layers = fc.array(fc.stringMatching(/^[a-z]{1,3}@[1-9]$/), { maxLength: 4 });
  fc.assert(
    fc.property(layers, layers, (a, b) => {
      const differ = differenceOf(a, b);
      assert.is(differ === undefined, a.join(" ") === b.join(" "));
      if (differ !== undefined) assert.match(differ.message, `[${b.join(" ")}]`);
    }),
  );
});

test.run();
