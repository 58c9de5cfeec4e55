/**
 * What a server's death brings: thousands who all want to be back. Each waits a time of its own, so
 * that the server that comes again is not met by all at once.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { open, pull, push } from "../../runtime/index.js";
import { World } from "./world.js";

const test = suite("storm");

const CLIENTS = 2500;
const SOCKETS = 50;
const BUCKET = 100;

test("2,500 dialers whose server dies come back in no wave, and within 30 seconds", async () => {
  const world = new World({ seed: 5 });
  await world.run(async () => {
    const url = "tcp://10.0.0.1:5555";
    let server = open(pull(), { env: world.host("server") });
    await server.listen(url);
    const clients = Array.from({ length: SOCKETS }, (_, i) =>
      open(push(), { env: world.host(`client ${i}`) }),
    );
    let up = 0;
    for (const c of clients) {
      c.on("attached", () => up++);
      c.on("detached", () => up--);
    }
    // They come one behind the other: a listener lets go of who opens slowly amid too many.
    for (let n = 0; n < CLIENTS; n++) {
      (clients[n % SOCKETS] as (typeof clients)[0]).dial(url);
      if (n % 20 === 0) await world.sleep(1);
    }
    await world.until(
      () => up === CLIENTS,
      () => `${up} of ${CLIENTS}`,
    );

    const attempts: number[] = [];
    const died = world.clock.now;
    world.network.hears = () => attempts.push(world.clock.now - died);
    await server.close();
    await world.until(
      () => up === 0,
      () => `the loss of ${up}`,
    );
    await world.sleep(2000);
    server = open(pull(), { env: world.host("server again") });
    await server.listen(url);
    const back = world.clock.now;
    await world.until(
      () => up === CLIENTS,
      () => `${up} of ${CLIENTS}`,
      30_000,
    );
    console.log(`all back after ${(world.clock.now - back).toFixed(0)} ms`);

    const buckets: number[] = [];
    for (const at of attempts) {
      const b = Math.floor(at / BUCKET);
      buckets[b] = (buckets[b] ?? 0) + 1;
    }
    const most = Math.max(...buckets.filter((n) => n !== undefined));
    console.log(buckets.map((n) => n ?? 0).join(" "));
    assert.ok(most <= 0.05 * CLIENTS, `${most} attempts within ${BUCKET} ms`);
    await Promise.all([server, ...clients].map((s) => s.close()));
  });
});

test.run();
