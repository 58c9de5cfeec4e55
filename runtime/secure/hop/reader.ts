/** Sealed records into messages; one that comes in several records is whole before it goes on. */
import * as padding from "../../../generated/hop/padding.js";
import * as piece from "../../../generated/hop/piece.js";
import * as record from "../../../generated/hop/record.js";
import * as sealed from "../../../generated/hop/sealed.js";
import { Assembly } from "../../assembly.js";
import type { PipeContext } from "../../layer.js";
import { Message } from "../../message.js";
import { type CipherState, LONGEST } from "./noise.js";

const { Type } = record;
const NOTHING = new Uint8Array(0);
/** Without a limit of ours there is still the system's: no buffer is longer than 4 GiB on node 20. */
const ENDLESS = 0xffff_0000;

export class Reader {
  /** The peer has said close: no record follows. */
  closed = false;
  /** What is wrong with what came; then it is over. */
  fault: string | undefined;
  #bytes: Uint8Array = NOTHING;
  #view: DataView = new DataView(NOTHING.buffer);
  #at = 0;
  #end = 0;
  #assembly: Assembly | undefined;
  readonly #piece: piece.HopPiece = { more: false, length: 0 };

  constructor(
    readonly context: PipeContext,
    readonly state: CipherState,
  ) {}

  /** There may be messages left in the record that was opened last. */
  get holds(): boolean {
    return this.#at < this.#end;
  }

  /** Opens a record. False: it was not sealed by the peer as its next, or is not right. */
  open(m: Message): boolean {
    const { stats, slab } = this.context;
    const n = m.length;
    if (n > LONGEST) return this.#wrong(`hop.sealed: ${n} octets; ${LONGEST} are the most`);
    // By its length alone: the tag may lie in another segment.
    const short = sealed.measureEnd(m.view, 0, n);
    if (short < 0) return this.#wrong(sealed.explainEnd(short, m.view, 0, n));
    if (this.closed) return this.#wrong("hop.record: one more after close");
    if (m.rest.length > 0) m.gather(n, slab);
    const plain = this.state.open(NOTHING, m.bytes.subarray(m.start, m.end));
    if (plain === undefined) {
      return this.#wrong(
        "hop.sealed.tag: does not prove the record: somebody changed it, or its place",
      );
    }
    stats.unsealed++;
    const view = new DataView(plain.buffer, plain.byteOffset, plain.length);
    const head = record.measure(view, 0, plain.length);
    if (head < 0) return this.#wrong(record.explain(head, view, 0, plain.length));
    const type = record.getType(view, 0);
    if (type === Type.rekey) this.state.rekey();
    this.closed = type === Type.close;
    this.#bytes = plain;
    this.#view = view;
    this.#at = head;
    this.#end = plain.length;
    return true;
  }

  /** The next message that is whole; undefined if the record has no more, or there is a fault. */
  next(): Message | undefined {
    const head = this.#piece;
    let goesOn = false;
    while (this.#at < this.#end) {
      const at = this.#at;
      const n = piece.decode(this.#view, at, this.#end, head);
      if (n < 0) {
        // So is one octet, which is too short for a piece.
        if (this.#end - at < piece.MIN) break;
        if (padding.measure(this.#view, at, this.#end) > 0) break;
        this.#wrong(piece.explain(n, this.#view, at, this.#end));
        return undefined;
      }
      const { more, length } = head;
      if (goesOn) {
        this.#wrong("hop.piece.more: a message goes on in the next record, not in the same");
        return undefined;
      }
      const from = at + n;
      const to = from + length;
      if (to > this.#end) {
        this.#wrong("hop.piece.length: is more than the record has");
        return undefined;
      }
      this.#at = to;
      if (!more && this.#assembly === undefined) {
        if (!this.#fits(length)) return undefined;
        const m = new Message(this.#bytes, this.#view, at, from, to);
        m.shared = true;
        return m;
      }
      if (!this.#join(from, to, !more)) return undefined;
      goesOn = more;
      if (more) continue;
      const assembly = this.#assembly as unknown as Assembly;
      this.#assembly = undefined;
      return assembly.message();
    }
    this.#at = this.#end = 0;
    this.#bytes = NOTHING;
    if (this.closed && this.#assembly !== undefined)
      this.#wrong("hop.record.type: close amid a message");
    return undefined;
  }

  /** Adds a piece to the message that is under way. */
  #join(from: number, to: number, last: boolean): boolean {
    const length = to - from;
    if (!this.#fits((this.#assembly?.length ?? 0) + length)) return false;
    if (this.#assembly === undefined) {
      this.#assembly = new Assembly(0, length, this.context.stats, last);
    } else this.#assembly.extend(length, last);
    this.#assembly.add(this.#bytes, from, to);
    return true;
  }

  #fits(length: number): boolean {
    const most = this.context.limits.recvMax || ENDLESS;
    if (length <= most) return true;
    return this.#wrong(`recvMax: a message of ${length} octets; ${most} are allowed`);
  }

  #wrong(said: string): false {
    this.fault = said;
    this.#at = this.#end = 0;
    return false;
  }
}
