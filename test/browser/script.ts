/** What the page runs: the package's browser build, and the parts that tests give it. */
import * as wirestack from "wirestack";
import { layers, type Part, play } from "./play.js";

const { open } = wirestack;

/** Dials, plays a part, and closes. */
async function perform(url: string, part: Part): Promise<void> {
  const socket = open(layers[part.role]() as ReturnType<typeof wirestack.pair0>, {
    reconnect: { min: 5, max: 50 },
  });
  socket.dial(url);
  try {
    await play(socket, part);
  } finally {
    await socket.close();
  }
}

const page = { ...wirestack, perform };
export type Script = typeof page;
Object.assign(globalThis, { page });
