import type { Model } from "../model.js";

export function emitStacks(model: Model): string {
  void model;
  return "export {};\n";
}
