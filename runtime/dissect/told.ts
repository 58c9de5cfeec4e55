/**
 * What a capture's interface tells of the flow that it has seen: a tap knows its stack, and says so in the
 * interface's description.
 *
 *     wirestack tap 1
 *     stack: the layers, the uppermost first, and where among them it stands
 *     ends: ["127.0.0.1:40000","127.0.0.1:5555"]
 *     out: {"some.fact":1}
 *     in: {"some.fact":2}
 *
 * `out` and `in` are flow facts, by the names that specs give them.
 */

import { nameText } from "./format.js";

export interface Told {
  /** Who sends what goes out, and to whom: as they may be printed. */
  readonly ends: readonly [string, string];
  readonly out: ReadonlyMap<string, number | string>;
  readonly in: ReadonlyMap<string, number | string>;
}

const FIRST = "wirestack tap 1";

/** What a description tells; undefined if it is another's, or not as it should be. */
export function toldOf(description: string | undefined): Told | undefined {
  const [first, ...lines] = (description ?? "").split("\n");
  if (first !== FIRST) return undefined;
  const said = new Map(lines.map((line) => divided(line)));
  const ends = parsed(said.get("ends"));
  const [from, to] = Array.isArray(ends) ? ends : [];
  if (typeof from !== "string" || typeof to !== "string") return undefined;
  const [out, back] = [factsOf(said.get("out")), factsOf(said.get("in"))];
  return { ends: [nameText(from), nameText(to)], out, in: back };
}

function divided(line: string): [string, string] {
  const at = line.indexOf(":");
  return [line.slice(0, at), line.slice(at + 1).trim()];
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "0");
  } catch {
    return undefined;
  }
}

function factsOf(text: string | undefined): Map<string, number | string> {
  const said = parsed(text);
  if (typeof said !== "object" || said === null) return new Map();
  const fits = (e: [string, unknown]): e is [string, number | string] =>
    typeof e[1] === "number" || typeof e[1] === "string";
  return new Map(Object.entries(said).filter(fits));
}
