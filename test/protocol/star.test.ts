/** STAR: everybody hears everybody, through whoever is between. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as header from "../../generated/sp/star.js";
import { device, star, xstar } from "../../runtime/index.js";
import { all, placed, SCHEMES } from "./place.js";

const test = suite("star");

function counted(hops: number, body: string): Uint8Array {
  const octets = new Uint8Array(header.MAX + body.length);
  header.write(new DataView(octets.buffer), 0, hops);
  octets.set(new TextEncoder().encode(body), header.MAX);
  return octets;
}

for (const scheme of SCHEMES) {
  test(
    `over ${scheme} a message comes to every member of a tree, once, and not back`,
    placed(scheme, async (place) => {
      const members = Array.from({ length: 7 }, () => place.open(star()));
      // Each below the one of half its number.
      for (let i = 1; i < 7; i++) {
        await place.join(members[i] as never, members[(i - 1) >> 1] as never);
      }
      for (const [i, member] of members.entries()) await member.send(`${i}`.padEnd(i * 9000, "."));
      await place.settle();
      for (const [i, member] of members.entries()) {
        const got = all(member).map((m) => m.replaceAll(".", ""));
        assert.equal(
          got.sort(),
          [0, 1, 2, 3, 4, 5, 6].filter((n) => n !== i).map((n) => `${n}`),
        );
      }
    }),
  );

  test(
    `over ${scheme} everybody reads the count of their own distance, whoever reads first`,
    placed(scheme, async (place) => {
      const centre = place.open(star());
      const slow = place.open(xstar(), { recvBuffer: 1 });
      const quick = [place.open(star()), place.open(star())];
      await place.join(slow, centre);
      for (const q of quick) await place.join(q, centre);
      const behind = place.open(xstar());
      await place.join(behind, quick[1] as never);
      const draft = () => {
        const d = centre.message(20_000);
        d.body.fill(1);
        return d;
      };
      // The first fills the slow one's queue; the others wait for it while the quick pass them on.
      for (let i = 0; i < 4; i++) await centre.send(i % 2 === 0 ? draft() : "text");
      await place.settle();
      for (let i = 0; i < 4; i++) {
        const [near, far] = [await slow.receive(), await behind.receive()];
        assert.is(header.getHops(near.view, near.start), 0);
        assert.is(header.getHops(far.view, far.start), 1);
      }
    }),
  );
}

test(
  "a count below ttl is taken and passed on; one of ttl is dropped, and counted",
  placed("tcp", async (place) => {
    const [first, last] = [place.open(xstar()), place.open(xstar())];
    const middle = place.open(star({ ttl: 3 }));
    await place.join(first, middle);
    await place.join(last, middle);
    for (const hops of [0, 2, 3, 255]) await first.send(counted(hops, `${hops}`));
    for (const octets of [[], [0, 0, 0], [0, 1, 0, 0, 65]])
      await first.send(Uint8Array.from(octets));
    await place.settle();
    assert.equal(all(middle), ["0", "2"]);
    for (const hops of [1, 3]) {
      const m = await last.receive();
      assert.is(header.getHops(m.view, m.start), hops);
    }
    const { dropped, malformed, detached } = middle.stats();
    assert.equal({ ...dropped }, { ttl: 2 });
    assert.equal({ ...malformed }, { "sp.star": 2, "sp.star.reserved": 1 });
    assert.is(detached, 0);
  }),
);

test(
  "a member whose application takes nothing passes on all the same; what it misses is counted",
  placed("tcp", async (place) => {
    const centre = place.open(star(), { recvBuffer: 3 });
    const members = [place.open(star()), place.open(star())];
    for (const member of members) await place.join(member, centre);
    for (let i = 0; i < 100; i++) {
      await members[0]?.send(`${i}`);
      await place.settle();
    }
    assert.is(all(members[1] as never).length, 100);
    assert.equal(all(centre), ["0", "1", "2"]);
    assert.is(centre.stats().dropped["receive queue full"], 97);
  }),
);

test(
  "a device makes one star of two, and counts as a member does",
  placed("inproc", async (place) => {
    const [front, back] = [place.open(xstar()), place.open(xstar())];
    const near = [place.open(star()), place.open(star())];
    const far = place.open(xstar());
    for (const n of near) await place.join(n, front);
    await place.join(far, back);
    void device(front, back);
    await near[0]?.send("hello");
    await place.settle();
    assert.equal(all(near[0] as never), []);
    assert.equal(all(near[1] as never), ["hello"]);
    const m = await far.receive();
    assert.is(header.getHops(m.view, m.start), 1);
  }),
);

test.run();
