/** BUS: all neighbours hear it, and nobody else; and devices that do not echo. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bus, device, xbus } from "../../runtime/index.js";
import { all, type Place, placed, SCHEMES } from "./place.js";

const test = suite("bus");

const buses = (place: Place, n: number) => Array.from({ length: n }, () => place.open(bus()));

for (const scheme of SCHEMES) {
  test(
    `over ${scheme} a message comes to each neighbour once, not to who sent it, and no further`,
    placed(scheme, async (place) => {
      const one = place.open(bus());
      const two = place.open(bus());
      const three = place.open(bus());
      const four = place.open(bus());
      // One in the middle of three, and a chain behind the third.
      await place.join(two, one);
      await place.join(three, one);
      await place.join(four, three);
      await one.send("from one");
      await three.send("from three");
      await place.settle();
      assert.equal(all(one), ["from three"]);
      assert.equal(all(two), ["from one"]);
      assert.equal(all(three), ["from one"]);
      assert.equal(all(four), ["from three"]);
    }),
  );

  test(
    `over ${scheme} a device of one socket passes to all others, and echoes to nobody`,
    placed(scheme, async (place) => {
      const hub = place.open(xbus());
      const members = buses(place, 4);
      for (const member of members) await place.join(member, hub);
      void device(hub, hub);
      for (const [i, member] of members.entries()) await member.send(`${i}`);
      await place.settle();
      const got = members.map((member) => all(member).sort().join(""));
      assert.equal(got, ["123", "023", "013", "012"]);
    }),
  );
}

test(
  "a device of two sockets passes from each side to the other, and to no one on the same",
  placed("tcp", async (place) => {
    const [front, back] = [place.open(xbus()), place.open(xbus())];
    const members = buses(place, 4);
    for (const [i, member] of members.entries()) await place.join(member, i < 2 ? front : back);
    void device(front, back);
    for (const [i, member] of members.entries()) await member.send(`${i}`);
    await place.settle();
    const got = members.map((member) => all(member).sort().join(""));
    assert.equal(got, ["23", "23", "01", "01"]);
  }),
);

test(
  "who has no neighbour sends to nobody, and does not wait for one",
  placed("tcp", async (place) => {
    const [one, two] = [place.open(bus()), place.open(bus())];
    for (let i = 0; i < 1000; i++) assert.ok(one.trySend("nobody"));
    await place.join(two, one);
    await one.send("somebody");
    await place.settle();
    assert.equal(all(two), ["somebody"]);
  }),
);

test.run();
