/**
 * What every layer obeys, as checks for whoever writes one. No test runner is needed, and no package.
 *
 * Two of the layer face each other over a wire that delays, cuts and says stop: what goes down one comes
 * up the other. What happens to them is drawn from a seed, so that a run that failed can be had again.
 */
import { causeOf } from "./causes.js";
import { thrown } from "./chance.js";
import type { Law } from "./check.js";
import { carriage } from "./checks/carriage.js";
import { type Cost, costOf, costs } from "./checks/cost.js";
import { faulty } from "./checks/faults.js";
import { opening } from "./checks/opening.js";
import { ownership } from "./checks/ownership.js";
import { passing } from "./checks/passing.js";
import { rooms } from "./checks/room.js";
import { worlds } from "./checks/world.js";
import { shut } from "./outside.js";
import { ready } from "./ready.js";
import type { KitOptions, Terms } from "./terms.js";

export type { Cost } from "./checks/cost.js";
export { type Fed, feed } from "./feed.js";
export type { KitOptions, Side } from "./terms.js";

/** One property of a layer, as a test. */
export interface LayerCheck {
  /** A sentence about the layer, such as `acmeTrace: it passes on stop and go, in both directions`. */
  readonly name: string;
  /** Throws KitError if the layer does not have it. */
  readonly run: () => void;
}

/** What a layer does not do as layers do. */
export interface Failure {
  /** The check's name. */
  readonly check: string;
  /** What happened, at which step, and how to mend it; then the seed and the smallest case, if it was drawn. */
  readonly said: string;
  /** That without where it happened: the same for the same mistake. */
  readonly reason: string;
  /** What was not kept to, in general: where there is more to know than the sentence says. */
  readonly rule: string | undefined;
}

/** The layer does not obey; `message` has a sentence for each failure. */
export class KitError extends Error {
  override get name(): string {
    return "KitError";
  }

  constructor(
    /** The layer's name. */
    readonly layer: string,
    readonly failures: readonly Failure[],
    of: number,
  ) {
    super(
      [
        ...(failures.length === 1 && of === 1
          ? [`${layer}: ${failures[0]?.said}`]
          : [`${layer} fails ${failures.length} of ${of} checks:`, ...lines(failures)]),
        ...new Set(failures.flatMap(({ rule }) => (rule ? [`  The rule: ${rule}`] : []))),
      ].join("\n"),
    );
  }
}

/** A sentence once, and which other checks fail for the same reason. */
function lines(failures: readonly Failure[]): string[] {
  const reasons = new Set(failures.map((f) => f.reason));
  return [...reasons].map((reason) => {
    const [first, ...others] = failures.filter((f) => f.reason === reason) as [Failure];
    const same = others.map(({ check }: Failure) => `\n    the same: ${check}`);
    return `  ${first.check}:\n    ${first.said}${same.join("")}`;
  });
}

/** A layer that obeys: what was checked, and what a message costs. */
export interface Report {
  /** The layer's name. */
  readonly layer: string;
  /** Names of the checks that it passed: all. */
  readonly checks: readonly string[];
  /** For bodies of 64 octets, and of 1 KiB. */
  readonly cost: readonly Cost[];
  /** A line for the layer, and one for each size. */
  toString(): string;
}

const lawsOf = (terms: Terms): Law[] =>
  [carriage, rooms, ownership, opening, passing, faulty, worlds, costs].flatMap((of) => of(terms));

interface Found extends Failure {
  /** 0: the mistake of which others come, by who finds it; 1: what comes of it; 2: something else. */
  readonly rank: number;
}

/** What is wrong with it by this law, if something is. */
function failure(terms: Terms, law: Law): Found | undefined {
  let found: Found | undefined;
  // Also in other checks than that of the world: what a layer leaves there would outlive them.
  shut(() => {
    try {
      law.hold(terms);
    } catch (error) {
      const why = thrown(error);
      const cause = why.about.symptom || why.about.leads ? causeOf(terms) : undefined;
      const { message, reason, about } = why.about.leads ? why : (cause ?? why);
      const rank = cause === undefined ? 2 : Number(!why.about.leads);
      found = { check: law.name, said: message, reason, rule: about.rule, rank };
    }
  });
  return found;
}

/**
 * What every layer obeys, each as a test for any runner:
 * `for (const { name, run } of layerChecks({ make: () => acmeTrace() })) test(name, run);`
 * Throws TypeError or RangeError for options, and for what is no layer between others or is declared wrongly.
 */
export function layerChecks(options: KitOptions): readonly LayerCheck[] {
  const terms = ready(options);
  return lawsOf(terms).map((law) => ({
    name: `${terms.name}: ${law.name}`,
    run() {
      const wrong = failure(terms, law);
      if (wrong !== undefined) throw new KitError(terms.name, [wrong], 1);
    },
  }));
}

/**
 * Holds a layer against all that every layer obeys: `testLayer({ make: () => acmeTrace() })`. Takes some tenths of
 * a second. Throws KitError with a sentence for each failure; TypeError or RangeError for options, and for what is no
 * layer between others or is declared wrongly.
 */
export function testLayer(options: KitOptions): Report {
  const terms = ready(options);
  const laws = lawsOf(terms);
  const failures = laws.flatMap((law) => failure(terms, law) ?? []);
  failures.sort((a, b) => a.rank - b.rank);
  if (failures.length > 0) throw new KitError(terms.name, failures, laws.length);
  const cost = [64, 1024].map((n) => costOf(terms, n));
  return new Passed(terms, laws, cost);
}

class Passed implements Report {
  readonly layer: string;
  readonly checks: readonly string[];
  readonly #line: string;

  constructor(
    terms: Terms,
    laws: readonly Law[],
    readonly cost: readonly Cost[],
  ) {
    this.layer = terms.name;
    this.checks = laws.map(({ name }) => name);
    this.#line = `${terms.name} (${terms.wire} → ${terms.top}): ${laws.length} checks passed, seed ${terms.seed}`;
  }

  toString(): string {
    return [
      this.#line,
      ...this.cost.map(
        ({ octets, ns, copies, buffers }) =>
          `  ${octets} octets: ${ns} ns down and up; ${copies} copies and ${buffers} buffers a message`,
      ),
    ].join("\n");
  }
}
