/** Noise's vectors, in the form in which flynn/noise prints them: one a paragraph. */
import * as assert from "uvu/assert";
import type { PrivateKey, PublicKey } from "../../runtime/crypto.js";
import { nodeCrypto } from "../../runtime/node-crypto.js";
import { Handshake } from "../../runtime/secure/hop/noise.js";
import { protocolOf } from "../../runtime/secure/hop/patterns.js";

const { x25519 } = nodeCrypto.noise;
const NONE = new Uint8Array(0);

const octets = (hex = "") => new Uint8Array(Buffer.from(hex, "hex"));
const hexOf = (bytes: Uint8Array | undefined) =>
  bytes === undefined ? "nothing" : Buffer.from(bytes).toString("hex");

/** Most vectors have the same keys, and DER is slow. */
const keys = new Map<string, PrivateKey>();
function keyOf(hex: string): PrivateKey {
  const key = keys.get(hex) ?? x25519.privateKey(octets(hex));
  keys.set(hex, key);
  return key;
}

type Vector = ReadonlyMap<string, string>;

export function vectorsIn(text: string): Vector[] {
  return text.split(/\n\n+/).flatMap((paragraph) => {
    const lines = paragraph.split("\n").filter((line) => line.includes("="));
    return lines.length > 0 ? new Map(lines.map((l) => l.split("=", 2) as [string, string])) : [];
  });
}

/** Plays both sides, and holds each message, and what is read of it, to the vector. Answers its name. */
export function play(vector: Vector): string {
  const name = vector.get("handshake") ?? "";
  const protocol = protocolOf(name);
  const key = (field: string) => {
    const hex = vector.get(field);
    return hex === undefined ? undefined : keyOf(hex);
  };
  const [theirs, ours] = [key("init_static"), key("resp_static")];
  const publicOf = (k: ReturnType<typeof key>): PublicKey | undefined =>
    k === undefined ? undefined : x25519.publicOf(k);
  const both = {
    protocol,
    prologue: octets(vector.get("prologue")),
    psk: vector.has("preshared_key") ? octets(vector.get("preshared_key")) : undefined,
  };
  const side = (initiator: boolean) => {
    const ephemeral = key(initiator ? "gen_init_ephemeral" : "gen_resp_ephemeral");
    const known = initiator ? protocol.known.responder : protocol.known.initiator;
    return new Handshake(nodeCrypto, {
      ...both,
      initiator,
      own: initiator ? theirs : ours,
      peer: known ? publicOf(initiator ? ours : theirs) : undefined,
      ...(ephemeral === undefined ? {} : { ephemeral }),
    });
  };
  const [dialer, listener] = [side(true), side(false)];
  let i = 0;
  for (; !dialer.over; i++) {
    const [from, to] = dialer.ours ? [dialer, listener] : [listener, dialer];
    const payload = octets(vector.get(`msg_${i}_payload`));
    const message = from.write(payload) as Uint8Array;
    assert.is(hexOf(message), vector.get(`msg_${i}_ciphertext`), `${name}: message ${i}`);
    assert.is(hexOf(to.read(message)), hexOf(payload), `${name}: payload ${i}`);
  }
  assert.is(hexOf(dialer.hash), hexOf(listener.hash), `${name}: one hash`);
  if (vector.has("handshake_hash")) assert.is(hexOf(dialer.hash), vector.get("handshake_hash"));
  const [a, b] = [dialer.split(), listener.split()];
  for (let turn = 0; vector.has(`msg_${i}_payload`); i++, turn++) {
    const [seal, open] = turn % 2 === 0 ? [a.send, b.receive] : [b.send, a.receive];
    const payload = octets(vector.get(`msg_${i}_payload`));
    const sealed = new Uint8Array(payload.length + 16);
    seal.seal(NONE, payload, sealed);
    assert.is(hexOf(sealed), vector.get(`msg_${i}_ciphertext`), `${name}: message ${i}`);
    assert.is(hexOf(open.open(NONE, sealed)), hexOf(payload), `${name}: payload ${i}`);
    if (vector.get(`msg_${i}_then`) !== "rekey") continue;
    seal.rekey();
    open.rekey();
  }
  return name;
}
