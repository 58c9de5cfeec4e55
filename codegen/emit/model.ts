/** Target: the model as JSON, for tools outside this repository. */
import type { Model } from "../model.js";

/**
 * `model.json`. Places in the specs stay out of it: a new line in a comment would change the half of
 * it, and a header's `file` says enough.
 */
export function emitModel(model: Model): string {
  const plain: unknown = JSON.parse(JSON.stringify(model, (_, v) => (isPlace(v) ? undefined : v)));
  return `${json(plain)}\n`;
}

const isPlace = (v: unknown): boolean =>
  typeof v === "object" && v !== null && "line" in v && "column" in v && "file" in v;

const WIDTH = 100;

/** JSON on as few lines as are readable: what fits into one line stands on one. */
export function json(value: unknown, indent = "", before = 0): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const one = oneLine(value);
  if (indent.length + before + one.length < WIDTH) return one;
  const inner = `${indent}  `;
  const [open, close, items] = Array.isArray(value)
    ? ["[", "]", value.map((v) => json(v, inner))]
    : [
        "{",
        "}",
        Object.entries(value).map(
          ([k, v]) => `${JSON.stringify(k)}: ${json(v, inner, k.length + 4)}`,
        ),
      ];
  return `${open}\n${items.map((i) => inner + i).join(",\n")}\n${indent}${close}`;
}

function oneLine(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  const items = Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}: ${oneLine(v)}`);
  return items.length === 0 ? "{}" : `{ ${items.join(", ")} }`;
}
