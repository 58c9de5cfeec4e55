/** Noise's handshakes as data: rev 34 §7.4, §7.5, §8, §9. */
import type { CipherName, HashName } from "../../crypto.js";

export type Token = "e" | "s" | "ee" | "es" | "se" | "ss" | "psk";

/** By letters of initiator and responder: what of each the other knows before, then the messages. */
const PATTERNS: Readonly<Record<string, readonly [string, string, ...string[]]>> = {
  N: ["", "s", "e es"],
  K: ["s", "s", "e es ss"],
  X: ["", "s", "e es s ss"],
  NN: ["", "", "e", "e ee"],
  NK: ["", "s", "e es", "e ee"],
  NX: ["", "", "e", "e ee s es"],
  KN: ["s", "", "e", "e ee se"],
  KK: ["s", "s", "e es ss", "e ee se"],
  KX: ["s", "", "e", "e ee se s es"],
  XN: ["", "", "e", "e ee", "s se"],
  XK: ["", "s", "e es", "e ee", "s se"],
  XX: ["", "", "e", "e ee s es", "s se"],
  IN: ["", "", "e s", "e ee se"],
  IK: ["", "s", "e es s ss", "e ee se"],
  IX: ["", "", "e s", "e ee se s es"],
};

export interface NoiseProtocol {
  /** Such as `Noise_XX_25519_AESGCM_SHA256`. Both sides hash it. */
  readonly name: string;
  readonly cipher: CipherName;
  readonly hash: HashName;
  /** Whose static key the other side knows before. */
  readonly known: { readonly initiator: boolean; readonly responder: boolean };
  /** The initiator's first, then in turn. */
  readonly messages: readonly (readonly Token[])[];
  /** A shared secret takes part. */
  readonly psk: boolean;
}

/** Reads a protocol's name; throws RangeError if it names none. */
export function protocolOf(name: string): NoiseProtocol {
  const [, letters = "", psks = "", cipher, hash] =
    /^Noise_([A-Z]+)((?:\+?psk\d)*)_25519_(AESGCM|ChaChaPoly)_(SHA256|SHA512|BLAKE2s|BLAKE2b)$/.exec(
      name,
    ) ?? [];
  const pattern = Object.hasOwn(PATTERNS, letters) ? PATTERNS[letters] : undefined;
  if (pattern === undefined)
    throw new RangeError(`${name} is no Noise protocol that is known here`);
  const [initiator, responder, ...lines] = pattern;
  const messages = lines.map((line) => line.split(" ") as Token[]);
  for (const [at = ""] of psks.matchAll(/\d/g)) {
    const message = messages[Math.max(0, Number(at) - 1)];
    if (message === undefined) throw new RangeError(`${name} has no message for psk${at}`);
    if (at === "0") message.unshift("psk");
    else message.push("psk");
  }
  return {
    name,
    cipher: cipher as CipherName,
    hash: hash as HashName,
    known: { initiator: initiator === "s", responder: responder === "s" },
    messages,
    psk: psks !== "",
  };
}
