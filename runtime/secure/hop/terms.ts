/** What a hop's two sides have to agree on, and whom they let in: options, checked. */
import { Pattern, Suite } from "../../../generated/hop/handshake.js";
import type { Crypto, KeyLike, PrivateKey, PublicKey } from "../../crypto.js";
import type { Env } from "../../env.js";
import { StackError } from "../../error.js";
import { type Names, named } from "../../option.js";
import { type NoiseProtocol, protocolOf } from "./patterns.js";

/** Who has to know what before: nothing (XX), the listener's key (IK), both keys (KK), a secret (NNpsk0). */
export type HopPattern = keyof typeof Pattern;
export type HopSuite = keyof typeof Suite;

interface Common {
  /** Both sides have the same one. Default: `25519_AESGCM_SHA256`. */
  readonly suite?: HopSuite;
  /**
   * What records are filled up to, so that their sizes tell less: a multiple of 16, or one of 64, 256,
   * 1,024, 4,096, 16,384 and 65,535 octets. Default: `none`.
   */
  readonly padding?: "none" | 16 | "buckets";
  /**
   * When a direction gets a new key: after so many records or octets under the old one, or with the
   * first record after it is so many milliseconds old. Less than the defaults: 65,536, 1 GiB, 120,000.
   */
  readonly rekey?: { readonly records?: number; readonly octets?: number; readonly time?: number };
  /**
   * When a connection ends, and is dialed anew: after so many records in one direction, or milliseconds.
   * Less than the defaults: 2^31, and 86,400,000, a day.
   */
  readonly lifetime?: { readonly records?: number; readonly time?: number };
  /**
   * Where each session's keys are written to, to open its records in a capture: a file, added to, and if it
   * is new for its owner only; or a function of a line with its newline. Whoever reads that reads all that was
   * said in these sessions, and can speak in them while they last: never in production without need.
   * Default: the file that the environment variable WIRESTACK_KEYLOGFILE names; else nowhere.
   */
  readonly keyLog?: string | ((line: string) => void);
}

/** Both sides have a key of their own. */
export interface KeyedHop extends Common {
  /** Default: XX. */
  readonly pattern?: "XX" | "IK" | "KK";
  /** Our private key: 32 octets, these in base64, PEM, or a KeyObject. */
  readonly key: KeyLike;
  /**
   * Whose key may be at the other end: public keys, or a function of one, in base64. Who listens with KK
   * tries each of them, so there it takes a list, of 64 at most.
   */
  readonly peers: readonly KeyLike[] | ((key: string) => boolean);
  /** Whom a dialer means, in IK and KK. Default: the only one of `peers`. */
  readonly peer?: KeyLike;
}

/** Both sides have one secret, and whoever has it is let in. */
export interface SharedHop extends Common {
  readonly pattern: "NNpsk0";
  /** 32 unpredictable octets, or these in base64. */
  readonly psk: Uint8Array | string;
}

export type HopOptions = KeyedHop | SharedHop;

const OPTIONS: Names<Record<keyof KeyedHop | keyof SharedHop, true>> = {
  pattern: true,
  key: true,
  peers: true,
  peer: true,
  psk: true,
  suite: true,
  padding: true,
  rekey: true,
  lifetime: true,
  keyLog: true,
};
/** Keys that a listener tries before anybody has proved anything: a fifth of a millisecond each. */
const MOST = 64;
const PADDINGS: readonly unknown[] = ["none", 16, "buckets"];
const LIMITS = {
  rekey: { records: 2 ** 16, octets: 2 ** 30, time: 120_000 },
  lifetime: { records: 2 ** 31, time: 86_400_000 },
};

/** Keys, as the world's cryptography has them. */
export interface Keys {
  readonly crypto: Crypto;
  readonly own: PrivateKey | undefined;
  readonly psk: Uint8Array | undefined;
  /** Whom a dialer means. */
  readonly peer: PublicKey | undefined;
  /** Those of the list, if there is one. */
  readonly listed: readonly PublicKey[] | undefined;
}

export class Terms {
  readonly pattern: HopPattern;
  readonly suite: HopSuite;
  readonly protocol: NoiseProtocol;
  readonly padding: "none" | 16 | "buckets";
  readonly rekey: { readonly records: number; readonly octets: number; readonly time: number };
  readonly lifetime: { readonly records: number; readonly time: number };
  readonly keyLog: string | ((line: string) => void) | undefined;
  readonly #keyed: Partial<KeyedHop>;
  readonly #psk: Uint8Array | string | undefined;
  #keys: Keys | undefined;

  constructor(options: HopOptions) {
    const {
      pattern = "XX",
      suite = "25519_AESGCM_SHA256",
      padding = "none",
      keyLog,
    } = named("hop", options, OPTIONS);
    this.pattern = oneOf("pattern", pattern, Object.keys(Pattern));
    this.suite = oneOf("suite", suite, Object.keys(Suite));
    this.padding = oneOf("padding", padding, PADDINGS);
    this.rekey = lower("rekey", options.rekey ?? {}, LIMITS.rekey);
    this.lifetime = lower("lifetime", options.lifetime ?? {}, LIMITS.lifetime);
    if (keyLog !== undefined && typeof keyLog !== "function" && !isPath(keyLog)) {
      throw new StackError("'keyLog' of 'hop' is the path of a file, or a function of a line");
    }
    this.keyLog = keyLog;
    this.protocol = protocolOf(`Noise_${pattern}_${suite}`);
    const { psk } = options as Partial<SharedHop>;
    this.#psk = psk === undefined ? psk : own(psk);
    const { key, peers, peer } = options as Partial<KeyedHop>;
    this.#keyed = {
      ...(key === undefined ? {} : { key: own(key) }),
      ...(peers === undefined ? {} : { peers: Array.isArray(peers) ? peers.map(own) : peers }),
      ...(peer === undefined ? {} : { peer: own(peer) }),
    };
    if (pattern === "NNpsk0") {
      if (psk === undefined)
        throw new StackError("'hop' with NNpsk0 needs 'psk', which both sides share");
      const idle = Object.entries({ key, peers, peer }).find(([, given]) => given !== undefined);
      if (idle !== undefined) throw new StackError(`'hop' with NNpsk0 has no use for '${idle[0]}'`);
      return;
    }
    const who = `'hop' with ${pattern}`;
    if (psk !== undefined) throw new StackError(`${who} has no use for 'psk'`);
    if (key === undefined) throw new StackError(`${who} needs 'key', our own: hopKeys() makes one`);
    if (peers === undefined || (Array.isArray(peers) && peers.length === 0)) {
      const how =
        "say in 'peers' whose key may be at the other end, by a list or by (key) => boolean";
      throw new StackError(`${who} proves who is there, and somebody has to want them: ${how}`);
    }
    if (typeof peers !== "function" && !Array.isArray(peers)) {
      throw new StackError("'peers' of 'hop' is a list of public keys, or (key) => boolean");
    }
  }

  /** Whether they do for that side, in that world. */
  check(side: "dial" | "listen", env: Env): void {
    const { peer, listed } = this.keysOf(env);
    const who = `'hop' with ${this.pattern}`;
    if (side === "dial" && this.protocol.known.responder && peer === undefined) {
      throw new StackError(`${who} has to know whom it dials: give that key as 'peer'`);
    }
    if (side === "listen" && this.protocol.known.initiator && listed === undefined) {
      throw new StackError(`${who} has to know all who may dial: give 'peers' as a list`);
    }
    if (side === "listen" && this.protocol.known.initiator && (listed?.length ?? 0) > MOST) {
      throw new StackError(
        `${who} tries each of 'peers' for whoever dials: ${MOST} at most; XX and IK take any number`,
      );
    }
  }

  keysOf({ crypto }: Env): Keys {
    if (crypto === undefined)
      throw new StackError("'hop' needs cryptography, and this world has none");
    if (this.#keys?.crypto === crypto) return this.#keys;
    const { x25519 } = crypto.noise;
    const { key, peers, peer } = this.#keyed;
    const listed = Array.isArray(peers)
      ? peers.map((given) => usable("peers", () => x25519.publicKey(given)))
      : undefined;
    const meant = peer !== undefined && usable("peer", () => x25519.publicKey(peer));
    this.#keys = {
      crypto,
      own: key === undefined ? undefined : usable("key", () => x25519.privateKey(key)),
      psk: this.#psk === undefined ? undefined : secretOf(this.#psk),
      peer: meant || (listed?.length === 1 ? listed[0] : undefined),
      listed,
    };
    return this.#keys;
  }

  /** Whether whoever has this key is let in. */
  admits(key: PublicKey, { crypto, listed }: Keys): boolean {
    const { x25519 } = crypto.noise;
    const { peers } = this.#keyed;
    if (typeof peers === "function") return peers(x25519.text(key)) === true;
    const octets = x25519.octets(key);
    return listed?.some((one) => crypto.equal(x25519.octets(one), octets)) ?? false;
  }
}

/** For whom no compiler tells. */
function isPath(given: unknown): boolean {
  return typeof given === "string" && given !== "";
}

function oneOf<T>(name: string, given: T, known: readonly unknown[]): T {
  if (known.includes(given)) return given;
  throw new StackError(`'${name}' of 'hop' is one of ${known.join(", ")}; not ${given}`);
}

/** Limits, of which each may be less than it is by default. */
function lower<L extends Readonly<Record<string, number>>>(
  name: string,
  given: Partial<L>,
  limits: L,
): L {
  for (const [key, n] of Object.entries(given)) {
    const most = limits[key];
    if (most !== undefined && Number.isSafeInteger(n) && n >= 1 && n <= most) continue;
    const all = Object.entries(limits).map(([k, m]) => `${k} (1 to ${m})`);
    throw new RangeError(`'${name}' of 'hop' has ${all.join(", ")}; not ${key}: ${n}`);
  }
  return { ...limits, ...given };
}

/** What is wiped after it was given, as secrets are, stays what it was. */
function own<K>(given: K): K {
  return given instanceof Uint8Array ? (new Uint8Array(given) as K & Uint8Array) : given;
}

function usable<K>(name: string, make: () => K): K {
  try {
    return make();
  } catch (cause) {
    throw new StackError(`'hop' cannot use its '${name}': ${(cause as Error).message}`, { cause });
  }
}

function secretOf(given: Uint8Array | string): Uint8Array {
  const octets =
    typeof given === "string" && /^[A-Za-z0-9+/]{43}=$/.test(given)
      ? Uint8Array.from(atob(given), (c) => c.charCodeAt(0))
      : given;
  if (octets instanceof Uint8Array && octets.length === 32) return new Uint8Array(octets);
  const said = "32 unpredictable octets, or these in base64: a word that people choose is guessed";
  throw new StackError(`'psk' of 'hop' is ${said}`);
}
