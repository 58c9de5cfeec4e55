// timeout: 120
/** A hop obeys the laws of layers: by itself, over what frames it, and in each of its patterns. */
import { suite } from "uvu";
import { type HopOptions, hop, sp } from "../../runtime/index.js";
import { type KitOptions, layerChecks } from "../../runtime/kit/index.js";
import { nodeCrypto } from "../../runtime/node-crypto.js";
import { RUNS } from "../laws/runs.js";

const test = suite("hop");
const { x25519 } = nodeCrypto.noise;

const keys = {
  dial: x25519.privateKey(new Uint8Array(32).fill(1)),
  listen: x25519.privateKey(new Uint8Array(32).fill(2)),
};
const peers = { dial: [x25519.publicOf(keys.listen)], listen: [x25519.publicOf(keys.dial)] };
type Side = keyof typeof keys;

const xx = (side: Side): HopOptions => ({ key: keys[side], peers: peers[side] });
const nn: HopOptions = { pattern: "NNpsk0", psk: new Uint8Array(32).fill(3) };
/** Around the longest piece, and the longest message in one record. */
const edges = [32_766, 32_767, 65_514, 65_515, 65_516, 65_519, 131_030];

const shared = { ...RUNS, runs: RUNS.runs / 2, edges, merges: true, crypto: nodeCrypto } as const;
const checked = (how: string, options: KitOptions) => {
  for (const { name, run } of layerChecks(options)) test(`${how}, ${name}`, run);
};
checked("by keys", { ...shared, make: (side) => hop(xx(side)) });
checked("over sp, by a secret", {
  ...shared,
  make: () => hop({ ...nn, rekey: { records: 2 }, padding: "buckets" }),
  under: () => [sp()],
});

test.run();
