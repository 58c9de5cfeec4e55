/**
 * A process of a contest: `node peer.js MODULE PART URL SIZE SIDE PEERS`; `PART+PART` is both sides in
 * one process. SIDE is the first part's: `listen` or `dial`.
 *
 * Says `ready`. Told `run N` it says `armed`, then `done NS`; told `cpu`, `cpu NS` since it began. It
 * ends with its input. The peers in C speak the same.
 */
import { createInterface } from "node:readline";
import type { Side, Sides } from "./side.js";

const [module = "", parts = "", url = "", size = "", side = "", peers = ""] = process.argv.slice(2);
const say = (line: string) => process.stdout.write(`${line}\n`);

const { sides } = (await import(`./${module}.js`)) as { sides: Sides };
const made: Side[] = [];
for (const [i, part] of parts.split("+").entries()) {
  const make = sides[part];
  if (make === undefined) throw new Error(`${module} has no part ${part}`);
  const listens = side === "listen" && i === 0;
  made.push(await make({ url, size: Number(size), listens, peers: Number(peers) }));
}
say("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const [word, n] = line.split(" ");
  if (word === "cpu") {
    const { user, system } = process.cpuUsage();
    say(`cpu ${(user + system) * 1000}`);
  } else {
    const times = Promise.all(made.map((side) => side.run(Number(n))));
    say("armed");
    times.then((all) => say(`done ${Math.max(...all)}`));
  }
}
process.exit(0);
