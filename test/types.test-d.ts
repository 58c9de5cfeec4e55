/**
 * What the compiler must refuse in a spec, and what it must make of one. `npm run check` reads this
 * file; nothing runs. A mark without a mistake under it is itself an error.
 */
import { expectTypeOf } from "expect-type";
import type { Pcapng } from "../generated/file/pcapng-block.js";
