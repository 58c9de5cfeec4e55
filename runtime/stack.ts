/**
 * Lists of layers, checked: what each stands on is what the next one offers.
 *
 * Joints are checked by the type system, and again here for stacks built from configuration; a bad
 * one reads the same in both. A stack never changes, so its room and its mode can be computed.
 */
import { StackError } from "./error.js";
import { type Below, type Face, type Layer, type PortFace, roomOf, type Same } from "./layer.js";
import type { Room } from "./message.js";

// biome-ignore lint/suspicious/noExplicitAny: a list holds layers of all faces
export type AnyLayer = Layer<any, any, any>;

type Named<T> = T extends string ? T : "the same";

/** The face that a run of layers shows, looking through those that show what they stand on. */
export type Shown<L extends readonly AnyLayer[]> = L extends readonly [
  infer A extends AnyLayer,
  ...infer R extends readonly AnyLayer[],
]
  ? A["above"] extends Same
    ? R extends readonly []
      ? Face
      : Shown<R>
    : A["above"]
  : never;

/** Where only an address will tell the face, whatever stands there fits for now. */
type Fits<B, F> = [Face] extends [F]
  ? true
  : B extends Same<infer Some, string>
    ? [F] extends [Some]
      ? true
      : false
    : [F] extends [B]
      ? true
      : false;

/** The same list; a layer that does not fit on the next is replaced by a sentence that says so. */
export type Joints<
  L extends readonly AnyLayer[],
  Checked extends readonly unknown[] = [],
> = L extends readonly [
  infer A extends AnyLayer,
  infer B extends AnyLayer,
  ...infer R extends readonly AnyLayer[],
]
  ? Fits<A["below"], Shown<[B, ...R]>> extends true
    ? Joints<[B, ...R], [...Checked, A]>
    : [
        ...Checked,
        `'${A["name"]}' stands on '${Wanted<A["below"]>}', but the one below it offers '${Named<Shown<[B, ...R]>>}'${Hinted<A["below"]>}`,
        B,
        ...R,
      ]
  : [...Checked, ...L];

type Wanted<B> =
  B extends Same<infer Some, string> ? ([PortFace] extends [Some] ? "ports" : Some) : Named<B>;
type Hinted<B> = B extends Same<Face, infer Hint> ? (string extends Hint ? "" : `: ${Hint}`) : "";

/** What the lowest layer stands on, looking through those that show what they stand on. */
export type Foot<L extends readonly AnyLayer[]> = L extends readonly [
  ...infer R extends readonly AnyLayer[],
  infer Z extends AnyLayer,
]
  ? Z["below"] extends Same
    ? Foot<R>
    : Z["below"]
  : Below;

export interface Stack<Top = Face, Bottom = Below> {
  readonly layers: readonly AnyLayer[];
  /** The face it shows: it decides what the application holds. */
  readonly top: Top;
  /** What its lowest layer stands on: an address brings the rest. */
  readonly bottom: Bottom;
  /** Room for its own headers, in octets; the layers that an address brings add theirs. */
  readonly room: Room;
  /** A layer a line: what it stands on and shows, its headers, and whether it insists on octets in one piece. */
  toString(): string;
}

/** Puts layers on one another, the uppermost first. Throws StackError where two do not fit. */
export function stack<const L extends readonly [AnyLayer, ...AnyLayer[]]>(
  ...layers: L & Joints<L>
): Stack<Shown<L>, Foot<L>> {
  return check(layers as unknown as readonly AnyLayer[]) as Stack<Shown<L>, Foot<L>>;
}

/** As `stack`, of a list that is known only now. */
export function check(layers: readonly AnyLayer[]): Stack {
  if (layers.length === 0) throw new StackError("a stack needs at least one layer");
  let face: Face | undefined;
  let below: AnyLayer | undefined;
  for (const layer of [...layers].reverse()) {
    if (typeof layer !== "object" || layer === null || layer.below === undefined) {
      throw new StackError(`a stack takes layers, as req(); not ${word(layer)}`);
    }
    if (below !== undefined && !fits(layer.below, face)) {
      throw new StackError(joint(layer, face));
    }
    if (layer.above.same === undefined) face = layer.above;
    below = layer;
  }
  const foot = layers.findLast(own) ?? (below as AnyLayer);
  return new Checked(layers, face as Face, foot.below);
}

/** It does not show what it stands on, whatever that is. */
export const own = ({ below }: AnyLayer): boolean => below.same === undefined;

/** Whoever writes `req` means `req()`. */
const word = (given: unknown): string =>
  typeof given === "function" ? `the function ${given.name}: call it` : String(given);

/** What is wrong where `layer` stands on somebody who offers `face`. */
export function joint(layer: AnyLayer, face: Face | undefined): string {
  const { hint } = layer.below;
  const wanted = standsOn(layer.below, "' or '");
  const mend = hint === undefined ? "" : `: ${hint}`;
  return `'${layer.name}' stands on '${wanted}', but the one below it offers '${face ?? "the same"}'${mend}`;
}

/** Faces that are not a protocol's own. */
const COMMON: readonly Face[] = ["octets", "link", "raw"];

function standsOn(below: Below | Same, between: string): string {
  const faces = typeof below === "string" ? below : below.same;
  return typeof faces === "string" ? faces : faces.join(between);
}

function fits(below: Below | Same, face: Face | undefined): boolean {
  if (face === undefined) return true;
  if (typeof below !== "object") return below === face;
  if (below.same === "ports") return !COMMON.includes(face);
  return below.same === "any" || below.same.includes(face);
}

/** A layer's line. */
export function line(layer: AnyLayer, width: number): string {
  const shows = layer.above.same === undefined ? layer.above : "same";
  const stands = standsOn(layer.below, "|");
  const headers = (layer.headers ?? []).map((h: { name: string; head: number; tail: number }) => {
    const octets = [h.head > 0 && `${h.head} before`, h.tail > 0 && `${h.tail} behind`];
    return `${h.name} (${octets.filter(Boolean).join(", ")})`;
  });
  const rest = [headers.join(", "), layer.contiguous && "insists on one piece"].filter(Boolean);
  return `${layer.name.padEnd(width)}  ${`${stands} → ${shows}`.padEnd(16)}${rest.join("; ")}`.trimEnd();
}

/** Lines of a list of layers; below them its room, and its mode with who forces it. */
export function lines(layers: readonly AnyLayer[], { head, tail }: Room, mode?: string): string[] {
  const width = Math.max(...layers.map((l) => l.name.length));
  const insists = layers.find((l) => l.contiguous);
  const how = insists === undefined ? "scatter" : `contiguous from '${insists.name}' down`;
  const last = `room ${head} before, ${tail} behind; ${mode ?? how}`;
  return [...layers.map((l) => line(l, width)), last];
}

class Checked implements Stack {
  readonly room: Room;

  constructor(
    readonly layers: readonly AnyLayer[],
    readonly top: Face,
    readonly bottom: Below,
  ) {
    this.room = roomOf(layers);
  }

  toString(): string {
    const foot = standsOn(this.bottom, "|");
    return `${lines(this.layers, this.room).join("\n")}; stands on '${foot}'`;
  }
}
