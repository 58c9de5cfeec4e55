/**
 * Whose octets are whose.
 *
 * A layer writes only into octets that it pushed, and, where it stands on octets, into the chunk that came.
 * What may be kept is `KEEPS`.
 */
import { END } from "../../layer.js";
import { Message } from "../../message.js";
import { changed, writes as instead, POISONS, unwritten, WRITES } from "../causes.js";
import { Broken, thrown } from "../chance.js";
import { type Law, told } from "../check.js";
import { Couple, type End, octets, SHAPES } from "../couple.js";
import { body, difference, joined, unlike } from "../octets.js";
import { SIDES, type Terms } from "../terms.js";

/** The rule of views, in a sentence. */
const KEEPS =
  "what came from below is yours until you pass it up, then whoever has it may write over it, its room included; of what goes down keep segments behind the window as long as you like, and the window, too, unless the message is `kept`: that is sent again, with other octets in it, as soon as `down` has returned";

const FENCE = 16;
const [ONE] = POISONS;
const MOVED =
  "it moved the window by itself, past its room, which is another's: take room by `m.push(n, slab)` and `m.append(n, slab)`, which make some where there is none";
const LATE =
  "it wrote into octets that it had passed on by `below.down`: who is below has them until they are written, and that may be later; write all of a header before that call, and keep neither a view nor an offset of it";

/** Octets that are to stay as they are. */
interface Held {
  readonly octets: Uint8Array;
  readonly copy: Uint8Array;
  readonly said: string;
}

/** What nobody may write to any more. */
class Frozen {
  readonly #held: Held[] = [];
  /** Those from here on are of the step that is being done. */
  #step = 0;

  hold(octets: Uint8Array, said: string): void {
    this.#held.push({ octets, copy: octets.slice(), said });
  }

  /** What was written, though it was not to be; `all`: also to what is of steps before. */
  wrong(all: boolean): string | undefined {
    const from = all ? 0 : this.#step;
    return this.#held.slice(from).find((h) => difference(h.octets, h.copy) >= 0)?.said;
  }

  next(): void {
    this.#step = this.#held.length;
  }
}

/** Octets amid others that are poison. */
function fenced(inner: Uint8Array, poison: number, fence = FENCE): Uint8Array {
  const all = new Uint8Array(inner.length + 2 * fence).fill(poison);
  all.set(inner, fence);
  return all;
}

/** Sends every kind of message, with poison around all; answers what each side put on the wire. */
function watched(terms: Terms, poison: number): Couple {
  const couple = new Couple(terms, "scatter", { poison }).open();
  const frozen = new Frozen();
  const look = (all: boolean) => {
    const said = frozen.wrong(all);
    if (said !== undefined) couple.blame(said);
  };
  /** Does something; nothing that was passed on before has changed since. */
  const step = (run: () => void) => {
    run();
    look(true);
    couple.judge();
    frozen.next();
  };
  const passed = (m: Message) => {
    // Also what is put back before the step is done.
    look(false);
    if (m.start < m.floor || m.end > m.ceiling) couple.blame(MOVED);
    for (const s of m.segments()) frozen.hold(s, LATE);
  };
  for (const { top, wire } of couple.ends) {
    wire.look = passed;
    top.look = () => look(false);
    if (wire.face !== "octets") wire.form = (all, n) => arrived(all, n, poison, frozen);
  }
  for (const end of couple.ends) {
    for (const length of new Set([0, 1, 5, 300, ...terms.edges])) {
      for (const shape of [...SHAPES, "tight"] as const) {
        told(`a message of ${octets(length)}`, () => {
          step(() => send(couple, end, length, shape, poison, frozen));
        });
      }
      step(() => couple.run());
    }
  }
  step(() => couple.finish());
  for (const { context, top, wire } of couple.ends) {
    step(() => context.env.advance(1000));
    for (const go of [false, true]) step(() => top.turn(go));
    for (const go of [false, true]) step(() => wire.turn(go));
  }
  for (const { top } of couple.ends) step(() => top.below.control(END));
  if (terms.wire !== "ports") step(() => couple.run());
  for (const { context } of couple.ends) {
    const { trespass } = context.slab;
    if (trespass === undefined) continue;
    throw new Broken(`it wrote ${trespass} a window that it had taken of the slab: ${WRITES}`);
  }
  return couple;
}

/** A message as it comes: its octets lie amid others', and are a sender's in this process, too. */
function arrived(all: Uint8Array, n: number, poison: number, frozen: Frozen): Message {
  const bytes = fenced(all, poison);
  frozen.hold(
    bytes,
    `it changed octets of a message that came up: whoever sent it in this process has the same; ${WRITES}`,
  );
  const first = n > all.length ? all.length : n;
  const view = new DataView(bytes.buffer);
  const m = new Message(bytes, view, FENCE, FENCE, FENCE + first);
  if (first < all.length) m.rest = [bytes.subarray(FENCE + first, FENCE + all.length)];
  return m;
}

/** A message without any room, as one that came up and is sent on. */
function tight(own: Uint8Array, { room }: End, poison: number): Message {
  const fence = room.head + room.tail + FENCE;
  const bytes = fenced(own, poison, fence);
  return new Message(bytes, new DataView(bytes.buffer), fence, fence, fence + own.length);
}

function send(
  { blame }: Couple,
  end: End,
  length: number,
  shape: (typeof SHAPES)[number] | "tight",
  poison: number,
  frozen: Frozen,
): void {
  const { context, sent, wire } = end;
  const own = body(length, 2 * sent.length + 1 + SIDES.indexOf(end.side));
  const all = fenced(own, poison);
  const m =
    shape === "tight"
      ? tight(own, end, poison)
      : end.draft(all.subarray(FENCE, FENCE + length), shape, 7, FENCE);
  const { bytes, floor, start, ceiling, end: stop } = m;
  const mend = instead(end.terms);
  if (shape === "tight") frozen.hold(bytes, MOVED);
  frozen.hold(
    bytes.subarray(start, stop),
    `it changed octets of the window that it was given: ${mend}`,
  );
  const shared = `it changed a body in place, and others send the same, or read it: ${mend}`;
  for (const s of m.rest) frozen.hold(s, shared);
  frozen.hold(all, shared);
  // Another connection's: its own head, and the same body.
  const fork = m.fork(end.room.head, context.slab);
  const { look } = wire;
  wire.look = (put) => {
    look(put);
    if (put.bytes !== bytes) return;
    const [from, to] = [put.start - floor, ceiling - put.end];
    if (from < 0 || to < 0) return;
    if (unlike(bytes, floor, put.start, poison) >= 0) {
      blame(`it wrote before what it pushed, into the room of who is below: ${WRITES}`);
    }
    if (unlike(bytes, put.end, ceiling, poison) >= 0) {
      blame(`it wrote behind what it appended, into the room of who is below: ${WRITES}`);
    }
  };
  sent.push(own);
  end.down(m);
  wire.look = look;
  if (difference(joined(fork.segments()), own) >= 0) blame(shared);
  sent.push(own);
  end.down(fork);
}

const writes: Law = {
  name: "it writes all octets that it pushed, and no others",
  hold(terms) {
    const why = unwritten(terms) ?? changed(terms);
    if (why !== undefined) throw why;
    const [one, other] = POISONS.map((poison) => watched(terms, poison)) as [Couple, Couple];
    for (const side of SIDES) {
      const at = difference(joined(one[side].wire.put), joined(other[side].wire.put));
      if (at < 0) continue;
      throw new Broken(
        `octet ${at} of what the ${side}er put on the wire was never written: it is what was in memory before; push as many octets as the codec writes`,
      );
    }
  },
};

/** As `told`, where views are the matter. */
function kept<T>(where: string, run: () => T): T {
  try {
    return told(where, run);
  } catch (error) {
    const why = thrown(error);
    throw why.as(why.message, { rule: KEEPS });
  }
}

/** Says this and that both ways, each message written over as soon as its receiver is done; answers what was put. */
function scrawled(terms: Terms, chunk: number, fill?: number): Couple {
  const couple = new Couple(terms).open();
  for (const { top } of couple.ends) {
    top.use = (m) => {
      if (fill === undefined) return;
      m.bytes.fill(fill, m.floor, m.ceiling);
      for (const s of m.rest) s.fill(fill);
    };
  }
  for (const lengths of [[0, 5, 5], [300, 1, 125], [3000], [20, 0, 40]]) {
    for (const length of lengths) for (const end of couple.ends) end.send(length, "borrowed");
    couple.run(() => chunk);
  }
  return couple.finish();
}

const views: Law = {
  name: "it keeps no view of what it has passed up",
  hold(terms) {
    for (const chunk of [70_000, 1000, 7]) {
      // What is wrong in any case has nothing to do with views.
      scrawled(terms, chunk);
      const [one, other] = POISONS.map((fill) =>
        kept("when what came up was written over", () => scrawled(terms, chunk, fill)),
      ) as [Couple, Couple];
      for (const side of SIDES) {
        if (difference(joined(one[side].wire.put), joined(other[side].wire.put)) < 0) continue;
        kept("when what came up was written over", () => {
          throw new Broken(
            `what the ${side}er wrote later was decided by what had been written there: it keeps a view of octets that it has passed up; copy them (\`slice\`), or what they mean`,
            { symptom: true },
          );
        });
      }
    }
  },
};

/** What came up is held, and the room around it written, as a device does that sends it on. */
const roomAround: Law = {
  name: "the room around a message that came up is its own, and no other's",
  hold(terms) {
    const couple = new Couple(terms).open();
    for (const { top } of couple.ends) {
      const held: { readonly m: Message; readonly copy: Uint8Array }[] = [];
      top.use = (m) => {
        m.bytes.fill(ONE, m.floor, m.start);
        m.bytes.fill(ONE, m.end, m.ceiling);
        held.push({ m, copy: joined(m.segments()) });
        if (held.every(({ m, copy }) => difference(joined(m.segments()), copy) < 0)) return;
        couple.blame(
          "the room around a message that came up reaches into another: `floor` is where its own header began, and `ceiling` where its own octets end",
        );
      };
    }
    for (const length of [5, 300, 1, 0, 20]) {
      for (const end of couple.ends) end.send(length, "borrowed");
    }
    couple.run().finish();
  },
};

/** Octets of a chunk beside which a message is small. */
const MUCH = 4;

const shared: Law = {
  name: "a message that would keep a whole chunk alive says so",
  hold(terms) {
    const couple = new Couple(terms).open();
    for (const { top, wire } of couple.ends) {
      let chunk = new Uint8Array(0).buffer as ArrayBufferLike;
      const { form } = wire;
      wire.form = (all, n) => {
        chunk = all.buffer;
        return form(all, n);
      };
      top.look = ({ bytes, start, end, shared }) => {
        if (bytes.buffer !== chunk || shared || MUCH * (end - start) > chunk.byteLength) return;
        couple.blame(
          "a message that lies in a chunk with others came up without `shared`: set it, so that whoever keeps a short message copies it, and the chunk can go",
        );
      };
    }
    for (let i = 0; i < 40; i++) for (const end of couple.ends) end.send(20, "borrowed");
    couple.run().finish();
  },
};

const again: Law = {
  name: "a message that is kept can be sent again, from where it was",
  hold(terms) {
    // What is wrong in any case has nothing to do with what is kept.
    repeated(terms, (_, run) => run(), false);
    repeated(terms, kept, true);
  },
};

function repeated(terms: Terms, tell: typeof told, keep: boolean): void {
  const couple = new Couple(terms).open();
  for (const end of couple.ends) {
    for (const length of [0, 5, 3000, 70_000]) {
      for (const full of [false, true]) {
        tell(`a message of ${octets(length)} that is \`kept\`, and sent twice`, () => {
          if (full) end.wire.turn(false);
          twice(end, length, keep);
          couple.judge();
          end.wire.turn(true);
          couple.run();
        });
      }
    }
  }
  tell("messages that are `kept`, and sent twice", () => couple.finish());
}

/** As a request: its number in front, and the same object again; or, if it is not kept, another. */
function twice(end: End, length: number, keep: boolean): void {
  const { context, sent, side } = end;
  const { slab } = context;
  const own = body(length, 2 * sent.length + 1 + SIDES.indexOf(side));
  const number = 4;
  const shared = own.slice();
  const draft = () => {
    const m = Message.around(shared, end.room.head + number, slab);
    m.push(number, slab);
    return m;
  };
  const first = draft();
  first.kept = keep;
  const mark = first.mark();
  for (const fill of [1, 2]) {
    const m = keep ? first : draft();
    if (keep) m.reset(mark);
    // What is in front is another's, who writes it anew.
    m.bytes.fill(fill, m.floor, m.end);
    sent.push(joined([m.bytes.slice(m.start, m.end), own]));
    end.down(m);
  }
  if (!keep) return;
  first.reset(mark);
  first.bytes.fill(ONE, first.floor, first.end);
}

export const ownership = ({ top, wire }: Terms): readonly Law[] => [
  writes,
  ...(top === "octets" ? [] : [views, roomAround]),
  ...(top === "link" && wire === "octets" ? [shared] : []),
  again,
];
