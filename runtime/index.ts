/** The package's root. */
export * from "./dissect/index.js";
