/**
 * Where the blocks of a capture go, and when: to a file, in front of those that are full, or to a
 * function.
 *
 * They wait in one buffer, until it is full, for 10 ms, until nobody uses the store any more, or until the
 * process ends; so a file is always whole up to what was written last. A failure is told once. From then
 * on everything is taken, and nothing kept: what is captured never suffers from it.
 */
import type { Env, File, Timer } from "../../env.js";
import { StackError, type SystemError } from "../../error.js";

/** Octets that wait at most: longer blocks go in pieces. */
export const BUFFER = 64 * 1024;
/** Milliseconds that octets wait at most. */
const WAIT = 10;
/** Rights of a file: it holds what was said. */
const MODE = 0o600;

export interface Terms {
  readonly file: string | undefined;
  /** Octets of a file at most, but for one packet. */
  readonly limit: number;
  /** Files at most, the current one among them. */
  readonly files: number;
  readonly to: ((octets: Uint8Array) => void) | undefined;
}

export class Store {
  /** What waits lies at its front. */
  readonly bytes = new Uint8Array(BUFFER);
  readonly view = new DataView(this.bytes.buffer);
  #next = 0;
  /** It keeps what it is given. */
  on = true;
  /** Changes when what comes next is read without what was before: in another file, or a file's next part. */
  part = 1;
  #file: File | undefined;
  #begun = false;
  /** Older files that there are. */
  #older = 0;
  #users = 0;
  #timer: Timer | undefined;
  #notLast: (() => void) | undefined;
  /** The file's path from the root. */
  readonly #whole: string | undefined;
  readonly #key: string;
  readonly #late = (): void => {
    this.#timer = undefined;
    this.flush();
  };

  constructor(
    readonly terms: Terms,
    readonly env: Env,
  ) {
    this.#whole = terms.file && env.files?.whole(terms.file);
    this.#key = `tap ${this.#whole}`;
  }

  /** Whether it can be written; throws StackError or SystemError. */
  check(): void {
    if (this.#users > 0 || !this.on || this.terms.file === undefined) return;
    this.#open();
    this.#close();
  }

  /** Somebody begins to use it. Throws as `check`. */
  enter(): void {
    if (this.#users === 0 && this.on) {
      if (this.terms.file !== undefined) this.#open();
      this.#notLast = this.env.files?.last(() => this.flush());
    }
    this.#users++;
  }

  /** Somebody uses it no more. */
  leave(): void {
    if (--this.#users > 0) return;
    this.flush();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#notLast?.();
    const { names } = this.env;
    if (names.get(this.#key) === this) names.delete(this.#key);
    this.#attempt(() => this.#close());
  }

  /** `n` octets, `BUFFER` at most, to be written by who asked: answers where in `bytes` they begin. */
  take(n: number): number {
    if (this.#next + n > BUFFER) this.flush();
    if (this.#timer === undefined && this.on) {
      this.#timer = this.env.timer(WAIT, this.#late, true);
    }
    const at = this.#next;
    this.#next = at + n;
    return at;
  }

  /** Octets to wait behind the others, or what is too long for that. */
  put(octets: Uint8Array): void {
    if (octets.length > BUFFER) return this.through(octets);
    this.bytes.set(octets, this.take(octets.length));
  }

  /** Octets behind those that wait: borrowed, and written at once. */
  through(octets: Uint8Array): void {
    this.flush();
    this.#give(octets);
  }

  flush(): void {
    const n = this.#next;
    if (n === 0) return;
    this.#next = 0;
    this.#give(this.bytes.subarray(0, n));
  }

  #give(octets: Uint8Array): void {
    if (!this.on) return;
    const { to } = this.terms;
    this.#attempt(() => {
      if (to === undefined) return this.#file?.write(octets);
      // What this causes would cause more: it is not captured.
      this.on = false;
      to(octets.slice());
      this.on = true;
    });
  }

  /** There may be another file after this one. */
  get turns(): boolean {
    return this.terms.file !== undefined && this.terms.limit < Infinity;
  }

  /** With `n` octets more the file has more than it may. */
  crowded(n: number): boolean {
    const size = this.#file?.size;
    return size !== undefined && size + this.#next + n > this.terms.limit;
  }

  /** Begins the next file. */
  turn(): void {
    this.flush();
    const { files } = this.terms;
    this.#attempt(() => {
      this.#close();
      for (let n = Math.min(this.#older, files - 2); n >= 0; n--) this.#rename(n);
      this.#older++;
      this.part++;
      this.#file = this.env.files?.open(this.#whole as string, { mode: MODE });
    });
  }

  #rename(n: number): void {
    try {
      this.env.files?.rename(this.#path(n), this.#path(n + 1));
    } catch (error) {
      // Somebody has tidied up.
      if ((error as SystemError).system !== "ENOENT") throw error;
    }
  }

  /** Of the nth file before the current one: the number goes before what says what kind of file it is. */
  #path(n: number): string {
    const path = this.#whole as string;
    if (n === 0) return path;
    const at = /\.[^./\\]*$/.exec(path)?.index ?? path.length;
    return `${path.slice(0, at)}.${n}${path.slice(at)}`;
  }

  #open(): void {
    const { file = "" } = this.terms;
    const { files, names } = this.env;
    if (files === undefined) {
      throw new StackError("'tap' writes a file, and there are none here: give it 'to'");
    }
    const other = names.get(this.#key) ?? this;
    if (other !== this) {
      throw new StackError(
        `another tap() writes '${file}': use the same one here, or another file`,
      );
    }
    this.#file = files.open(this.#whole as string, { add: this.#begun, mode: MODE });
    if (this.#begun) this.part++;
    this.#begun = true;
    names.set(this.#key, this);
  }

  #close(): void {
    const file = this.#file;
    this.#file = undefined;
    file?.close();
  }

  #attempt(f: () => void): void {
    try {
      f();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Nothing is kept from now on. */
  fail(error: unknown): void {
    this.on = false;
    this.#next = 0;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.env.report(error);
  }
}
