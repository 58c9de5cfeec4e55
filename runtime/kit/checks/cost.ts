/** What a message costs: measured; and held against what the layer declares. */
import { Message } from "../../message.js";
import { Broken } from "../chance.js";
import type { Law } from "../check.js";
import { Couple, type End, octets } from "../couple.js";
import { body, joined } from "../octets.js";
import { enter } from "../outside.js";
import { watch } from "../spy.js";
import { opposite, SIDES, type Side, type Terms } from "../terms.js";

/** What a message costs, down one side and up the other. */
export interface Cost {
  /** Of its body. */
  readonly octets: number;
  /** Nanoseconds. They are as good as the machine is quiet. */
  readonly ns: number;
  /** Copies of as many octets or more, and buffers that were made, by the layer. A window in a slab is none. */
  readonly copies: number;
  readonly buffers: number;
}

/** Messages of a batch, which is less than what peers do in a tick. */
const BATCH = 64;
/** Milliseconds after which a layer was measured long enough, and batches that are enough. */
const LONG = 40;
const ENOUGH = 100;

/** Before the kit shuts the world outside. */
const clock = performance.now.bind(performance);

/** Messages of a batch, down one side; answers what came to the wire. */
function down(end: End, messages: readonly Message[]): Message[] {
  const put: Message[] = [];
  end.wire.down = (m) => void put.push(m);
  enter(end.context.env);
  const { below } = end.top;
  for (let i = 0; i < messages.length; i++) below.down(messages[i] as Message);
  end.context.env.settle();
  return put;
}

function up(end: End, messages: readonly Message[]): number {
  let n = 0;
  end.top.up = () => void n++;
  enter(end.context.env);
  const { above } = end.wire;
  for (let i = 0; i < messages.length; i++) above.up(messages[i] as Message);
  end.context.env.settle();
  return n;
}

const drafts = (end: End, length: number) =>
  Array.from({ length: BATCH }, (_, i) => end.draft(body(length, i), "borrowed", 0));

/** As they come: octets in one chunk, or each message as it is. */
function arriving({ wire }: End, put: readonly Message[]): Message[] {
  const all = put.map((m) => joined(m.segments()));
  return wire.face === "octets" ? [Message.of(joined(all))] : all.map((o) => Message.of(o));
}

/** What a message of that size costs. */
export function costOf(terms: Terms, length: number): Cost {
  const couple = new Couple(terms).open();
  const { dial, listen } = couple;
  let [ns, batches, copies, buffers] = [Infinity, 0, 0, 0];
  for (const until = clock() + LONG; batches < ENOUGH && clock() < until; batches++) {
    const sending = drafts(dial, length);
    const first = clock();
    const put = down(dial, sending);
    const second = clock();
    const coming = arriving(listen, put);
    const third = clock();
    up(listen, coming);
    // The best: what else a machine does only adds to it.
    ns = Math.min(ns, ((clock() - third + second - first) * 1e6) / BATCH);
  }
  for (const part of [watched(dial, listen, length)]) {
    copies += part.copies;
    buffers += part.buffers;
  }
  const round = (n: number) => Math.round(n * 100) / 100;
  return {
    octets: length,
    ns: Math.round(ns),
    copies: round(copies / BATCH),
    buffers: round(buffers / BATCH),
  };
}

/** Copies of bodies, and buffers, that one batch takes. */
function watched(from: End, to: End, length: number): { copies: number; buffers: number } {
  const sending = drafts(from, length);
  const seen = (run: () => void) => {
    const spy = watch();
    try {
      run();
    } finally {
      spy.close();
    }
    return {
      copies: spy.copies.filter((n) => n >= length).length,
      buffers: spy.allocations.length,
    };
  };
  let put: Message[] = [];
  const one = seen(() => {
    put = down(from, sending);
  });
  const coming = arriving(to, put);
  const other = seen(() => void up(to, coming));
  return { copies: one.copies + other.copies, buffers: one.buffers + other.buffers };
}

/** Sizes at which bodies are copied to a block by who writes them, and are borrowed. */
const SIZES = [3000, 20_000];

const declared: Law = {
  name: "it copies no body, and makes no buffer for a message, but as it declares",
  hold(terms) {
    // Who puts several together, or one apart, has to bring them together again.
    if (terms.copies === Infinity || terms.layer.longest !== undefined || terms.merges) return;
    for (const side of SIDES) for (const length of SIZES) judge(terms, side, length);
  },
};

function judge(terms: Terms, side: Side, length: number): void {
  const couple = new Couple(terms).open();
  const [from, to] = [couple[side], couple[opposite[side]]];
  // What it makes once for a connection is made by then.
  up(to, arriving(to, down(from, drafts(from, length))));
  const { copies, buffers } = watched(from, to, length);
  const most = terms.copies * BATCH;
  if (copies > most) {
    throw new Broken(
      `of ${BATCH} messages of ${octets(length)} it copied ${copies} bodies, and declares ${terms.copies} a message: put headers before and behind the body, where it lies; who needs octets in one piece declares \`contiguous\`, and who copies of necessity tells the kit how often (\`copies\`)`,
    );
  }
  // A slab is a buffer for many; a copy needs one, and may need a second.
  if (buffers > 2 * most + BATCH / 4) {
    throw new Broken(
      `for ${BATCH} messages of ${octets(length)} it made ${buffers} buffers: take windows of \`context.slab\`, by \`push\` and \`append\``,
    );
  }
}

export const costs = (_: Terms): readonly Law[] => [declared];
