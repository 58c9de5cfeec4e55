/** What an author may write wrongly before anything runs: said once, and first, since no check could say it better. */
import type { Element, PipeContext } from "../layer.js";
import { count } from "../option.js";
import type { AnyLayer } from "../stack.js";
import { Broken, wordsOf } from "./chance.js";

type Of<Side, T> = (side: Side) => T;

/** The layer, and what is under it; throws TypeError or RangeError for what is none. */
export function declared<Side>(
  make: Of<Side, AnyLayer>,
  under: Of<Side, readonly AnyLayer[]> | undefined,
  side: Side,
): readonly AnyLayer[] {
  if (typeof make !== "function") {
    throw new TypeError("the kit needs `make`: a function that makes the layer");
  }
  const layer = answer("make", () => make(side));
  const others =
    under === undefined ? [] : typeof under === "function" && answer("under", () => under(side));
  if (!Array.isArray(others)) {
    throw new TypeError("`under` is a function that answers a list of layers: () => [sp()]");
  }
  const all: readonly AnyLayer[] = [layer, ...others];
  for (const one of all) judge(one);
  return all;
}

function answer<T>(name: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new TypeError(`the kit's \`${name}\` threw ${wordsOf(error)}`, { cause: error });
  }
}

function judge(layer: AnyLayer): void {
  if (typeof layer !== "object" || layer === null || layer instanceof Promise) {
    quietly(layer);
    const what =
      typeof layer === "object" && layer !== null
        ? "a promise"
        : typeof layer === "function"
          ? "a function"
          : String(layer);
    throw new TypeError(
      `the kit runs layers, \`{ name, below, above, make }\`; ${what} is none: \`make\` and \`under\` answer them at once`,
    );
  }
  const { name, headers, make } = layer;
  if (typeof name !== "string" || name === "") {
    throw new TypeError("a layer has a `name`: errors, taps and peers know it by that");
  }
  for (const face of ["below", "above"] as const) {
    if (typeof layer[face] === "string" || layer[face]?.same !== undefined) continue;
    throw new TypeError(
      `'${name}' has no \`${face}\`: that is the face that it ${face === "below" ? "stands on" : "shows"}, such as "link"`,
    );
  }
  if (make !== undefined && typeof make !== "function") {
    throw new TypeError(
      `\`make\` of '${name}' is a function: make: (context) => new Mine(context)`,
    );
  }
  if (headers === undefined) return;
  if (!Array.isArray(headers)) {
    throw new TypeError(`\`headers\` of '${name}' is a list: [header.HEADER]`);
  }
  for (const h of headers) {
    if (typeof h?.head !== "number" || typeof h.tail !== "number") {
      throw new TypeError(`\`headers\` of '${name}' takes HEADER of a codec: [header.HEADER]`);
    }
    count(`\`head\` of a header of '${name}'`, h.head, 0);
    count(`\`tail\` of a header of '${name}'`, h.tail, 0);
  }
}

/** The same layer: but what it makes is looked at before it runs. */
export const judged = (layer: AnyLayer): AnyLayer =>
  Object.create(layer, {
    make: { value: (context: PipeContext) => elementOf(() => layer.make?.(context)) },
  });

const VERBS = ["down", "up", "control", "event"] as const;

export const SYNCHRONOUS =
  "a layer is synchronous, or messages overtake one another, and nobody hears what it throws; do it in the call";

const ELEMENT = "`make` must return an Element: new Mine(context)";

function elementOf(make: () => unknown): Element {
  const element = made(make) as Readonly<Record<string, unknown>> | null | undefined;
  if (typeof element === "function") {
    throw new Broken(`${ELEMENT}; it returned a class, or another function`);
  }
  if (typeof element !== "object" || element === null) {
    throw new Broken(`${ELEMENT}; it returned ${String(element)}`);
  }
  if (typeof element.then === "function") {
    quietly(element);
    throw new Broken(
      `${ELEMENT}, and not a promise of one; what there is to wait for is your opening, and \`opened\` says that it is done`,
    );
  }
  for (const verb of VERBS) {
    const does = element[verb];
    if (typeof does !== "function") {
      throw new Broken(
        `${ELEMENT}, where Mine extends Element; what it returned has no \`${verb}\``,
      );
    }
  }
  return element as unknown as Element;
}

function made(make: () => unknown): unknown {
  try {
    return make();
  } catch (error) {
    throw new Broken(
      `\`make\` threw ${wordsOf(error)}. What options it cannot take a layer says before that, where it is declared, or in \`check\``,
      { cause: error },
    );
  }
}

/** What comes of a promise that nobody waits for is told already. */
export function quietly(promise: unknown): void {
  if (promise instanceof Promise) promise.catch(() => {});
}
