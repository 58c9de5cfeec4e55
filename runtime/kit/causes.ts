/**
 * Mistakes of which others come: where a message comes up changed, or not at all, one of these may be why,
 * and says better what to mend.
 */
import { type About, Broken } from "./chance.js";
import { Couple, type End, octets } from "./couple.js";
import { body, difference, joined } from "./octets.js";
import { opposite, SIDES, type Terms } from "./terms.js";

/** What memory held before it was written: nothing that differs between the two was. */
export const POISONS = [0xa5, 0x5a] as const;

const LEADS: About = { leads: true };

/** Octets of a message that is long enough to be seen. */
const SOME = 5;
/** Octets that the wire brings at once: all there are. */
const ALL = 70_000;
/** Milliseconds that nobody waits longer than. */
const LONG = 60_000;

/** Octets that were pushed, and not written. */
export function unwritten(terms: Terms): Broken | undefined {
  for (const side of SIDES) {
    for (const length of [0, ...terms.edges]) {
      const [one, other] = POISONS.map((poison) => {
        const end = new Couple(terms, "scatter", { poison }).open()[side];
        const put: Uint8Array[] = [];
        end.wire.look = (m) => put.push(joined(m.segments()));
        end.send(length, "borrowed");
        end.wire.flush();
        return joined(put);
      }) as [Uint8Array, Uint8Array];
      if (difference(one, other) < 0) continue;
      const missed = one.reduce((n, octet, i) => n + Number(octet !== other[i]), 0);
      const pushed = one.length - length;
      // Who makes other octets of a body may have left out some of these.
      if (terms.merges || one.length !== other.length || missed > pushed) return undefined;
      return new Broken(
        `it pushed ${octets(pushed)} and wrote ${pushed - missed} of them: the others are what was in memory before; push what you write, as the codec's \`size\` says, and no more`,
        LEADS,
      );
    }
  }
  return undefined;
}

export const WRITES = "a layer writes only into octets that it pushed or appended";

/** The same, and what to do instead. */
export function writes({ wire }: Terms): string {
  const room = wire === "ports" ? "" : "context.room.head + ";
  return `${WRITES}; who must change a body makes a message of its own, \`Message.around(changed, ${room}header.MAX, context.slab)\`, with \`text\`, \`exchange\` and \`pipe\` of the other`;
}

/** A body that is changed where it lies. */
export function changed(terms: Terms): Broken | undefined {
  for (const side of SIDES) {
    const end = new Couple(terms).open()[side];
    const own = body(SOME, 1);
    end.down(end.draft(own, "borrowed", 0));
    end.wire.flush();
    if (difference(own, body(SOME, 1)) < 0) continue;
    return new Broken(
      `it changed a body in place, and others send the same, or read it: ${writes(terms)}`,
      LEADS,
    );
  }
  return undefined;
}

/** A header that is read where it lies in one segment only. */
export function whole(terms: Terms): Broken | undefined {
  if (terms.wire === "octets") return undefined;
  for (const side of SIDES) {
    const cut = (at: number) => {
      const couple = new Couple(terms).open();
      couple[opposite[side]].send(SOME, "borrowed");
      const { wire, top } = couple[side];
      wire.deliver(at);
      const close = wire.controls.find((c) => c.type === "close");
      if (close === undefined && top.got.length > 0) return undefined;
      return close?.error?.message ?? "nor was it said why";
    };
    const said = cut(0);
    if (said === undefined || cut(ALL) !== undefined) continue;
    return new Broken(
      `a message that lies in one segment came up, and the same cut at octet 0 did not (${said}): a header may lie across segments; use \`m.measure(header.measure, slab)\`, which reads across them, and \`m.view\`, \`m.start\` and \`m.end\` only after it`,
      LEADS,
    );
  }
  return undefined;
}

const HOLDS =
  "it passed a message on when time had passed, not in the call in which it came: a layer holds no message, only a protocol may, and says `stop`; `context.env.timer(ms, f)` is for what holds none";

/** Messages that wait for time to pass. */
export function late(terms: Terms): Broken | undefined {
  for (const side of SIDES) {
    const couple = new Couple(terms).open();
    const [from, to] = [couple[side], couple[opposite[side]]];
    from.send(SOME, "borrowed");
    const down = waits(from, () => to.wire.coming.length);
    to.wire.deliver(ALL);
    if (down || waits(to, () => to.top.got.length)) return new Broken(HOLDS, LEADS);
  }
  return undefined;
}

/** Whether something is there when time has passed, and not before. */
function waits({ wire, context }: End, there: () => number): boolean {
  wire.flush();
  if (there() > 0) return false;
  context.env.advance(LONG);
  wire.flush();
  return there() > 0;
}

const known = new WeakMap<Terms, Broken | undefined>();

/** The mistake of which others come, if there is one. */
export function causeOf(terms: Terms): Broken | undefined {
  if (known.has(terms)) return known.get(terms);
  known.set(terms, undefined);
  for (const probe of [unwritten, changed, late, whole]) {
    try {
      const why = probe(terms);
      if (why === undefined) continue;
      known.set(terms, why);
      break;
    } catch {
      // Something else is wrong, which the checks say.
    }
  }
  return known.get(terms);
}
