/** The processes of one contender, from the outside. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Milliseconds that an answer may take; a run takes far less. */
const PATIENCE = 30_000;

/** `ws` takes modules in C if it finds some. */
const ENVIRONMENT = { ...process.env, WS_NO_BUFFER_UTIL: "1", WS_NO_UTF_8_VALIDATE: "1" };

/** A command with its arguments. */
export type Command = readonly string[];

class Peer {
  readonly #child: ChildProcess;
  readonly #heard = new Map<string, { done: (n: number) => void; failed: (e: Error) => void }>();
  readonly #gone: Promise<void>;
  #over: Error | undefined;
  #errors = "";

  constructor([program = "", ...args]: Command) {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env: ENVIRONMENT });
    this.#child = child;
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      this.#errors += text;
    });
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const [word = "", n] = line.split(" ");
      this.#heard.get(word)?.done(Number(n));
      this.#heard.delete(word);
    });
    child.stdin?.on("error", () => {});
    this.#gone = new Promise((done) => {
      const over = (why: string) => {
        this.#over = new Error(`${why}: ${this.#errors.trim().split("\n").slice(0, 8).join(" ")}`);
        for (const { failed } of this.#heard.values()) failed(this.#over);
        done();
      };
      child.on("error", (error) => over(error.message));
      child.on("close", (code, signal) => over(`ended by ${signal ?? code}`));
    });
  }

  /** Says a line, if any, and resolves to the number beside the word that answers it. */
  hear(word: string, line?: string): Promise<number> {
    return new Promise((done, failed) => {
      if (this.#over !== undefined) return failed(this.#over);
      const timer = setTimeout(() => {
        failed(new Error(`no '${word}' within ${PATIENCE / 1000} s ${this.#errors}`));
      }, PATIENCE);
      const settle = <A>(then: (a: A) => void) => {
        return (a: A) => {
          clearTimeout(timer);
          then(a);
        };
      };
      this.#heard.set(word, { done: settle(done), failed: settle(failed) });
      if (line !== undefined) this.#child.stdin?.write(`${line}\n`);
    });
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 1000);
    await this.#gone;
    clearTimeout(timer);
  }
}

/** What a run came to, in nanoseconds an operation: time, and work of all its processes. */
export interface Taken {
  readonly time: number;
  readonly work: number;
}

export class Pair {
  /** Those that are told to run, in this order; the last one starts it all. */
  #peers: Peer[] = [];

  /** Starts the commands one after the other. `last`: the one among them that starts a run. */
  async start(commands: readonly Command[], last: number): Promise<void> {
    const started: Peer[] = [];
    for (const command of commands) {
      const peer = new Peer(command);
      this.#peers.push(peer);
      started.push(peer);
      await peer.hear("ready");
    }
    this.#peers = [...started.filter((_, i) => i !== last), started[last] as Peer];
  }

  async run(n: number): Promise<Taken> {
    const before = await this.#work();
    const times: Promise<number>[] = [];
    for (const peer of this.#peers) {
      const done = peer.hear("done");
      // Whoever fails is heard of below, and must not be called unhandled until then.
      done.catch(() => {});
      times.push(done);
      await peer.hear("armed", `run ${n}`);
    }
    const time = Math.max(...(await Promise.all(times)));
    return { time, work: ((await this.#work()) - before) / n };
  }

  async #work(): Promise<number> {
    const all = await Promise.all(this.#peers.map((peer) => peer.hear("cpu", "cpu")));
    return all.reduce((a, b) => a + b, 0);
  }

  async end(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.end()));
  }
}
