/**
 * mangos, which no CI has: its octets, as captured, come from a server, and ours must be those of the end
 * that we stand in for. STAR has no other peers, so our own ends show the rest.
 */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { dissect } from "../../runtime/dissect/index.js";
import { type Exchanger, pair1, star } from "../../runtime/index.js";
import { type Scheme, type Stage, staged } from "../support/stage.js";
import { until } from "../support/until.js";
import { bodyOf, termsOf } from "./foreign.js";

const test = suite("recorded");

interface Said {
  octets: Uint8Array;
  readonly bodies: Uint8Array[];
}

/** What each end of a capture's only connection sent, by its TCP port. */
async function recorded(capture: string): Promise<(port: number) => Said> {
  const ends = new Map<string, Said>();
  const said = (from: string): Said => {
    const end = ends.get(from) ?? { octets: new Uint8Array(0), bodies: [] };
    ends.set(from, end);
    return end;
  };
  for await (const { parts, messages } of dissect(`test/captures/peers/${capture}`)) {
    for (const part of parts) {
      if (part.is !== "header" || part.flow === undefined) continue;
      const { walked, source, flow } = part;
      const end = said(flow.from);
      end.octets = Buffer.concat([end.octets, source.bytes.subarray(walked.head, walked.end)]);
    }
    for (const { from, payload } of messages) said(from).bodies.push(payload);
  }
  return (port) => said(`127.0.0.1:${port}`);
}

/** Whoever connects is told these octets; gives its address, and what was heard. */
async function playing(
  stage: Stage,
  octets: Uint8Array,
): Promise<{ url: string; heard: () => Uint8Array }> {
  const heard: Buffer[] = [];
  const server = createServer((connection) => {
    stage.after(() => connection.destroy());
    connection.on("data", (chunk) => heard.push(chunk)).on("error", () => {});
    connection.write(octets);
  }).listen(0, "127.0.0.1");
  stage.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `tcp://127.0.0.1:${port}`, heard: () => Buffer.concat(heard) };
}

const CASES = [
  ["tcp-star-mangos-mangos.pcap", star, "mangos' star", 25950, 57916],
  ["tcp-star-mangos-mangos.pcap", star, "mangos' other star", 57916, 25950],
  ["tcp-pair1-mangos-nng.pcap", pair1, "NNG's pair1", 25970, 37318],
] as const;

for (const [capture, layer, whose, ours, theirs] of CASES) {
  test(
    `in ${whose}'s place we send mangos the octets that it had, and take what it sent`,
    staged(async (stage) => {
      const said = await recorded(capture);
      const [mine, other] = [said(ours), said(theirs)];
      assert.ok(mine.bodies.length > 0 && other.bodies.length > 0);
      const { url, heard } = await playing(stage, other.octets);
      const socket: Exchanger = stage.open<"star" | "pair1">(layer());
      await socket.dial(url).ready;
      for (const body of mine.bodies) await socket.send(body);
      for (const body of other.bodies) {
        assert.equal(await socket.receive({ timeout: 10_000 }), new Uint8Array(body));
      }
      await until("all that we send", () => heard().length >= mine.octets.length);
      assert.is(Buffer.from(heard()).toString("hex"), Buffer.from(mine.octets).toString("hex"));
      assert.equal({ ...socket.stats().malformed }, {});
    }),
  );
}

const SCHEMES: readonly Scheme[] = ["tcp", "ipc", "ws", "tls+tcp", "wss"];

for (const scheme of SCHEMES) {
  test(
    `over ${scheme} a star passes on what comes to it, once, and not back`,
    staged(async (stage) => {
      const [one, middle, other] = [stage.open(star()), stage.open(star()), stage.open(star())];
      const { url } = await middle.listen(stage.any(scheme), termsOf(scheme));
      await Promise.all([one, other].map((socket) => socket.dial(url, termsOf(scheme)).ready));
      await until("both", () => middle.stats().attached === 2);
      const bodies = [0, 1, 64 * 1024, 2 ** 20 - 4].map((n) => bodyOf(n));
      // One by one: a connection that still writes would miss the next.
      for (const body of bodies) {
        await one.send(body);
        for (const socket of [middle, other]) {
          assert.equal(await socket.receive({ timeout: 10_000 }), body);
        }
      }
      // What it says itself comes behind whatever it would have sent back.
      await middle.send("the end");
      assert.is((await one.receive({ timeout: 10_000 })).length, 7);
      assert.is((await other.receive({ timeout: 10_000 })).length, 7);
    }),
  );
}

test.run();
