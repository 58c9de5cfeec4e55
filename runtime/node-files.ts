/** Files of a node process. */
import type * as Fs from "node:fs";
import type * as Path from "node:path";
import { builtin } from "./builtin.js";
import type { File, Files } from "./env.js";
import { SystemError } from "./error.js";

class NodeFile implements File {
  size: number;
  readonly #fs: typeof Fs;
  readonly #fd: number;

  constructor(
    readonly path: string,
    { add = false, mode = 0o666 }: { readonly add?: boolean; readonly mode?: number },
  ) {
    this.#fs = builtin<typeof Fs>("node:fs");
    this.#fd = attempt("open", path, () => this.#fs.openSync(path, add ? "a" : "w", mode));
    this.size = this.#fs.fstatSync(this.#fd).size;
  }

  write(octets: Uint8Array): void {
    // The system may take less than all.
    for (let at = 0; at < octets.length; ) {
      const n = attempt("write", this.path, () => this.#fs.writeSync(this.#fd, octets, at));
      at += n;
      this.size += n;
    }
  }

  close(): void {
    attempt("close", this.path, () => this.#fs.closeSync(this.#fd));
  }
}

function attempt<T>(what: string, path: string, f: () => T): T {
  try {
    return f();
  } catch (cause) {
    throw new SystemError(`${what} ${path}`, cause);
  }
}

/** What is to run when the process ends. One listener for all: node warns of many. */
const lasts = new Set<() => void>();
const runLasts = (): void => {
  for (const f of lasts) f();
};

export const nodeFiles: Files = {
  open: (path, options = {}) => new NodeFile(path, options),
  rename: (from, to) =>
    attempt("rename", from, () => builtin<typeof Fs>("node:fs").renameSync(from, to)),
  whole: (path) => builtin<typeof Path>("node:path").resolve(path),
  last(f) {
    const one = () => f();
    if (lasts.size === 0) process.on("exit", runLasts);
    lasts.add(one);
    return () => {
      if (lasts.delete(one) && lasts.size === 0) process.off("exit", runLasts);
    };
  },
};
