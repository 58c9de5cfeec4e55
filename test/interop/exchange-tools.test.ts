// timeout: 120
/** Every protocol with the command line tools. */
import { suite } from "uvu";
import { abreast } from "../support/abreast.js";
import { exchanges } from "./exchange.js";
import { tools } from "./foreign.js";

const test = abreast(suite("exchange with tools"), 4);

exchanges(test, tools);

test.run();
