/** What a tap tells of its stack decides how its messages are read: from the descriptions alone. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as star from "../../generated/sp/star.js";
import * as tag from "../../generated/sp/tag.js";
import { type Frame, merge, type Registry, registry } from "../../runtime/dissect/index.js";
import { toldOf } from "../../runtime/dissect/told.js";
import { integrity, node, open, pub, stack, sub, tap, xpub, xsub } from "../../runtime/index.js";
import { Element, type Layer, type PipeContext } from "../../runtime/layer.js";
import type { Message } from "../../runtime/message.js";
import { framesOf, packetsOf } from "../support/dissected.js";
import { until } from "../support/until.js";

const test = suite("told");

interface Codec {
  readonly MAX: number;
  readonly HEADER: { readonly name: string; readonly head: number; readonly tail: number };
}

/** A layer that puts a header of fixed size before each message. */
function puts(name: string, { MAX, HEADER }: Codec, write: (m: Message) => void) {
  class Puts extends Element {
    constructor(readonly context: PipeContext) {
      super();
    }
    override down(m: Message): void {
      m.push(MAX, this.context.slab);
      write(m);
      this.below.down(m);
    }
    override up(m: Message): void {
      m.pop(MAX);
      this.above.up(m);
    }
  }
  const layer: Layer<"link", "link"> = {
    name,
    below: "link",
    above: "link",
    headers: [HEADER],
    make: (context) => new Puts(context),
  };
  return layer;
}

const marks = puts("marks", star, (m) => void star.write(m.view, m.start, 7));
const tags = puts("tags", tag, (m) => void tag.write(m.view, m.start, true, 5));
/** One of which no header is known. */
const secret = puts(
  "secret",
  { MAX: 4, HEADER: { name: "acme.secret", head: 4, tail: 0 } },
  (m) => void star.write(m.view, m.start, 9),
);
const keys = [{ id: 1, secret: new Uint8Array(32).fill(1) }];

/** What a tap of a publisher writes that says this once. */
async function tapped(...lower: readonly Layer<"link", "link">[]): Promise<Buffer> {
  const seen: Uint8Array[] = [];
  const own = { env: { ...node, names: new Map<string, unknown>() } };
  const [first, second] = [lower[0], lower[1]];
  const above = [integrity({ keys }), pub(), xpub()] as const;
  const seer = tap({ to: (octets) => seen.push(octets) });
  const from = open(
    first === undefined
      ? stack(...above, seer)
      : second === undefined
        ? stack(...above, first, seer)
        : stack(...above, first, second, seer),
    own,
  );
  const others = [integrity({ keys }), sub(), xsub()] as const;
  const to = open(
    first === undefined
      ? stack(...others)
      : second === undefined
        ? stack(...others, first)
        : stack(...others, first, second),
    own,
  );
  to.subscribe("");
  await to.listen("inproc://here");
  await from.dial("inproc://here").ready;
  await from.send("hello");
  await to.receive();
  await from.close();
  await to.close();
  await until("what the tap has seen", () => Buffer.concat(seen).includes("hello"));
  return Buffer.concat(seen);
}

const frames = (octets: Uint8Array, headers?: Registry) => framesOf(packetsOf(octets), headers);

const names = (all: readonly Frame[]) =>
  all.flatMap((f) => f.parts).flatMap((p) => (p.is === "header" ? [p.walked.table.name] : []));
const said = (all: readonly Frame[]) =>
  all.flatMap((f) => f.messages).map((m) => [m.protocol, Buffer.from(m.payload).toString()]);

test("layers are read from the lowest up, then what stands within the message", async () => {
  const one = frames(await tapped(marks, tags));
  assert.equal(names(one), ["tap.pdu", "tap.link", "sp.tag", "sp.star", "integrity.trailer"]);
  assert.equal(said(one), [["pub", "hello"]]);
  const other = frames(await tapped(tags, marks));
  assert.equal(names(other), ["tap.pdu", "tap.link", "sp.star", "sp.tag", "integrity.trailer"]);
  assert.equal(said(other), [["pub", "hello"]]);
});

test("a layer whose headers are not known ends it, by its name; until somebody brings them", async () => {
  const octets = await tapped(marks, secret);
  const all = frames(octets);
  assert.equal(said(all), []);
  const [unknown] = all.flatMap((f) => f.parts).filter((p) => p.is === "octets");
  assert.is(unknown?.is === "octets" && unknown.unknown, "acme.secret");
  const known = registry.headers.find((h) => h.name === "sp.star") as (typeof registry.headers)[0];
  const mine = { headers: [{ ...known, name: "acme.secret", on: {} }], openers: [], facts: {} };
  const brought = frames(octets, merge(registry, mine));
  assert.equal(said(brought), [["pub", "hello"]]);
  assert.equal(names(brought).slice(2), ["acme.secret", "sp.star", "integrity.trailer"]);
});

test("a description that is another's, or broken, tells nothing and breaks nothing", async () => {
  const octets = await tapped(marks);
  assert.equal(said(frames(octets)), [["pub", "hello"]]);
  const edits = ["wirestack tap 1", '"sp.layers"', "ends:", "out: {", '"link"', "sp.body"];
  for (const text of edits) {
    const at = octets.indexOf(text);
    assert.ok(at > 0, text);
    const broken = Buffer.from(octets);
    broken[at + 1] = 0x7f;
    assert.is(frames(broken).filter((f) => !f.late).length, 1, text);
  }
});

test("facts are numbers and texts; all else in a description is passed over", () => {
  const lines = [
    "wirestack tap 1",
    'ends: ["a","b"]',
    'out: {"n":1,"t":"x","o":{},"a":[1],"null":null,"b":true}',
    "in: nonsense",
  ];
  const told = toldOf(lines.join("\n"));
  assert.equal(
    [...(told?.out ?? [])],
    [
      ["n", 1],
      ["t", "x"],
    ],
  );
  assert.equal([...(told?.in ?? [])], []);
  for (const wrong of [undefined, "", "wirestack tap 2\nends: []", "wirestack tap 1\nends: [1,2]"])
    assert.is(toldOf(wrong), undefined);
});

test.run();
