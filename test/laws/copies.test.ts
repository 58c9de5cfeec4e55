/** Bodies are copied, and buffers made, as often as the design says, no oftener, and as `stats()` tells. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BLOCK, BORROW } from "../../runtime/block.js";
import {
  bus,
  device,
  type Exchanger,
  integrity,
  open,
  type Port,
  pair0,
  pair1,
  pub,
  pull,
  push,
  type Replier,
  type Requester,
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
  xpull,
  xpush,
  xrep,
  xreq,
} from "../../runtime/index.js";
import { type Ledger, watch } from "../../runtime/kit/spy.js";
import { body, same } from "./octets.js";

const test = suite("copies");
const MESSAGES = 5;
/** A received message up to here is copied out of its chunk. */
const SMALL = 512;
/** All longer than any run of headers, so that a copy of a body is told by its length. */
const SIZES = [200, SMALL, SMALL + 1, BORROW - 1, BORROW, BLOCK, 1_000_000];

type Mode = NonNullable<SocketOptions["mode"]>;

interface Two {
  readonly near: Port;
  readonly far: Port;
  /** A body there, and one back if the pattern has a way back: what was received. */
  pass(there: Uint8Array, back: Uint8Array): Promise<Uint8Array[]>;
}

const proven = integrity({ keys: [{ id: 1, secret: new Uint8Array(32) }] });

const patterns: Readonly<Record<string, (options: SocketOptions) => Two>> = {
  push: (options) => oneWay(open(push(), options), open(pull(), options)),
  "push, signed": (options) =>
    oneWay(open(stack(proven, push()), options), open(stack(proven, pull()), options)),
  pair0: (options) => both(open(pair0(), options), open(pair0(), options)),
  pair1: (options) => both(open(pair1(), options), open(pair1(), options)),
  bus: (options) => both(open(bus(), options), open(bus(), options)),
  star: (options) => both(open(star(), options), open(star(), options)),
  survey(options) {
    const [near, far] = [open(surveyor(), options), open(respondent(), options)];
    return {
      near,
      far,
      async pass(there, back) {
        const survey = near.survey(there);
        const ask = await far.receive();
        ask.reply(back);
        const { value } = await survey.next();
        await survey.return?.();
        return [ask.body, value as Uint8Array];
      },
    };
  },
  req: (options) => asking(open(req(), options), open(rep(), options)),
  "req, signed": (options) =>
    asking(open(stack(proven, req()), options), open(stack(proven, rep()), options)),
};

function oneWay(near: Sender, far: Taker): Two {
  return {
    near,
    far,
    async pass(there) {
      await near.send(there);
      return [await far.receive()];
    },
  };
}

function asking(near: Requester, far: Replier): Two {
  return {
    near,
    far,
    async pass(there, back) {
      const asked = near.request(there);
      const ask = await far.receive();
      ask.reply(back);
      return [ask.body, await asked];
    },
  };
}

function both(near: Exchanger, far: Exchanger): Two {
  return {
    near,
    far,
    async pass(there, back) {
      await near.send(there);
      const received = await far.receive();
      await far.send(back);
      return [received, await near.receive()];
    },
  };
}

let names = 0;

/** Connects, and returns when both sides know. */
async function join(near: Port, far: Port, scheme: string): Promise<void> {
  const at = scheme === "tcp" ? "127.0.0.1:0" : `copies/${names++}`;
  const attached = new Promise<void>((done) => void far.on("attached", () => done()));
  const { url } = await far.listen(`${scheme}://${at}`);
  await near.dial(url).ready;
  await attached;
}

/** What `port` has counted in the meantime. */
function counted(port: Port): () => { copies: number; allocations: number; outOfRoom: number } {
  const before = port.stats();
  return () => {
    const { copies, allocations, outOfRoom } = port.stats();
    return {
      copies: copies - before.copies,
      allocations: allocations - before.allocations,
      outOfRoom: outOfRoom - before.outOfRoom,
    };
  };
}

async function watched(run: () => Promise<void>): Promise<Ledger> {
  const spy = watch();
  try {
    await run();
  } finally {
    spy.close();
  }
  return spy;
}

/** Bodies that the side that sends copies, for each that it sends. */
function sending(scheme: string, mode: Mode, size: number): number {
  if (mode === "contiguous") return 1;
  return scheme !== "inproc" && size < BORROW ? 1 : 0;
}

/** Those that the side that receives copies: least and most. */
function receiving(scheme: string, size: number): readonly [number, number] {
  if (scheme === "inproc") return [0, 0];
  // A message that lies across chunks is assembled, once; one that does not is a view.
  return size <= SMALL ? [1, 1] : [0, 1];
}

for (const [pattern, make] of Object.entries(patterns)) {
  for (const scheme of ["inproc", "memory", "tcp"]) {
    for (const mode of ["scatter", "contiguous"] as const) {
      test(`${pattern} over ${scheme}, ${mode}: copies and buffers are as declared, and counted`, async () => {
        for (const size of SIZES) {
          const { near, far, pass } = make({ mode });
          await join(near, far, scheme);
          const bodies = Array.from({ length: MESSAGES }, (_, i) => [
            body(size, i),
            body(size, -i),
          ]);
          const [nearly, farly] = [counted(near), counted(far)];
          const got: Uint8Array[][] = [];
          const spy = await watched(async () => {
            for (const [there, back] of bodies as [Uint8Array, Uint8Array][]) {
              got.push(await pass(there, back));
            }
          });
          const [n, f] = [nearly(), farly()];
          await Promise.all([near.close(), far.close()]);

          const where = `${size} octets`;
          const back = pattern.startsWith("push") ? 0 : MESSAGES;
          const sender = sending(scheme, mode, size);
          const [least, most] = receiving(scheme, size);
          between(n.copies, MESSAGES * sender + back * least, MESSAGES * sender + back * most);
          between(f.copies, back * sender + MESSAGES * least, back * sender + MESSAGES * most);
          // Made contiguous for a connection without headers it has no room, and who answers pushes a tag.
          const answers = pattern.startsWith("req") || pattern === "survey";
          const bare = answers && scheme === "inproc" && mode === "contiguous";
          assert.equal([n.outOfRoom, f.outOfRoom], [0, bare ? MESSAGES : 0], "room is enough");
          for (const [i, received] of got.entries()) {
            for (const [k, one] of received.entries()) {
              const sent = bodies[i]?.[k] as Uint8Array;
              assert.ok(same(one, sent), where);
              const shared = scheme === "inproc" && mode === "scatter";
              if (shared) assert.ok(one.buffer === sent.buffer, "the sender's own buffer");
            }
          }
          if (scheme === "inproc" && mode === "scatter") {
            assert.ok(n.allocations <= 1 && f.allocations <= 1, "a slab each, at most");
          }
          // The system cuts octets as it likes: a body may then be copied in several pieces.
          if (scheme === "tcp") continue;
          const copies = spy.copies.filter((octets) => octets >= size);
          assert.is(copies.length, n.copies + f.copies, `${where}: copies seen are those counted`);
          const made = spy.allocations.length;
          assert.is(
            made,
            n.allocations + f.allocations,
            `${where}: buffers seen are those counted`,
          );
        }
      });
    }
  }
}

function between(n: number, least: number, most: number): void {
  assert.ok(n >= least && n <= most, `${n} copies, of ${least} to ${most}`);
}

test("a body made by message() has room around it, and over inproc the receiver gets that very buffer", async () => {
  for (const size of SIZES) {
    const [near, far] = [open(req()), open(rep())];
    await join(near, far, "inproc");
    far.serve((b) => {
      const reply = far.message(b.length);
      reply.body.set(b);
      return reply;
    });
    const ask = near.message(size);
    ask.body.set(body(size, 1));
    const before = counted(far);
    let received: Uint8Array | undefined;
    // The handler copies, once; nobody else does.
    const spy = await watched(async () => {
      received = await near.request(ask);
    });
    assert.ok(same(received as Uint8Array, body(size, 1)));
    assert.is(spy.copies.filter((n) => n >= size).length, 1);
    assert.equal([near.stats().copies, before().copies], [0, 0]);
    assert.equal([near.stats().outOfRoom, before().outOfRoom], [0, 0]);
    await Promise.all([near.close(), far.close()]);
  }
});

interface Fan {
  readonly near: Port;
  readonly fars: readonly Port[];
  /** To all; what each received. */
  pass(body: Uint8Array): Promise<Uint8Array[]>;
}

const fans: Readonly<Record<string, (options: SocketOptions) => Fan>> = {
  pub(options) {
    const near = open(pub(), options);
    const fars = [1, 2, 3].map(() => open(sub(), options));
    for (const far of fars) far.subscribe("");
    return { near, fars, pass: toAll(near, fars) };
  },
  "pub, signed"(options) {
    const near = open(stack(proven, pub()), options);
    const fars = [1, 2, 3].map(() => open(stack(proven, sub()), options));
    for (const far of fars) far.subscribe("");
    return { near, fars, pass: toAll(near, fars) };
  },
  bus(options) {
    const near = open(bus(), options);
    const fars = [1, 2, 3].map(() => open(bus(), options));
    return { near, fars, pass: toAll(near, fars) };
  },
  star(options) {
    const near = open(star(), options);
    const fars = [1, 2, 3].map(() => open(star(), options));
    return { near, fars, pass: toAll(near, fars) };
  },
  survey(options) {
    const near = open(surveyor(), options);
    const fars = [1, 2, 3].map(() => open(respondent(), options));
    const pass = async (body: Uint8Array) => {
      const survey = near.survey(body);
      const asks = await Promise.all(fars.map((far) => far.receive()));
      await survey.return?.();
      return asks.map((ask) => ask.body);
    };
    return { near, fars, pass };
  },
};

function toAll(
  near: { send(body: Uint8Array): Promise<void> },
  fars: readonly { receive(): Promise<Uint8Array> }[],
): Fan["pass"] {
  return async (body) => {
    await near.send(body);
    return Promise.all(fars.map((far) => far.receive()));
  };
}

for (const [pattern, make] of Object.entries(fans)) {
  for (const scheme of ["inproc", "memory"]) {
    for (const mode of ["scatter", "contiguous"] as const) {
      test(`${pattern} to three over ${scheme}, ${mode}: one body for all, copied for each connection as for one`, async () => {
        for (const size of SIZES) {
          const { near, fars, pass } = make({ mode });
          for (const far of fars) await join(far, near, scheme);
          const body0 = body(size, 1);
          const sent = counted(near);
          const heard = fars.map((far) => counted(far));
          let got: Uint8Array[] = [];
          const spy = await watched(async () => {
            got = await pass(body0);
          });
          const n = sent();
          assert.is(n.copies, fars.length * sending(scheme, mode, size), `${size} octets`);
          assert.is(n.outOfRoom, 0);
          let copies = n.copies;
          for (const [i, received] of got.entries()) {
            const f = (heard[i] as (typeof heard)[0])();
            const [least, most] = receiving(scheme, size);
            between(f.copies, least, most);
            copies += f.copies;
            assert.ok(same(received, body0));
            if (scheme === "inproc" && mode === "scatter") {
              assert.ok(received.buffer === body0.buffer, "the sender's own buffer");
            }
          }
          assert.is(spy.copies.filter((octets) => octets >= size).length, copies);
          await Promise.all([near, ...fars].map((s) => s.close()));
        }
      });
    }
  }
}

test("contiguous copies each message once for the connection that takes it, of however many", async () => {
  const near = open(push(), { mode: "contiguous" });
  const fars = [open(pull()), open(pull()), open(pull())];
  for (const far of fars) await join(near, far, "inproc");
  for (let i = 0; i < 30; i++) await near.send(body(200, i));
  for (const [i, far] of fars.entries()) {
    for (let k = i; k < 30; k += 3) assert.ok(same(await far.receive(), body(200, k)));
    assert.is(far.stats().copies, 0);
  }
  assert.is(near.stats().copies, 30);
  await Promise.all([near, ...fars].map((s) => s.close()));
});

test("a device needs a new head for each request, whose way back grows, none for a reply, and copies as its transports do", async () => {
  for (const scheme of ["inproc", "memory"]) {
    // In a device's message header and body are one piece, so the threshold is not the body's alone.
    for (const size of [200, 2000, BORROW - 100, BORROW, 100_000]) {
      const [near, far, front, back] = [open(req()), open(rep()), open(xrep()), open(xreq())];
      await join(back, far, scheme);
      await join(near, front, scheme);
      const passing = device(front, back);
      far.serve((b) => b);
      const [fronts, backs] = [counted(front), counted(back)];
      for (let i = 0; i < MESSAGES; i++) {
        const sent = body(size, i);
        assert.ok(same(await near.request(sent.slice()), sent));
      }
      const [f, b] = [fronts(), backs()];
      const sent = MESSAGES * sending(scheme, "scatter", size);
      // A raw socket hands on what lies where it lies: what is small stays in its chunk.
      const most = scheme === "inproc" || size < SMALL ? 0 : MESSAGES;
      between(f.copies, sent, sent + most);
      between(b.copies, sent, sent + most);
      assert.is(f.outOfRoom + b.outOfRoom, scheme === "inproc" ? 0 : MESSAGES, scheme);
      await Promise.all([near, far, front, back].map((s) => s.close()));
      await passing;
    }
  }
});

test("a device that adds no header needs no new head", async () => {
  const [near, far, front, back] = [open(push()), open(pull()), open(xpull()), open(xpush())];
  await join(back, far, "memory");
  await join(near, front, "memory");
  const passing = device(front, back);
  for (let i = 0; i < MESSAGES; i++) {
    await near.send(body(3000, i));
    assert.ok(same(await far.receive(), body(3000, i)));
  }
  assert.is(front.stats().outOfRoom + back.stats().outOfRoom, 0);
  assert.is(back.stats().copies, MESSAGES);
  await Promise.all([near, far, front, back].map((s) => s.close()));
  await passing;
});

test.run();
