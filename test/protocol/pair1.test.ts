/** PAIR 1: two who send to each other, devices between them, and how far a message may go. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as header from "../../generated/sp/pair1.js";
import { device, type Message, PeerError, pair1, type Raw, xpair1 } from "../../runtime/index.js";
import { all, type Place, placed, SCHEMES, text } from "./place.js";

const test = suite("pair1");

/** `n` devices behind `near`; what the next has to connect with. */
async function behind(place: Place, near: ReturnType<Place["open"]>, n: number) {
  let last = near;
  for (let i = 0; i < n; i++) {
    const [front, back] = [place.open(xpair1()), place.open(xpair1())];
    await place.join(last as never, front);
    void device(front, back);
    last = back;
  }
  return last as Raw;
}

const hopsOf = (m: Message): number => header.getHops(m.view, m.start);

function counted(hops: number, body: string): Uint8Array {
  const octets = new Uint8Array(header.MAX + body.length);
  header.write(new DataView(octets.buffer), 0, hops);
  octets.set(new TextEncoder().encode(body), header.MAX);
  return octets;
}

for (const scheme of SCHEMES) {
  test(
    `over ${scheme} each hears the other, in order, and a second peer is refused`,
    placed(scheme, async (place) => {
      const [one, two, third] = [place.open(pair1()), place.open(pair1()), place.open(pair1())];
      await place.join(two, one);
      const refused: Error[] = [];
      one.on("refused", ({ error }) => refused.push(error));
      const url = place.scheme === "tcp" ? "tcp://10.0.0.1:99" : `${place.scheme}://third`;
      await one.listen(url);
      third.dial(url).ready.catch(() => {});
      const long = "long".repeat(10_000);
      for (const body of ["a", "", long]) {
        await one.send(body);
        await two.send(body);
      }
      await place.settle();
      for (const got of [all(one), all(two)]) assert.equal(got, ["a", "", long]);
      assert.instance(refused[0], PeerError);
      assert.match(refused[0]?.message ?? "", /has a peer already/);
    }),
  );

  test(
    `over ${scheme} a message counts one hop from its sender, and one more from each device, both ways`,
    placed(scheme, async (place) => {
      for (const devices of [0, 1, 3]) {
        const near = place.open(pair1());
        const far = place.open(xpair1());
        await place.join(await behind(place, near, devices), far);
        await near.send("there");
        const m = await far.receive();
        assert.is(hopsOf(m), devices + 1);
        await far.send(counted(1, "back"));
        assert.is(text(await near.receive()), "back");
      }
    }),
  );
}

test(
  "a count up to ttl is taken, 0 too, as mangos begins; one more is dropped, and counted",
  placed("tcp", async (place) => {
    const near = place.open(xpair1());
    const far = place.open(pair1({ ttl: 3 }));
    await place.join(near, far);
    for (const hops of [0, 1, 3, 4, 255]) await near.send(counted(hops, `${hops}`));
    await place.settle();
    assert.equal(all(far), ["0", "1", "3"]);
    assert.equal({ ...far.stats().dropped }, { ttl: 2 });
    assert.is(far.stats().detached, 0);
  }),
);

test(
  "a device that looks at messages sees them as they came, and may drop them",
  placed("inproc", async (place) => {
    const [near, far] = [place.open(pair1()), place.open(pair1())];
    const [front, back] = [place.open(xpair1()), place.open(xpair1())];
    await place.join(near, front);
    await place.join(back, far);
    const seen: number[] = [];
    const through = (m: Message, from: Raw) => {
      seen.push(hopsOf(m));
      return from === front && m.length === header.MAX + 2 ? undefined : m;
    };
    void device(front, back, { through });
    for (const body of ["1", "22", "333"]) await near.send(body);
    await far.send("44");
    await place.settle();
    assert.equal(all(far), ["1", "333"]);
    assert.equal(all(near), ["44"]);
    assert.equal(seen, [1, 1, 1, 1]);
  }),
);

test(
  "what is sent before there is a peer, and while it takes nothing, waits, and all of it comes",
  placed("tcp", async (place) => {
    const one = place.open(pair1());
    const two = place.open(pair1(), { recvBuffer: 2 });
    for (let i = 0; i < 20; i++) assert.ok(one.trySend(`${i}`));
    await place.join(two, one);
    const bodies = Array.from({ length: 120 }, (_, i) => `${i + 20}`.padEnd(3000, "."));
    const sending = (async () => {
      for (const body of bodies) await one.send(body);
    })();
    for (let i = 0; i < 140; i++) {
      assert.is(text(await two.receive()).replaceAll(".", ""), `${i}`);
      if (i % 20 === 0) await place.settle();
    }
    await sending;
  }),
);

test.run();
