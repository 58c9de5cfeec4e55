/** Where a tap stands, and what a capture says of it: its stack, its ends, and what lies in its packets. */
import * as header from "../../../generated/tap/pdu.js";
import type { Context, Facts, Layer, Place } from "../../layer.js";
import type { Text } from "./capture.js";

/** Version of the descriptions. */
const VERSION = 1;

type Face = "octets" | "link" | "raw" | "port";

/** Whose headers these are, and what decides how they are read: as one names it. */
function nameOf({ headers = [], identity, name }: Layer): string {
  return headers.length === 1 ? (headers[0]?.name as string) : (identity ?? name);
}

const has = ({ headers = [] }: Layer): boolean => headers.length > 0;
const shows = (layer: Layer): boolean => has(layer) || layer.identity !== undefined;

export class Joint {
  readonly face: Face;
  /** Layers of this connection alone that stand above, the uppermost first; and of the socket. */
  readonly #layers: readonly string[];
  readonly #body: readonly string[];

  constructor(readonly context: Context) {
    const { layers, at } = context.place;
    this.face = faceOf(context.place);
    const hub = layers.findIndex((l) => l.hub);
    const port = this.face === "port";
    const framed = this.face === "link" ? layers.slice(hub + 1, at) : [];
    this.#layers = framed.filter(shows).map(nameOf);
    const upper = layers.slice(0, port ? at : Math.max(0, hub));
    this.#body = upper.filter((l) => l.raw === undefined && has(l)).map(nameOf);
  }

  /** What a message begins with here, as a dissector may be called: for who does not read descriptions. */
  get begins(): string {
    const [name = ""] = (this.face === "port" ? this.#body : this.#layers).at(-1)?.split("@") ?? [];
    return /^[\w.-]{1,64}$/.test(name) ? name : "data";
  }

  /** `from`, `to`: the ends of what goes out. */
  text(name: string, from: string, to: string): Text {
    const { protocol } = this.context;
    const lines = [
      `wirestack tap ${VERSION}`,
      `stack: ${this.#stack()}`,
      `ends: ${JSON.stringify([from, to])}`,
      `out: ${JSON.stringify(this.#flow(protocol?.type))}`,
      `in: ${JSON.stringify(this.#flow(protocol?.peer))}`,
    ];
    return { name, description: lines.join("\n") };
  }

  /** What is known of one direction, by the names that dissectors know. */
  #flow(type: number | undefined): Readonly<Record<string, string | number>> {
    const { face } = this;
    const [layers, body] = [this.#layers.join(" "), this.#body.join(" ")];
    return {
      ...(face === "octets" ? {} : { "tap.joint": face }),
      ...(type === undefined ? {} : { "sp.type": type }),
      ...(layers === "" ? {} : { "sp.layers": layers }),
      ...(body === "" ? {} : { "sp.body": body }),
    };
  }

  #stack(): string {
    const { layers, at } = this.context.place;
    const names = layers.map(({ name }, i) => {
      // Who is over others has taken their names, and they may stand there themselves.
      const [own = name, ...others] = name.split(" ");
      if (i === at) return `[${own}]`;
      return i === layers.length - 1 ? [own, ...others].join(" > ") : own;
    });
    return names.join(" > ");
  }
}

/** What the nearest layer shows that does not show what it stands on. */
function faceOf({ layers, at }: Place): Face {
  const below = layers.slice(at + 1).find(({ above }) => typeof above === "string");
  switch (below?.above) {
    case "octets":
      return "octets";
    case "raw":
      return "raw";
    // Whoever runs a layer by itself gives it messages.
    case "link":
    case undefined:
      return "link";
  }
  return "port";
}

/** The ends of a connection: ours, and theirs. */
export function endsOf(
  { local = "", remote = "" }: Facts,
  side: "dial" | "listen",
): [string, string] {
  if (local !== "" && remote !== "" && local !== remote) return [local, remote];
  const name = local || remote;
  const of = (end: string) => `${name} (${end})`.trimStart();
  return side === "dial" ? [of("dial"), of("listen")] : [of("listen"), of("dial")];
}

/** Of a connection, as people read it. */
export const nameOfPipe = (which: string, { local, remote }: Facts): string =>
  [which, local, remote === undefined ? undefined : `→ ${remote}`].filter(Boolean).join(" ");

/** What stands in front of a message: by which dissector it is to be read. */
export function pdu(dissector: string): Uint8Array {
  const octets = new Uint8Array(header.size(dissector));
  header.write(new DataView(octets.buffer), 0, dissector.length, dissector);
  return octets;
}
