/** The kit itself: what it takes, what it answers, and that it leaves the process as it was. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as star from "../../generated/sp/star.js";
import { hop, integrity, pair0, tcp, tls, ws, xpair0 } from "../../runtime/index.js";
import {
  feed,
  KitError,
  type KitOptions,
  layerChecks,
  testLayer,
} from "../../runtime/kit/index.js";
import { type Control, Element, type PipeContext } from "../../runtime/layer.js";
import type { Message } from "../../runtime/message.js";
import { nodeCrypto } from "../../runtime/node-crypto.js";
import { lengths, Mark, mark, turned } from "./layers.js";

const test = suite("kit");

/** What a run says that fails. */
function said(run: () => void): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

/** Loses each message of 200 octets and more. */
class Losing extends Mark {
  override up(m: Message): void {
    if (m.length < 200 + 4) super.up(m);
    else this.context.stats.drop("mark: long");
  }
}
const losing: KitOptions = { make: () => mark({ with: Losing }) };

test("a failure tells its seed and the smallest case, and both tell it again", () => {
  const first = layerChecks(losing)[0];
  const message = said(() => first?.run());
  assert.match(
    message,
    /^mark: in mode scatter: message 1 of 1 \(200 octets, from the \w+ing side\) never came up/,
  );
  assert.match(
    message,
    /\n {4}seed 20141116, smallest case: mode \w+; 1\. \w+er sends 200 octets$/,
  );
  assert.is(
    said(() => first?.run()),
    message,
  );
  const other = said(() => layerChecks({ ...losing, seed: 7 })[0]?.run());
  assert.match(other, /seed 7, smallest case: mode \w+; 1\. \w+er sends 200 octets$/);
});

test("all failures are told, each reason once", () => {
  let error: KitError | undefined;
  try {
    testLayer({ make: () => ({ ...mark(), make: () => new Element() }) });
  } catch (e) {
    error = e as KitError;
  }
  assert.instance(error, KitError);
  assert.is(error?.layer, "mark");
  assert.is(error?.failures.length, 1);
  assert.match(error?.message ?? "", /^mark fails 1 of \d+ checks:\n {2}the room that it declares/);
  const many = said(() => testLayer({ make: () => ({ ...lengths(), make: () => new Silent() }) }));
  assert.is(many.split("never said `opened`").length, 2);
  assert.match(many, /\n {4}the same: it passes on stop and go, in both directions/);
});

class Silent extends Element {
  override event(): void {}
}

test("a check has a name that says of what layer it is, whatever runs it", () => {
  const names = layerChecks({ make: () => mark() }).map((c) => c.name);
  assert.ok(names.includes("mark: it passes on stop and go, in both directions"));
  assert.is(new Set(names).size, names.length);
});

test("what is no layer between others is refused, with what it is", () => {
  const refused = (make: () => unknown, says: RegExp) =>
    assert.match(
      said(() => layerChecks({ make } as KitOptions)),
      says,
    );
  refused(() => xpair0(), /no hub, .* not 'xpair0'/);
  refused(() => tcp(), /no transport, .* not 'tcp'/);
  refused(() => tls(), /not 'tls'/);
  refused(() => ws(), /not 'ws'/);
  refused(() => pair0(), /'pair0' stands on 'raw' and shows 'pair0'/);
  refused(() => undefined, /the kit runs layers, .*; undefined is none/);
  refused(async () => mark(), /a promise is none: `make` and `under` answer them at once/);
  refused(() => mark, /a function is none/);
  refused(() => ({ ...mark(), headers: [{ head: -1, tail: 0 }] }), /`head` of a header of 'mark'/);
  const of = (options: object) => said(() => layerChecks({ make: () => mark(), ...options }));
  assert.match(of({ run: 5 }), /the kit has no option 'run'; it has make, under/);
  assert.match(of({ runs: 0 }), /runs is a whole number, 1 or more; not 0/);
  assert.match(of({ seed: -1 }), /seed is a whole number/);
  assert.match(of({ edges: [-1] }), /one of edges is a whole number/);
  assert.match(of({ edges: [2 ** 40] }), /edges are sizes of bodies, 67108864 octets at most/);
  assert.match(of({ make: 5 }), /the kit needs `make`/);
  const keys = [{ id: 1, secret: new Uint8Array(32) }];
  const face = said(() => layerChecks({ make: () => integrity({ keys }), face: "link" }));
  assert.is(face, "'integrity' does not stand on link, but on ports");
});

test("what is declared wrongly is told once, before anything is checked", () => {
  const wrong = (more: object, says: string) => {
    const make = () => ({ ...mark(), ...more });
    for (const run of [testLayer, layerChecks, feed]) {
      assert.is(
        said(() => void run({ make } as unknown as KitOptions)),
        says,
      );
    }
  };
  wrong({ headers: star.HEADER }, "`headers` of 'mark' is a list: [header.HEADER]");
  wrong({ headers: [star] }, "`headers` of 'mark' takes HEADER of a codec: [header.HEADER]");
  wrong({ name: undefined }, "a layer has a `name`: errors, taps and peers know it by that");
  wrong(
    { below: undefined },
    "'mark' has no `below`: that is the face that it stands on, such as \"link\"",
  );
  wrong({ make: 5 }, "`make` of 'mark' is a function: make: (context) => new Mine(context)");
  const must = "mark: `make` must return an Element: new Mine(context)";
  wrong({ make() {} }, `${must}; it returned undefined`);
  wrong({ make: () => Mark }, `${must}; it returned a class, or another function`);
  const lacks = `${must}, where Mine extends Element; what it returned has no \`control\``;
  wrong({ make: () => ({ down() {}, up() {} }) }, lacks);
  const wait = "what there is to wait for is your opening, and `opened` says that it is done";
  wrong({ make: async () => new Element() }, `${must}, and not a promise of one; ${wait}`);
  const promise =
    "came back with a promise: a layer is synchronous, or messages overtake one another, and nobody hears what it throws; do it in the call";
  class Async extends Mark {
    override async up(): Promise<void> {
      throw new Error("nobody hears this");
    }
  }
  wrong({ make: (c: PipeContext) => new Async(c) }, `mark: \`up\` ${promise}`);
  class Later extends Mark {
    override control(c: Control): void {
      const later = Promise.resolve().then(() => super.control(c));
      return later as unknown as undefined;
    }
  }
  wrong({ make: (c: PipeContext) => new Later(c) }, `mark: \`control\` ${promise}`);
  const of = (options: object) => said(() => layerChecks({ make: () => mark(), ...options }));
  assert.is(of({ edges: 5 }), "`edges` is a list of sizes, such as [255, 256]; not 5");
  const under = "`under` is a function that answers a list of layers: () => [sp()]";
  assert.is(of({ under: [] }), under);
  assert.is(of({ under: () => lengths() }), under);
});

test("whatever is thrown where a layer is made is told in a sentence", () => {
  const throwing = (what: unknown) => () => {
    throw what;
  };
  for (const [what, says] of [
    [new RangeError("no"), /`make` threw RangeError: no \(at .*kit\.test/],
    [null, /`make` threw null, which is no Error/],
    [Object.create(null), /`make` threw what cannot be printed/],
  ] as const) {
    assert.match(
      said(() => layerChecks({ make: throwing(what) })),
      says,
    );
    const make = () => ({ ...mark(), make: throwing(what) });
    assert.match(
      said(() => layerChecks({ make })),
      says,
    );
  }
});

test("a rule is told once, and where it is the matter", () => {
  class Keeps extends Mark {
    #last: Uint8Array = new Uint8Array(4);
    #late: Message[] = [];
    override up(m: Message): void {
      if (this.#last[3] === 0xa5) return this.refuse("mark: again");
      if (m.end - m.start >= 4) this.#last = m.bytes.subarray(m.start, m.start + 4);
      super.up(m);
    }
    override down(m: Message): void {
      this.#late.push(m);
      this.context.env.tick(() => {
        for (const m of this.#late.splice(0)) super.down(m);
      });
    }
  }
  const both = said(() => testLayer({ make: () => mark({ with: Keeps }), runs: 2 }));
  assert.match(both, / {2}it keeps no view of .*\n.*when what came up was written over/);
  assert.match(both, / {2}a message that is kept can be sent again/);
  assert.is(both.split("The rule: ").length, 2);
  const lost = said(() => testLayer({ ...losing, runs: 2 }));
  assert.match(lost, /it keeps no view of what it has passed up/);
  assert.not.match(lost, "The rule");
});

test("a layer that shows what it stands on is run where it is told", () => {
  const same = { same: "any" } as const;
  const make = () => ({ name: "tap", below: same, above: same, make: () => new Element() });
  for (const [face, shown] of [
    [undefined, "link → link"],
    ["octets", "octets → octets"],
    ["ports", "ports → ports"],
  ] as const) {
    const report = testLayer({ make, runs: 10, ...(face === undefined ? {} : { face }) });
    assert.match(String(report), `tap (${shown}): ${report.checks.length} checks passed`);
  }
});

test("above a protocol a layer has what a socket has: no side, and no block", () => {
  const faces = { same: "ports" } as const;
  const seen: string[][] = [];
  const make = () => ({
    name: "above",
    below: faces,
    above: faces,
    make(context: object) {
      seen.push(Object.keys(context));
      return new Element();
    },
  });
  layerChecks({ make })[0]?.run();
  assert.ok(seen.length > 0);
  assert.ok(seen.every((keys) => !keys.includes("block") && !keys.includes("side")));
});

test("octets of one's own are fed, and what became of them is answered", () => {
  const layer = { make: () => mark() };
  const fed = feed(layer, Uint8Array.of(0, 0, 0, 1, 7), Uint8Array.of(0, 0, 0, 1));
  assert.equal(fed.messages, [Uint8Array.of(7), new Uint8Array(0)]);
  assert.is(fed.error, undefined);
  const bad = feed(layer, Uint8Array.of(9, 0, 0, 1), Uint8Array.of(0, 0, 0, 1));
  assert.equal(bad.messages, [], "after a close nothing comes");
  assert.match(bad.error?.message ?? "", "mark: sp.star.reserved, octet 0");
  const stream = feed({ make: () => lengths() }, Uint8Array.of(0, 0), Uint8Array.of(0, 1, 8, 0));
  assert.equal(stream.messages, [Uint8Array.of(8)]);
  const psk = new Uint8Array(32);
  const make = () => hop({ pattern: "NNpsk0", psk });
  assert.match(feed({ make, crypto: nodeCrypto }, psk).error?.message ?? "", /^hop: hop\.sealed/);
  const dropped = feed({ make: () => mark({ with: Losing }) }, new Uint8Array(300));
  assert.equal(dropped.counted, { "mark: long": 1 });
});

test("the process is as it was, whatever the layer does", () => {
  const globals = () => [
    Date,
    setTimeout,
    setImmediate,
    queueMicrotask,
    Math.random,
    process.nextTick,
    performance.now,
    crypto.getRandomValues,
    Uint8Array,
    ArrayBuffer,
    Uint8Array.prototype.set,
    Buffer.from,
  ];
  const before = globals();
  testLayer({ make: () => turned(), runs: 10 });
  said(() =>
    testLayer({
      make() {
        throw new Error("no");
      },
    }),
  );
  said(() => testLayer({ ...losing, runs: 2 }));
  const after = globals();
  assert.ok(before.every((f, i) => f === after[i]));
  assert.ok(!Object.hasOwn(performance, "now"));
});

test.run();
