/**
 * A layer over somebody else's octets that is built on node's streams: TLS, and the HTTP upgrade.
 *
 * When what is below is open, it asks for node's own Duplex. Where there is one it has the connection
 * for itself; where there is none it gets a Duplex that is made of the layers below. In the end it is a
 * stream like a transport's: it writes its own block.
 */
import type * as NodeStream from "node:stream";
import type { Duplex } from "node:stream";
import {
  type Control,
  type Down,
  type Event,
  type Facts,
  GO,
  type Meaning,
  STOP,
} from "./layer.js";
import { Message } from "./message.js";
import { Stream } from "./stream.js";

export abstract class Borrower extends Stream {
  /** Of what is below. */
  protected lower: Facts = {};
  /** What an error of the Duplex means. */
  protected meant: Meaning = (error) => error;
  #adapter: OverLayers | undefined;
  #duplex: Duplex | undefined;

  /** The Duplex is open: begins. In the end `opened` is called, or the Duplex is destroyed. */
  protected abstract begin(duplex: Duplex): void;

  override event(e: Event): void {
    switch (e.type) {
      case "opened":
        this.lower = e.facts;
        return this.below.control({ type: "lend", to: this.#borrow });
      case "stop":
      case "go":
        return this.#adapter?.turned(e.type === "go");
      case "closed":
        if (this.#adapter !== undefined) this.#adapter.lost(e.error);
        else if (this.#duplex === undefined) this.closed(e.error);
    }
  }

  protected override learnt(): Facts {
    return this.lower;
  }

  override up(m: Message): void {
    this.#adapter?.receive(m);
  }

  readonly #borrow = (duplex: Duplex | undefined, meaning = this.meant): void => {
    this.meant = meaning;
    this.#adapter = duplex === undefined ? overLayers(this.below) : undefined;
    const used = (duplex ?? this.#adapter) as Duplex;
    this.#duplex = used;
    this.abandon = () => used.destroy();
    this.begin(used);
  };

  override control(c: Control): void {
    if (this.#duplex === undefined && (c.type === "close" || c.type === "end")) {
      // Nothing of its own is open yet.
      return this.below.control(c);
    }
    super.control(c);
  }
}

interface OverLayers extends Duplex {
  receive(m: Message): void;
  turned(ready: boolean): void;
  lost(error: Error | undefined): void;
}

/** A Duplex made of the layers below. */
function overLayers(below: Down): OverLayers {
  const stream = globalThis.process?.getBuiltinModule?.(
    "node:stream",
  ) as unknown as typeof NodeStream;
  let ready = true;
  let waiting: (() => void) | undefined;
  let paused = false;
  let lost = false;

  const duplex = new stream.Duplex({
    allowHalfOpen: true,
    write(chunk: Buffer, _encoding, done) {
      below.down(Message.of(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)));
      if (ready) done();
      else waiting = done;
    },
    final(done) {
      below.control({ type: "end" });
      done();
    },
    read() {
      if (!paused) return;
      paused = false;
      below.control(GO);
    },
    destroy(error, done) {
      if (!lost) below.control(error === null ? { type: "close" } : { type: "close", error });
      done(error);
    },
  });
  return Object.assign(duplex, {
    receive(m: Message): void {
      for (const s of m.segments()) {
        if (duplex.push(s) || paused) continue;
        paused = true;
        below.control(STOP);
      }
    },
    turned(go: boolean): void {
      ready = go;
      const done = waiting;
      if (!go || done === undefined) return;
      waiting = undefined;
      done();
    },
    lost(error: Error | undefined): void {
      lost = true;
      if (error === undefined) duplex.push(null);
      else duplex.destroy(error);
      // Whoever writes now writes to nobody.
      waiting?.();
    },
  });
}
