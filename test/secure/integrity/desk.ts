/** A layer alone, between somebody who sends and hears, and a wire that writes down what comes. */
import { Element, type Event, type Layer, type Protocol } from "../../../runtime/layer.js";
import { type Exchange, Message } from "../../../runtime/message.js";
import { joined } from "../../laws/octets.js";
import { Still, surroundings } from "../../laws/still.js";

let desks = 0;

export class Desk {
  readonly context: ReturnType<typeof surroundings>;
  readonly element: Element;
  /** What went down, and what came up. */
  readonly put: Uint8Array[] = [];
  readonly got: Uint8Array[] = [];
  readonly events: Event[] = [];
  /** The exchange of the message that came up last. */
  exchange: Exchange | undefined;

  // biome-ignore lint/suspicious/noExplicitAny: layers of all faces
  constructor(layer: Layer<any, any, any>, protocol: Protocol, env = new Still(2 * desks++ + 1)) {
    this.context = surroundings({ env, protocol });
    this.element = layer.make?.(this.context) as Element;
    const below = new Element();
    below.down = (m) => void this.put.push(joined(m.segments()));
    this.element.below = below;
    this.element.above = {
      up: (m) => {
        this.exchange = m.exchange;
        this.got.push(joined(m.segments()));
      },
      event: (e) => void this.events.push(e),
    };
  }

  /** What goes on the wire for a body. */
  send(octets: Uint8Array, exchange?: Exchange): Uint8Array {
    const m = Message.around(octets, 64, this.context.slab);
    m.exchange = exchange;
    const before = this.put.length;
    this.element.down(m);
    return this.put[before] as Uint8Array;
  }

  /** Octets come, or a message; whether they went up. */
  take(given: Uint8Array | Message, exchange?: Exchange): boolean {
    const m = given instanceof Message ? given : Message.of(given.slice());
    m.exchange = exchange;
    const before = this.got.length;
    this.element.up(m);
    return this.got.length > before;
  }

  /** What was refused, by reason. */
  get refused(): Record<string, number> {
    return { ...this.context.stats.malformed };
  }
}

const kind = (name: string, type: number, peer: number): Protocol => ({ name, type, peer });
export const PUSH = kind("push", 0x50, 0x51);
export const PULL = kind("pull", 0x51, 0x50);
export const PUB = kind("pub", 0x20, 0x21);
export const REQ = kind("req", 0x30, 0x31);
export const REP = kind("rep", 0x31, 0x30);
export const SURVEYOR = kind("surveyor", 0x62, 0x63);
export const RESPONDENT = kind("respondent", 0x63, 0x62);
export const PAIR = kind("pair0", 0x10, 0x10);
