/** What the author of a layer tells the kit, and what that comes to. */
import type { Crypto } from "../crypto.js";
import type { Layer, Limits, Protocol } from "../layer.js";
import { count, type Names, named } from "../option.js";
import type { AnyLayer } from "../stack.js";
import { declared } from "./declared.js";

/** Who connects, and who waits for that. */
export type Side = "dial" | "listen";
export const SIDES: readonly Side[] = ["dial", "listen"];
export const opposite = { dial: "listen", listen: "dial" } as const;

export interface KitOptions {
  /** The layer, for either side: called for each connection anew. */
  readonly make: (side: Side) => AnyLayer;
  /** What has to stand under it, the uppermost first. The kit's wire takes the place of what is below that. */
  readonly under?: (side: Side) => readonly AnyLayer[];
  /** Sizes of bodies worth trying, in octets, such as where a length takes one octet more. */
  readonly edges?: readonly number[];
  /** It puts several messages into one, or one into several: then room and notes cannot be seen on the wire. */
  readonly merges?: boolean;
  /**
   * How often it copies a body, of necessity, though it does not declare `contiguous`: a mask does once.
   * Default: never.
   */
  readonly copies?: number;
  /** Octets of its declared room, before a body or behind it, that its options leave unused. Default: none. */
  readonly spare?: number;
  /** The protocol of the dialing side. Default: one of no meaning; for layers above a protocol, PAIR's. */
  readonly protocol?: Protocol;
  /** For a layer that may stand on several faces: which one the kit shows it. Default: link, if it may. */
  readonly face?: "octets" | "link" | "ports";
  /** Cryptography, for who needs `env.crypto`: under node, `node.crypto`. Its keys are drawn by the seed. */
  readonly crypto?: Crypto;
  /** Of all chance: the same number, the same cases. Default: 20141116. */
  readonly seed?: number;
  /** Cases of each check that draws some. Default: 40. */
  readonly runs?: number;
}

const OPTIONS: Names<KitOptions> = {
  make: true,
  under: true,
  edges: true,
  merges: true,
  copies: true,
  spare: true,
  protocol: true,
  face: true,
  crypto: true,
  seed: true,
  runs: true,
};

const SEED = 20141116;
const RUNS = 40;
/** Where something else happens in most stacks: a block's first buffer, what is borrowed, a block. */
const EDGES: readonly number[] = [1, 125, 1024, 16 * 1024, 64 * 1024];
const LIMIT = 2 ** 20;
const LONGEST = 2 ** 26;

const below: Protocol = { name: "kit", type: 0xf000, peer: 0xf001 };
const above: Protocol = { name: "kit", type: 0x10, peer: 0x10 };

/** Messages under a layer, or octets; or it stands where there are many peers, as an application does. */
export type Face = "octets" | "link" | "ports";

/** What the options come to. */
export interface Terms {
  readonly name: string;
  /** The layer as it declares itself. */
  readonly layer: AnyLayer;
  /** What the layer shows, and what stands on the wire. */
  readonly top: Face;
  readonly wire: Face;
  readonly edges: readonly number[];
  readonly merges: boolean;
  readonly copies: number;
  readonly spare: number;
  readonly seed: number;
  readonly runs: number;
  readonly crypto: Crypto | undefined;
  readonly limits: Limits;
  readonly protocols: Readonly<Record<Side, Protocol>>;
  /** Names of all that is between top and wire. */
  readonly names: readonly string[];
  /** The layer and what is under it, made anew. */
  layers(side: Side): readonly AnyLayer[];
}

/** Throws TypeError or RangeError for what the kit cannot run. */
export function termsOf(options: KitOptions): Terms {
  const {
    make,
    under,
    edges = [],
    merges = false,
    copies = 0,
    spare = 0,
  } = named("the kit", options, OPTIONS);
  const layers = (side: Side) => declared(make, under, side);
  const all = layers("dial");
  const layer = all[0] as AnyLayer;
  for (const l of all) {
    if (l.make !== undefined && !l.hub && !l.borrows && l.transport === undefined) continue;
    throw new TypeError(
      `the kit runs layers that have \`make\`, but no hub, no transport, and none that borrows node's Duplex; not '${l.name}'`,
    );
  }
  const top = shown(all, options.face);
  const wire = lowest(all, top);
  const protocol = options.protocol ?? (wire === "ports" ? above : below);
  if (!Array.isArray(edges)) {
    throw new TypeError(`\`edges\` is a list of sizes, such as [255, 256]; not ${edges}`);
  }
  const longest = edges.reduce((most, n) => Math.max(most, count("one of edges", n, 0)), 0);
  if (longest > LONGEST) {
    throw new RangeError(`edges are sizes of bodies, ${LONGEST} octets at most; not ${longest}`);
  }
  return {
    name: layer.name,
    layer,
    top,
    wire,
    edges: [...EDGES, ...edges],
    merges,
    copies: layer.contiguous === undefined ? count("copies", copies, 0) : Infinity,
    spare: count("spare", spare, 0),
    seed: count("seed", options.seed ?? SEED, 0),
    runs: count("runs", options.runs ?? RUNS, 1),
    crypto: options.crypto,
    limits: { recvMax: Math.max(LIMIT, 2 * longest), sendBuffer: 128, openTimeout: 10_000 },
    protocols: {
      dial: protocol,
      listen: { name: `${protocol.name}'s peer`, type: protocol.peer, peer: protocol.type },
    },
    names: all.map((l) => l.name),
    layers,
  };
}

const one = (face: unknown): Face | undefined =>
  face === "octets" || face === "link" ? face : undefined;

/** What the uppermost of some layers shows. */
function shown(layers: readonly Layer[], wanted: Face | undefined): Face {
  const [layer, ...rest] = layers as readonly [AnyLayer, ...AnyLayer[]];
  const { above } = layer;
  if (above.same !== undefined) {
    if (rest.length > 0) return shown(rest, wanted);
    return offered(layer, above.same, wanted);
  }
  const face = one(above);
  if (face !== undefined && (one(layer.below) !== undefined || layer.below.same !== undefined)) {
    return face;
  }
  throw new TypeError(
    `the kit runs layers between octets and links, and those that show what they stand on; '${layer.name}' stands on '${layer.below}' and shows '${above}'`,
  );
}

/** The face that is offered to a layer that would take several. */
function offered(layer: AnyLayer, same: readonly string[] | string, wanted?: Face): Face {
  const faces: readonly Face[] =
    same === "any"
      ? ["link", "octets", "ports"]
      : same === "ports"
        ? ["ports"]
        : [...new Set((same as readonly string[]).map((face) => one(face) ?? "ports"))];
  if (wanted !== undefined && !faces.includes(wanted)) {
    throw new TypeError(`'${layer.name}' does not stand on ${wanted}, but on ${faces.join(", ")}`);
  }
  return wanted ?? (faces.includes("link") ? "link" : (faces[0] as Face));
}

/** What stands on the wire. */
function lowest(layers: readonly AnyLayer[], top: Face): Face {
  const last = layers.findLast((l) => l.below.same === undefined);
  return last === undefined ? top : (one(last.below) as Face);
}
