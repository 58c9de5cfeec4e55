/** The functions of stacks, printed from the model, against the walker, which reads tables. */
import { readdirSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HeaderModel, Model, StackModel } from "../../codegen/model.js";
import type { Found } from "../../generated/dissect/found.js";
import * as generated from "../../generated/dissect/stacks.js";
import { type Node, registry, type Walked, Walker } from "../../generated/dissect.js";
import { CaptureError, dissect, type Frame, type Layer } from "../../runtime/dissect/index.js";
import { hex } from "../laws/law.js";
import { octetsOf, type Part, vectorsOf } from "../laws/vectors.js";

const test = suite("stacks");
const model = JSON.parse(readFileSync("generated/model.json", "utf8")) as Model;
const headers = new Map(model.headers.map((h) => [h.name, h]));
/** Octets in front of every message: none of them matters. */
const BEFORE = 3;

type TakeApart = (v: DataView, o: number, end: number) => Found[] | undefined;
interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly tailMin: number;
  readonly tailMax: number;
}
const called = (name: string) => (generated as Readonly<Record<string, unknown>>)[name];
const functionOf = ({ id }: StackModel) => called(id) as TakeApart;
const boundsOf = ({ id }: StackModel) => called(`${id}Bounds`) as Bounds;

/** A header's octets, as the walker has taken them apart. */
interface Piece {
  readonly octets: Uint8Array;
  readonly walked: Walked;
}

/** What is compared of a field; bits from the message's first. */
const row = ({ name, value, bit, bits, depth }: Found, first: number): string => {
  const text = value instanceof Uint8Array ? hex(value) : `${typeof value} ${value}`;
  return `${"  ".repeat(depth)}${name} = ${text} at ${bit - first} + ${bits}`;
};

/** What the function says of the message that the pieces make, and what the walker said. */
function both(stack: StackModel, pieces: readonly Piece[]) {
  const message = Buffer.concat([Buffer.alloc(BEFORE, 0xee), ...pieces.map((p) => p.octets)]);
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const found = functionOf(stack)(view, BEFORE, message.length);
  let at = 0;
  const walked = pieces.flatMap(({ octets, walked: { nodes, start } }) => {
    const rows = nodes.filter(isField).map((n) => row(n, (start - at) * 8));
    at += octets.length;
    return rows;
  });
  return { found: found?.map((f) => row(f, BEFORE * 8)), walked };
}

/** Not a value computed from fields, which has no bits of its own. */
const isField = ({ bits, table, value }: Node): boolean =>
  bits > 0 || table !== undefined || value === undefined;

const isWrong = ({ cut, notes, nodes }: Walked): boolean =>
  cut ||
  notes.some((n) => n.severity === "error") ||
  nodes.some((n) => n.status === "bad" || n.notes?.some((x) => x.severity === "error"));

// ------------------------------------------------------------------------------------- captures

/** The stacks that none of the captures holds; the vectors below do. */
const ABSENT = ["sp.star/ipc", "sp.star/ws", "tcp/ipv6/eth", "udp/ipv6/eth"];
/** Packets of snap60.pcap whose options are cut. */
const CUT = 23;

/** The layers of a frame that are one of the stack's messages each. */
function* messagesOf(frame: Frame, stack: StackModel): Generator<Layer[]> {
  // A header without octets only says what comes next.
  const parts = frame.parts.filter((p) => p.is === "octets" || p.walked.head > p.walked.start);
  for (const i of parts.keys()) {
    const layers = parts.slice(i, i + stack.headers.length).filter((p) => p.is === "header");
    if (layers.map((l) => l.walked.table.name).join() !== stack.headers.join()) continue;
    // A shorter stack is not meant where the message has another header of its own.
    const next = parts[i + layers.length];
    if (carriesMessage(stack) && next?.is === "header" && follows(next, layers.at(-1))) continue;
    if (layers.every((l, k) => k === 0 || follows(l, layers[k - 1]))) yield layers;
  }
}

const carriesMessage = ({ name }: StackModel) => name.startsWith("sp");

/** Whether a layer is in the payload of the other; what was unmasked has octets of its own. */
function follows(layer: Layer, below: Layer | undefined): boolean {
  if (below === undefined) return false;
  const { start } = layer.walked;
  if (layer.source === below.source) return start === below.walked.head;
  return layer.source.kind === "unmasked" && start === 0;
}

async function framesOf(path: string): Promise<Frame[]> {
  const frames: Frame[] = [];
  try {
    for await (const frame of dissect(path)) frames.push(frame);
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
  }
  return frames;
}

/** Counts by name. */
class Tally extends Map<string, number> {
  add(name: string): void {
    this.set(name, (this.get(name) ?? 0) + 1);
  }
}

test("function and walker say the same of every message of the captures", async () => {
  const compared = new Tally(model.stacks.map((s) => [s.name, 0]));
  const messages = new Tally();
  let refused = 0;
  const compare = (stack: StackModel, layers: readonly Layer[], place: string) => {
    const pieces = layers.map(({ source, walked }, i): Piece => {
      const end = i === layers.length - 1 ? walked.end : walked.head;
      return { octets: source.bytes.subarray(walked.start, end), walked };
    });
    const { found, walked } = both(stack, pieces);
    if (found === undefined) {
      assert.ok(
        layers.some((l) => isWrong(l.walked)),
        `${place}: refused for no reason`,
      );
      refused++;
      return;
    }
    assert.equal(found, walked, place);
    compared.add(stack.name);
  };
  for (const folder of ["peers", "variants"]) {
    for (const file of readdirSync(`test/captures/${folder}`)) {
      for (const frame of await framesOf(`test/captures/${folder}/${file}`)) {
        for (const { transport } of frame.messages) messages.add(transport);
        for (const stack of model.stacks) {
          for (const layers of messagesOf(frame, stack)) {
            compare(stack, layers, `${stack.name}, ${folder}/${file}, ${frame.packet.number}`);
          }
        }
      }
    }
  }
  console.log([...compared].map(([name, n]) => `${name} ${n}`).join(", "));
  const absent = [...compared].filter(([, n]) => n === 0).map(([name]) => name);
  assert.equal(absent, ABSENT);
  assert.is(refused, CUT);
  // Not one message that the dissector found is left out, and none is compared twice.
  for (const transport of ["tcp", "ipc", "ws"]) {
    const own = [...compared].filter(([name]) => new RegExp(`^sp.*/${transport}$`).test(name));
    assert.is(
      own.reduce((n, [, count]) => n + count, 0),
      messages.get(transport),
      transport,
    );
  }
});

// -------------------------------------------------------------------------------------- vectors

const partsOf = (stack: StackModel): [HeaderModel, Part][] =>
  stack.headers.map((name) => {
    const header = headers.get(name) as HeaderModel;
    return [header, vectorsOf(header.file).head];
  });

/** Heads one behind the other, as the walker takes each apart by itself. */
function composed(heads: readonly (readonly [HeaderModel, string])[]): Piece[] {
  const walker = new Walker();
  const octets = heads.map(([, text]) => octetsOf(text));
  const message = Uint8Array.from(Buffer.concat(octets));
  const view = new DataView(message.buffer);
  let at = 0;
  return heads.map(([header], i) => {
    const table = registry.headers.find((h) => h.name === header.name);
    if (table === undefined || octets[i] === undefined) throw new Error(header.name);
    const around = { claim: message.length, facts: new Map() };
    const walked = walker.walk(table, view, at, message.length, around);
    at += octets[i].length;
    return { octets: octets[i], walked };
  });
}

for (const stack of model.stacks) {
  const parts = partsOf(stack);

  test(`${stack.name}: function and walker say the same of vectors put together`, () => {
    const most = Math.max(...parts.map(([, { accepted }]) => accepted.length));
    for (let i = 0; i < most; i++) {
      const heads = parts.map(([header, { accepted }]): [HeaderModel, string] => [
        header,
        accepted[i % accepted.length]?.hex ?? "",
      ]);
      const { found, walked } = both(stack, composed(heads));
      assert.equal(found, walked, heads.map(([, text]) => text).join(" "));
    }
  });

  test(`${stack.name}: the least and the greatest size are attained`, () => {
    const { min, max, tailMin, tailMax } = boundsOf(stack);
    for (const [bound, size] of [
      ["min", min],
      ["max", max],
    ] as const) {
      const heads = parts.map(([header, { accepted }]): [HeaderModel, string] => [
        header,
        accepted.find((v) => v.size === header[bound])?.hex ?? "",
      ]);
      const pieces = composed(heads);
      assert.is(
        pieces.reduce((n, p) => n + p.octets.length, 0),
        size,
      );
      const { found, walked } = both(stack, pieces);
      assert.equal(found, walked);
    }
    assert.equal([tailMin, tailMax], [0, 0], "no header of it has a trailer");
  });

  test(`${stack.name}: a message in which one header is wrong, or cut, is refused`, () => {
    parts.forEach(([, part], k) => {
      for (const bad of [...part.refused, ...part.cut]) {
        const texts = parts.map(([, p], i) => (i === k ? bad.hex : (p.accepted[0]?.hex ?? "")));
        const kept = "missing" in bad ? texts.slice(0, k + 1) : texts;
        const octets = octetsOf(kept.join(""));
        const got = functionOf(stack)(new DataView(octets.buffer), 0, octets.length);
        assert.is(got, undefined, kept.join(" "));
      }
    });
  });
}

test.run();
