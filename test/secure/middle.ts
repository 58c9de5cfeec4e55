/** Somebody between a dialer and whom it dials, who sees all octets and may change them. */
import type { Connection, Env } from "../../runtime/index.js";

export type Way = "there" | "back";

/** What becomes of octets, the first of which is the stream's nth: others, or `cut`: an end after those. */
export type Doing = (
  octets: Uint8Array,
  n: number,
  way: Way,
) => Uint8Array | { readonly cut: Uint8Array };

export class Middle {
  /** All octets, as they were before he touched them. */
  readonly seen: Readonly<Record<Way, Uint8Array[]>> = { there: [], back: [] };
  /** Connections. */
  dialed = 0;

  constructor(readonly doing: Doing = (octets) => octets) {}

  /** The dialer's world: all that it dials comes by here. */
  env<E extends Env>(env: E): E {
    const { net } = env;
    const connect: Env["net"]["connect"] = (where, to) => {
      let connection: Connection | undefined;
      this.dialed++;
      const counts = { there: 0, back: 0 };
      const pass = (octets: Uint8Array, way: Way): Uint8Array => {
        const n = counts[way];
        counts[way] += octets.length;
        this.seen[way].push(octets.slice());
        const done = this.doing(octets, n, way);
        if (done instanceof Uint8Array) return done;
        connection?.write([done.cut]);
        connection?.end();
        return new Uint8Array(0);
      };
      return net.connect(where, {
        opened: (c) => {
          connection = c;
          to.opened({
            local: c.local,
            remote: c.remote,
            write: (segments) => {
              const octets = pass(new Uint8Array(Buffer.concat(segments)), "there");
              return octets.length === 0 || c.write([octets]);
            },
            pause: () => c.pause(),
            resume: () => c.resume(),
            end: () => c.end(),
            destroy: () => c.destroy(),
          });
        },
        octets: (chunk) => {
          const octets = pass(chunk.slice(), "back");
          if (octets.length > 0) to.octets(octets);
        },
        drained: () => to.drained(),
        ended: () => to.ended(),
        closed: (error) => to.closed(error),
      });
    };
    return Object.create(env, { net: { value: { listen: net.listen, connect } } }) as E;
  }
}

/** Another octet at the nth place of one way. */
export function changes(way: Way, place: number, mask = 1): Doing {
  return (octets, n, w) => {
    const at = place - n;
    if (w !== way || at < 0 || at >= octets.length) return octets;
    const changed = octets.slice();
    changed[at] = (changed[at] as number) ^ mask;
    return changed;
  };
}

/** The end, after so many octets of one way. */
export function cuts(way: Way, place: number): Doing {
  return (octets, n, w) => {
    if (w !== way || n + octets.length < place) return octets;
    return { cut: octets.subarray(0, Math.max(0, place - n)) };
  };
}
