/**
 * The world outside of `context.env`: clocks, timers and chance that every program has at hand. While a
 * layer runs in the kit these lead to the kit's own world, and are written down.
 */
import type { Env } from "../env.js";

/** Whom a call is led to: where the kit's world is just now. */
let world: Env | undefined;

export function enter(env: Env): void {
  world = env;
}

/** What was called, instead of what, and where. */
export interface Escape {
  readonly what: string;
  readonly instead: string;
  readonly at: string;
}

type Call = (...args: never[]) => unknown;

/** Runs something with the world outside shut; answers what it called there. */
export function shut(run: () => void): Escape[] {
  const escapes: Escape[] = [];
  const undo: (() => void)[] = [];
  const note = (what: string, instead: string) => escapes.push({ what, instead, at: caller() });

  const replace = (on: object | undefined, name: string, value: unknown) => {
    if (on === undefined || !(name in on)) return;
    const own = Object.getOwnPropertyDescriptor(on, name);
    Object.defineProperty(on, name, { value, configurable: true, writable: true });
    undo.push(() => {
      if (own !== undefined) Object.defineProperty(on, name, own);
      else delete (on as Record<string, unknown>)[name];
    });
  };
  const lead = (on: object | undefined, of: string, name: string, instead: string, to: Call) =>
    replace(on, name, (...args: never[]) => {
      note(`${of}${name}`, instead);
      return to(...args);
    });

  const env = () => world as Env;
  const timer = (f: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const set = env().timer(ms, () => f(...args));
    // As node's, which is an object, and as a page's, which is a number.
    return { ...set, ref() {}, unref() {}, [Symbol.toPrimitive]: () => 0 };
  };
  const late =
    (when: "tick" | "turn") =>
    (f: (...args: unknown[]) => void, ...args: unknown[]) =>
      env()[when](() => f(...args));
  const filled = (octets: ArrayBufferView) => {
    env().random(new Uint8Array(octets.buffer, octets.byteOffset, octets.byteLength));
    return octets;
  };
  const { performance, process, crypto } = globalThis as {
    performance?: object;
    process?: object;
    crypto?: object;
  };
  lead(performance, "performance.", "now", "now()", () => env().now());
  lead(globalThis, "", "setTimeout", "timer(ms, f)", timer);
  lead(globalThis, "", "setInterval", "timer(ms, f)", timer);
  lead(globalThis, "", "setImmediate", "turn(f)", late("turn"));
  lead(globalThis, "", "queueMicrotask", "tick(f)", late("tick"));
  lead(process, "process.", "nextTick", "tick(f)", late("tick"));
  lead(process, "process.", "hrtime", "now()", () => [0, 0]);
  lead(Math, "Math.", "random", "random(octets)", () => 0.5);
  lead(crypto, "crypto.", "getRandomValues", "random(octets)", filled);
  lead(crypto, "crypto.", "randomUUID", "random(octets)", () => "kit");
  const date = globalThis.Date;
  replace(
    globalThis,
    "Date",
    new Proxy(date, {
      get(target, name, self) {
        if (name !== "now") return Reflect.get(target, name, self);
        return () => {
          note("Date.now", "date()");
          return env().date();
        };
      },
      construct(target, args, as) {
        if (args.length > 0) return Reflect.construct(target, args, as);
        note("new Date", "date()");
        return Reflect.construct(target, [env().date()], as);
      },
    }),
  );
  try {
    run();
  } finally {
    for (const f of undo.reverse()) f();
  }
  return escapes;
}

/** The line outside of this file that called, as a stack shows it. */
function caller(): string {
  const lines = (new Error().stack ?? "").split("\n").slice(1);
  const at = lines.find((line) => !/kit[\\/]outside\./.test(line)) ?? "";
  return at.trim().replace(/^at /, "");
}
