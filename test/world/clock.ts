/**
 * Virtual time: events in their order, and nothing between them.
 *
 * An event is what node's loop would call: a timer, something of the network, a turn. When it returns,
 * ticks run, then microtasks, then the ticks these asked for, until there are none: as after each
 * callback of node's. Only then comes the next event, at once, whatever time lies between.
 */
export interface Due {
  readonly time: number;
  readonly order: number;
  /** Undefined when it has run, or is not wanted any more. */
  f: (() => void) | undefined;
}

export class Clock {
  /** Milliseconds. */
  now = 0;
  /** Events and ticks that have run. */
  steps = 0;
  /** Hears the number of each before it runs. */
  before: (step: number) => void = () => {};
  readonly #heap: Due[] = [];
  #order = 0;
  #ticks: (() => void)[] = [];

  /** Before any other event. */
  tick(f: () => void): void {
    this.#ticks.push(f);
  }

  at(time: number, f: () => void): Due {
    const due = { time: Math.max(time, this.now), order: this.#order++, f };
    this.#push(due);
    return due;
  }

  after(ms: number, f: () => void): Due {
    return this.at(this.now + ms, f);
  }

  /**
   * Runs events until there are none, or `until` says so. Promises are real, so all their reactions
   * must have run before the next event: from inside the microtask queue nobody can tell that it is
   * empty, but node runs what `process.nextTick` got *in a microtask* only when it is. That costs a
   * fifth of a full turn of the loop, and no more than a few hundred nanoseconds.
   */
  run(until: () => boolean): Promise<void> {
    return new Promise((done, failed) => {
      const next = (): void => {
        try {
          if (this.#ticks.length === 0 && (until() || !this.#step())) return done();
          this.#tickAll();
        } catch (error) {
          return failed(error);
        }
        queueMicrotask(settled);
      };
      const settled = (): void => process.nextTick(next);
      queueMicrotask(settled);
    });
  }

  /** Runs the next event; false if there is none. */
  #step(): boolean {
    for (let due = this.#pop(); due !== undefined; due = this.#pop()) {
      if (due.f === undefined) continue;
      this.now = due.time;
      this.before(this.steps++);
      // Who heard of it may have made it void.
      due.f?.();
      due.f = undefined;
      return true;
    }
    return false;
  }

  #tickAll(): void {
    for (let i = 0; i < this.#ticks.length; i++) {
      this.before(this.steps++);
      (this.#ticks[i] as () => void)();
    }
    this.#ticks = [];
  }

  // A binary heap by time, then by order.

  #push(due: Due): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(due);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const other = heap[parent] as Due;
      if (!earlier(due, other)) break;
      heap[i] = other;
      i = parent;
    }
    heap[i] = due;
  }

  #pop(): Due | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && earlier(heap[child + 1] as Due, heap[child] as Due)) child++;
      if (!earlier(heap[child] as Due, last)) break;
      heap[i] = heap[child] as Due;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

function earlier(a: Due, b: Due): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
