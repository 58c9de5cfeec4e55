/** What happens to a couple, step by step: drawn, made smaller, shown, and done. */
import { type Cases, type Chance, fewer, halves, thrown } from "./chance.js";
import { Couple, type Inside, MODES, type Mode, octets, SHAPES, type Shape } from "./couple.js";
import { enter } from "./outside.js";
import { SIDES, type Side, type Terms } from "./terms.js";

/** Something happens to one side. */
export type Step =
  | {
      readonly do: "send";
      readonly side: Side;
      readonly length: number;
      readonly shape: Shape;
      readonly at: number;
    }
  /** The wire delivers what comes to it: so many octets, or one message; also what was read before a stop. */
  | { readonly do: "deliver"; readonly side: Side; readonly n: number; readonly late: boolean }
  /** The top says stop or go, or the wire. */
  | { readonly do: "top" | "wire"; readonly side: Side; readonly go: boolean };

/** Some steps, the mode, and who says stop in the middle of taking a message. */
export interface Scene {
  readonly mode: Mode;
  readonly steps: readonly Step[];
  readonly insides: readonly Inside[];
}

const STEPS = 30;
const INSIDES = 4;

/** A size near one where something else happens, or a small one. */
export function size(chance: Chance, edges: readonly number[]): number {
  if (chance.below(3) === 0) return chance.below(300);
  return Math.max(0, chance.pick([0, ...edges]) + chance.below(5) - 2);
}

function step(chance: Chance, { edges }: Terms, stops: boolean): Step {
  const side = chance.pick(SIDES);
  const kind = chance.below(stops ? 5 : 2);
  if (kind === 0) {
    const [shape, at] = [chance.pick(SHAPES), chance.below(2 ** 16)];
    return { do: "send", side, length: size(chance, edges), shape, at };
  }
  if (kind > 2) return { do: chance.pick(["top", "wire"] as const), side, go: chance.flip() };
  const n = 1 + chance.below(chance.flip() ? 20 : 200_000);
  return { do: "deliver", side, n, late: stops && chance.flip() };
}

/** Scenes for these terms; `stops`: with stop and go at any moment. */
export const scenes = (terms: Terms, stops: boolean): Cases<Scene> => ({
  draw: (chance) => ({
    mode: chance.pick(MODES),
    steps: chance.list(STEPS, () => step(chance, terms, stops)),
    insides: stops
      ? chance.list(INSIDES, () => ({
          side: chance.pick(SIDES),
          of: chance.pick(["top", "wire"] as const),
          nth: chance.below(8),
          again: chance.flip(),
        }))
      : [],
  }),
  *smaller(scene) {
    for (const insides of fewer(scene.insides, () => [])) yield { ...scene, insides };
    for (const steps of fewer(scene.steps, less)) yield { ...scene, steps };
  },
  shown: ({ mode, steps, insides }) =>
    [`mode ${mode}`, ...insides.map(inside), ...steps.map((s, i) => `${i + 1}. ${shown(s)}`)].join(
      "; ",
    ),
});

function* less(s: Step): Generator<Step> {
  if (s.do === "send") {
    for (const length of halves(s.length)) yield { ...s, length };
    if (s.shape !== "borrowed") yield { ...s, shape: "borrowed" };
  } else if (s.do === "deliver") for (const n of halves(s.n - 1)) yield { ...s, n: n + 1 };
}

const WHO = { top: "the one above", wire: "the one below" } as const;

const inside = ({ side, of, nth, again }: Inside) =>
  `${WHO[of]} the ${side}ing side says stop amid taking message ${nth + 1}${again ? ", and go at once" : ""}`;

const LIES: Readonly<Record<Shape, string>> = {
  window: ", in the window",
  borrowed: "",
  pieces: ", in pieces",
};

function shown(s: Step): string {
  switch (s.do) {
    case "send":
      return `${s.side}er sends ${octets(s.length)}${LIES[s.shape]}`;
    case "deliver":
      return `the ${s.side}er's wire brings ${s.n}${s.late ? ", late" : ""}`;
    default:
      return `${WHO[s.do]} the ${s.side}er says ${s.go ? "go" : "stop"}`;
  }
}

/** Runs a scene, and holds that nothing was lost, doubled, changed or put in another order. */
export function played(terms: Terms, { mode, steps, insides }: Scene): Couple {
  const couple = new Couple(terms, mode).open();
  for (const side of SIDES) {
    const own = insides.filter((i) => i.side === side);
    couple[side].top.insides = couple[side].wire.insides = own;
  }
  for (const [i, s] of steps.entries()) at(i, s, () => perform(couple, s));
  return couple.finish();
}

/** Runs a step; what is wrong with it is told with its number. */
function at(i: number, s: Step, run: () => void): void {
  try {
    run();
  } catch (error) {
    const why = thrown(error);
    throw why.as(`at step ${i + 1} (${shown(s)}): ${why.message}`);
  }
}

function perform(couple: Couple, s: Step): void {
  const { wire, context } = couple[s.side];
  enter(context.env);
  if (s.do === "send") couple[s.side].send(s.length, s.shape, s.at);
  // Octets that were read before a stop may come after it; messages may not.
  else if (s.do === "deliver") {
    if (!wire.paused || (s.late && wire.face === "octets")) wire.deliver(s.n);
  } else couple[s.side][s.do].turn(s.go);
  heard(couple);
  couple.judge();
}

/** Who said stop has been heard at the other end of the layer. */
export function heard({ ends, blame }: Couple): void {
  for (const { side, top, wire } of ends) {
    if (wire.full && top.told !== "stop") {
      blame(
        `the one below the ${side}er said \`stop\`, and the one above never heard of it: pass on the events \`stop\` and \`go\``,
      );
    }
    if (top.stopped && !wire.paused) {
      blame(
        `the one above the ${side}er said \`stop\`, and the one below never heard of it: pass on the controls \`stop\` and \`go\``,
      );
    }
  }
}
