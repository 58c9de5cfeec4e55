/**
 * Opens what is sealed, if somebody has the keys. Records are opened in the order in which they were sealed,
 * so each direction of a flow has an opener of its own.
 */

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
  | { readonly is: "unasked" | "cut" | "unnamed" | "unknown" | "shut" };

/** One direction of a flow. */
export class Seals {
  #sender: string | undefined;
  #opener: Opener | undefined;
  /** Records that stay sealed, by why. */
  readonly left = { unasked: 0, cut: 0, unnamed: 0, unknown: 0, shut: 0 };
  opened = 0;

  constructor(readonly keys: Keys | undefined) {}

  /** Whose these are. */
  get sender(): string | undefined {
    return this.#sender;
  }

  /** A record of which `lack` octets are missing. */
  open(sender: string | undefined, sealed: Uint8Array, lack: number): Unsealed {
    const done = this.#open(sender, sealed, lack);
    if (done.is === "open") this.opened++;
    else this.left[done.is]++;
    return done;
  }

  #open(sender: string | undefined, sealed: Uint8Array, lack: number): Unsealed {
    if (this.keys === undefined) return { is: "unasked" };
    if (lack > 0) return { is: "cut" };
    if (sender === undefined) return { is: "unnamed" };
    if (this.#sender !== sender) {
      this.#sender = sender;
      this.#opener = this.keys.opener(sender);
    }
    if (this.#opener === undefined) return { is: "unknown" };
    const octets = this.#opener.open(sealed);
    if (octets === undefined) return { is: "shut" };
    return { is: "open", octets, missed: this.#opener.missed };
  }
}
