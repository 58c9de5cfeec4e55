// timeout: 120
/** A hop obeys the laws of layers: by itself, over what frames it, and in each of its patterns. */
import { suite } from "uvu";
import { type HopOptions, hop, sp } from "../../runtime/index.js";
import { nodeCrypto } from "../../runtime/node-crypto.js";
import { layerLaws } from "../laws/layer.js";

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

const pair = { edges, merges: true } as const;
layerLaws(test, { ...pair, name: "hop", make: (side) => hop(xx(side)) });
layerLaws(test, {
  ...pair,
  name: "hop over sp",
  make: () => hop({ ...nn, rekey: { records: 2 }, padding: "buckets" }),
  under: () => [sp()],
});

test.run();
