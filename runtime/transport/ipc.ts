/**
 * Octets between processes of one machine: a socket in the file system. Unless told otherwise it is made
 * so that only this user may connect; it goes when the listener closes, and takes the place of one that nobody serves.
 */
import type { Where } from "../env.js";
import { StackError } from "../error.js";
import type { Ground, Layer } from "../layer.js";
import { named } from "../option.js";
import { dialStream, listenStream } from "../stream.js";

export interface IpcOptions {
  /**
   * A listener's: rights of the socket's file, from its first moment. Whoever may write to it may connect,
   * as with 0o660 the file's group. Default: 0o600.
   */
  readonly mode?: number;
}

declare module "../layer.js" {
  interface LayerOptions {
    readonly ipc?: IpcOptions;
  }
}

/**
 * Octets over a local socket: `ipc://PATH`, a path of at most 107 octets. Throws RangeError for options; `dial`
 * and `listen` throw StackError for a path that is none, `listen` rejects with SystemError.
 */
export function ipc(options: IpcOptions = {}): Layer<Ground, "octets", "ipc"> {
  const { mode = 0o600 } = named("ipc", options, { mode: true });
  if (!(Number.isInteger(mode) && mode >= 0 && mode <= 0o777)) {
    throw new RangeError(`ipc.mode is rights of a file, such as 0o660; not ${mode}`);
  }
  return {
    name: "ipc",
    below: "ground",
    above: "octets",
    transport: {
      copies: true,
      dial: (rest, context) => dialStream(pathOf(rest), context),
      async listen(rest, context, accept) {
        const bound = await listenStream(pathOf(rest), context, accept, { mode });
        return { rest, close: () => bound.close() };
      },
    },
  };
}

/** Octets of a path that the system can bind. */
const LONGEST = 107;

function pathOf(path: string): Where {
  if (path === "") throw new StackError("'ipc://' needs a path, as ipc:///tmp/service.ipc");
  if (path.includes("\0")) {
    throw new StackError(`'ipc://${path.replaceAll("\0", "\\0")}': no path has a NUL in it`);
  }
  if (new TextEncoder().encode(path).length > LONGEST) {
    throw new StackError(`'ipc://${path}': the system takes paths of ${LONGEST} octets at most`);
  }
  return { path };
}
