/**
 * What goes wrong, by whose fault it is. Codes are stable; messages are for people.
 *
 * What a peer sends never throws into the application: it comes as an event, and is counted.
 */

export type ErrorCode =
  /** The author of a spec made a mistake; `npm run codegen` says where. */
  | "ERR_SPEC"
  /** Layers do not fit on one another, or an address not under them. */
  | "ERR_STACK"
  /** A call that the socket's state does not allow, such as a second reply. */
  | "ERR_STATE"
  /** The peer is sound, but not of our kind: another protocol, or one peer too many. */
  | "ERR_PEER"
  /** The peer broke a rule of the wire. */
  | "ERR_WIRE"
  /** Time ran out. */
  | "ERR_TIMEOUT"
  /** An AbortSignal said so. */
  | "ERR_CANCELLED"
  /** The socket, or the connection, is closed. */
  | "ERR_CLOSED"
  /** The system refused: no such host, address in use, connection refused. `cause` has its own error. */
  | "ERR_SYSTEM";

/** Base of all errors of this package. */
export abstract class WirestackError extends Error {
  abstract readonly code: ErrorCode;
  override get name(): string {
    // Names of classes do not outlive a minifier; codes do.
    const [, first = "", rest = ""] = /^ERR_(.)(.*)/.exec(this.code) ?? [];
    return `${first}${rest.toLowerCase()}Error`;
  }
}

/** Layers do not fit. Thrown at once, by `stack`, `open`, `dial` or `listen`. */
export class StackError extends WirestackError {
  readonly code = "ERR_STACK";
}

/** The application called at the wrong time. */
export class StateError extends WirestackError {
  readonly code = "ERR_STATE";
}

/** The peer is not of our kind. Its connection is closed, and `refused` tells. */
export class PeerError extends WirestackError {
  readonly code = "ERR_PEER";

  /** For a peer that greeted with a protocol which ours does not talk to. */
  static stranger(theirs: number, ours: { name: string; type: number; peer: number }): PeerError {
    const hex = (n: number) => `0x${n.toString(16)}`;
    return new PeerError(
      `the peer's protocol is ${hex(theirs)}; ${ours.name} (${hex(ours.type)}) talks to ${hex(ours.peer)}`,
    );
  }
}

/** The peer is broken or hostile. */
export class WireError extends WirestackError {
  readonly code = "ERR_WIRE";
  /** The layer that noticed. */
  readonly layer: string;
  /** Dotted path of the field, such as `sp.greeting.version`, or of the rule. */
  readonly rule: string;
  /** Octet in the header; undefined where the rule is about a whole message. */
  readonly offset: number | undefined;

  /** `said`: a codec's sentence, `path, octet n: what is wrong`, or `rule: what is wrong`. */
  constructor(layer: string, said: string) {
    super(`${layer}: ${said}`);
    this.layer = layer;
    const [, rule = said, offset] = /^([\w.]+)(?:, octet (\d+))?:/.exec(said) ?? [];
    this.rule = rule;
    this.offset = offset === undefined ? undefined : Number(offset);
  }
}

/** Time ran out. */
export class TimeoutError extends WirestackError {
  readonly code = "ERR_TIMEOUT";
}

/** The caller's AbortSignal was raised; `cause` is its reason. */
export class CancelledError extends WirestackError {
  readonly code = "ERR_CANCELLED";
}

/** The socket, or the connection, is closed. */
export class ClosedError extends WirestackError {
  readonly code = "ERR_CLOSED";
}

/** The system refused; `cause` is its error, and `system` that error's code. */
export class SystemError extends WirestackError {
  readonly code = "ERR_SYSTEM";
  /** Such as ECONNREFUSED. */
  readonly system: string;

  constructor(doing: string, cause: unknown) {
    const { code, message } = cause as { code?: string; message?: string };
    super(`${doing}: ${code ?? message ?? String(cause)}`, { cause });
    this.system = code ?? "";
  }
}
