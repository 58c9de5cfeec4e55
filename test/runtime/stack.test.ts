/** Stacks: what fits, what does not and says so, what a stack prints, and what it puts on the wire. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type Found,
  pair1Ipc,
  pair1IpcBounds,
  pair1Tcp,
  pair1TcpBounds,
  plainIpc,
  plainIpcBounds,
  plainTcp,
  plainTcpBounds,
  requestIpc,
  requestIpcBounds,
  requestTcp,
  requestTcpBounds,
  starIpc,
  starIpcBounds,
  starTcp,
  starTcpBounds,
  surveyIpc,
  surveyIpcBounds,
  surveyTcp,
  surveyTcpBounds,
} from "../../generated/dissect/stacks.js";
import { MAX as GREETING } from "../../generated/sp/greeting.js";
import {
  bus,
  Element,
  type Env,
  inproc,
  type Layer,
  memory,
  open,
  type Port,
  pair0,
  pair1,
  pub,
  pull,
  push,
  rep,
  req,
  respondent,
  StackError,
  sp,
  stack,
  star,
  sub,
  surveyor,
  tcp,
  xpull,
  xpush,
  xrep,
  xreq,
} from "../../runtime/index.js";
import { recording } from "../support/recording.js";

const test = suite("stack");

/** As a stack from configuration: nothing is checked before it runs. */
const configured = stack as unknown as (...layers: Layer[]) => unknown;

const bad: readonly [name: string, layers: Layer[], sentence: string][] = [
  [
    "a cooked protocol on a framing",
    [req(), sp(), tcp()] as Layer[],
    "'req' stands on 'raw', but the one below it offers 'link'",
  ],
  [
    "a raw protocol on a transport",
    [req(), xreq(), tcp()] as Layer[],
    "'xreq' stands on 'link', but the one below it offers 'octets'",
  ],
  [
    "a framing on messages",
    [xreq(), sp(), inproc()] as Layer[],
    "'sp' stands on 'octets', but the one below it offers 'link'",
  ],
  [
    "the same face, where it may not be",
    [
      req(),
      { name: "seal", below: { same: ["req"] }, above: { same: ["req"] } },
      xreq(),
    ] as Layer[],
    "'seal' stands on 'req', but the one below it offers 'raw'",
  ],
];

for (const [name, layers, sentence] of bad) {
  test(`${name} is refused, in the compiler's words`, () => {
    assert.throws(
      () => configured(...layers),
      (e: unknown) => e instanceof StackError && e.message === sentence && e.code === "ERR_STACK",
    );
  });
}

test("an empty stack is refused", () => {
  assert.throws(() => configured(), /at least one layer/);
});

const addresses: readonly [name: string, run: () => unknown, sentence: RegExp][] = [
  [
    "an unknown scheme",
    () => open(req()).dial("zmq://x"),
    /no known scheme; known are inproc:\/\//,
  ],
  ["no port", () => open(req()).dial("tcp://host"), /is not tcp:\/\/HOST:PORT/],
  ["a port too high", () => open(req()).dial("tcp://host:65536"), /is not tcp:\/\/HOST:PORT/],
  ["nobody to dial", () => open(req()).dial("tcp://*:5"), /names nobody/],
  ["port 0 to dial", () => open(req()).dial("tcp://127.0.0.1:0"), /names nobody/],
  ["no path", () => open(req()).dial("ipc://"), /needs a path/],
  ["a path too long", () => open(req()).dial(`ipc:///${"x".repeat(108)}`), /107 octets at most/],
  [
    "a layer that is in the stack and in the row",
    () => open(stack(req(), xreq(), sp(), memory())).dial("tcp://127.0.0.1:1"),
    /the stack ends in 'memory', which cannot reach tcp:\/\//,
  ],
  [
    "octets where there are none",
    () => open(stack(req(), xreq(), sp())).dial("inproc://x"),
    /'sp' stands on 'octets', but the one below it offers 'link', at inproc:\/\/x/,
  ],
  [
    "options for a layer that is not there",
    () => open(req()).dial("tcp://127.0.0.1:1", { tls: {} }),
    /has no layer 'tls'/,
  ],
  [
    "options for a layer that the stack has itself",
    () => open(stack(req(), xreq(), sp(), tcp())).dial("tcp://127.0.0.1:1", { sp: {} }),
    /the stack ends in 'tcp', so tcp:\/\/ brings no 'sp': give its options in the stack/,
  ],
  ["what is no stack", () => open({} as never), /open takes a stack/],
  ["nothing", () => open(undefined as never), /open takes a stack/],
  [
    "an option that there is not",
    () => open(req(), { lingr: 1 } as never),
    /no option 'lingr'; it has .*linger/,
  ],
  ["a limit that is none", () => open(req(), { recvMax: -1 }), /recvMax is a whole number/],
  ["a ttl beyond the header's room", () => rep({ ttl: 16 }), /ttl is a whole number from 1 to 15/],
];

for (const [name, run, sentence] of addresses) {
  test(`${name} is refused in a sentence`, () => assert.throws(run, sentence));
}

const insisting: Layer<"link", "link", "press"> = {
  name: "press",
  below: "link",
  above: "link",
  contiguous: true,
  make: () => new Element(),
};

test("mode scatter names the layer that insists on one piece", () => {
  assert.throws(
    () => open(stack(req(), xreq(), insisting), { mode: "scatter" }),
    /mode is scatter, but 'press' insists/,
  );
});

test("a stack prints a layer a line: faces, headers, room, mode, and who forced it", () => {
  assert.is(
    stack(req(), xreq(), insisting, sp()).toString(),
    [
      "req    raw → req       sp.request (64 before)",
      "xreq   link → raw",
      "press  link → link     insists on one piece",
      "sp     octets → link   sp.tcp (8 before)",
      "room 72 before, 0 behind; contiguous from 'press' down; stands on 'octets'",
    ].join("\n"),
  );
});

test("a socket prints its endpoints too", async () => {
  const socket = open(rep());
  const { url } = await socket.listen("tcp://127.0.0.1:0");
  assert.match(socket.toString(), /^rep {3}raw → rep {7}sp\.request \(64 before\)\nxrep/);
  assert.ok(socket.toString().endsWith(`listen ${url} (sp tcp): 0 connections`));
  await socket.close();
});

test("a cooked protocol stands on its raw one: open(req()) is open(stack(req(), xreq()))", () => {
  const [preset, spelled] = [open(req()), open(stack(req(), xreq()))];
  assert.is(preset.toString(), spelled.toString());
  assert.is(open(rep()).toString(), open(stack(rep(), xrep())).toString());
});

test("a row is cut where it offers what the stack stands on", async () => {
  const whole = open(stack(rep(), xrep(), sp(), tcp()));
  const { url } = await whole.listen("tcp://127.0.0.1:0");
  whole.serve((body) => body);
  for (const socket of [open(stack(req(), xreq())), open(stack(req(), xreq(), sp()))]) {
    socket.dial(url);
    assert.equal(await socket.request("cut"), new TextEncoder().encode("cut"));
    await socket.close();
  }
  await whole.close();
});

// ---------------------------------------------------------------------------- declared in the specs

type Taken = Found[] | undefined;
type Take = (v: DataView, o: number, end: number) => Taken;
interface Bounds {
  readonly max: number;
  readonly tailMax: number;
}

type Declared = readonly [Take, Bounds];

const path = join(tmpdir(), `wirestack-stack-${process.pid}.ipc`);

type Make = (env: Env) => {
  readonly near: Port;
  readonly far: Port;
  /** A body there, and whether one came back. */
  pass(body: Uint8Array): Promise<boolean>;
};

function oneWay<
  N extends Port & { send(b: Uint8Array): Promise<void> },
  F extends Port & { receive(): Promise<Uint8Array> },
>(near: N, far: F): ReturnType<Make> {
  const pass = async (body: Uint8Array) => {
    await near.send(body);
    await far.receive();
    return false;
  };
  return { near, far, pass };
}

const makes: Readonly<Record<string, Make>> = {
  req(env) {
    const [near, far] = [open(req(), { env }), open(rep(), { env })];
    far.serve((asked) => asked);
    const pass = async (body: Uint8Array) => (await near.request(body)).length === body.length;
    return { near, far, pass };
  },
  survey(env) {
    const [near, far] = [open(surveyor(), { env }), open(respondent(), { env })];
    far.serve((asked) => asked);
    const pass = async (body: Uint8Array) => {
      for await (const answer of near.survey(body)) return answer.length === body.length;
      return false;
    };
    return { near, far, pass };
  },
  pair1: (env) => oneWay(open(pair1(), { env }), open(pair1(), { env })),
  star: (env) => oneWay(open(star(), { env }), open(star(), { env })),
  push: (env) => oneWay(open(push(), { env }), open(pull(), { env })),
  pair0: (env) => oneWay(open(pair0(), { env }), open(pair0(), { env })),
  bus: (env) => oneWay(open(bus(), { env }), open(bus(), { env })),
  pub(env) {
    const [near, far] = [open(pub(), { env }), open(sub(), { env })];
    far.subscribe("");
    return oneWay(near, far);
  },
};

const cases: readonly [name: string, of: readonly string[], Declared, Declared][] = [
  ["sp.request", ["req"], [requestTcp, requestTcpBounds], [requestIpc, requestIpcBounds]],
  ["sp.survey", ["survey"], [surveyTcp, surveyTcpBounds], [surveyIpc, surveyIpcBounds]],
  ["sp.pair1", ["pair1"], [pair1Tcp, pair1TcpBounds], [pair1Ipc, pair1IpcBounds]],
  ["sp.star", ["star"], [starTcp, starTcpBounds], [starIpc, starIpcBounds]],
  ["sp", ["push", "pair0", "pub", "bus"], [plainTcp, plainTcpBounds], [plainIpc, plainIpcBounds]],
];

for (const [name, of, tcp, ipc] of cases) {
  for (const [scheme, url, [take, bounds]] of [
    ["tcp", "tcp://127.0.0.1:0", tcp],
    ["ipc", `ipc://${path}`, ipc],
  ] as const) {
    for (const protocol of of) {
      test(`${name}/${scheme}: the octets of ${protocol} are taken apart by the stack's function, and its room is the stack's`, async () => {
        const { env, octets } = recording();
        const body = new Uint8Array(33).fill(0x61);
        const { near, far, pass } = (makes[protocol] as Make)(env);
        const attached = new Promise<void>((done) => void far.on("attached", () => done()));
        const { url: bound } = await far.listen(url);
        await near.dial(bound).ready;
        await attached;
        const answered = await pass(body);
        same(octets("dial"), take, body.length);
        if (answered) same(octets("listen"), take, body.length);
        assert.is(answered, ["req", "survey"].includes(protocol));
        for (const s of [near, far])
          assert.equal(s.room, { head: bounds.max, tail: bounds.tailMax });
        await Promise.all([near.close(), far.close()]);
      });
    }
  }
}

/** Behind the greeting stands one message; `take` finds its headers, and then the body. */
function same(octets: Uint8Array, take: Take, body: number): void {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const found = take(view, GREETING, octets.length);
  assert.ok(found !== undefined, "taken apart");
  const end = Math.max(...found.map((f) => f.bit + f.bits)) / 8;
  assert.is(end + body, octets.length);
  assert.is(
    found.find((f) => f.name.endsWith("length"))?.value,
    octets.length - GREETING - lengthHeader(found),
  );
}

/** Octets of the header that says the length: up to the end of that field. */
function lengthHeader(found: readonly Found[]): number {
  const field = found.find((f) => f.name.endsWith("length")) as Found;
  return (field.bit + field.bits) / 8 - GREETING;
}

test("a protocol on another's raw half is refused when it opens", () => {
  const wrong = [
    [
      () => open(stack(push(), xpull())),
      "'push' stands on 'xpush', but the one below it offers 'xpull'",
    ],
    [
      () => open(stack(req(), xpush())),
      "'req' stands on 'xreq', but the one below it offers 'xpush'",
    ],
  ] as const;
  for (const [opens, says] of wrong) {
    assert.throws(opens, (error: unknown) => error instanceof StackError && error.message === says);
  }
});

test.run();
