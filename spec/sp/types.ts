/**
 * The scalability protocols: who speaks with whom, under which number and name.
 *
 * nanomsg rfc/sp-protocol-ids-01 for the numbers; nanomsg rfc/sp-websocket-mapping-01 for the names,
 * which stand before `.sp.nanomsg.org`. PAIR 1 is nanomsg/rfcs sp-pair-v1, STAR is mangos' own.
 */
export interface Protocol {
  /** Number in a greeting: 16 times the family, plus the role in it. */
  readonly type: number;
  /** Number of the protocol it talks to. */
  readonly peer: number;
  /** Name in a WebSocket subprotocol. */
  readonly subprotocol: string;
}

export const protocols = {
  pair0: { type: 0x10, peer: 0x10, subprotocol: "pair" },
  pair1: { type: 0x11, peer: 0x11, subprotocol: "pair1" },
  pub: { type: 0x20, peer: 0x21, subprotocol: "pub" },
  sub: { type: 0x21, peer: 0x20, subprotocol: "sub" },
  req: { type: 0x30, peer: 0x31, subprotocol: "req" },
  rep: { type: 0x31, peer: 0x30, subprotocol: "rep" },
  push: { type: 0x50, peer: 0x51, subprotocol: "push" },
  pull: { type: 0x51, peer: 0x50, subprotocol: "pull" },
  surveyor: { type: 0x62, peer: 0x63, subprotocol: "surveyor" },
  respondent: { type: 0x63, peer: 0x62, subprotocol: "respondent" },
  bus: { type: 0x70, peer: 0x70, subprotocol: "bus" },
  star: { type: 0x640, peer: 0x640, subprotocol: "star" },
} as const satisfies Readonly<Record<string, Protocol>>;

type Name = keyof typeof protocols;
type Types = { readonly [K in Name]: (typeof protocols)[K]["type"] };

/** Name → number. */
export const types = Object.fromEntries(
  Object.entries(protocols).map(([name, { type }]) => [name, type]),
) as Types;
