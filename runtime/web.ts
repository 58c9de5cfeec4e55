/**
 * The world of a page, or a worker: what every browser has, and nothing of node's. Connections of the
 * system's there are none.
 */
import type { Env } from "./env.js";
import { StackError } from "./error.js";

const turns: (() => void)[] = [];
let channel: InstanceType<typeof MessageChannel> | undefined;

/** After other events, and without the milliseconds that browsers add to timers. */
function turn(f: () => void): void {
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.addEventListener("message", () => turns.shift()?.());
    channel.port1.start();
  }
  turns.push(f);
  channel.port2.postMessage(0);
}

function none(): never {
  throw new StackError("a page has no connections of its own: dial ws:// or wss://");
}

export const web: Env = {
  now: () => performance.now(),
  date: () => Date.now(),
  timer(ms, f) {
    const t = setTimeout(f, ms);
    return { cancel: () => clearTimeout(t) };
  },
  tick: (f) => queueMicrotask(f),
  turn,
  random: (octets) => {
    crypto.getRandomValues(octets);
  },
  report: (error) => console.error(error),
  net: { connect: none, listen: none },
  names: new Map(),
};
