/**
 * Writes what passes it into a capture, pcapng, which `wirestack dissect` and Wireshark read. Stands on any
 * face, shows the same: `stack(req(), xreq(), tap("traffic.pcapng"))`.
 *
 * Messages are captured one by one, as they are at that joint: above a hop in clear, below it sealed.
 * Nothing of it shows on the wire, and whatever becomes of its file, what passes goes on.
 */
import type { Env } from "../env.js";
import type { Pipe } from "../hub.js";
import {
  type Control,
  Element,
  type Event,
  type Facts,
  type Layer,
  type PipeContext,
  type Same,
} from "../layer.js";
import type { Message } from "../message.js";
import { count, type Names, named } from "../option.js";
import { Capture, IN, OUT, PDU, Source } from "./tap/capture.js";
import { Conversation, Network } from "./tap/conversation.js";
import { endsOf, Joint, nameOfPipe, pdu } from "./tap/joint.js";
import { Store, type Terms } from "./tap/store.js";

export interface TapFile {
  /** Path of the file. What is there is replaced; it can be read by this user alone. */
  readonly file: string;
  /**
   * Octets of a file at most, or Infinity; one holds a packet at least. Then the next one begins: the
   * current file keeps its name, the one before becomes `traffic.1.pcapng`. Default: 64 MiB.
   */
  readonly limit?: number;
  /** Files that there may be, the current one among them: the oldest has to go. Default: 2. */
  readonly files?: number;
}

export interface TapStream {
  /**
   * Instead of a file: whoever takes the stream of its octets, piece by piece. What this sends through
   * the same tap is not captured.
   */
  readonly to: (octets: Uint8Array) => void;
}

export type TapOptions = TapFile | TapStream;

const LIMIT = 64 * 1024 * 1024;
const FILES = 2;
const OPTIONS: Names<TapFile & TapStream> = { file: true, limit: true, files: true, to: true };

/**
 * Writes what passes it to a capture file; `tap(file)` is `tap({ file })`. One tap may stand in several stacks,
 * and more than once in one: all of it goes to the same file, each connection at each joint as an interface of
 * its own. Throws TypeError or RangeError for options; `open`, `dial` and `listen` throw SystemError where the
 * file cannot be written, and StackError where another tap writes it. If writing fails later that is reported
 * once, as a warning, and everything passes.
 *
 * Of a message 256 KiB are kept: Wireshark reads no longer packets. Octets become a TCP conversation, with
 * addresses that are made up where there are none.
 */
export function tap(options: string | TapOptions): Layer<Same, Same, "tap"> {
  const terms = termsOf(typeof options === "string" ? { file: options } : options);
  let recorder: Recorder | undefined;
  const recorderIn = (env: Env): Recorder => {
    recorder ??= { capture: new Capture(new Store(terms, env)), network: new Network() };
    return recorder;
  };
  return {
    name: "tap",
    below: { same: "any" },
    above: { same: "any" },
    check: (_, env) => recorderIn(env).capture.store.check(),
    make(context) {
      const { capture, network } = recorderIn(context.env);
      const { store } = capture;
      const joint = new Joint(context);
      const { face } = joint;
      if (face === "raw" || face === "port") {
        store.enter();
        return new OfSocket(capture, joint);
      }
      try {
        store.enter();
      } catch (error) {
        // Of a connection that comes later nobody hears an exception.
        store.fail(error);
        store.enter();
      }
      if (face === "octets") return new OfOctets(capture, joint, context, network);
      return new OfPipe(capture, joint, context);
    },
  };
}

/** What all elements of a tap share. */
interface Recorder {
  readonly capture: Capture;
  readonly network: Network;
}

function termsOf(options: TapOptions): Terms {
  const { file, limit, files, to }: Partial<TapFile & TapStream> = named("tap", options, OPTIONS);
  if ((file === undefined) === (to === undefined)) {
    throw new TypeError("tap takes a file's path, or 'to': a function of octets; one of them");
  }
  if (to !== undefined) {
    if (typeof to !== "function") throw new TypeError(`to is a function of octets; not ${to}`);
    if (limit !== undefined || files !== undefined) {
      throw new TypeError("limit and files are for a file, not for 'to'");
    }
  } else if (typeof file !== "string" || file === "") {
    throw new TypeError(`file is a path; not ${file === "" ? "nothing" : file}`);
  }
  return {
    file,
    to,
    limit: limit === Infinity ? limit : count("limit", limit ?? LIMIT, 1),
    files: count("files", files ?? FILES, 1),
  };
}

/** Uses the store until its end. */
abstract class Tapping extends Element {
  #over = false;

  constructor(readonly capture: Capture) {
    super();
  }

  /** What passes is captured. */
  protected get on(): boolean {
    return this.capture.store.on && !this.#over;
  }

  protected leave(): void {
    if (!this.#over) this.capture.store.leave();
    this.#over = true;
  }

  override control(c: Control): void {
    // Who closes a socket finds in the file what was said.
    if (c.type === "end" || c.type === "close") this.capture.store.flush();
    this.below.control(c);
  }
}

/** On a connection's messages. */
class OfPipe extends Tapping {
  readonly #source: Source;
  readonly #pdu: Uint8Array;
  #facts: Facts = {};

  constructor(capture: Capture, joint: Joint, { side }: PipeContext) {
    super(capture);
    this.#pdu = pdu(joint.begins);
    this.#source = new Source(PDU, () =>
      joint.text(nameOfPipe(side, this.#facts), ...endsOf(this.#facts, side)),
    );
  }

  override down(m: Message): void {
    if (this.on) this.capture.message(this.#source, OUT, this.#pdu, m);
    this.below.down(m);
  }

  override up(m: Message): void {
    if (this.on) this.capture.message(this.#source, IN, this.#pdu, m);
    this.above.up(m);
  }

  override event(e: Event): void {
    if (e.type === "opened") this.#facts = e.facts;
    if (e.type === "closed") this.leave();
    this.above.event(e);
  }
}

/** On a connection's octets. */
class OfOctets extends Tapping {
  #talk: Conversation | undefined;

  constructor(
    capture: Capture,
    readonly joint: Joint,
    readonly context: PipeContext,
    readonly network: Network,
  ) {
    super(capture);
  }

  override down(m: Message): void {
    this.#talk?.out(m);
    this.below.down(m);
  }

  override up(m: Message): void {
    this.#talk?.in(m);
    this.above.up(m);
  }

  override control(c: Control): void {
    // It must see the octets.
    if (c.type === "lend") return c.to(undefined);
    if (c.type === "end" || c.type === "close") this.#talk?.end();
    super.control(c);
  }

  override event(e: Event): void {
    if (e.type === "opened") this.#begin(e.facts);
    if (e.type === "closed") {
      this.#talk?.close();
      this.#talk = undefined;
      this.leave();
    }
    this.above.event(e);
  }

  #begin(facts: Facts): void {
    const { capture, joint, network } = this;
    const { side } = this.context;
    this.#talk = new Conversation(capture, network, facts, side, () =>
      joint.text(nameOfPipe(side, facts), ...endsOf(facts, side)),
    );
  }
}

/** On all messages of a socket. Who takes one that goes down is decided further down. */
class OfSocket extends Tapping {
  readonly #pdu: Uint8Array;
  readonly #socket: Source;
  readonly #pipes = new Map<object, Source>();

  constructor(
    capture: Capture,
    readonly joint: Joint,
  ) {
    super(capture);
    this.#pdu = pdu(joint.begins);
    this.#socket = new Source(PDU, () => joint.text("socket", "socket", "pipes"));
  }

  override down(m: Message): void {
    if (this.on) this.capture.message(this.#socket, OUT, this.#pdu, m);
    this.below.down(m);
  }

  override up(m: Message): void {
    if (this.on) {
      const source = this.#pipes.get(m.pipe as object) ?? this.#socket;
      this.capture.message(source, IN, this.#pdu, m);
    }
    this.above.up(m);
  }

  override event(e: Event): void {
    if (e.type === "attached") this.#pipes.set(e.pipe, this.#sourceOf(e.pipe as Pipe));
    if (e.type === "detached") this.#pipes.delete(e.pipe);
    this.above.event(e);
  }

  #sourceOf({ number = 0, facts = {} }: Partial<Pipe>): Source {
    const which = `pipe ${number}`;
    const { local, remote } = facts;
    const named = local !== undefined && remote !== undefined && local !== remote;
    const ends = named ? ([local, remote] as const) : (["socket", which] as const);
    return new Source(PDU, () => this.joint.text(nameOfPipe(which, facts), ...ends));
  }

  override control(c: Control): void {
    if (c.type === "close") this.leave();
    super.control(c);
  }
}
