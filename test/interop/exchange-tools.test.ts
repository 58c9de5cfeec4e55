// timeout: 120
/** Every protocol with the command line tools. */
import { suite } from "uvu";
import { exchanges } from "./exchange.js";
import { tools } from "./foreign.js";

const test = suite("exchange with tools");

for (const foreign of tools) exchanges(test, foreign);

test.run();
