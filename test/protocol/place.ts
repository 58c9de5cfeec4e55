/** A quiet world for a few sockets, which are closed when the test ends. */
import { open, type Port, type Ports, type SocketOptions } from "../../runtime/index.js";
import type { Opening } from "../../runtime/open.js";
import { type Host, World } from "../world/world.js";

export type Scheme = "inproc" | "memory" | "tcp" | "ipc";
export const SCHEMES: readonly Scheme[] = ["inproc", "memory", "tcp", "ipc"];

export class Place {
  readonly world = new World({ seed: 1 });
  readonly #open: { readonly port: Port; readonly host: Host }[] = [];
  #joints = 0;

  constructor(readonly scheme: Scheme) {}

  open<T extends Exclude<keyof Ports, "link">>(
    stack: Opening<T>,
    options: SocketOptions = {},
  ): Ports[T] {
    const host = this.world.host(`socket ${this.#open.length}`);
    const port = open(stack as never, { env: host, ...options }) as Ports[T];
    this.#open.push({ port, host });
    return port;
  }

  /** Connects `near` with `far`; resolves when both know. */
  async join(near: Port, far: Port): Promise<void> {
    const n = this.#joints++;
    const url = this.scheme === "tcp" ? `tcp://10.0.0.1:${n + 1}` : `${this.scheme}://joint-${n}`;
    const attached = new Promise<void>((done) => void far.on("attached", () => done()));
    await far.listen(url);
    await near.dial(url).ready;
    await attached;
  }

  /** Lets everything that is on its way arrive. */
  settle(): Promise<void> {
    return this.world.sleep(20);
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map(({ port }) => port.close()));
  }
}

/** A test in a place of its own. */
export function placed(scheme: Scheme, run: (place: Place) => Promise<void>): () => Promise<void> {
  return async () => {
    const place = new Place(scheme);
    await place.world.run(async () => {
      await run(place);
      await place.close();
    });
  };
}

export const text = (octets: Uint8Array): string => new TextDecoder().decode(octets);

/** What has come up to now. */
export function all(port: { tryReceive(): Uint8Array | undefined }): string[] {
  const got: string[] = [];
  for (let m = port.tryReceive(); m !== undefined; m = port.tryReceive()) got.push(text(m));
  return got;
}
