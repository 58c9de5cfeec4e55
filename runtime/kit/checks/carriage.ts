/** What goes down comes up the peer: in both modes, however it is cut, whenever somebody says stop. */
import { Exchange, type Message } from "../../message.js";
import { whole } from "../causes.js";
import { Broken, forAll } from "../chance.js";
import { type Law, spread, told } from "../check.js";
import { Couple, MODES, SHAPES } from "../couple.js";
import { body, difference, joined, segmented } from "../octets.js";
import { enter } from "../outside.js";
import { heard, played, scenes } from "../steps.js";
import { opposite, SIDES, type Side, type Terms } from "../terms.js";

const trip: Law = {
  name: "what goes down comes up its peer, and both modes put the same octets on the wire",
  hold(terms) {
    forAll(terms, scenes(terms, false), (scene) => {
      const [one, other] = MODES.map((mode) =>
        told(`in mode ${mode}`, () => played(terms, { ...scene, mode })),
      ) as [Couple, Couple];
      for (const side of SIDES) {
        const at = difference(joined(one[side].wire.put), joined(other[side].wire.put));
        if (at < 0) continue;
        throw new Broken(
          `what the ${side}er puts on the wire differs between the modes, from octet ${at} on: write by \`m.length\`, not by how octets lie in memory`,
          { symptom: true },
        );
      }
    });
  },
};

const stops: Law = {
  name: "stop and go at any moment lose, double and reorder nothing",
  hold(terms) {
    forAll({ seed: terms.seed, runs: 2 * terms.runs }, scenes(terms, true), (scene) => {
      played(terms, scene);
    });
  },
};

const passes: Law = {
  name: "it passes on stop and go, in both directions",
  hold(terms) {
    const couple = new Couple(terms).open();
    for (const { side, top, wire, context } of couple.ends) {
      for (const go of [false, true]) {
        enter(context.env);
        for (const end of [top, wire]) end.turn(go);
        context.env.settle();
        heard(couple);
        couple.judge();
      }
      if (wire.paused) {
        throw new Broken(
          `the one above the ${side}er said \`go\`, and the one below never heard of it: pass on the controls \`stop\` and \`go\``,
        );
      }
      if (top.told === "stop") {
        throw new Broken(
          `the one below the ${side}er said \`go\`, and the one above never heard of it: pass on the events \`stop\` and \`go\``,
        );
      }
    }
    couple.finish();
    if (terms.wire === "octets") amid(couple);
    couple.finish();
  },
};

/** Octets that were read already come after a stop; at go, the first of them makes the top say stop again. */
function amid(couple: Couple): void {
  for (const { side, top, wire, context } of couple.ends) {
    for (const length of [5, 5, 5]) couple[opposite[side]].send(length, "borrowed");
    enter(context.env);
    top.turn(false);
    wire.deliver(ALL);
    top.insides = [{ side, of: "top", nth: top.got.length, again: false }];
    top.turn(true);
    told("when `go` brought up a message, and amid that came another `stop`", () => {
      heard(couple);
      couple.judge();
    });
  }
}

/** Both sides say something short, and all of it comes. */
function conversation(terms: Terms, prepare: (couple: Couple) => (side: Side) => number): Couple {
  const couple = new Couple(terms);
  const next = prepare(couple);
  const by = (wire: object) => next(wire === couple.dial.wire ? "dial" : "listen");
  couple.open(by);
  for (const [i, length] of [0, 1, 5, 40].entries()) {
    for (const end of couple.ends) end.send(length, SHAPES[i % 3] as "window", 9);
  }
  return couple.run(by).finish();
}

const ALL = 70_000;

const chunks: Law = {
  name: "however the octets that come are cut, the same comes of them",
  hold(terms) {
    const whole = conversation(terms, () => () => ALL);
    const most = 2 * terms.runs;
    for (const side of SIDES) {
      const { came } = whole[side].wire;
      /** So many octets next, when so many have come. */
      const cutting = (where: string, next: (came: number) => number) =>
        told(where, () =>
          conversation(terms, (couple) => (to) => {
            const { wire } = couple[side];
            return to === side ? next(wire.came) : ALL;
          }),
        );
      const to = `of what comes to the ${side}er, opening and messages together`;
      for (const at of spread(most, 1, came - 1)) {
        cutting(`cut at octet ${at} ${to}`, (n) => (n < at ? at - n : ALL));
      }
      // Where there are too many for each to have a run of its own, several share one.
      const stride = Math.max(1, Math.ceil(came / most));
      for (let off = 0; off < stride; off++) {
        const where = stride === 1 ? "octet by octet" : `cut at every octet ${off} + n × ${stride}`;
        cutting(`${where} ${to}`, (n) => stride - ((n + stride - off) % stride));
      }
    }
  },
};

const segments: Law = {
  name: "however a message that comes lies in segments, the same comes of it",
  hold(terms) {
    const lengths = { dial: 0, listen: 0 };
    const parted = (where: string, places: (n: number) => readonly number[]) =>
      told(where, () =>
        conversation(terms, (couple) => {
          for (const side of SIDES) {
            couple[side].wire.form = (all) => {
              lengths[side] = Math.max(lengths[side], all.length);
              return segmented(all, places(all.length));
            };
          }
          return () => 1;
        }),
      );
    parted("in one segment", () => []);
    const why = whole(terms);
    if (why !== undefined) throw why;
    for (const at of spread(2 * terms.runs, 0, Math.max(lengths.dial, lengths.listen))) {
      parted(`each message cut at octet ${at}`, () => [at]);
    }
    parted("each octet of a message in a segment of its own", (n) =>
      Array.from({ length: n }, (_, i) => i),
    );
    parted("with empty segments between", (n) => [0, 0, n >> 1, n >> 1, n >> 1, n]);
  },
};

const notes: Law = {
  name: "what is noted on a message stays on it",
  hold(terms) {
    const { wire, layer } = terms;
    const known = layer.text === "known";
    const exchange = new Exchange();
    const pipe = {};
    for (const mode of MODES) {
      const couple = new Couple(terms, mode).open();
      const hold = (way: string, given: Partial<Message>) => (m: Message) => {
        for (const note of Object.keys(given) as (keyof Message)[]) {
          if (m[note] === given[note]) continue;
          couple.blame(
            `a message loses its note \`${note}\` on its way ${way}: hand on the same Message, or copy \`text\`, \`exchange\` and \`pipe\` to the new one`,
          );
        }
      };
      for (const side of SIDES) {
        const [from, to] = [couple[side], couple[opposite[side]]];
        for (const text of [true, false]) {
          const all = { text, exchange, pipe };
          if (wire !== "octets") from.wire.look = hold("down", all);
          to.wire.bring = (m) => void Object.assign(m, wire === "octets" ? {} : all);
          // Octets tell it only to who knows; below a hub the rest is noted later.
          if (wire === "ports") to.top.look = hold("up", all);
          else if (wire === "link" || known) to.top.look = hold("up", { text });
          // Not all octets are text; those of an empty message are.
          from.send(known ? 0 : 5, "borrowed", 0, (m) => Object.assign(m, all));
          couple.run();
        }
      }
    }
  },
};

const replies: Law = {
  name: "what is asked is answered, and the answer comes with its question",
  hold(terms) {
    for (const mode of MODES) {
      const couple = new Couple(terms, mode).open();
      const { dial, listen } = couple;
      const asked = [0, 1, 2].map(() => new Exchange());
      const heard = asked.map(() => new Exchange());
      const way = (from: typeof dial, to: typeof dial, given: Exchange[], there: Exchange[]) => {
        const due = [...there];
        const came = [...there];
        // Who ties them stands below, and has one of its own on either side.
        to.wire.bring = (m) => void Object.assign(m, { exchange: due.shift() });
        to.top.look = ({ exchange }) => {
          if (exchange === came.shift()) return;
          couple.blame(
            "a message came up with another `exchange`, or with none: hand on the same Message, or copy the note",
          );
        };
        for (const [i, exchange] of given.entries()) {
          from.send(5 * i, "borrowed", 0, (m) => Object.assign(m, { exchange }));
        }
        couple.run();
      };
      way(dial, listen, asked, heard);
      way(listen, dial, heard.toReversed(), asked.toReversed());
      couple.finish();
    }
  },
};

const alike: Law = {
  name: "it makes the same octets of a message for every connection, as `alike` says",
  hold(terms) {
    const [one, other] = [1, 2].map((n) => {
      const couple = new Couple(terms, "scatter", { seed: terms.seed + n }).open();
      const { dial } = couple;
      // One has said more before than the other.
      for (let i = 1; i < n; i++) dial.send(10 * i, "window");
      couple.run();
      const before = dial.wire.put.length;
      for (const length of [0, 5, 300, 3000]) dial.down(dial.draft(body(length, 1), "borrowed", 0));
      dial.wire.flush();
      return joined(dial.wire.put.slice(before));
    }) as [Uint8Array, Uint8Array];
    const at = difference(one, other);
    if (at < 0) return;
    throw new Broken(
      `two connections make different octets of the same messages, from octet ${at} on: leave out \`alike\`, since many connections then share what was made for one`,
    );
  },
};

export const carriage = ({ wire, merges, layer, top }: Terms): readonly Law[] => [
  trip,
  wire === "octets" ? chunks : segments,
  passes,
  stops,
  ...(merges || top === "octets" ? [] : [notes]),
  ...(wire === "ports" ? [replies] : []),
  ...(layer.alike ? [alike] : []),
];
