/** Every protocol with peers over the C libraries. */
import { suite } from "uvu";
import { exchanges } from "./exchange.js";
import { libraries } from "./foreign.js";

const test = suite("exchange with libraries");

for (const foreign of libraries) exchanges(test, foreign);

test.run();
