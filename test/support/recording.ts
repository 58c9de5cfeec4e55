/** A world that keeps what is written to its connections, write by write. */
import type { Connection, Env, Net, Receiver } from "../../runtime/index.js";
import { node } from "../../runtime/index.js";

export interface Recording {
  readonly env: Env;
  /** One entry a write: its octets, joined. */
  readonly writes: Uint8Array[];
  /** All octets of one direction: what dialers wrote, or what listeners wrote. */
  octets(side: "dial" | "listen"): Uint8Array;
}

export function recording(): Recording {
  const writes: Uint8Array[] = [];
  const sides: { side: "dial" | "listen"; octets: Uint8Array }[] = [];
  const watched = (connection: Connection, side: "dial" | "listen"): Connection => ({
    local: connection.local,
    remote: connection.remote,
    write(segments) {
      const octets = new Uint8Array(Buffer.concat(segments));
      writes.push(octets);
      sides.push({ side, octets });
      return connection.write(segments);
    },
    pause: () => connection.pause(),
    resume: () => connection.resume(),
    end: () => connection.end(),
    destroy: () => connection.destroy(),
  });
  const heard = (to: Receiver, side: "dial" | "listen"): Receiver => ({
    opened: (c) => to.opened(watched(c, side)),
    octets: (chunk) => to.octets(chunk),
    drained: () => to.drained(),
    ended: () => to.ended(),
    closed: (error) => to.closed(error),
  });
  const net: Net = {
    connect: (where, to) => node.net.connect(where, heard(to, "dial")),
    listen: (where, accept) => node.net.listen(where, (c) => heard(accept(c), "listen")),
  };
  return {
    // Names of its own: tests in one process do not meet.
    env: { ...node, net, names: new Map() },
    writes,
    octets: (which) =>
      new Uint8Array(Buffer.concat(sides.filter((s) => s.side === which).map((s) => s.octets))),
  };
}
