/** What an author tells the kit, looked at before anything is checked. */
import type { Element } from "../layer.js";
import { Broken } from "./chance.js";
import { Couple } from "./couple.js";
import { quietly, SYNCHRONOUS } from "./declared.js";
import { shut } from "./outside.js";
import { type KitOptions, type Terms, termsOf } from "./terms.js";

/**
 * Throws TypeError or RangeError for options, for what is no layer between others, and for what makes no element,
 * or one that is not synchronous.
 */
export function ready(options: KitOptions): Terms {
  const terms = termsOf(options);
  try {
    shut(() => synchronous(new Couple(terms)));
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    throw new TypeError(`${terms.name}: ${error.message}`, { cause: error.cause });
  }
  return terms;
}

/** Says a little, and looks at what its verbs answer. */
function synchronous(couple: Couple): void {
  let found: string | undefined;
  for (const { top } of couple.ends) {
    const element = top.below as unknown as Record<string, (given: unknown) => unknown>;
    for (const verb of ["down", "up", "control", "event"] satisfies (keyof Element)[]) {
      const own = element[verb] as (given: unknown) => unknown;
      element[verb] = function (this: unknown, given) {
        const answer = own.call(this, given);
        if (typeof (answer as PromiseLike<unknown> | undefined)?.then !== "function") return;
        found ??= verb;
        quietly(answer);
      };
    }
    top.strict = false;
  }
  try {
    couple.open();
    for (const end of couple.ends) end.send(1, "borrowed");
    couple.run();
    for (const { top } of couple.ends) for (const go of [false, true]) top.turn(go);
  } catch {
    // The checks tell it.
  }
  if (found !== undefined)
    throw new Broken(`\`${found}\` came back with a promise: ${SYNCHRONOUS}`);
}
