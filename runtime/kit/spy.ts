/** Every way by which octets are copied and buffers are made, seen from outside and written down. */

export interface Ledger {
  /** Octets of each copy, in order. */
  readonly copies: number[];
  /** Octets of each buffer made, in order. A slice is a buffer and a copy. */
  readonly allocations: number[];
  /** Octets of each window of a buffer that many share, in order, where whoever takes it says so. */
  readonly windows: number[];
  /** Ends the watch, and puts everything back. */
  close(): Ledger;
}

type Call = (this: never, ...args: never[]) => unknown;

// `Buffer.concat` and its like are made of one another: the outermost call alone counts.
let inside = false;
const watching = new Set<Ledger>();

/** Runs what no watch is to see, but that a window of so many octets was taken. */
export function aside<T>(n: number, run: () => T): T {
  for (const { windows } of watching) windows.push(n);
  const before = inside;
  inside = true;
  try {
    return run();
  } finally {
    inside = before;
  }
}

/** Watches from now on, all of the process. */
export function watch(): Ledger {
  const undo: (() => void)[] = [];
  const ledger: Ledger = {
    copies: [],
    allocations: [],
    windows: [],
    close() {
      watching.delete(ledger);
      for (const f of undo.splice(0).reverse()) f();
      return ledger;
    },
  };
  watching.add(ledger);
  const { copies, allocations } = ledger;
  const around = (
    on: object,
    name: string,
    note: (self: never, args: never, out: never) => void,
  ) => {
    const own = Object.getOwnPropertyDescriptor(on, name) as PropertyDescriptor;
    const call = own.value as Call;
    Object.defineProperty(on, name, {
      ...own,
      value(this: never, ...args: never[]) {
        if (inside) return call.apply(this, args);
        inside = true;
        try {
          const out = call.apply(this, args);
          note(this, args as never, out as never);
          return out;
        } finally {
          inside = false;
        }
      },
    });
    undo.push(() => Object.defineProperty(on, name, own));
  };
  const both = (_: Uint8Array, __: unknown, out: Uint8Array) => {
    copies.push(out.length);
    allocations.push(out.length);
  };
  const typed = Object.getPrototypeOf(Uint8Array.prototype) as object;
  around(typed, "set", (_: Uint8Array, [from]: [ArrayLike<number>]) => copies.push(from.length));
  around(typed, "copyWithin", (self: Uint8Array) => copies.push(self.length));
  around(typed, "slice", both);
  const { Buffer } = globalThis;
  if (Buffer !== undefined) {
    around(Buffer.prototype, "copy", (_: Uint8Array, __: unknown, n: number) => copies.push(n));
    for (const name of ["concat", "from"]) around(Buffer, name, both);
    for (const name of ["alloc", "allocUnsafe", "allocUnsafeSlow"]) {
      around(Buffer, name, (_: unknown, [n]: [number]) => allocations.push(n));
    }
  }
  for (const name of ["Uint8Array", "ArrayBuffer"] as const) {
    const own = globalThis[name];
    const made = new Proxy(own, {
      construct(target, args, as) {
        const out = Reflect.construct(target, args, as) as { readonly byteLength: number };
        // Over a buffer that exists it is a view.
        if (!inside && !(args[0] instanceof ArrayBuffer) && out.byteLength > 0) {
          allocations.push(out.byteLength);
          if (typeof args[0] === "object") copies.push(out.byteLength);
        }
        return out;
      },
    });
    Object.defineProperty(globalThis, name, { value: made, configurable: true, writable: true });
    undo.push(() =>
      Object.defineProperty(globalThis, name, { value: own, configurable: true, writable: true }),
    );
  }
  return ledger;
}
