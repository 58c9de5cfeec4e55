/**
 * A key log: a line for each session, by which whoever has it opens the session's records in a capture.
 *
 * `HOP <suite> <initiator's ephemeral public key> <responder's> <key that the initiator sends with> <responder's>`
 *
 * Keys are 64 hexadecimal digits each, in lower case. Both sides write the same line. The ephemeral keys go
 * over the wire in clear, so they say which session of a capture a line is for. A key that came later is made
 * of the one before (Noise rev 34 §4.2, §11.3), and no line says it.
 */
import { Suite } from "../../../generated/hop/handshake.js";
import type { CipherName, Crypto } from "../../crypto.js";
import type { Env } from "../../env.js";
import { StackError } from "../../error.js";
import { CipherState, LONGEST, TAG } from "./noise.js";
import { protocolOf } from "./patterns.js";

// --- writing ---

/** Takes a line, with the newline at its end. */
export type KeyLog = (line: string) => void;

/** The line of a session. `keys` are as `Handshake.split` tells them. */
export function lineOf(suite: string, keys: readonly Uint8Array[]): string {
  return `${["HOP", suite, ...keys.map(hexOf)].join(" ")}\n`;
}

/**
 * Where a hop's lines go: to what its options gave, else to the file that the user of this process wants,
 * else nowhere. Throws StackError or SystemError if what the options gave cannot be written; of the user's
 * file that is reported once, and is no reason for a connection to fail. Nor is what goes wrong later.
 */
export function keyLogOf(given: string | KeyLog | undefined, env: Env): KeyLog | undefined {
  if (typeof given === "function") {
    const tell = (line: string) => {
      try {
        given(line);
      } catch (error) {
        env.report(error);
      }
    };
    // It may do as it likes, even close the socket: so not amid a handshake.
    return (line) => env.tick(() => tell(line));
  }
  if (given !== undefined) return fileOf(given, env);
  const path = env.keyLog;
  if (path === undefined) return undefined;
  try {
    return fileOf(path, env);
  } catch (cause) {
    const told = `${nameOf(path)} is told`;
    if (!env.names.has(told)) {
      env.names.set(told, true);
      const { message } = cause as Error;
      env.report(new StackError(`hop: no keys are logged: ${message}`, { cause }));
    }
    return undefined;
  }
}

const nameOf = (path: string) => `hop.key-log ${path}`;

/**
 * A file that is open as long as its world is, once for all who write to it.
 *
 * Only a new one is made so that nobody else reads it. One that is there has the rights that somebody gave
 * it, for the group that reads the captures, say, and it may be a pipe or a terminal: as with the key logs of
 * TLS, that is not ours to refuse.
 */
function fileOf(path: string, env: Env): KeyLog {
  const name = nameOf(path);
  const there = env.names.get(name) as KeyLog | undefined;
  if (there !== undefined) return there;
  if (env.files === undefined) {
    throw new StackError("this world has no files: give 'keyLog' of 'hop' a function of a line");
  }
  const file = env.files.open(path, { add: true, mode: 0o600 });
  let whole = true;
  const log: KeyLog = (line) => {
    // Behind half a line nobody could read another.
    if (!whole) return;
    try {
      file.write(new TextEncoder().encode(line));
    } catch (error) {
      whole = false;
      env.report(error);
    }
  };
  env.names.set(name, log);
  return log;
}

function hexOf(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

// --- reading ---

/** Opens what one sender has sealed, in the order in which it did. */
export interface Opener {
  /** What was sealed; undefined if this is not one of that sender's next records as it sealed them. */
  open(sealed: Uint8Array): Uint8Array | undefined;
  /** Records of the sender's that were passed over before the one that was opened last. */
  readonly missed: number;
}

/** Keys by who seals. */
export interface Keys {
  /** A new one for each capture of a session. `sender`: its ephemeral public key, 64 lower-case hex digits. */
  opener(sender: string): Opener | undefined;
}

const PARTS = [
  "the initiator's ephemeral key",
  "the responder's ephemeral key",
  "the key that the initiator sends with",
  "the key that the responder sends with",
] as const;

/**
 * The keys of a log. Empty lines and those that begin with `#` say nothing. Throws TypeError for any other,
 * by its number: but not with what stands there, which may be half a key.
 */
export function readKeyLog(text: string, crypto: Crypto): Keys {
  const senders = new Map<string, Sender>();
  for (const [i, line] of text.split("\n").entries()) {
    const said = line.trimEnd();
    if (said === "" || said.startsWith("#")) continue;
    const [kind, suite = "", ...keys] = said.split(" ");
    const wrong = kind === "HOP" ? wrongIn(suite, keys) : "does not begin with HOP";
    if (wrong !== undefined) throw new TypeError(`key log, line ${i + 1}: ${wrong}`);
    const { cipher } = protocolOf(`Noise_XX_${suite}`);
    const [initiator, responder, there, back] = keys as [string, string, string, string];
    senders.set(initiator, { cipher, key: there, left: CAPTURES * STRANGE });
    senders.set(responder, { cipher, key: back, left: CAPTURES * STRANGE });
  }
  return {
    opener(sender) {
      const found = senders.get(sender);
      if (found === undefined) return undefined;
      const { cipher, key } = found;
      return new RecordOpener(new CipherState(crypto, cipher, octetsOf(key)), found);
    },
  };
}

function wrongIn(suite: string, keys: readonly string[]): string | undefined {
  if (!Object.hasOwn(Suite, suite)) return `its suite is none of ${Object.keys(Suite).join(", ")}`;
  const bad = PARTS.find((_, i) => !/^[0-9a-f]{64}$/.test(keys[i] ?? ""));
  if (bad !== undefined) return `${bad} is not 64 hexadecimal digits in lower case`;
  return keys.length > PARTS.length ? "something stands behind its last key" : undefined;
}

function octetsOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Records that a capture may have lost in one place. */
const AHEAD = 64;
/** Records in a row that do not open, after which none is tried: before any did, and since, when none could. */
const STRANGE = 3;
const LOST = AHEAD + 1;
/**
 * Captures of a session that may be of nothing but strange records: anybody can write the sender's name. After
 * that a capture has to begin with the first record.
 */
const CAPTURES = 16;

/** What a log has of one. */
interface Sender {
  readonly cipher: CipherName;
  readonly key: string;
  /** Records that may still be looked for ahead in vain where none did open, in all captures together. */
  left: number;
}

class RecordOpener implements Opener {
  missed = 0;
  /** Records before the one that is to come. */
  #count = 0;
  /** With the key that there is, and with the one after it. */
  #states: readonly [CipherState, CipherState];
  /** Records that may still fail to open: so a wrong log costs little, and so does what follows a hole. */
  #left = STRANGE;

  constructor(
    state: CipherState,
    readonly sender: Sender,
  ) {
    this.#states = [state, state.rekeyed()];
  }

  open(sealed: Uint8Array): Uint8Array | undefined {
    if (this.#left === 0 || sealed.length < TAG || sealed.length > LONGEST) return undefined;
    const strange = this.#count === 0;
    const ahead = strange && this.sender.left <= 0 ? 0 : AHEAD;
    for (let n = this.#count; n <= this.#count + ahead; n++) {
      for (const state of this.#states) {
        const plain = opened(state, n, sealed);
        if (plain === undefined) continue;
        if (state !== this.#states[0]) this.#states = [state, state.rekeyed()];
        this.missed = n - this.#count;
        this.#count = n + 1;
        this.#left = LOST;
        return plain;
      }
    }
    this.#left--;
    if (strange) this.sender.left--;
    return undefined;
  }
}

const NOTHING = new Uint8Array(0);

/** As the sender's nth record, counted from 0. */
function opened(state: CipherState, n: number, sealed: Uint8Array): Uint8Array | undefined {
  state.count = n;
  return state.open(NOTHING, sealed);
}
