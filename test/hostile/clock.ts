/** Timers that go off when a test says so, over the real network. */
import { type Env, node } from "../../runtime/index.js";

export class Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly f: () => void }>();
  readonly env: Env = {
    ...node,
    now: () => this.#now,
    timer: (ms, f) => {
      const timer = { at: this.#now + ms, f };
      this.#timers.add(timer);
      return { cancel: () => void this.#timers.delete(timer) };
    },
  };

  /** Timers that are set. */
  get armed(): number {
    return this.#timers.size;
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (timer.at <= this.#now && this.#timers.delete(timer)) timer.f();
    }
  }
}
