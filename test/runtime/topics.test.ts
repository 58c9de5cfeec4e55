/** Topics, held against a list of them that is searched from one end to the other. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Node, Topics } from "../../runtime/topics.js";
import { check, TIMES } from "../laws/all.js";
import { body, segmented } from "../laws/octets.js";

const test = suite("topics");

/** Nodes of the tree, and whether each but the root is a topic or a fork. */
function nodes(topics: Topics): number {
  let count = 0;
  const open: Node[] = [...topics.root.next];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    count++;
    assert.ok(node.topic || node.next.length > 1, "a node is a topic, or a fork");
    assert.ok(node.edge.length > 0, "an edge has octets");
    open.push(...node.next);
  }
  return count;
}

type Do =
  | { readonly what: "add" | "delete"; readonly topic: Uint8Array }
  | { readonly what: "match"; readonly octets: Uint8Array; readonly places: number[] };

// Of few letters: so that topics are each other's beginnings.
const letters = fc
  .array(fc.constantFrom(0, 1, 255), { maxLength: 7 })
  .map((list) => Uint8Array.from(list));
const doings: fc.Arbitrary<Do[]> = fc.array(
  fc.oneof(
    fc.record({ what: fc.constantFrom("add" as const, "delete" as const), topic: letters }),
    fc.record({
      what: fc.constant("match" as const),
      octets: letters,
      places: fc.array(fc.nat(7), { maxLength: 4 }),
    }),
  ),
  { minLength: 1, maxLength: 80 },
);

const key = (octets: Uint8Array): string => Buffer.from(octets).toString("latin1");

test("topics are added, deleted and matched as a list of them would be, and the tree stays tidy", () => {
  let matched = 0;
  const law = (list: Do[]) => {
    const topics = new Topics();
    const model = new Set<string>();
    for (const d of list) {
      if (d.what === "match") {
        const want = [...model].some((t) => key(d.octets).startsWith(t));
        if (want) matched++;
        const cut = segmented(d.octets, d.places);
        assert.is(topics.match([cut.bytes, ...cut.rest]), want, "with empty pieces too");
        assert.is(topics.match(cut.segments()), want);
        continue;
      }
      const had = model.has(key(d.topic));
      if (d.what === "add") {
        assert.is(topics.add(d.topic), !had);
        model.add(key(d.topic));
      } else {
        assert.is(topics.delete(d.topic), had);
        model.delete(key(d.topic));
      }
      assert.is(topics.size, model.size);
      assert.ok(nodes(topics) <= 2 * model.size, "at most two nodes a topic");
    }
  };
  check(doings, law, 2000 * TIMES);
  assert.ok(matched > 200, `${matched} matches`);
});

test("a topic of a mebibyte is one node; cut at its end, in its middle and at each piece it matches all the same", () => {
  const topics = new Topics();
  const long = body(2 ** 20, 7);
  topics.add(long);
  assert.is(nodes(topics), 1);
  assert.ok(topics.match([long]));
  assert.not(topics.match([long.subarray(0, -1)]));
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < long.length; at += 1000) pieces.push(long.subarray(at, at + 1000));
  assert.ok(topics.match([...pieces, Uint8Array.of(1)]));
  const other = long.slice();
  other[other.length - 1] = (other.at(-1) as number) ^ 1;
  assert.not(topics.match([other]));
  topics.add(long.subarray(0, 2 ** 19));
  assert.is(nodes(topics), 2);
  assert.ok(topics.match([other]));
  topics.delete(long.subarray(0, 2 ** 19));
  assert.is(nodes(topics), 1);
  assert.not(topics.match([other]));
});

test("a topic is kept as it was, whatever becomes of the octets that named it", () => {
  const topics = new Topics();
  const topic = Uint8Array.of(1, 2, 3);
  topics.add(topic);
  topic.fill(9);
  assert.ok(topics.match([Uint8Array.of(1, 2, 3, 4)]));
});

test("of 100,000 topics, 5,000 of them each other's beginnings, each is found, and after the last nothing is left", () => {
  const topics = new Topics();
  const all: Uint8Array[] = [];
  for (let i = 0; i < 95_000; i++) all.push(new TextEncoder().encode(`device/${i % 977}/${i}`));
  // A chain: nothing here may recurse over what others chose.
  const chain = new Uint8Array(5_000).fill(7);
  for (let i = 1; i <= chain.length; i++) all.push(chain.subarray(0, i));
  for (const topic of all) assert.ok(topics.add(topic));
  assert.is(topics.size, 100_000);
  assert.ok(nodes(topics) <= 200_000);
  for (const topic of all.slice(0, 95_000)) assert.ok(topics.match([topic]));
  assert.not(topics.match([new TextEncoder().encode("device/x")]));
  for (let i = 0; i < all.length; i += 2) assert.ok(topics.delete(all[i] as Uint8Array));
  assert.ok(nodes(topics) <= 2 * topics.size);
  for (let i = 1; i < all.length; i += 2) assert.ok(topics.delete(all[i] as Uint8Array));
  assert.is(nodes(topics), 0);
});

test.run();
