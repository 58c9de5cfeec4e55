/**
 * A small conversation, and something that goes wrong at its first event; then again, at its second;
 * and so on to its last. Whatever it is and whenever: nobody waits for ever, nothing is left behind,
 * and a request is answered unless somebody closed.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  ClosedError,
  device,
  type Listener,
  open,
  type Port,
  pair0,
  pull,
  push,
  type Requester,
  rep,
  req,
  xrep,
  xreq,
} from "../../runtime/index.js";
import { World } from "./world.js";

const test = suite("every event");

/** Who talks, and where. */
class Stage {
  readonly world = new World({ seed: 1 });
  readonly ports: Port[] = [];
  readonly listeners: { port: Port; url: string; listener: Listener }[] = [];
  /** Somebody closed a socket amid it all. */
  closed = false;

  constructor(readonly scheme: string) {}

  open<P extends Port>(make: (env: { env: World["hosts"][0]; linger: number }) => P): P {
    const port = make({ env: this.world.host(`socket ${this.ports.length}`), linger: 50 });
    this.ports.push(port);
    return port;
  }

  url(n: number): string {
    return this.scheme === "tcp" ? `tcp://10.0.0.1:${n}` : `${this.scheme}://place-${n}`;
  }

  async listen(port: Port, n: number): Promise<void> {
    const url = this.url(n);
    this.listeners.push({ port, url, listener: await port.listen(url) });
  }

  /** Waits for it; that a socket was closed is no surprise if somebody closed one. */
  async see(promise: Promise<unknown>, what: string): Promise<void> {
    try {
      await this.world.waits(promise, what);
    } catch (error) {
      if (!(this.closed && error instanceof ClosedError)) throw error;
    }
  }

  dial(port: Port, n: number): void {
    this.world.waits(port.dial(this.url(n)).ready, "connection");
  }
}

type Conversation = (stage: Stage) => Promise<void>;

const ask: Conversation = async (stage) => {
  const one = stage.open((o) => open(req({ resendTime: 200 }), o));
  const two = stage.open((o) => open(rep(), o));
  two.serve(async (body) => {
    await stage.world.sleep(0.2);
    return body;
  });
  await stage.listen(two, 1);
  stage.dial(one, 1);
  await answers(stage, one);
};

const askThroughDevice: Conversation = async (stage) => {
  const one = stage.open((o) => open(req({ resendTime: 200 }), o));
  const front = stage.open((o) => open(xrep(), o));
  const back = stage.open((o) => open(xreq(), o));
  const two = stage.open((o) => open(rep(), o));
  two.serve((body) => body);
  void stage.see(device(front, back), "device");
  await stage.listen(front, 1);
  await stage.listen(two, 2);
  stage.dial(one, 1);
  stage.dial(back, 2);
  await answers(stage, one);
};

async function answers(stage: Stage, one: Requester): Promise<void> {
  let answered = 0;
  for (const text of ["a", "b", "c"]) {
    const reply = one.request(text).then((body) => {
      assert.is(new TextDecoder().decode(body), text);
      answered++;
    });
    void stage.see(reply, `reply to ${text}`);
  }
  // If who answers was closed there is no reply, until who asks is closed too.
  await stage.world.until(
    () => answered === 3 || stage.closed,
    () => `3 replies; there are ${answered}`,
  );
  await stage.world.sleep(50);
}

const give: Conversation = async (stage) => {
  const one = stage.open((o) => open(push(), o));
  const two = stage.open((o) => open(pull(), o));
  await stage.listen(one, 1);
  stage.dial(two, 1);
  void stage.see(drain(two), "messages");
  void stage.see(one.send(new Uint8Array(20_000)), "a long send");
  void stage.see(one.send("short"), "a short send");
  await stage.world.sleep(30);
};

const swap: Conversation = async (stage) => {
  const one = stage.open((o) => open(pair0(), o));
  const two = stage.open((o) => open(pair0(), o));
  await stage.listen(one, 1);
  stage.dial(two, 1);
  for (const p of [one, two]) {
    void stage.see(p.send("hello"), "a send");
    void stage.see(p.receive(), "a message").catch(() => {});
    void stage.see(drain(p), "messages");
  }
  await stage.world.sleep(30);
};

async function drain(port: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of port);
}

interface Strike {
  readonly name: string;
  /** Only where there is a network. */
  readonly network?: true;
  readonly run: (stage: Stage) => void;
}

const strikes: readonly Strike[] = [
  {
    name: "every connection is dropped",
    network: true,
    run: ({ world }) => {
      for (const link of [...world.network.links]) link.drop();
    },
  },
  {
    name: "every cable is cut, and 300 ms later that is noticed",
    network: true,
    run: ({ world }) => {
      for (const link of world.network.links) link.cut = true;
      world.clock.after(300, () => world.network.calm());
    },
  },
  {
    name: "nobody answers for a while",
    network: true,
    run: ({ world }) => world.network.outage(40),
  },
  {
    name: "the listener goes away and comes back",
    run: ({ listeners, world }) => {
      const [first] = listeners;
      if (first === undefined) return;
      const again = async () => {
        await first.listener.close();
        await world.sleep(5);
        first.listener = await first.port.listen(first.url);
      };
      world.waits(again(), "an address bound again").catch(() => {});
    },
  },
  ...[0, 1, 2, 3].map((n) => ({
    name: `socket ${n} is closed`,
    run: (stage: Stage) => {
      const port = stage.ports[n];
      if (port === undefined) return;
      stage.closed = true;
      stage.world.waits(port.close(), "close");
    },
  })),
];

async function play(scheme: string, talk: Conversation, strike?: Strike, at = 0): Promise<number> {
  const stage = new Stage(scheme);
  const { world } = stage;
  world.clock.before = (step) => {
    if (step === at) strike?.run(stage);
  };
  await world.run(async () => {
    await stage.see(talk(stage), "the conversation");
    await Promise.all(stage.ports.map((p) => world.waits(p.close(), "close")));
  });
  for (const port of stage.ports) {
    const { attached, detached } = port.stats();
    assert.is(attached, detached);
  }
  return world.clock.steps;
}

const conversations = { ask, askThroughDevice, give, swap };

for (const scheme of ["tcp", "ipc", "memory", "inproc"]) {
  for (const [name, talk] of Object.entries(conversations)) {
    test(`${name} over ${scheme}: whatever goes wrong, and at whichever event`, async () => {
      const steps = await play(scheme, talk);
      assert.ok(steps > 5);
      for (const strike of strikes) {
        if (strike.network && (scheme === "memory" || scheme === "inproc")) continue;
        for (let at = 0; at < steps; at++) {
          await play(scheme, talk, strike, at).catch((error) => {
            throw new Error(`at step ${at} of ${steps}, ${strike.name}: ${error.message}`, {
              cause: error,
            });
          });
        }
      }
    });
  }
}

test.run();
