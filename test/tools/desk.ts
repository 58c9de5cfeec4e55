/** A world in which time and files are a test's: what was written, when, and what could not be. */
import type { File, Files, Timer } from "../../runtime/env.js";
import { SystemError } from "../../runtime/error.js";
import { pair0, sp, tcp, xpair0 } from "../../runtime/index.js";
import type { Control, Element, Event, Facts, Layer, PipeContext } from "../../runtime/layer.js";
import { Message } from "../../runtime/message.js";
import { joined } from "../laws/octets.js";
import { Still, surroundings } from "../laws/still.js";

export class Desk extends Still implements Files {
  #now = 0;
  wall = Date.UTC(2026, 10, 29);
  /** Octets that the disk still takes. */
  room = Infinity;
  /** Paths that cannot be opened. */
  readonly barred = new Set<string>();
  readonly disk = new Map<string, Uint8Array[]>();
  readonly modes = new Map<string, number | undefined>();
  readonly reported: unknown[] = [];
  readonly lasts = new Set<() => void>();
  readonly #timers = new Set<{ readonly at: number; readonly f: () => void }>();
  /** Files that are open. */
  opened = 0;
  readonly files: Files = this;

  override now(): number {
    return this.#now;
  }

  override date(): number {
    return this.wall;
  }

  override timer(ms = 0, f: () => void = () => {}): Timer {
    const timer = { at: this.#now + ms, f };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  override report(error: unknown): void {
    this.reported.push(error);
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at <= this.#now && this.#timers.delete(timer)) timer.f();
    }
  }

  get armed(): number {
    return this.#timers.size;
  }

  open(path: string, { add = false, mode }: { add?: boolean; mode?: number } = {}): File {
    if (this.barred.has(path)) throw new SystemError(`open ${path}`, { code: "EACCES" });
    const pieces = (add && this.disk.get(path)) || [];
    this.disk.set(path, pieces);
    if (!this.modes.has(path)) this.modes.set(path, mode);
    this.opened++;
    const desk = this;
    return {
      get size() {
        return pieces.reduce((n, p) => n + p.length, 0);
      },
      write(octets) {
        if (octets.length > desk.room) throw new SystemError(`write ${path}`, { code: "ENOSPC" });
        desk.room -= octets.length;
        pieces.push(octets.slice());
      },
      close() {
        desk.opened--;
      },
    };
  }

  rename(from: string, to: string): void {
    const pieces = this.disk.get(from);
    if (pieces === undefined) throw new SystemError(`rename ${from}`, { code: "ENOENT" });
    this.disk.delete(from);
    this.disk.set(to, pieces);
  }

  whole(path: string): string {
    return path.replace(/^\.\//, "");
  }

  last(f: () => void): () => void {
    this.lasts.add(f);
    return () => void this.lasts.delete(f);
  }

  read(path: string): Uint8Array {
    return joined(this.disk.get(path) ?? []);
  }
}

/** Where a tap stands in a stack of PAIR over TCP. */
const at = {
  raw: (tap: Layer) => [pair0(), tap, xpair0(), sp(), tcp()],
  link: (tap: Layer) => [pair0(), xpair0(), tap, sp(), tcp()],
  octets: (tap: Layer) => [pair0(), xpair0(), sp(), tap, tcp()],
};

const FACTS: Facts = { local: "127.0.0.1:40000", remote: "127.0.0.1:5555" };

/** A tap's element, and what its neighbours hear. */
export class Tapped {
  readonly element: Element;
  readonly down: Message[] = [];
  readonly up: Message[] = [];
  readonly controls: Control[] = [];
  readonly events: Event[] = [];

  constructor(
    desk: Desk,
    tap: Layer,
    joint: keyof typeof at,
    side: "dial" | "listen" = "dial",
    facts: Facts | undefined = FACTS,
  ) {
    const layers = at[joint](tap);
    const { protocol } = layers[joint === "raw" ? 2 : 1] as Layer;
    const context = surroundings({ env: desk, protocol, side });
    const place = { layers, at: layers.indexOf(tap) };
    this.element = tap.make?.({ ...context, place } as PipeContext) as Element;
    this.element.below = {
      down: (m) => void this.down.push(m),
      control: (c) => void this.controls.push(c),
    };
    this.element.above = {
      up: (m) => void this.up.push(m),
      event: (e) => void this.events.push(e),
    };
    if (facts !== undefined) this.element.event({ type: "opened", facts });
  }

  /** Messages of these octets, in both directions by turns. */
  pass(...all: readonly Uint8Array[]): void {
    for (const [i, octets] of all.entries()) {
      if (i % 2 === 0) this.element.down(Message.of(octets));
      else this.element.up(Message.of(octets));
    }
  }

  close(): void {
    this.element.event({ type: "closed" });
  }
}
