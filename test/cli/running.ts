/** What a test of the command line starts, in this process or in one of its own, and what it prints. */
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { Writable } from "node:stream";
import { catCommand } from "../../runtime/cli/cat.js";
import type { Terminal } from "../../runtime/cli/terminal.js";

export const ANY = "tcp://127.0.0.1:0";

/** Something that runs; all of it ends with the test. */
export abstract class Running {
  static readonly #all = new Set<Running>();
  readonly #out: Buffer[] = [];
  readonly #heard = new EventEmitter().setMaxListeners(0);
  err = "";
  abstract readonly ended: Promise<number | null>;

  constructor() {
    Running.#all.add(this);
  }

  get out(): string {
    return Buffer.concat(this.#out).toString("latin1");
  }

  protected print(piece: Buffer): void {
    this.#out.push(piece);
    this.#heard.emit("more");
  }

  protected tell(piece: Buffer): void {
    this.err += piece.toString();
    this.#heard.emit("more");
  }

  protected async over<T>(code: Promise<T>): Promise<T> {
    return code.finally(() => {
      Running.#all.delete(this);
      this.#heard.emit("more");
    });
  }

  /** Waits until `look` finds something in what it prints. */
  async until<T>(look: (r: Running) => T | undefined | null): Promise<T> {
    for (;;) {
      const seen = look(this) ?? undefined;
      if (seen !== undefined) return seen;
      if (!Running.#all.has(this)) throw new Error(`ended; ${this.err}`);
      await once(this.#heard, "more");
    }
  }

  /** As Ctrl-C does. */
  abstract interrupt(): void;
  /** As best it can be. */
  abstract kill(): void;
  /** Reads its output no further. */
  abstract leave(): void;

  static stop(): void {
    for (const running of Running.#all) running.kill();
    Running.#all.clear();
  }
}

/** A program, in a process of its own. */
export class Program extends Running {
  readonly #child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(command: string, args: readonly string[], input?: string) {
    super();
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stdout?.on("data", (piece) => this.print(piece));
    this.#child.stderr?.on("data", (piece) => this.tell(piece));
    this.#child.stdin?.end(input);
    this.ended = this.over(once(this.#child, "close").then(([code]) => code as number | null));
  }

  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  leave(): void {
    this.#child.stdout?.destroy();
  }
}

/** A command of ours, in this process: what a process would cost is not what most tests are about. */
class Command extends Running {
  readonly #terminal: Terminal & EventEmitter;
  readonly #stdout: Writable;
  readonly ended: Promise<number>;
  #gone = false;

  constructor(run: (terminal: Terminal) => Promise<number>) {
    super();
    const to = (take: (piece: Buffer) => void) =>
      new Writable({
        write: (piece, _, done) => {
          if (this.#gone) return done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
          take(piece);
          done();
        },
      });
    this.#stdout = to((piece) => this.print(piece));
    const stderr = to((piece) => this.tell(piece));
    this.#terminal = Object.assign(new EventEmitter(), { stdout: this.#stdout, stderr });
    this.ended = this.over(run(this.#terminal));
  }

  interrupt(): void {
    this.#terminal.emit("SIGINT");
  }

  kill(): void {
    this.interrupt();
  }

  leave(): void {
    this.#gone = true;
  }
}

const MAIN = "dist/runtime/cli/main.js";

export const cat = (...args: string[]): Running =>
  new Command((terminal) => catCommand(args, terminal));
/** The whole of it, as a shell starts it. */
export const wirestack = (args: readonly string[], input?: string): Running =>
  new Program(process.execPath, [MAIN, ...args], input);
export const bound = (r: Running) =>
  r.until(({ err }) => /^wirestack cat: listening: (\S+)$/m.exec(err)?.[1]);

const EVERY = Uint8Array.from({ length: 256 }, (_, i) => i);
export const MESSAGES = [EVERY, new Uint8Array(0), new TextEncoder().encode('é"\\\n\r\t x')];
export const LONG = ["x".repeat(255), "y".repeat(256), "z".repeat(65_536)].map((m) =>
  Buffer.from(m),
);
