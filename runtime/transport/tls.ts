/**
 * TLS over any octets: encrypted, and sure of who is at the other end. Stands on octets, shows octets.
 *
 * The work is `node:tls`'s. What this layer adds: defaults that refuse, options that are checked before
 * anything is dialed or bound, and errors that say what to do.
 * `stack(req(), xreq(), sp(), tls({ ca }), tcp())`
 */
import type * as NodeCrypto from "node:crypto";
import type { X509Certificate } from "node:crypto";
import type * as NodeNet from "node:net";
import type { Duplex } from "node:stream";
import type * as NodeTls from "node:tls";
import { Borrower } from "../borrower.js";
import { builtin } from "../builtin.js";
import type { Connection } from "../env.js";
import { PeerError, StackError, SystemError, WireError, WirestackError } from "../error.js";
import type { Facts, Layer, PipeContext } from "../layer.js";
import { type Names, named } from "../option.js";

/** PEM: the text of a certificate or a key, or its octets. */
export type Pem = string | Uint8Array;

export interface TlsOptions {
  /** Who signs the peer's certificate. Default, for a dialer: the authorities that node trusts. */
  readonly ca?: Pem | readonly Pem[];
  /** Our certificate, and those between it and its authority. A listener needs one. */
  readonly cert?: Pem;
  /** The private key of `cert`. */
  readonly key?: Pem;
  /** What `key` is encrypted with. */
  readonly passphrase?: string;
  /** A listener asks for the peer's certificate too. Default: only if there are `pins`. */
  readonly requestCert?: boolean;
  /**
   * Refuses a peer whose certificate is missing where it was asked for, signed by nobody we trust, or not
   * for the name that was dialed. If false, `facts.tls.authorized` says what was found. Default: true.
   */
  readonly rejectUnauthorized?: boolean;
  /**
   * Whom a dialer means: asked for, and looked for in the certificate. Default: the host in the address;
   * where there is none, as over ipc, it has to be given, or `pins`.
   */
  readonly servername?: string;
  /** The oldest version that will do. Default: TLSv1.2. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /** Protocols inside, those we prefer first. If given, one must be agreed on. */
  readonly alpn?: readonly string[];
  /**
   * The only keys that the peer may have, whatever else is checked: SHA-256 of its certificate's public
   * key (SPKI), in base64. Who is refused for another key is told of by that key's pin.
   */
  readonly pins?: readonly string[];
}

/** What a handshake has learnt of the peer. */
export interface TlsFacts {
  /** Its certificate is signed by somebody we trust, and is for the name that was dialed. */
  readonly authorized: boolean;
  /** Such as `TLSv1.3`. */
  readonly protocol: string;
  /** Its IANA name, such as `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** What was agreed on, of `alpn`. */
  readonly alpn?: string;
  /** Subject, issuer, fingerprint256, raw, and the rest of it; if the peer showed one. */
  readonly certificate?: X509Certificate;
}

declare module "../layer.js" {
  interface Facts {
    readonly tls?: TlsFacts;
  }
  interface LayerOptions {
    readonly tls?: TlsOptions;
  }
}

/**
 * TLS 1.2 and 1.3 over any octets, shown as octets (RFC 5246, RFC 8446): node's. Adds a `tls` to the facts of
 * its pipes (`TlsFacts`). `dial` and `listen` throw StackError for a certificate that is missing or none; a peer
 * that is not trusted is told by `refused`, with what would mend it.
 */
export function tls(options: TlsOptions = {}): Layer<"octets", "octets", "tls"> {
  const terms = new Terms(options);
  return {
    name: "tls",
    below: "octets",
    above: "octets",
    borrows: true,
    check: (side) => terms.check(side),
    make: (context) => new Tls(context, terms),
  };
}

const OPTIONS: Names<TlsOptions> = {
  ca: true,
  cert: true,
  key: true,
  passphrase: true,
  requestCert: true,
  rejectUnauthorized: true,
  servername: true,
  minVersion: true,
  alpn: true,
  pins: true,
};
const PIN = /^[A-Za-z0-9+/]{43}=$/;

/** Options, and what node makes of them: once for all connections of a layer. */
class Terms {
  #client: NodeTls.SecureContext | undefined;
  #server: NodeTls.Server | undefined;

  constructor(readonly options: TlsOptions) {
    named("tls", options, OPTIONS);
    const { cert, key, pins, minVersion = "TLSv1.2" } = options;
    if ((cert === undefined) !== (key === undefined)) {
      throw new StackError("'tls' needs 'cert' and 'key' both, or neither");
    }
    for (const pin of pins ?? []) {
      if (!PIN.test(pin)) {
        throw new StackError(`'${pin}' is no pin: that is a SHA-256 in base64, 44 characters`);
      }
    }
    if (pins?.length === 0) throw new StackError("'tls' with an empty list of 'pins' suits nobody");
    if (!/^TLSv1\.[23]$/.test(minVersion)) {
      throw new StackError(`minVersion is TLSv1.2 or TLSv1.3; not ${minVersion}`);
    }
  }

  get strict(): boolean {
    return this.options.rejectUnauthorized ?? true;
  }

  get requestCert(): boolean {
    return this.options.requestCert ?? this.options.pins !== undefined;
  }

  check(side: "dial" | "listen"): void {
    const { cert, ca, pins } = this.options;
    if (side === "listen") {
      if (cert === undefined) throw new StackError("to listen, 'tls' needs 'cert' and 'key'");
      if (this.requestCert && this.strict && ca === undefined && pins === undefined) {
        const why = "without it whoever has a certificate of any public authority would be let in";
        throw new StackError(`'requestCert' needs 'ca': who signs what peers show; ${why}`);
      }
    }
    try {
      const { X509Certificate } = builtin<typeof NodeCrypto>("node:crypto");
      // node takes whatever has none in it for an empty list.
      for (const authority of [ca ?? []].flat()) new X509Certificate(authority as string);
      if (side === "dial") this.client;
      else this.server;
    } catch (cause) {
      const { message } = cause as Error;
      throw new StackError(`'tls' cannot use its ca, cert, key or passphrase: ${message}`, {
        cause,
      });
    }
  }

  get client(): NodeTls.SecureContext {
    this.#client ??= builtin<typeof NodeTls>("node:tls").createSecureContext(this.#secrets());
    return this.#client;
  }

  /** It listens nowhere: connections are brought to it. */
  get server(): NodeTls.Server {
    this.#server ??= builtin<typeof NodeTls>("node:tls").createServer({
      ...this.#secrets(),
      requestCert: this.requestCert,
      rejectUnauthorized: this.strict,
      ...this.alpn(),
    });
    return this.#server;
  }

  #secrets(): NodeTls.SecureContextOptions {
    const { ca, cert, key, passphrase, minVersion = "TLSv1.2" } = this.options;
    const { constants } = builtin<typeof NodeCrypto>("node:crypto");
    return {
      minVersion,
      // Each connection proves anew who is there, once.
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
      ...(ca === undefined ? {} : { ca: (Array.isArray(ca) ? [...ca] : ca) as string }),
      ...(cert === undefined ? {} : { cert: cert as string, key: key as string }),
      ...(passphrase === undefined ? {} : { passphrase }),
    };
  }

  alpn(): { ALPNProtocols?: string[] } {
    const { alpn } = this.options;
    return alpn === undefined ? {} : { ALPNProtocols: [...alpn] };
  }
}

class Tls extends Borrower {
  #facts: Facts = {};
  #open = false;
  /** The peer said something after the handshake. */
  #heard = false;

  constructor(
    context: PipeContext,
    readonly terms: Terms,
  ) {
    super(context);
  }

  protected begin(duplex: Duplex): void {
    if (this.context.env.net.adopt === undefined) {
      return this.#never(duplex, "'tls' needs node's streams, and this world has none");
    }
    if (this.context.side === "dial") this.#connect(duplex);
    else this.#accept(duplex);
  }

  #connect(duplex: Duplex): void {
    const { terms, lower } = this;
    const { servername: name = lower.host, pins } = terms.options;
    if (name === undefined && terms.strict && pins === undefined) {
      const how = "say whose certificate it must be by 'servername' or 'pins'";
      return this.#never(duplex, `no host was dialed whose name 'tls' could check: ${how}`);
    }
    const { isIP } = builtin<typeof NodeNet>("node:net");
    const socket = builtin<typeof NodeTls>("node:tls").connect({
      socket: duplex,
      secureContext: terms.client,
      rejectUnauthorized: terms.strict,
      ...terms.alpn(),
      // RFC 6066 allows no addresses there.
      ...(name === undefined || isIP(name) ? {} : { servername: name }),
      ...(name === undefined ? { checkServerIdentity: () => undefined } : { host: name }),
    });
    this.abandon = () => socket.destroy();
    const connection = this.#adopt(socket);
    socket.once("secureConnect", () => this.#secured(socket, connection));
  }

  /**
   * node tells what becomes of a connection to the server that it was brought to: here to a view of the
   * one that all share, so that it is told to this connection alone.
   */
  #accept(duplex: Duplex): void {
    const { server } = this.terms;
    const tell = (name: string, of: unknown, socket?: NodeTls.TLSSocket): boolean => {
      if (name === "secureConnection") this.#accepted(of as NodeTls.TLSSocket);
      // node tells of a missing or bad certificate only by the socket.
      else if (name === "tlsClientError") this.#failed(duplex, of as Error, socket);
      return true;
    };
    const view = Object.create(server, { emit: { value: tell } });
    // A peer that says the end amid the handshake has no use for ours.
    duplex.allowHalfOpen = false;
    (server.emit as (name: string, of: unknown) => boolean).call(view, "connection", duplex);
  }

  #accepted(socket: NodeTls.TLSSocket): void {
    socket.allowHalfOpen = true;
    this.abandon = () => socket.destroy();
    this.#secured(socket, this.#adopt(socket));
  }

  #failed(duplex: Duplex, error: Error, socket: NodeTls.TLSSocket | undefined): void {
    const { authorizationError: code } = socket ?? {};
    duplex.destroy();
    this.closed(code ? Object.assign(new Error(String(code)), { code }) : error);
  }

  #never(duplex: Duplex, said: string): void {
    duplex.destroy();
    this.closed(new StackError(said));
  }

  #adopt(socket: NodeTls.TLSSocket): Connection {
    const { env, lend } = this.context;
    // After the handshake node only tells of it.
    socket.on("error", () => socket.destroy());
    return env.net.adopt?.(socket, this, lend) as Connection;
  }

  #secured(socket: NodeTls.TLSSocket, connection: Connection): void {
    const { pins, alpn } = this.terms.options;
    const certificate = socket.getPeerX509Certificate();
    if (pins !== undefined) {
      const pin = certificate === undefined ? undefined : pinOf(certificate);
      if (pin === undefined || !pins.includes(pin)) {
        const said = pin === undefined ? "shows no key" : `has the key ${pin}`;
        return this.#refuse(new PeerError(`tls: the peer ${said}, and that is none of 'pins'`));
      }
    }
    const agreed = socket.alpnProtocol || undefined;
    if (alpn !== undefined && agreed === undefined) return this.#refuse(noneOf(alpn));
    const facts: TlsFacts = {
      authorized: socket.authorized,
      protocol: socket.getProtocol() ?? "",
      cipher: socket.getCipher().standardName,
      ...(agreed === undefined ? {} : { alpn: agreed }),
      ...(certificate === undefined ? {} : { certificate }),
    };
    this.#facts = { ...this.lower, tls: facts };
    this.#open = true;
    this.opened(connection);
  }

  protected override learnt(): Facts {
    return this.#facts;
  }

  #refuse(error: WirestackError): void {
    this.control({ type: "close", error });
  }

  override octets(chunk: Uint8Array): void {
    this.#heard = true;
    super.octets(chunk);
  }

  override closed(error?: Error): void {
    super.closed(this.#fault(error));
  }

  protected override meaning(error: Error, heard: boolean): Error {
    this.#heard ||= heard;
    return this.#fault(error) ?? error;
  }

  /** Whose fault it was, and what can be done. */
  #fault(error: Error | undefined): Error | undefined {
    const cause = (error instanceof SystemError ? error.cause : error) as Failure | undefined;
    if (cause instanceof WirestackError) return cause;
    const { code = "", reason = code } = cause ?? {};
    if (cause === undefined || /^(ECONNRESET|EPIPE|ECONNABORTED)$/.test(code)) {
      if (!this.#open) return new PeerError(`tls: ${CUT}`);
      // Who does not like our certificate says so, if at all, when we are done already.
      return this.#heard ? error : new PeerError(`tls: ${UNHEARD}`);
    }
    const { minVersion = "TLSv1.2", alpn = [] } = this.terms.options;
    if (code.startsWith("ERR_SSL_")) {
      if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW/.test(code)) {
        const said = `no version of TLS in common; 'minVersion' is ${minVersion} here`;
        return new PeerError(`tls: ${said} (${reason})`);
      }
      if (code.includes("APPLICATION_PROTOCOL")) return noneOf(alpn);
      if (code.includes("DID_NOT_RETURN_A_CERTIFICATE")) return new PeerError(`tls: ${MISSING}`);
      if (/ALERT_(.*CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/.test(code)) {
        return new PeerError(`tls: ${UNLIKED} (${reason})`);
      }
      if (/HANDSHAKE_FAILURE|NO_SHARED|NO_SUITABLE|ALERT_INSUFFICIENT/.test(code)) {
        return new PeerError(`tls: no cipher, key or signature in common (${reason})`);
      }
      if (/WRONG_VERSION_NUMBER|HTTP_REQUEST|HTTPS_PROXY/.test(code)) {
        return new WireError("tls", `tls.record: the peer speaks no TLS (${reason})`);
      }
      return new WireError("tls", `tls.${this.#open ? "record" : "handshake"}: ${reason}`);
    }
    if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
      const { reason: why = cause.message } = cause;
      return new PeerError(
        `tls: the certificate is for another. ${why} Dial a name that it has, or give 'servername'`,
      );
    }
    const [, advice] = VERDICTS.find(([pattern]) => pattern.test(code)) ?? [];
    return advice === undefined ? error : new PeerError(`tls: ${advice} (${code})`);
  }
}

/** An error of node's or OpenSSL's. */
interface Failure extends Error {
  readonly code?: string;
  readonly reason?: string;
}

const CUT =
  "the peer closed amid the handshake: it may not accept our certificate, or speak no TLS";
const UNHEARD =
  "the peer closed right after the handshake: it may not accept our certificate ('cert', 'key'), or miss one";
const MISSING = "the peer shows no certificate: it needs one ('cert', 'key'), as we ask for it";
const UNLIKED =
  "the peer does not accept our certificate: it must be given, and be signed by one of the peer's 'ca'";

/** What OpenSSL says of certificates, by its codes. */
const VERDICTS: readonly [RegExp, string][] = [
  [
    /^CERT_HAS_EXPIRED$/,
    "the peer's certificate has expired: it needs a new one, or a clock is wrong",
  ],
  [/^CERT_NOT_YET_VALID$/, "the peer's certificate is not valid yet: a clock may be wrong"],
  [/^CERT_REVOKED$/, "the peer's certificate is revoked"],
  [
    /SELF_SIGNED|UNABLE_TO_GET_ISSUER|UNABLE_TO_VERIFY|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE/,
    "the peer's certificate is signed by nobody we trust: give its authority as 'ca'",
  ],
  [/^(INVALID|CERT|PATH|CRL|ERR_TLS)_/, "the peer's certificate is not accepted"],
];

function noneOf(alpn: readonly string[]): PeerError {
  return new PeerError(
    `tls: no protocol inside in common: 'alpn' is ${alpn.join(", ") || "not given"}`,
  );
}

/** SHA-256 of a certificate's public key, as pins are written. */
function pinOf({ publicKey }: X509Certificate): string {
  const { createHash } = builtin<typeof NodeCrypto>("node:crypto");
  const spki = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(spki).digest("base64");
}
