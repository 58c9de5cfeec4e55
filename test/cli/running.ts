/** Programs that a test of the command line starts, and what they print. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export const ANY = "tcp://127.0.0.1:0";

/** A program that runs; all of them end with the test. */
export class Running {
  static readonly #all: Running[] = [];
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  #out: Buffer[] = [];
  err = "";

  constructor(command: string, args: readonly string[], input?: string) {
    this.child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.child.stdout?.on("data", (chunk: Buffer) => this.#out.push(chunk));
    this.child.stderr?.setEncoding("utf8").on("data", (text) => {
      this.err += text;
    });
    this.child.stdin?.end(input);
    this.ended = once(this.child, "close").then(([code]) => code as number | null);
    Running.#all.push(this);
  }

  get out(): string {
    return Buffer.concat(this.#out).toString("latin1");
  }

  /** Waits until `look` finds something in what it prints. */
  async until<T>(look: (r: Running) => T | undefined | null): Promise<T> {
    const found = () => look(this) ?? undefined;
    for (let seen = found(); ; seen = found()) {
      if (seen !== undefined) return seen;
      const { stdout, stderr } = this.child;
      const more = [stdout, stderr].flatMap((s) => (s ? [once(s, "data")] : []));
      const over = await Promise.race([...more, this.ended.then(() => "over" as const)]);
      if (over === "over" && found() === undefined) throw new Error(`ended; ${this.err}`);
    }
  }

  static stop(): void {
    for (const { child } of Running.#all.splice(0))
      if (child.exitCode === null) child.kill("SIGKILL");
  }
}

export const cat = (...args: string[]) =>
  new Running(process.execPath, ["dist/runtime/cli/main.js", "cat", ...args]);
export const bound = (r: Running) =>
  r.until(({ err }) => /^wirestack cat: listening: (\S+)$/m.exec(err)?.[1]);

const EVERY = Uint8Array.from({ length: 256 }, (_, i) => i);
export const MESSAGES = [EVERY, new Uint8Array(0), new TextEncoder().encode('é"\\\n\r\t x')];
export const LONG = ["x".repeat(255), "y".repeat(256), "z".repeat(65_536)].map((m) =>
  Buffer.from(m),
);
