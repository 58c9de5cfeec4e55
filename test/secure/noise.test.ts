/** The Noise machine beside what other implementations came to, octet by octet. */
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { StateError } from "../../runtime/error.js";
import { nodeCrypto } from "../../runtime/node-crypto.js";
import { CipherState, Handshake } from "../../runtime/secure/hop/noise.js";
import { protocolOf } from "../../runtime/secure/hop/patterns.js";
import { fileOf, peerTest } from "../support/peers.js";
import { play, vectorsIn } from "./vectors.js";

const test = suite("noise");
const NONE = new Uint8Array(0);

peerTest(test, "flynn/noise", "all 1,920 vectors of flynn/noise: 60 patterns, 8 suites", () => {
  const names = vectorsIn(readFileSync(fileOf("flynn/noise"), "utf8")).map(play);
  assert.is(names.length, 1920);
  assert.is(new Set(names).size, 480);
  const patterns = new Set(names.map((name) => name.split("_")[1]));
  assert.is(patterns.size, 60);
});

test("handshakes of the exported patterns, and keys made of keys, as dissononce has them", () => {
  const names = vectorsIn(readFileSync("test/vectors/hop/noise.vectors", "utf8")).map(play);
  const expected = ["XX", "IK", "KK", "NNpsk0"].flatMap((pattern) =>
    ["AESGCM", "ChaChaPoly"].map((cipher) => `Noise_${pattern}_25519_${cipher}_SHA256`),
  );
  assert.equal(names, expected);
});

test("names that name no protocol are refused", () => {
  for (const name of [
    "Noise_XX_448_AESGCM_SHA256",
    "Noise_QQ_25519_AESGCM_SHA256",
    "Noise_NNpsk3_25519_AESGCM_SHA256",
    "Noise_constructor_25519_AESGCM_SHA256",
    "noise_XX_25519_AESGCM_SHA256",
    "Noise_XX_25519_AESGCM_MD5",
  ]) {
    assert.throws(() => protocolOf(name), /is no Noise protocol|has no message/, name);
  }
});

test("messages that are cut or changed anywhere are not read, and nothing is thrown", () => {
  const own = () => nodeCrypto.noise.x25519.generate();
  for (const name of ["XX", "IK", "KK", "NNpsk0"]) {
    const protocol = protocolOf(`Noise_${name}_25519_AESGCM_SHA256`);
    const [theirs, ours] = [own(), own()];
    const both = { protocol, prologue: new Uint8Array(0), psk: new Uint8Array(32) };
    const { x25519 } = nodeCrypto.noise;
    const side = (initiator: boolean) =>
      new Handshake(nodeCrypto, {
        ...both,
        initiator,
        own: initiator ? theirs : ours,
        peer: x25519.publicOf(initiator ? ours : theirs),
      });
    const first = side(true).write() as Uint8Array;
    for (let n = 0; n < first.length; n++) {
      assert.is(side(false).read(first.subarray(0, n)), undefined, `${name}: ${n} octets`);
    }
    // A public key with which everybody comes to the same secret.
    const weak = first.slice().fill(0, 0, 32);
    const listener = side(false);
    const read = listener.read(weak);
    if (name === "XX") assert.is(listener.write(), undefined);
    else if (name !== "NNpsk0") assert.is(read, undefined);
    // In XX the first message is in clear: what was changed shows in the second.
    if (name === "XX") continue;
    for (let at = 0; at < first.length; at++) {
      const changed = first.slice();
      changed[at] = (changed[at] as number) ^ 1;
      assert.is(side(false).read(changed), undefined, `${name}: octet ${at}`);
    }
  }
});

test("who has no nonce left does not seal, or open", () => {
  const state = () => new CipherState(nodeCrypto, "AESGCM", new Uint8Array(32), 2 ** 32 - 2);
  const [send, receive] = [state(), state()];
  const sealed = new Uint8Array(16);
  send.seal(NONE, NONE, sealed);
  assert.equal(receive.open(NONE, sealed), NONE);
  assert.throws(
    () => send.seal(NONE, NONE, sealed),
    (e: unknown) => e instanceof StateError,
  );
  assert.is(receive.open(NONE, sealed), undefined);
});

test.run();
