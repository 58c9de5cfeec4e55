/**
 * Octets between processes of one machine: a socket in the file system. It is made so that only this
 * user may connect, goes when the listener closes, and takes the place of one that nobody serves.
 */
import type { Where } from "../env.js";
import { StackError } from "../error.js";
import type { Ground, Layer } from "../layer.js";
import { dialStream, listenStream } from "../stream.js";

export function ipc(): Layer<Ground, "octets", "ipc"> {
  return {
    name: "ipc",
    below: "ground",
    above: "octets",
    transport: {
      copies: true,
      dial: (rest, context) => dialStream(pathOf(rest), context),
      async listen(rest, context, accept) {
        const bound = await listenStream(pathOf(rest), context, accept);
        return { rest, close: () => bound.close() };
      },
    },
  };
}

/** Octets of a path that the system can bind. */
const LONGEST = 107;

function pathOf(path: string): Where {
  if (path === "") throw new StackError("'ipc://' needs a path, as ipc:///tmp/service.ipc");
  if (new TextEncoder().encode(path).length > LONGEST) {
    throw new StackError(`'ipc://${path}': the system takes paths of ${LONGEST} octets at most`);
  }
  return { path };
}
