/**
 * Whether the two ends of a hop are of one kind: every layer that shows on the wire, from the hub down to
 * the framing, must find its peer.
 *
 * The framing and what is below it know each other by their own openings. Of what is above the framing a
 * list is exchanged in its first message each way, and compared before any of these layers opens. A
 * socket without such layers, as every plain one, exchanges nothing, and is known by that.
 */
import * as codec from "../generated/sp/stack.js";
import { PeerError, StackError, WireError } from "./error.js";
import { Element, END, type Event, type Facts, type Layer, type PipeContext } from "./layer.js";
import { Message } from "./message.js";

/** What both ends must have, the uppermost first: `name@version`, and what must agree. */
export type Identity = readonly string[];

/** The layer that makes messages of octets, or brings messages itself. Of layers below a hub. */
export function framingOf(layers: readonly Layer[]): number {
  return layers.findIndex(({ below }) => below === "octets" || below === "ground");
}

/** What layers say of themselves; throws StackError where that cannot be said. */
export function identityOf(layers: readonly Layer[]): Identity {
  const identity = layers.flatMap(
    (l) => l.identity ?? ((l.headers ?? []).length > 0 ? l.name : []),
  );
  for (const name of identity) {
    if (/^[!-~]+$/.test(name)) continue;
    throw new StackError(`identity: letters, digits and signs, without spaces; not '${name}'`);
  }
  const octets = identity.join(" ").length + codec.MIN;
  if (octets <= codec.MAX) return identity;
  throw new StackError(`identity: the layers' names take ${octets} octets; ${codec.MAX} are room`);
}

/** Why two ends do not fit, if they do not: both quoted, and the first layer that differs. */
export function difference(ours: Identity, theirs: Identity): PeerError | undefined {
  const n = Math.max(ours.length, theirs.length);
  for (let i = 0; i < n; i++) {
    const [own, other] = [ours[i], theirs[i]];
    if (own === other) continue;
    const first =
      own === undefined
        ? `the peer has '${other}', which is not here`
        : other === undefined
          ? `'${own}' is not at the peer`
          : `'${own}' is '${other}' at the peer`;
    const quoted = (all: Identity) => `[${all.join(" ")}]`;
    return new PeerError(`stacks differ: ${first}; ours ${quoted(ours)}, theirs ${quoted(theirs)}`);
  }
  return undefined;
}

/** The peer announces layers, or does not, as this end does not, or does. For framings. */
export function unannounced(ours: Identity): PeerError {
  return ours.length > 0
    ? new PeerError(
        `stacks differ: '${ours[0]}' is not at the peer, which is a plain socket; ours [${ours.join(" ")}]`,
      )
    : new PeerError("stacks differ: the peer has layers above its framing, and here are none");
}

const NO_BODY = new Uint8Array(0);

/** Says which layers stand above it, hears the same of the peer, and only then lets them open. */
export class Introduction extends Element {
  #facts: Facts = {};
  #own: Uint8Array = NO_BODY;
  #done = false;

  constructor(
    readonly context: PipeContext,
    /** Octets that headers below take. */
    readonly room: number,
  ) {
    super();
  }

  override event(e: Event): void {
    if (e.type !== "opened") return this.above.event(e);
    this.#facts = e.facts;
    const { identity, protocol, slab } = this.context;
    this.#own = encode(protocol?.type ?? 0, identity);
    if (e.facts.identity !== undefined) {
      return this.#compare(e.facts.identity, encode(e.facts.type ?? 0, e.facts.identity));
    }
    this.below.down(Message.around(this.#own, this.room, slab));
  }

  override up(m: Message): void {
    if (this.#done) return this.above.up(m);
    const n = m.length;
    if (n > codec.MAX) return this.#close(`sp.stack: ${n} octets; ${codec.MAX} at most`);
    if (m.rest.length > 0) m.gather(n, this.context.slab);
    const { bytes, view, start, end } = m;
    const measured = codec.measure(view, start, end);
    if (measured < 0) return this.#close(codec.explain(measured, view, start, end));
    const { type, layers } = codec.read(view, start, end);
    // Without a protocol above the list has none either, whatever the framing greets with.
    const said = this.context.protocol === undefined ? 0 : this.#facts.type;
    if (said !== undefined && type !== said) {
      return this.#close(`sp.stack.type: ${type}, where ${said} was greeted with or has to be`);
    }
    this.#compare(layers === "" ? [] : layers.split(" "), bytes.slice(start, end));
  }

  #compare(theirs: Identity, octets: Uint8Array): void {
    const error = difference(this.context.identity, theirs);
    if (error !== undefined) {
      // What we have is written first: the peer is to know why, too.
      this.below.control(END);
      return this.below.control({ type: "close", error });
    }
    this.#done = true;
    const { side, identity } = this.context;
    const before = this.#facts.prologue ?? NO_BODY;
    const [first, second] = side === "dial" ? [this.#own, octets] : [octets, this.#own];
    const prologue = new Uint8Array(before.length + first.length + second.length);
    prologue.set(before);
    prologue.set(first, before.length);
    prologue.set(second, before.length + first.length);
    this.above.event({ type: "opened", facts: { ...this.#facts, identity, prologue } });
  }

  #close(said: string): void {
    this.below.control({ type: "close", error: new WireError("stack", said) });
  }
}

function encode(type: number, identity: Identity): Uint8Array {
  const layers = identity.join(" ");
  const octets = new Uint8Array(codec.size(layers));
  codec.write(new DataView(octets.buffer), 0, type, layers);
  return octets;
}
