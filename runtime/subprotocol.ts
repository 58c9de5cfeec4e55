/**
 * The scalability protocols' names in WebSocket: a client asks for the *server's* protocol.
 *
 * nanomsg rfc/sp-websocket-mapping-01. A client offers one name, since nanomsg and NNG refuse two; a
 * server finds its own among many, in whatever case, and answers as the client spelt it.
 */
import { KNOWN } from "../generated/sp/ws.js";

const servers: Readonly<Record<string, number>> = KNOWN["sp.type"].server;
const clients: Readonly<Record<string, number>> = KNOWN["sp.type"].client;
const names = new Map(Object.entries(servers).map(([name, type]) => [type, name]));

/** What a client asks for who wants a server of this protocol number. */
export function nameOf(type: number): string {
  return names.get(type) ?? `x-${type.toString(16)}.sp.nanomsg.org`;
}

/** The protocol number of a client who asks for this name; undefined if it is none of ours. */
export function clientOf(name: string): number | undefined {
  const known = name.toLowerCase();
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
