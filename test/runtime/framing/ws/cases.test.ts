/** Every case of the table, sent to our frames and to the receiver of `ws`, as to a client and as to a server. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { joined } from "../../../laws/octets.js";
import { type Case, cases } from "./cases.js";
import { Foreign, framed, Ours, type Outcome, type Side } from "./ends.js";

const test = suite("ws cases");

/** An end that was sent a case. */
function sent<E extends Ours | Foreign>({ pieces, chop = Infinity }: Case, side: Side, end: E): E {
  const octets = joined(pieces.map((p, i) => framed(p, side, Math.imul(i + 1, 0x9e3779b1) >>> 0)));
  for (let at = 0; at < octets.length; at += chop) end.feed(octets.slice(at, at + chop));
  return end;
}

const said = (outcome: Outcome): string => JSON.stringify(outcome);

for (const category of ["1", "2", "3", "4", "5", "6", "7", "9", "10"]) {
  const own = cases.filter((c) => c.name.startsWith(`${category} `));
  for (const side of ["listen", "dial"] as const) {
    const who = side === "listen" ? "server" : "client";
    test(`${own.length} cases of category ${category}, to a ${who}: ours does as the RFC says, and ws unless the case says otherwise`, async () => {
      assert.ok(own.length > 0);
      const wrong: string[] = [];
      const all = own.map((c) => ({
        c,
        ours: said(sent(c, side, new Ours(side)).outcome),
        end: sent(c, side, new Foreign(side)),
      }));
      // A stream tells of its error later.
      await new Promise((done) => setImmediate(done));
      for (const { c, ours, end } of all) {
        if (ours !== said(c.outcome)) wrong.push(`${c.name}: ${ours}, not ${said(c.outcome)}`);
        const foreign = said(end.outcome);
        const expected = said(c.foreign ?? c.outcome);
        if (foreign !== expected) wrong.push(`${c.name}: ws ${foreign}, not ${expected}`);
      }
      assert.is(wrong.join("\n"), "");
    });
  }
}

test("there are 301 cases at least, of different names, and every disagreement has its sentence", () => {
  assert.ok(cases.length >= 301, `${cases.length} cases`);
  assert.is(new Set(cases.map((c) => c.name)).size, cases.length);
  for (const c of cases) {
    assert.is(c.foreign === undefined, c.rfc === undefined, c.name);
    assert.not.equal(c.foreign, c.outcome, c.name);
  }
});

test.run();
