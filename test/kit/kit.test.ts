/** The kit itself: what it takes, what it answers, and that it leaves the process as it was. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hop, integrity, pair0, tcp, tls, ws, xpair0 } from "../../runtime/index.js";
import {
  feed,
  KitError,
  type KitOptions,
  layerChecks,
  testLayer,
} from "../../runtime/kit/index.js";
import { Element } from "../../runtime/layer.js";
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
  refused(() => ({ ...mark(), name: undefined }), /an object without these is none/);
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

test("a layer that shows what it stands on is run where it is told", () => {
  const same = { same: "any" } as const;
  const make = () => ({ name: "tap", below: same, above: same, make: () => new Element() });
  for (const [face, shown] of [
    [undefined, "link → link"],
    ["octets", "octets → octets"],
    ["ports", "ports → ports"],
  ] as const) {
    const report = testLayer({ make, ...(face === undefined ? {} : { face }) });
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
  testLayer({ make: () => turned() });
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
