/** Devices: two raw sockets back to back. */
import { ClosedError } from "./error.js";
import type { Message } from "./message.js";
import { FOREVER, type Raw } from "./port.js";

export interface DeviceOptions {
  /** Looks at each message, or changes it; undefined drops it. `from` says where it came from. */
  readonly through?: (m: Message, from: Raw) => Message | undefined;
}

/**
 * Passes on what either socket receives to the other, until one is closed; resolves then. One that
 * waits makes the other side's peers wait; one that drops does not.
 */
export async function device(a: Raw, b: Raw, { through }: DeviceOptions = {}): Promise<void> {
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
