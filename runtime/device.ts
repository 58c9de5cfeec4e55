/** Devices: two raw sockets back to back. */
import { ClosedError, StackError } from "./error.js";
import type { Message } from "./message.js";
import { named } from "./option.js";
import { Raw } from "./port.js";
import { FOREVER } from "./queues.js";

export interface DeviceOptions {
  /** Looks at each message, or changes it; undefined drops it. `from` says where it came from. */
  readonly through?: (m: Message, from: Raw) => Message | undefined;
}

/**
 * Passes on what either socket receives to the other, until one is closed; resolves then. One that
 * waits makes the other side's peers wait; one that drops does not. Throws StackError if what one receives
 * is nothing that the other sends: their protocols have to be each other's peers.
 */
export async function device(a: Raw, b: Raw, options: DeviceOptions = {}): Promise<void> {
  const { through } = named("device", options, { through: true });
  fit(a, b);
  const pass = async (from: Raw, to: Raw): Promise<void> => {
    for await (const m of from) {
      const out = through === undefined ? m : through(m, from);
      if (out !== undefined) await to.send(out, FOREVER);
    }
  };
  const until = (error: unknown) => {
    if (!(error instanceof ClosedError)) throw error;
  };
  await Promise.race([pass(a, b).catch(until), pass(b, a).catch(until)]);
}

/** One protocol's messages are not another's: their headers would pass for bodies. */
function fit(a: Raw, b: Raw): void {
  if (!(a instanceof Raw && b instanceof Raw)) {
    throw new StackError("a device takes two raw sockets, as open(xrep()) and open(xreq())");
  }
  const [one, other] = [a.protocol, b.protocol];
  if (one === undefined || other === undefined || one.peer === other.type) return;
  throw new StackError(`a device of ${one.name} and ${other.name} does not fit: they are no peers`);
}
