/** The benches themselves: that they measure what they name. No goal is judged here. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { layers } from "./layers.js";
import { table } from "./report.js";
import { type Span, sockets } from "./sockets.js";

const test = suite("bench of sockets");
const options = { rounds: 2, quick: true, only: "", against: "the limit" };
const span: Span = { slice: 4e6, lead: 1e6, warmUp: 10e6 };

test("both forms and the limit are timed, and the goal is told of the better form", async () => {
  const report = await sockets({ ...options, only: "push/64/tcp" }, span);
  assert.is(report.rows.length, 3);
  for (const { name, who, median = 0, note } of report.rows) {
    assert.is(note, undefined, `${who}: ${note}`);
    assert.is(name, "push/64/tcp");
    assert.ok(median > 10 && median < 1e8, `${who}: ${median} ns`);
  }
  const [first = 0, second = 0, limit] = report.rows.map(({ ratios }) => ratios?.[2]);
  assert.is(limit, 1, "the limit is as fast as itself");
  const best = Math.max(first, second);
  assert.is(report.goals?.length, 1);
  assert.match(report.goals?.[0]?.text ?? "", `push/64/tcp: ${best.toFixed(2)} × net, the limit`);
  assert.is(report.goals?.[0]?.met, best >= 0.4);
  assert.match(table(report), report.goals?.[0]?.text ?? "no goal");
});

test("requests in flight are timed", async () => {
  const { rows } = await sockets({ ...options, only: "req/64/tcp" }, span);
  assert.equal(
    rows.map(({ who, note }) => note ?? who),
    ["wirestack, await", "wirestack, serve", "net, the limit"],
  );
  for (const { who, median = 0 } of rows) assert.ok(median > 100, `${who}: ${median} ns`);
});

test("what goes to many is timed for each of them, whoever reads it", async () => {
  const report = await sockets({ ...options, only: "pub/10/tcp" }, span);
  assert.equal(
    report.rows.map(({ who, note }) => note ?? who),
    ["wirestack, await", "wirestack, try", "wirestack, SUB", "net, the limit"],
  );
  for (const { who, median = 0 } of report.rows) {
    assert.ok(median > 1 && median < 1e6, `${who}: ${median} ns`);
  }
  assert.match(report.goals?.[0]?.text ?? "", "net, the limit (wirestack, ");
});

test("WebSocket over TLS is timed beside ws and a limit of TLS's", async () => {
  const { rows } = await sockets({ ...options, against: "", only: "wss/s2c" }, span);
  assert.equal(
    rows.map(({ who, note }) => note ?? who),
    ["wirestack, await", "wirestack, try", "tls, the limit", "ws, corked"],
  );
  for (const { who, median = 0 } of rows) assert.ok(median > 10, `${who}: ${median} ns`);
  assert.is(rows[2]?.ratios?.[2], 1, "the limit is as fast as itself");
});

test("a layer's cost is an eighth of what eight of them add", async () => {
  const { rows } = await layers({ ...options, rounds: 1, only: "layer" });
  const [none = 0, eight = 0, one] = rows.map(({ median }) => median);
  assert.ok(Math.abs((eight - none) / 8 - (one ?? Number.NaN)) < 1e-6);
});

test.run();
