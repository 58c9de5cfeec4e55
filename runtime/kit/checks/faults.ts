/** Octets that no sound peer would say: nothing is thrown, over-read or taken by their claims, and all is told. */
import { WireError, WirestackError } from "../../error.js";
import { Message } from "../../message.js";
import type { Stats } from "../../stats.js";
import { Broken, type Cases, type Chance, fewer, forAll, halves, thrown } from "../chance.js";
import type { Law } from "../check.js";
import { Couple, type End, octets } from "../couple.js";
import { body, difference, type Edit, edited, joined } from "../octets.js";
import { enter } from "../outside.js";
import { watch } from "../spy.js";
import { size } from "../steps.js";
import { opposite, SIDES, type Side, type Terms } from "../terms.js";

/** What comes: octets at random, or what a sound peer would say, with edits. */
type Piece =
  | { readonly random: number; readonly seed: number }
  | { readonly length: number; readonly edits: readonly Edit[] };

interface Fault {
  readonly side: Side;
  /** Openings are over; else this is the opening. */
  readonly open: boolean;
  readonly pieces: readonly Piece[];
  /** Octets that come at a time, or where a message is cut. */
  readonly cut: number;
}

const KINDS: readonly Edit["kind"][] = ["set", "flip", "flip", "drop", "insert", "end"];
/** Octets behind and before those that come. */
const BESIDE = 64;
/** Pieces of a run of octets, at most. */
const PIECES = 500;
/** Memory that what comes may take: four times itself, and a little for headers. */
const SHARE = 4;
const LITTLE = 32 * 1024;
/** A buffer that is for a header or part of one, and goes at once. */
const HEADER = 512;

const edit = (chance: Chance): Edit => ({
  kind: chance.pick(KINDS),
  at: chance.below(2 ** 16),
  octet: chance.pick([0, 1, 0x7f, 0x80, 0xff, chance.below(256)]),
});

const faults = ({ edges }: Terms): Cases<Fault> => ({
  draw: (chance) => ({
    side: chance.pick(SIDES),
    open: chance.below(3) > 0,
    pieces: chance.list(5, () =>
      chance.below(3) === 0
        ? { random: chance.below(300), seed: chance.below(2 ** 16) }
        : { length: size(chance, edges), edits: chance.list(3, () => edit(chance)) },
    ),
    cut: chance.flip() ? 1 + chance.below(40) : 1 << 20,
  }),
  *smaller(fault) {
    for (const pieces of fewer(fault.pieces, less)) yield { ...fault, pieces };
    if (fault.cut < 1 << 20) yield { ...fault, cut: 1 << 20 };
  },
  shown: ({ side, open, pieces, cut }) =>
    [
      `to the ${side}er${open ? "" : ", as its opening"}`,
      ...pieces.map(shown),
      ...(cut < 1 << 20 ? [`cut at ${cut}`] : []),
    ].join("; "),
});

function* less(p: Piece): Generator<Piece> {
  if ("random" in p) for (const random of halves(p.random)) yield { ...p, random };
  else {
    for (const length of halves(p.length)) yield { ...p, length };
    for (const edits of fewer(p.edits, nearer)) yield { ...p, edits };
  }
}

function* nearer(e: Edit): Generator<Edit> {
  for (const at of halves(e.at)) yield { ...e, at };
}

const HOW: Readonly<Record<Edit["kind"], string>> = {
  set: "an octet set",
  flip: "a bit flipped",
  drop: "an octet left out",
  insert: "an octet put in",
  end: "cut off",
};

const shown = (p: Piece) =>
  "random" in p
    ? `${octets(p.random)} at random (seed ${p.seed})`
    : `a message of ${octets(p.length)}${p.edits.map((e) => `, ${HOW[e.kind]} ${e.at >>> 1} ${e.at % 2 === 0 ? "from its start" : "from its end"}`).join("")}`;

/** What became of it. */
interface Trace {
  readonly got: Uint8Array;
  /** Events and controls, with what errors say, and what was counted. */
  readonly heard: string;
}

/** Each message or chunk, and what the layer did with it. */
type After = (end: End, before: Done) => void;

interface Done {
  readonly got: number;
  readonly counted: number;
}

const counted = ({ dropped, malformed }: Stats) =>
  [...Object.values(dropped), ...Object.values(malformed)].reduce((a, b) => a + b, 0);

/** Feeds it, amid these octets, or amid none; answers what came of it. */
function fed(terms: Terms, fault: Fault, beside: number | undefined, after?: After): Trace {
  const couple = new Couple(terms);
  const from = couple[opposite[fault.side]];
  const to = couple[fault.side];
  to.top.strict = false;
  if (fault.open) couple.open();
  else couple.begin();
  const chunks = fault.pieces.map((p) => madeOf(p, from, fault.open));
  const { wire, context, top } = to;
  wire.coming = [];
  const total = chunks.reduce((n, c) => n + c.length, 0);
  const given = chunks.flatMap((chunk) =>
    messages(chunk, wire.face === "octets", fault.cut, beside),
  );
  const spy = beside === undefined ? watch() : undefined;
  try {
    enter(context.env);
    for (const m of given) {
      const before = { got: top.got.length, counted: counted(context.stats) };
      wire.above.up(m);
      context.env.settle();
      couple.judge();
      after?.(to, before);
      if (wire.closed) break;
    }
    // Who has said the end is gone when the other side has said it, too.
    if (wire.ending) wire.lose();
    couple.judge();
  } finally {
    spy?.close();
  }
  const all = [...(spy?.allocations ?? []), ...(spy?.windows ?? [])];
  const taken = all.filter((n) => n > HEADER).reduce((a, b) => a + b, 0);
  // What the kit itself keeps of them is as much as came up.
  const own = top.got.reduce((n, g) => n + g.length, 0);
  if (taken - own > SHARE * total + LITTLE) {
    throw new Broken(
      `it took ${octets(taken - own)} of memory for ${total} that came: take none by what a length claims, but as octets come, as Assembly does`,
    );
  }
  const said = (error?: Error) => (error === undefined ? "" : ` ${error.message}`);
  const heard = [
    ...top.events.map((e) => e.type + said("error" in e ? e.error : undefined)),
    ...wire.controls.map((c) => c.type + said("error" in c ? c.error : undefined)),
    JSON.stringify([context.stats.dropped, context.stats.malformed]),
  ];
  return { got: joined(top.got), heard: heard.join("\n") };
}

function madeOf(p: Piece, from: End, open: boolean): Uint8Array {
  if ("random" in p) return body(p.random, p.seed);
  const { put } = from.wire;
  // Before it is open all that a peer says is its opening.
  const before = open ? put.length : 0;
  if (open) from.send(p.length, "borrowed");
  from.wire.flush();
  return edited(joined(put.slice(before)), p.edits);
}

function messages(
  chunk: Uint8Array,
  stream: boolean,
  cut: number,
  beside: number | undefined,
): Message[] {
  const pieces: Uint8Array[] = [];
  if (!stream) pieces.push(chunk.subarray(0, cut), chunk.subarray(cut));
  else {
    // Long ones in larger pieces: many thousands of small ones would find nothing more.
    const n = Math.max(cut, Math.ceil(chunk.length / PIECES));
    for (let at = 0; at < chunk.length; at += n) pieces.push(chunk.subarray(at, at + n));
  }
  const all = pieces.map((p) => placed(p, stream, beside));
  if (stream) return all;
  const [m, rest] = all as [Message, Message];
  if (rest.length > 0) m.rest = rest.segments();
  return [m];
}

/** In a buffer of its own, exactly; or amid others. */
function placed(piece: Uint8Array, stream: boolean, beside: number | undefined): Message {
  if (beside === undefined) return Message.of(piece.slice());
  const bytes = new Uint8Array(piece.length + 2 * BESIDE).fill(beside);
  bytes.set(piece, BESIDE);
  const end = BESIDE + piece.length;
  // A chunk is all that its array has; the buffer may have more.
  if (stream) return Message.of(bytes.subarray(BESIDE, end));
  return new Message(bytes, new DataView(bytes.buffer), BESIDE, BESIDE, end);
}

const PAST = ", which are another's: `measure(m.view, m.start, m.end)` before you read";

/** Where octets have a buffer of their own, who reads past their end is told so by that. */
function bounded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof RangeError && /bounds/.test(error.message))) throw error;
    throw new Broken(`it read past the end of what came${PAST} (${thrown(error).message})`, {
      cause: error,
    });
  }
}

const bears: Law = {
  name: "no octets make it throw, read past their end, or take more memory than they are",
  hold(terms) {
    forAll({ seed: terms.seed, runs: 2 * terms.runs }, faults(terms), (fault) => {
      const exact = bounded(() => fed(terms, fault, undefined));
      const amid = fed(terms, fault, 0xff);
      if (difference(exact.got, amid.got) < 0 && exact.heard === amid.heard) return;
      throw new Broken(`what came of a message depended on octets behind its end${PAST}`, {
        symptom: true,
      });
    });
  },
};

const tells: Law = {
  name: "what it refuses closes the connection with an error that says where, or is counted",
  hold(terms) {
    const { seed, runs } = terms;
    const law = (fault: Fault) => {
      fed(terms, fault, undefined, (end, before) => {
        const { wire, top, context } = end;
        const closing = wire.controls.find((c) => c.type === "close" || c.type === "end");
        if (closing !== undefined) {
          if (wire.ending) wire.lose();
          return judged(terms, closing.type === "close" ? closing.error : undefined, top);
        }
        if (terms.merges || terms.wire === "octets" || !fault.open) return;
        if (top.got.length > before.got || counted(context.stats) > before.counted) return;
        throw new Broken(
          "a message neither came up, nor was counted, nor closed the connection: refuse it by `close` with a WireError, or count it (`stats.breach`, `stats.drop`)",
          { symptom: true },
        );
      });
    };
    forAll({ seed, runs: 2 * runs }, faults(terms), law, 1);
  },
};

const LIMIT = 1000;

const limits: Law = {
  name: "no message longer than `limits.recvMax` comes up",
  hold(terms) {
    const couple = new Couple(terms, "scatter", { recvMax: LIMIT }).open();
    const { dial, listen } = couple;
    dial.send(LIMIT / 2, "borrowed");
    couple.finish();
    const { top, wire, context } = listen;
    dial.send(4 * LIMIT, "borrowed");
    couple.run();
    if (top.got.length > 1) {
      throw new Broken(
        `a message of ${octets(4 * LIMIT)} came up where \`context.limits.recvMax\` is ${LIMIT}: close the connection with a WireError as soon as its length is known`,
      );
    }
    if (wire.closed || wire.ending || counted(context.stats) > 0) return;
    throw new Broken(
      "a message longer than `context.limits.recvMax` neither closed the connection, nor was counted: close it with a WireError",
    );
  },
};

/** The reason for which a connection was closed. */
function judged({ names }: Terms, given: Error | undefined, { events }: End["top"]): void {
  const closed = events.find((e) => e.type === "closed");
  const error = given ?? (closed?.type === "closed" ? closed.error : undefined);
  const mend = "say `new WireError(layer, codec.explain(…))`: it names header, field and offset";
  if (error === undefined) {
    throw new Broken(`it closed the connection and did not say why: ${mend}`);
  }
  if (!(error instanceof WirestackError)) {
    throw new Broken(`it closed the connection with ${error.name}, \`${error.message}\`: ${mend}`);
  }
  if (!(error instanceof WireError)) return;
  if (!names.includes(error.layer)) {
    throw new Broken(
      `a WireError names the layer '${error.layer}', and here is ${names.join(" over ")}: its first argument is the layer's name`,
    );
  }
  // `rule: what is wrong`, or `path, octet n: what is wrong`.
  if (/^[\w.]+(, octet \d+)?: ./.test(error.message.slice(error.layer.length + 2))) return;
  throw new Broken(`\`${error.message}\` does not say which rule was broken: ${mend}`);
}

export const faulty = ({ wire, top, layer }: Terms): readonly Law[] => [
  bears,
  tells,
  // Who makes messages of something else knows their length first; others have them as they are.
  ...(top === "link" && (wire === "octets" || layer.longest !== undefined) ? [limits] : []),
];
