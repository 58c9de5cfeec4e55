/**
 * The scalability protocols' names in WebSocket: a client asks for the *server's* protocol.
 *
 * nanomsg rfc/sp-websocket-mapping-01. A client offers one name, since nanomsg and NNG refuse two; a
 * server finds its own among many, in whatever case, and answers as the client spelt it.
 */
import { KNOWN } from "../generated/sp/ws.js";
import type { PipeContext } from "./layer.js";

const servers: Readonly<Record<string, number>> = KNOWN["sp.type"].server;
const clients: Readonly<Record<string, number>> = KNOWN["sp.type"].client;
const names = new Map(Object.entries(servers).map(([name, type]) => [type, name]));

/** What a client asks for who wants a server of this protocol number. */
export function nameOf(type: number): string {
  return names.get(type) ?? `x-${type.toString(16)}.sp.nanomsg.org`;
}

/** Behind a name: the first message each way tells which layers stand above. */
const DESCRIBED = "stack";

/** What names a server of this protocol number, or one of `others` where there is none. */
export function namesOf(
  type: number | undefined,
  others: readonly string[],
  { identity }: Pick<PipeContext, "identity">,
): readonly string[] {
  const names = type === undefined ? others : [nameOf(type)];
  if (identity.length === 0) return names;
  return names.length === 0 ? [DESCRIBED] : names.map((name) => `${name}+${DESCRIBED}`);
}

/** Whether a name says that, and what it is without. */
export function bare(name: string): [name: string, described: boolean] {
  const end = `+${DESCRIBED}`;
  return name.endsWith(end) ? [name.slice(0, -end.length), true] : [name, name === DESCRIBED];
}

/** The protocol number of a client who asks for this name; undefined if it is none of ours. */
export function clientOf(name: string): number | undefined {
  const known = bare(name.toLowerCase())[0];
  return Object.hasOwn(clients, known) ? clients[known] : undefined;
}

/** The names in a header that lists them. */
export function listed(header: string | undefined): string[] {
  return (header ?? "").split(",").flatMap((name) => name.trim() || []);
}

/** The first that is one of `ours`, as it is spelt there. */
export function agreed(offered: readonly string[], ours: readonly string[]): string | undefined {
  return offered.find((name) => ours.some((own) => own.toLowerCase() === name.toLowerCase()));
}
