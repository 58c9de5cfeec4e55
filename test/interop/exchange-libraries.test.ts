/** Every protocol with peers over the C libraries. */
import { suite } from "uvu";
import { abreast } from "../support/abreast.js";
import { exchanges } from "./exchange.js";
import { libraries } from "./foreign.js";

const test = abreast(suite("exchange with libraries"), 2);

exchanges(test, libraries);

test.run();
