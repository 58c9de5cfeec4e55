/**
 * Catches who writes to a body after it was sent. A body belongs to the socket from then on: it may
 * lie in a queue, in a write under way, or with a receiver in the same process. For debugging: it
 * copies every body, and looks at it again for a second.
 */
import type { Env } from "./env.js";
import { StateError } from "./error.js";

/** Milliseconds that a body is watched, and between looks. */
const WATCH = 1000;
const LOOK = 20;

interface Watched {
  readonly body: Uint8Array;
  readonly copy: Uint8Array;
  readonly until: number;
  /** Its trace leads to the call of `send`. */
  readonly sent: Error;
}

export class Guard {
  #watched: Watched[] = [];
  #looking = false;

  constructor(
    readonly env: Env,
    readonly report: (error: StateError) => void,
  ) {}

  watch(body: Uint8Array): void {
    const sent = new Error("it was sent here");
    this.#watched.push({ body, copy: new Uint8Array(body), until: this.env.now() + WATCH, sent });
    if (this.#looking) return;
    this.#looking = true;
    this.env.turn(() => this.#look());
  }

  #look(): void {
    const now = this.env.now();
    this.#watched = this.#watched.filter(({ body, copy, until, sent }) => {
      const at = firstDifference(body, copy);
      if (at < 0) return now < until;
      const said = `octet ${at} of a body was written after it was sent: give it { copy: true }`;
      this.report(new StateError(said, { cause: sent }));
      return false;
    });
    this.#looking = this.#watched.length > 0;
    if (this.#looking) this.env.timer(LOOK, () => this.#look(), true);
  }
}

/** Where two arrays of one length differ; −1 if nowhere. */
function firstDifference(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return i;
  return -1;
}
