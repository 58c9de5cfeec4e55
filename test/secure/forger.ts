/** A peer with the keys, who seals whatever a test says. */
import { Message } from "../../runtime/message.js";
import { nodeCrypto } from "../../runtime/node-crypto.js";
import { type CipherState, Handshake } from "../../runtime/secure/hop/noise.js";
import { protocolOf } from "../../runtime/secure/hop/patterns.js";
import { Still } from "../laws/still.js";
import { optionsOf, PSK } from "./keys.js";
import { End } from "./session.js";

const NONE = new Uint8Array(0);
const octetsOf = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));

export class Forger {
  readonly listener: End;
  readonly #send: CipherState;

  constructor(recvMax?: number) {
    this.listener = new End(optionsOf("listen", "NNpsk0"), "listen", new Still(), recvMax);
    const { wire } = this.listener;
    wire.above.event({ type: "opened", facts: {} });
    const noise = new Handshake(nodeCrypto, {
      protocol: protocolOf("Noise_NNpsk0_25519_AESGCM_SHA256"),
      initiator: true,
      prologue: new TextEncoder().encode("wirestack/1"),
      psk: PSK,
    });
    const header = octetsOf("010401");
    wire.above.up(Message.of(new Uint8Array(Buffer.concat([header, noise.write() ?? NONE]))));
    noise.read((wire.sent[0] as Uint8Array).subarray(3));
    this.#send = noise.split().send;
  }

  /** Seals these octets as the next record, kind and all. */
  say(hex: string): void {
    const plain = octetsOf(hex);
    const sealed = new Uint8Array(plain.length + 16);
    this.#send.seal(NONE, plain, sealed);
    this.listener.hear(sealed);
    if (hex.startsWith("01")) this.#send.rekey();
  }

  get got(): string[] {
    return this.listener.top.got.map((m) => Buffer.from(m).toString("hex"));
  }

  get error(): Error | undefined {
    return this.listener.error;
  }
}
