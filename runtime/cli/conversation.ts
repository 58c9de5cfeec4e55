/** What `wirestack cat` does with a socket: meets peers, sends in rounds, takes what comes, prints it. */
import { once } from "node:events";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Dialer,
  type Layer,
  type LayerOptions,
  open,
  PeerError,
  type Port,
  type Ports,
  type SocketOptions,
  type Stack,
  type SurveyOptions,
  SystemError,
  TimeoutError,
  type TlsOptions,
  type Waits,
  WireError,
} from "../index.js";
import { check } from "../stack.js";

/** What the command line asks for; times are in milliseconds. */
export interface Wishes {
  readonly listen: readonly string[];
  readonly dial: readonly string[];
  /** For addresses over TLS. */
  readonly tls: TlsOptions | undefined;
  /** Go on dialing where nobody answers yet. */
  readonly patient: boolean;
  /** What a subscriber takes begins with one of these. */
  readonly topics: readonly string[];
  readonly data: Uint8Array | undefined;
  readonly delay: number;
  readonly interval: number | undefined;
  /** 0: no limit. */
  readonly count: number;
  readonly sendTimeout: number | undefined;
  readonly recvTimeout: number | undefined;
  readonly recvMax: number | undefined;
  /** Stands right above what the address brings. */
  readonly tap: Layer | undefined;
  readonly echo: (body: Uint8Array) => string | Uint8Array;
  /** Tells the user of what happens: always what is wrong, the rest if it is wanted. */
  readonly tell: (what: string, wrong: boolean) => void;
}

/** Milliseconds that what was sent has to get away in the end, if nothing else is said. */
const LINGER = 10_000;
/** The same after a failure, or when the user wants it to end. */
const HURRIED = 500;

/** Milliseconds that a survey goes on, if nothing else is said. */
const SURVEY = 1000;

/** Addresses over TLS. */
export const SECURED = /^(tls\+tcp|wss):/;

/** Nobody can be talked to at an address: by the system's word, or the peer's. */
export class Refused extends Error {}

export class Conversation {
  readonly #wishes: Wishes;
  readonly #end = new AbortController();
  #socket: Port | undefined;
  #met!: () => void;
  readonly #peer = new Promise<void>((met) => {
    this.#met = met;
  });
  /** Why somebody who came was sent away: told if nobody else comes. */
  #refusal = "";
  /** Runs of a known length that are not through. */
  #owed = 0;

  constructor(
    wishes: Wishes,
    readonly stdout: Writable,
  ) {
    this.#wishes = wishes;
  }

  /** A socket of this protocol; what goes over its connections is captured, if that is wished. */
  open<T extends keyof Ports>(protocol: Layer<"raw", T>): Ports[T] {
    const { recvMax, tap } = this.#wishes;
    const options: SocketOptions = recvMax === undefined ? {} : { recvMax };
    if (tap === undefined || protocol.raw === undefined) return open(protocol, options);
    return open(check([protocol, protocol.raw(), tap]) as Stack<T>, options);
  }

  get data(): Uint8Array {
    return this.#wishes.data ?? new Uint8Array(0);
  }

  get topics(): readonly string[] {
    return this.#wishes.topics;
  }

  /** There is something to send. */
  get speaks(): boolean {
    return this.#wishes.data !== undefined;
  }

  get sending(): Waits {
    return this.#within(this.#wishes.sendTimeout);
  }

  get receiving(): Waits {
    return this.#within(this.#wishes.recvTimeout);
  }

  /** A survey ends at the latest when the next is due. */
  get surveying(): SurveyOptions {
    const { recvTimeout = SURVEY, interval } = this.#wishes;
    return { signal: this.#end.signal, surveyTime: Math.min(recvTimeout, interval || Infinity) };
  }

  #within(timeout: number | undefined): Waits {
    const { signal } = this.#end;
    return timeout === undefined ? { signal } : { signal, timeout };
  }

  /** Ends it, as the user or the reader of the output wants. */
  interrupt(): void {
    this.#end.abort();
  }

  get interrupted(): boolean {
    return this.#end.signal.aborted;
  }

  /** It was to come to an end by itself, and has not. */
  get unfinished(): boolean {
    return this.#owed > 0;
  }

  /** Opens a socket's addresses; rejects if one of them leads nowhere. */
  async meet<P extends Port>(socket: P): Promise<P> {
    const { listen, dial, patient, tell } = this.#wishes;
    this.#socket = socket;
    socket.on("attached", ({ pipe, url }) => {
      tell(`attached: ${pipe.facts.remote ?? "a peer"}, by ${url}`, false);
      this.#met();
    });
    socket.on("detached", ({ pipe, url, error }) => {
      const why = error === undefined ? "" : `: ${error.message}`;
      const who = pipe.facts.remote ?? "a peer";
      tell(`detached: ${who}, by ${url}${why}`, error instanceof WireError);
    });
    socket.on("refused", ({ url, error }) => {
      this.#refusal = `; the last one was refused: ${error.message}`;
      tell(`refused: ${url}: ${error.message}`, error instanceof WireError);
    });
    for (const url of listen) {
      const listener = await socket.listen(url, this.#row(url)).catch((error) => {
        throw error instanceof SystemError ? new Refused(`${url}: ${advice(error)}`) : error;
      });
      tell(`listening: ${listener.url}`, false);
    }
    const dialers = dial.map((url) => this.#dial(socket, url));
    if (!patient && dialers.length > 0) await this.#orEnd(Promise.all(dialers));
    return socket;
  }

  #row(url: string): LayerOptions {
    const { tls } = this.#wishes;
    return tls !== undefined && SECURED.test(url) ? { tls } : {};
  }

  /** Resolves with the first connection; rejects if it fails. */
  #dial(socket: Port, url: string): Promise<void> {
    const dialer: Dialer = socket.dial(url, this.#row(url));
    const connected = new Promise<void>((resolve, reject) => {
      const hush = socket.on("refused", (e) => {
        if (e.url === url) reject(new Refused(`${url}: ${advice(e.error)}`));
      });
      dialer.ready.then(() => {
        hush();
        resolve();
      }, reject);
    });
    // The patient do not ask.
    connected.catch(() => {});
    return connected;
  }

  /** Says something, once or as often as is wished, as soon as there is somebody to hear it. */
  async rounds(say: () => Promise<void>): Promise<void> {
    const { delay, interval, count } = this.#wishes;
    await this.#run(count > 0 ? count : interval === undefined ? 1 : Infinity, async (n) => {
      if (n === 0) {
        if (delay > 0) await this.#pause(delay);
        await this.#somebody();
      }
      const start = performance.now();
      await say();
      return async () => this.#pause((interval ?? 0) - (performance.now() - start));
    });
  }

  /** Takes what comes, as much as is wished. Silence ends it, if anything came and no count is owed. */
  async takes(take: () => Promise<void>): Promise<void> {
    const endless = this.#wishes.count === 0;
    await this.#run(endless ? Infinity : this.#wishes.count, async (n) => {
      try {
        await take();
      } catch (error) {
        if (!(endless && n > 0 && error instanceof TimeoutError)) throw error;
        this.interrupt();
      }
      return undefined;
    });
  }

  async #run(
    goal: number,
    step: (n: number) => Promise<(() => Promise<void>) | undefined>,
  ): Promise<void> {
    const owed = goal === Infinity ? 0 : 1;
    this.#owed += owed;
    for (let n = 0; n < goal && !this.interrupted; n++) {
      const between = await step(n);
      if (n + 1 < goal) await between?.();
    }
    if (!this.interrupted) this.#owed -= owed;
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 0) await this.#orEnd(sleep(ms, undefined, { signal: this.#end.signal }));
  }

  /** Waits for the first peer. */
  async #somebody(): Promise<void> {
    const { sendTimeout } = this.#wishes;
    if (sendTimeout === undefined) return this.#orEnd(this.#peer);
    const { signal } = this.#end;
    const late = sleep(sendTimeout, undefined, { signal, ref: false }).then(() => {
      throw new TimeoutError(`send: nobody came within ${sendTimeout} ms${this.#refusal}`);
    });
    return this.#orEnd(Promise.race([this.#peer, late]));
  }

  /** Rejects when the conversation is ended. */
  async #orEnd<T>(waited: Promise<T>): Promise<T> {
    const { signal } = this.#end;
    let hush = () => {};
    const ended = new Promise<never>((_, reject) => {
      const stop = () => reject(signal.reason);
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop);
      hush = () => signal.removeEventListener("abort", stop);
    });
    try {
      return await Promise.race([waited, ended]);
    } finally {
      hush();
    }
  }

  /** Prints a message that came. */
  async print(body: Uint8Array): Promise<void> {
    const text = this.#wishes.echo(body);
    const { stdout } = this;
    if (text.length > 0 && !stdout.write(text)) await this.#orEnd(once(stdout, "drain"));
  }

  /** Closes the socket: what was sent still gets away, unless the conversation has failed already. */
  async close(failed: boolean): Promise<void> {
    if (this.#socket === undefined) return;
    const hurried = failed || this.interrupted;
    const linger = hurried ? HURRIED : (this.#wishes.sendTimeout ?? LINGER);
    const start = performance.now();
    await this.#socket.close({ linger });
    if (!failed && !this.interrupted && performance.now() - start >= linger) {
      throw new TimeoutError(`send: the peer has not taken everything within ${linger} ms`);
    }
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there; start that side first, or let --async wait for it",
  ENOENT: "no such path; start that side first, or let --async wait for it",
  EADDRINUSE: "another has this address; choose a free one",
  ENOTFOUND: "no host of that name",
  EACCES: "you may not use this address; choose another",
};

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^tls: /, "see --cacert, --cert, --key and --insecure"],
  [/^ws: .* 404 /, "is the path of the address the one that it listens at?"],
  [/^/, "does it speak the other side of this protocol?"],
];

function advice(error: Error): string {
  const said = error instanceof SystemError ? ADVICE[error.system] : undefined;
  if (said !== undefined) return `${(error as SystemError).system}, ${said}`;
  if (!(error instanceof PeerError)) return error.message;
  const [, hint] = HINTS.find(([pattern]) => pattern.test(error.message)) as (typeof HINTS)[0];
  return `${error.message}; ${hint}`;
}
