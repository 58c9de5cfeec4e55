/** How many cases the kit draws in our own tests, and from which seed: as for the other laws. */
import { SEED, TIMES } from "./all.js";

export const RUNS = { seed: SEED, runs: 40 * TIMES } as const;
