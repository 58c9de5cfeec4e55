/** Where a command prints, and who may interrupt it: the process itself, or what stands in for it. */
import type { Writable } from "node:stream";

type Signal = "SIGINT" | "SIGTERM";

export interface Terminal {
  readonly stdout: Writable;
  readonly stderr: Writable;
  once(signal: Signal, interrupt: () => void): unknown;
  removeListener(signal: Signal, interrupt: () => void): unknown;
}
