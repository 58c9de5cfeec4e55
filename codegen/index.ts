/** `wirestack/codegen`: from specs to a model, and from a model to whatever one prints. */
export { type Position, SpecError } from "./error.js";
export { generate, type Outputs, type Project } from "./generate.js";
export { layout, type Segment } from "./layout.js";
export { main } from "./main.js";
export type * from "./model.js";
export { type Exported, readSpecs, specFiles } from "./read.js";
export { type Known, resolve } from "./resolve.js";
