/** What is put into a block comes out of it, in order, and is copied only where that is cheaper. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BLOCK, Block, BORROW } from "../../runtime/block.js";
import { watch } from "../../runtime/kit/spy.js";
import { Message, Slab } from "../../runtime/message.js";
import { Stats } from "../../runtime/stats.js";
import { check, TIMES } from "../laws/all.js";
import { body, joined, same, sizes } from "../laws/octets.js";

const test = suite("block");
const size = sizes(24, 1024, BORROW, BLOCK - BORROW, BLOCK - 32, BLOCK);
/** Copied octet by octet up to here, which no spy sees. */
const UNSEEN = 128;

/** A message to put: a window, segments behind it, and whether it is gathered first. */
interface Given {
  readonly window: number;
  readonly rest: readonly number[];
  readonly gathered: { readonly head: number; readonly tail: number } | undefined;
  /** All that waits is taken after it. */
  readonly taken: boolean;
}

const given: fc.Arbitrary<Given> = fc.record({
  window: fc.oneof(fc.nat(80), size),
  rest: fc.array(size, { maxLength: 3 }),
  gathered: fc.option(fc.record({ head: fc.nat(40), tail: fc.nat(40) }), { nil: undefined }),
  taken: fc.boolean(),
});

function made({ window, rest }: Given, seed: number): Message {
  const m = Message.of(body(window, seed));
  m.rest = rest.map((n, i) => body(n, seed + i + 1));
  return m;
}

test("octets come out as they went in, copied as often as is counted", () => {
  const law = (list: Given[]) => {
    const stats = new Stats();
    const [block, slab] = [new Block(stats), new Slab(new Stats())];
    const messages = list.map((g, i) => made(g, i * 7));
    const want = messages.flatMap((m, i) => {
      const { gathered = { head: 0, tail: 0 } } = list[i] as Given;
      const [before, behind] = [new Uint8Array(gathered.head), new Uint8Array(gathered.tail)];
      return [before.fill(1), ...m.segments(), behind.fill(2)];
    });
    const out: Uint8Array[] = [];
    const copies: number[] = [];
    let [bodies, octets] = [0, 0];
    const spy = watch();
    for (const [i, m] of messages.entries()) {
      const { gathered, rest, window, taken } = list[i] as Given;
      if (gathered !== undefined) {
        copies.push(...[window, ...rest]);
        bodies++;
        octets += m.length;
        const one = block.gather(m, gathered);
        one.push(gathered.head, slab);
        one.bytes.fill(1, one.start, one.start + gathered.head);
        const at = one.append(gathered.tail, slab);
        new Uint8Array(one.tail.buffer, at, gathered.tail).fill(2);
        assert.is(one.rest.length, 0, "in one piece");
        block.put(one);
      } else {
        const few = rest.filter((n) => n < BORROW && n > 0);
        if (window < BORROW && window > 0) copies.push(window);
        copies.push(...few);
        if (rest.length === 0 && window < BORROW && window > 0) few.push(window);
        bodies += few.length;
        octets += few.reduce((a, b) => a + b, 0);
        block.put(m);
      }
      if (taken) out.push(...block.take());
    }
    const waiting = block.length;
    const last = block.take();
    out.push(...last);
    spy.close();
    assert.is(waiting, joined(last).length, "it knows how much waits");
    assert.is(block.length, 0);
    assert.ok(same(joined(out), joined(want)), "the same octets");
    assert.equal([stats.copies, stats.copiedOctets], [bodies, octets], "counted");
    const visible = (n: number) => n > UNSEEN;
    assert.equal(spy.copies.filter(visible), copies.filter(visible), "copied as counted");
    assert.is(spy.allocations.length, stats.allocations, "made as counted");
  };
  check(fc.array(given, { minLength: 1, maxLength: 12 }), law, 150 * TIMES);
});

test("large bodies leave as they came, small ones together", () => {
  const block = new Block(new Stats());
  const large = body(BORROW, 1);
  // The first buffer is small, for connections that say little.
  block.put(Message.of(body(2000, 1)));
  block.take();
  for (let i = 0; i < 100; i++) block.put(Message.of(body(64, i)));
  const m = Message.of(body(8, 3));
  m.rest = [large];
  block.put(m);
  const [small, borrowed, ...none] = block.take();
  assert.is(small?.length, 100 * 64 + 8);
  assert.ok(borrowed === large);
  assert.equal(none, []);
});

test("messages gathered at once may be put in another order, and in another block", () => {
  const orders = fc.array(fc.nat(), { minLength: 6, maxLength: 6 });
  const law = ([lengths, order]: [number[], number[]]) => {
    const block = new Block(new Stats());
    const held = lengths.map((n, i) => block.gather(Message.of(body(n, i)), { head: 3, tail: 2 }));
    const want: Uint8Array[] = [];
    while (held.length > 0) {
      const [m] = held.splice((order[held.length - 1] ?? 0) % held.length, 1);
      want.push(joined((m as Message).segments()));
      block.put(m as Message);
    }
    assert.ok(same(joined(block.take()), joined(want)));
  };
  check(fc.tuple(fc.array(size, { minLength: 2, maxLength: 6 }), orders), law, 100 * TIMES);
});

test.run();
