/**
 * The laws of a layer below the hub: two of it face each other over a wire that delays, cuts and
 * says stop. What goes down one comes up the other.
 *
 *     layerLaws(test, { name: "sp", make: () => sp() });
 */
import fc from "fast-check";
import type { Test } from "uvu";
import * as assert from "uvu/assert";
import {
  type Control,
  Element,
  type Event,
  type Layer,
  type Protocol,
  roomOf,
} from "../../runtime/layer.js";
import { Message, type Room } from "../../runtime/message.js";
import { check, TIMES } from "./all.js";
import { body, joined, same, segmented, sizes } from "./octets.js";
import { watch } from "./spy.js";
import { Still, surroundings } from "./still.js";

// biome-ignore lint/suspicious/noExplicitAny: layers of all faces
type AnyLayer = Layer<any, any, any>;
type Side = "dial" | "listen";
type Mode = "scatter" | "contiguous";

export interface Pair {
  readonly name: string;
  /** The layer, for either side. */
  make(side: Side): AnyLayer;
  /** What has to stand under it, the uppermost first. The wire takes the place of what is below that. */
  under?(side: Side): readonly AnyLayer[];
  /** Sizes of bodies worth trying, such as where a length takes one octet more. */
  readonly edges?: readonly number[];
  /** It puts several messages into one, so room cannot be seen on the wire. */
  readonly merges?: true;
}

const RUNS = 40 * TIMES;
/** No header, and no part of one, is longer. */
const HEADER = 512;
const EDGES = [1, 125, 1024, 16 * 1024, 64 * 1024];
const protocols: Readonly<Record<Side, Protocol>> = {
  dial: { name: "law", type: 0xf000, peer: 0xf001 },
  listen: { name: "law's peer", type: 0xf001, peer: 0xf000 },
};

/** Something happens to one side. */
type Do =
  | { readonly what: "send"; readonly side: Side; readonly length: number; readonly blank: boolean }
  /** The wire delivers what comes to it: so many octets, or one message. */
  | { readonly what: "deliver"; readonly side: Side; readonly n: number; readonly late: boolean }
  /** From above, or from the wire. */
  | { readonly what: "above" | "wire"; readonly side: Side; readonly go: boolean };

/** A side says stop in the middle of taking its nth message; and go again, still in it, or later. */
interface Inside {
  readonly side: Side;
  readonly nth: number;
  readonly again: boolean;
}

const side = fc.constantFrom<Side>("dial", "listen");

function doings(edges: readonly number[], stops: boolean): fc.Arbitrary<Do[]> {
  const send = fc.record({
    what: fc.constant("send" as const),
    side,
    length: sizes(...EDGES, ...edges),
    blank: fc.boolean(),
  });
  const n = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 200_000 }));
  const deliver = fc.record({
    what: fc.constant("deliver" as const),
    side,
    n,
    late: fc.constant(stops).chain((s) => (s ? fc.boolean() : fc.constant(false))),
  });
  const turn = fc.record({
    what: fc.constantFrom("above" as const, "wire" as const),
    side,
    go: fc.boolean(),
  });
  const some = stops ? [send, deliver, deliver, turn, turn] : [send, deliver];
  return fc.array(fc.oneof(...some), { maxLength: 30 });
}

const insides = fc.array(fc.record({ side, nth: fc.nat(8), again: fc.boolean() }), {
  maxLength: 4,
});

/** Stands above: sends, and writes down what comes up. */
class Top extends Element {
  open = false;
  stopped = false;
  /** The last that was heard from below. */
  told = "go";
  readonly got: Uint8Array[] = [];
  readonly events: string[] = [];
  insides: readonly Inside[] = [];

  constructor(readonly peer: number) {
    super();
  }

  override up(m: Message): void {
    assert.ok(this.open, "nothing comes up before it is open");
    assert.not.ok(this.stopped, "nothing comes up between stop and go");
    const nth = this.got.length;
    this.got.push(joined(m.segments()));
    for (const { again } of this.insides.filter((i) => i.nth === nth)) {
      this.turn(false);
      if (again) this.turn(true);
    }
  }

  override event(e: Event): void {
    this.events.push(e.type);
    if (e.type === "opened") {
      this.open = true;
      const { type = this.peer } = e.facts;
      assert.is(type, this.peer, "an opening that learns the peer's number tells the right one");
    }
    if (e.type === "stop" || e.type === "go") this.told = e.type;
  }

  turn(go: boolean): void {
    if (this.stopped !== go) return;
    this.stopped = !go;
    this.below.control({ type: go ? "go" : "stop" });
  }
}

/** Stands below: carries what comes down to the other side, when told. */
class Wire extends Element {
  other!: Wire;
  paused = false;
  full = false;
  /** All that was ever put on it. */
  readonly put: Uint8Array[] = [];
  /** What is on its way here. */
  coming: Uint8Array[] = [];
  readonly controls: string[] = [];
  /** Room that was left before the messages. */
  left: number[] = [];
  pieces: number[] = [];

  constructor(
    readonly octets: boolean,
    readonly context: ReturnType<typeof surroundings>,
  ) {
    super();
  }

  override down(m: Message): void {
    this.left.push(m.start - m.floor);
    this.pieces.push(m.segments().length);
    // A transport of octets keeps no message, only what a block gives it.
    if (this.octets) this.context.block.put(m);
    else this.carry([joined(m.segments())]);
  }

  carry(octets: readonly Uint8Array[]): void {
    this.put.push(...octets);
    this.other.coming.push(...octets);
  }

  flush(): void {
    this.context.env.settle();
    if (this.octets) this.carry(this.context.block.take().map((piece) => piece.slice()));
  }

  deliver(n: number): void {
    this.other.flush();
    if (this.coming.length === 0) return;
    if (!this.octets) {
      const octets = this.coming.shift() as Uint8Array;
      this.above.up(segmented(octets, n > octets.length ? [] : [n]));
      return;
    }
    const all = joined(this.coming);
    this.coming = n < all.length ? [all.subarray(n)] : [];
    this.above.up(Message.of(all.slice(0, n)));
  }

  override control(c: Control): void {
    this.controls.push(c.type);
    if (c.type === "stop") this.paused = true;
    if (c.type === "go") this.paused = false;
  }
}

/** Copies each message into one piece, as a socket does above the highest layer that insists. */
class Gathering extends Element {
  constructor(
    readonly context: ReturnType<typeof surroundings>,
    readonly room: Room,
  ) {
    super();
  }

  override down(m: Message): void {
    this.below.down(this.context.block.gather(m, this.room));
  }
}

/** One side: the layer between a top and a wire. */
class End {
  readonly top: Top;
  readonly wire: Wire;
  readonly room: Room;
  readonly sent: Uint8Array[] = [];
  readonly context: ReturnType<typeof surroundings>;

  constructor(pair: Pair, side: Side, mode: Mode, env: Still) {
    this.top = new Top(protocols[side].peer);
    this.context = surroundings({ env, side, protocol: protocols[side] });
    const layers = [pair.make(side), ...(pair.under?.(side) ?? [])];
    this.room = roomOf(layers);
    this.wire = new Wire(layers.at(-1)?.below === "octets", this.context);
    const elements = layers.map((l, i) => {
      const room = roomOf(layers.slice(i + 1));
      return l.make?.({ ...this.context, room }) as Element;
    });
    const insists = layers.findIndex((l) => l.contiguous);
    const at = mode === "contiguous" ? 0 : insists;
    if (at >= 0 && layers[at]?.contiguous !== "itself") {
      elements.splice(at, 0, new Gathering(this.context, roomOf(layers.slice(at))));
    }
    const all = [this.top, ...elements, this.wire];
    for (const [i, lower] of all.slice(1).entries()) {
      const upper = all[i] as Element;
      upper.below = lower;
      lower.above = upper;
    }
  }

  send(length: number, blank: boolean): void {
    const octets = body(length, this.sent.length * 2 + 1);
    this.sent.push(octets.slice());
    const { slab } = this.context;
    if (!blank) return this.top.below.down(Message.around(octets, this.room.head, slab));
    const m = Message.blank(length, this.room, slab);
    m.bytes.set(octets, m.start);
    this.top.below.down(m);
  }
}

class Couple {
  readonly dial: End;
  readonly listen: End;

  constructor(pair: Pair, mode: Mode) {
    const env = new Still();
    this.dial = new End(pair, "dial", mode, env);
    this.listen = new End(pair, "listen", mode, env);
    this.dial.wire.other = this.listen.wire;
    this.listen.wire.other = this.dial.wire;
  }

  get ends(): readonly End[] {
    return [this.listen, this.dial];
  }

  /** Both openings, to their end. */
  open(): this {
    for (const { wire } of this.ends) wire.above.event({ type: "opened", facts: {} });
    this.run();
    for (const { top, wire } of this.ends) {
      assert.ok(top.open, "it opens");
      wire.left = [];
      wire.pieces = [];
    }
    return this;
  }

  /** Delivers all there is, and what comes of that. */
  run(): void {
    for (;;) {
      for (const { wire } of this.ends) wire.flush();
      const busy = this.ends.filter(({ wire }) => wire.coming.length > 0);
      if (busy.length === 0) return;
      for (const { wire } of busy) wire.deliver(70_000);
    }
  }

  do(d: Do): void {
    const { top, wire } = this[d.side];
    if (d.what === "send") this[d.side].send(d.length, d.blank);
    // Octets that were read before a stop may come after it; messages may not.
    else if (d.what === "deliver") {
      if (!wire.paused || (d.late && wire.octets)) wire.deliver(d.n);
    } else if (d.what === "above") top.turn(d.go);
    else if (wire.full === d.go) {
      wire.full = !d.go;
      wire.above.event({ type: d.go ? "go" : "stop" });
    }
    assert.is(top.told, wire.full ? "stop" : "go", "stop and go from below are passed on");
  }

  /** Everybody says go. */
  finish(): void {
    for (const side of ["dial", "listen"] as const) {
      this[side].top.insides = [];
      this.do({ what: "wire", side, go: true });
      this.do({ what: "above", side, go: true });
    }
    this.run();
  }
}

/** Runs the same through a pair, and holds that nothing was lost, doubled, changed or reordered. */
function carried(pair: Pair, mode: Mode, list: readonly Do[], stops: readonly Inside[]): Couple {
  const couple = new Couple(pair, mode).open();
  for (const side of ["dial", "listen"] as const) {
    couple[side].top.insides = stops.filter((s) => s.side === side);
  }
  for (const d of list) couple.do(d);
  couple.finish();
  for (const [from, to] of [
    [couple.dial, couple.listen],
    [couple.listen, couple.dial],
  ] as const) {
    assert.is(to.top.got.length, from.sent.length, "as many as were sent");
    assert.ok(
      to.top.got.every((m, i) => same(m, from.sent[i] as Uint8Array)),
      "unchanged, and in order",
    );
  }
  return couple;
}

export function layerLaws<T>(test: Test<T>, pair: Pair): void {
  const { name, edges = [] } = pair;

  test(`${name}: what goes down comes up its peer, and both modes put the same octets on the wire`, () => {
    const law = (list: Do[]) => {
      const [one, other] = (["scatter", "contiguous"] as const).map((mode) =>
        carried(pair, mode, list, []),
      );
      for (const side of ["dial", "listen"] as const) {
        const octets = [one, other].map((c) => joined((c as Couple)[side].wire.put));
        assert.ok(same(octets[0] as Uint8Array, octets[1] as Uint8Array), "identical octets");
      }
    };
    check(doings(edges, false), law, RUNS);
  });

  test(`${name}: stop and go at any moment lose, double and reorder nothing`, () => {
    const law = ([list, stops, mode]: [Do[], Inside[], Mode]) =>
      void carried(pair, mode, list, stops);
    const mode = fc.constantFrom<Mode>("scatter", "contiguous");
    check(fc.tuple(doings(edges, true), insides, mode), law, 3 * RUNS);
  });

  test(`${name}: the declared room is enough, and is reached`, () => {
    for (const mode of ["scatter", "contiguous"] as const) {
      const couple = new Couple(pair, mode).open();
      for (const length of [0, ...EDGES, ...edges]) {
        for (const blank of [false, true]) couple.dial.send(length, blank);
      }
      couple.run();
      const { wire, context } = couple.dial;
      assert.is(context.stats.outOfRoom, 0, "no message needs a new head");
      if (mode === "contiguous") assert.is(Math.max(...wire.pieces), 1, "all in one piece");
      if (pair.merges === undefined)
        assert.is(Math.min(...wire.left), 0, "the longest head fills it");
    }
  });

  test(`${name}: what it does not know it passes on`, () => {
    const { dial } = new Couple(pair, "scatter").open();
    dial.top.below.control({ type: "acme.unknown" } as never);
    dial.wire.above.event({ type: "acme.unknown" } as never);
    assert.is(dial.wire.controls.at(-1), "acme.unknown");
    assert.is(dial.top.events.at(-1), "acme.unknown");
  });

  test(`${name}: no octets throw, or take more memory than they are`, () => {
    const edit = fc.tuple(fc.nat(), fc.nat(255));
    const chunk = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      // What a sound peer would say, but for a few octets.
      fc.record({ length: sizes(...EDGES), edits: fc.array(edit, { maxLength: 3 }) }),
    );
    const law = ([list, opened, cut]: [(Uint8Array | Broken)[], boolean, number]) => {
      const couple = new Couple(pair, "scatter");
      if (opened) couple.open();
      else couple.listen.wire.above.event({ type: "opened", facts: {} });
      const chunks = list.map((c) => (c instanceof Uint8Array ? c : broken(couple, c)));
      const fed = chunks.reduce((n, c) => n + c.length, 0);
      // It may hear anything.
      couple.listen.top.up = couple.listen.top.event = () => {};
      const spy = watch();
      try {
        for (const octets of chunks) {
          for (let at = 0; at < octets.length; at += cut) {
            couple.listen.wire.above.up(Message.of(octets.subarray(at, at + cut)));
          }
        }
      } finally {
        spy.close();
      }
      // What is taken of a header is small, and goes at once.
      const taken = spy.allocations.filter((n) => n > HEADER).reduce((a, b) => a + b, 0);
      assert.ok(taken <= 2 * fed + 64 * 1024, `${taken} octets of memory for ${fed}`);
    };
    const cuts = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(1 << 20));
    check(fc.tuple(fc.array(chunk, { maxLength: 6 }), fc.boolean(), cuts), law, 3 * RUNS);
  });
}

interface Broken {
  readonly length: number;
  readonly edits: readonly (readonly [at: number, octet: number])[];
}

/** A message as the peer would put it on the wire, with some octets changed. */
function broken({ dial }: Couple, { length, edits }: Broken): Uint8Array {
  if (!dial.top.open) dial.wire.above.event({ type: "opened", facts: {} });
  const from = dial.wire.put.length;
  dial.send(length, false);
  dial.wire.flush();
  const octets = joined(dial.wire.put.slice(from));
  // Headers are what is worth breaking: they are in front, or behind.
  for (const [at, octet] of edits) {
    const near = at % Math.min(octets.length, 64);
    if (octets.length > 0) octets[at % 2 === 0 ? near : octets.length - 1 - near] = octet;
  }
  return octets;
}
