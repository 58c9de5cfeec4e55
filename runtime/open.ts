/** From a stack to what the application holds. */
import type { Env } from "./env.js";
import { StackError } from "./error.js";
import type { Face, Ports } from "./layer.js";
import { Links } from "./link.js";
import { Running, type Schemes, type SocketOptions } from "./socket.js";
import { type AnyLayer, check, type Stack } from "./stack.js";

/** What `open` takes: a stack, or its upper end. */
export type Opening<T extends Face> = Stack<T> | { readonly above: T; readonly name: string };

/** Makes `open` for a table of schemes, in a world that `options.env` may take the place of. */
export function opener(
  schemes: Schemes,
  env: Env,
): <T extends keyof Ports>(stack: Opening<T>, options?: SocketOptions) => Ports[T] {
  return (given, asked = {}) => {
    const options = { ...asked, env: asked.env ?? env };
    const { layers, top } = complete(layersOf(given));
    if (layers.some((l) => l.hub)) return new Running(layers, schemes, options).port as never;
    if (top === "link") return new Links(layers, schemes, options) as never;
    throw new StackError(`'${layers[0]?.name}' shows '${top}', which no application can hold`);
  };
}

/** A list that ends in a cooked protocol, or in what shows the same below it, stands on its raw one. */
function complete(layers: readonly AnyLayer[]): Stack {
  const raw = layers.findLast((l) => l?.below?.same === undefined)?.raw;
  return check(raw === undefined ? layers : [...layers, raw()]);
}

/** For who calls without types: what is not a stack says so. */
function layersOf(given: Opening<Face>): readonly AnyLayer[] {
  const { layers, above } = (given ?? {}) as Partial<Stack> & Partial<AnyLayer>;
  if (layers === undefined && above === undefined) {
    throw new StackError("open takes a stack(…), or a protocol such as req()");
  }
  return layers ?? [given as AnyLayer];
}
