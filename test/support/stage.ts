/**
 * What a live test puts up, and what is taken down when it ends, also when it fails: sockets, foreign
 * processes, files. Addresses are free ones, so that two runs at once do not meet.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Dialer,
  type ListenOptions,
  open,
  type Port,
  type Ports,
  type SocketOptions,
} from "../../runtime/index.js";
import type { Opening } from "../../runtime/open.js";

/** Those that every peer speaks, and those that only some do. */
export type Scheme = "tcp" | "ipc" | "tls+tcp" | "ws";
/** Those that greet, and put messages behind their lengths. */
export const SCHEMES: readonly Scheme[] = ["tcp", "ipc"];
export type Side = "dial" | "listen";
export const SIDES: readonly Side[] = ["dial", "listen"];

/** Ports below those that the system gives to whoever asks for any. */
const LOWEST = 10_000;
const PORTS = 20_000;

/** A foreign program that runs. */
export class Program {
  readonly #child: ChildProcess;
  #pieces: Buffer[] = [];
  /** Octets of its output. */
  written = 0;
  /** What it wrote on its error output. */
  said = "";
  /** It has ended. */
  over = false;
  readonly end: Promise<void>;

  constructor(
    readonly name: string,
    args: readonly string[],
  ) {
    this.#child = spawn(name, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child.stdout?.on("data", (piece: Buffer) => {
      this.#pieces.push(piece);
      this.written += piece.length;
    });
    this.#child.stderr?.on("data", (piece: Buffer) => {
      this.said += piece.toString();
    });
    this.end = new Promise((done) => {
      const ended = () => {
        this.over = true;
        done();
      };
      this.#child.on("error", ended).on("close", ended);
    });
  }

  get output(): Buffer {
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0] as Buffer;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  toString(): string {
    return `${this.name}${this.over ? ", which has ended" : ""}: ${this.said.trim() || "said nothing"}`;
  }
}

export class Stage {
  readonly #folder = mkdtempSync(join(tmpdir(), "wirestack-"));
  readonly #sockets: { close(): Promise<void> }[] = [];
  readonly #programs: Program[] = [];
  readonly #undo: (() => void)[] = [];
  #files = 0;

  open<T extends keyof Ports>(stack: Opening<T>, options: SocketOptions = {}): Ports[T] {
    const socket = open(stack, { reconnect: { min: 5, max: 50 }, linger: 0, ...options });
    this.#sockets.push(socket);
    return socket;
  }

  start(name: string, ...args: readonly string[]): Program {
    const program = new Program(name, args);
    this.#programs.push(program);
    return program;
  }

  /** Takes this down too. */
  after(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** A path where nothing is. */
  path(): string {
    return join(this.#folder, `${this.#files++}`);
  }

  /** An address at which we can listen. */
  any(scheme: Scheme): string {
    return scheme === "ipc" ? `ipc://${this.path()}` : `${scheme}://127.0.0.1:0`;
  }

  /** An address at which another process can listen. */
  async free(scheme: Scheme): Promise<string> {
    return scheme === "ipc" ? this.any(scheme) : `${scheme}://127.0.0.1:${await freePort()}`;
  }

  /**
   * Brings our socket and a program together. `side` is ours; `launch` starts theirs at an address.
   * `options` are those of the row's layers, on either side.
   */
  async meet(
    ours: Port,
    side: Side,
    scheme: Scheme,
    launch: (side: Side, url: string) => Program,
    options: ListenOptions = {},
  ): Promise<Program> {
    if (side === "listen") {
      const { url } = await ours.listen(this.any(scheme), options);
      return launch("dial", url);
    }
    // Somebody may have taken the port meanwhile: then theirs ends, and we take another.
    for (let attempt = 1; ; attempt++) {
      const url = await this.free(scheme);
      const program = launch("listen", url);
      const dialer = ours.dial(url, options);
      if (await connected(dialer, program)) return program;
      await dialer.close();
      if (attempt === 3) throw new Error(`no connection to ${program}`);
    }
  }

  async close(): Promise<void> {
    for (const program of this.#programs) program.kill();
    for (const undo of this.#undo) undo();
    await Promise.all(this.#sockets.map((socket) => socket.close()));
    await Promise.all(this.#programs.map((program) => program.end));
    rmSync(this.#folder, { recursive: true });
  }
}

async function connected(dialer: Dialer, program: Program): Promise<boolean> {
  const late = new AbortController();
  const deadline = new Promise<boolean>((done) => {
    const timer = setTimeout(() => done(false), 10_000);
    late.signal.addEventListener("abort", () => clearTimeout(timer));
  });
  const ready = dialer.ready.then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([ready, program.end.then(() => false), deadline]);
  } finally {
    late.abort();
  }
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * PORTS);
    const free = await new Promise<boolean>((done) => {
      const server = createServer();
      server.once("error", () => done(false));
      server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
    });
    if (free) return port;
  }
}

/** A test with a stage. */
export function staged(run: (stage: Stage) => Promise<void>): () => Promise<void> {
  return async () => {
    const stage = new Stage();
    try {
      await run(stage);
    } finally {
      await stage.close();
    }
  };
}
