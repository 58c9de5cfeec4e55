/**
 * Opens what is sealed, if somebody has the keys. Records are opened in the order in which they were sealed,
 * so each direction of a flow has an opener of its own.
 */
import { nameText } from "../format.js";

/** Opens what one sender has sealed, in the order in which it did. */
export interface Opener {
  /** Tag included; undefined: it is not by this key, or was changed. */
  open(sealed: Uint8Array): Uint8Array | undefined;
  /** Records of the sender's that were passed over before the one that was opened last. */
  readonly missed: number;
}

/** Keys, by who seals: as a flow names them. */
export interface Keys {
  /** Undefined: there are none of theirs. */
  opener(sender: string): Opener | undefined;
}

/** What became of sealed octets. */
export type Unsealed =
  | { readonly is: "open"; readonly octets: Uint8Array; readonly missed: number }
  /**
   * Nobody gave keys; octets are missing; the flow does not say who sealed; there is no key of theirs; theirs
   * does not open it.
   */
  | { readonly is: keyof typeof SEALED; readonly what: string };

const SEALED = {
  unasked: "sealed",
  cut: "sealed, and cut",
  unnamed: "sealed, begun before the capture",
  unknown: "sealed, no key",
  shut: "sealed, not by the key that is there",
} as const;

/** One direction of a flow. */
export class Seals {
  #sender: string | undefined;
  #opener: Opener | undefined;
  /** Records that stay sealed, by why. */
  readonly #left = { unasked: 0, cut: 0, unnamed: 0, unknown: 0, shut: 0 };
  #opened = 0;

  constructor(readonly keys: Keys | undefined) {}

  /** Why records stay sealed, though there are keys that should open them. */
  get why(): readonly string[] {
    const { cut, unnamed, unknown, shut } = this.#left;
    const whose = nameText(this.#sender ?? "", 16);
    const not = this.#opened > 0 ? "do not open them" : "open none";
    const why: readonly (readonly [number, string])[] = [
      [cut, "octets are missing"],
      [unknown, `the key log has no keys of ${whose}`],
      [unnamed, "the capture begins after their handshake, which names the keys"],
      [shut, `the keys of ${whose} ${not}`],
    ];
    return why
      .filter(([n]) => n > 0)
      .map(([n, text]) => `${n} ${n === 1 ? "record stays" : "records stay"} sealed: ${text}`);
  }

  /** A record of which `lack` octets are missing. */
  open(sender: string | undefined, sealed: Uint8Array, lack: number): Unsealed {
    const done = this.#open(sender, sealed, lack);
    if (typeof done !== "string") {
      this.#opened++;
      return { is: "open", ...done };
    }
    this.#left[done]++;
    return { is: done, what: SEALED[done] };
  }

  #open(
    sender: string | undefined,
    sealed: Uint8Array,
    lack: number,
  ): keyof typeof SEALED | { readonly octets: Uint8Array; readonly missed: number } {
    if (this.keys === undefined) return "unasked";
    if (lack > 0) return "cut";
    if (sender === undefined) return "unnamed";
    if (this.#sender !== sender) {
      this.#sender = sender;
      this.#opener = this.keys.opener(sender);
    }
    if (this.#opener === undefined) return "unknown";
    const octets = this.#opener.open(sealed);
    return octets === undefined ? "shut" : { octets, missed: this.#opener.missed };
  }
}
