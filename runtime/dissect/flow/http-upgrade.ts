/**
 * Reads the HTTP upgrade with which a connection turns into WebSocket: one side asks, the other grants.
 * What follows is told only when both are there.
 */

/** `more`: octets are missing. `wait`: it is for the other side to answer. `no`: no upgrade, for good. */
export type Verdict =
  | { readonly is: "more" | "wait" | "no" }
  | {
      readonly is: "granted";
      /** Octets of the opening; after them begins what was agreed on. */
      readonly octets: number;
      readonly values: Readonly<Record<string, string>>;
    };

/** Octets of the text of one side at most. */
const LONGEST = 16384;
const LATIN1 = new TextDecoder("latin1");

export class HttpUpgrade {
  /** Sides that have asked. */
  readonly #asked: [boolean, boolean] = [false, false];
  #answer: { readonly granted: boolean; readonly subprotocol: string | undefined } | undefined;

  /** What the octets at the beginning of a side's stream are. */
  look(side: 0 | 1, octets: Uint8Array): Verdict {
    const text = LATIN1.decode(octets.subarray(0, LONGEST));
    if (/^HTTP\/1\.1 /.test(text)) return this.#response(text, octets.length);
    if (/^GET [^\r\n]* HTTP\/1\.1\r\n/.test(text)) return this.#request(side, text, octets.length);
    return begins(text) ? { is: "more" } : { is: "no" };
  }

  #request(side: 0 | 1, text: string, length: number): Verdict {
    const fields = headers(text);
    if (fields === undefined) return { is: length < LONGEST ? "more" : "no" };
    if (fields.values.get("upgrade")?.toLowerCase() !== "websocket") return { is: "no" };
    this.#asked[side] = true;
    if (this.#answer === undefined) return { is: "wait" };
    return this.#granted("client", fields.octets);
  }

  #response(text: string, length: number): Verdict {
    const status = /^HTTP\/1\.1 (\d\d\d)/.exec(text)?.[1];
    if (status === undefined) return { is: text.length < 12 ? "more" : "no" };
    const fields = headers(text);
    if (status !== "101" || !this.#asked.includes(true)) {
      this.#answer = { granted: false, subprotocol: undefined };
      return { is: "no" };
    }
    if (fields === undefined) return { is: length < LONGEST ? "more" : "no" };
    const subprotocol = fields.values.get("sec-websocket-protocol")?.toLowerCase();
    this.#answer = { granted: true, subprotocol };
    return this.#granted("server", fields.octets);
  }

  #granted(role: "client" | "server", octets: number): Verdict {
    if (this.#answer?.granted !== true) return { is: "no" };
    const { subprotocol } = this.#answer;
    if (subprotocol === undefined) return { is: "granted", octets, values: { role } };
    // What stands behind the last plus is said of the rest.
    const [, name = subprotocol, suffix] = /^(.+)\+(.*)$/.exec(subprotocol) ?? [];
    const more = suffix === undefined ? {} : { suffix };
    return { is: "granted", octets, values: { role, subprotocol: name, ...more } };
  }
}

/** Whether more octets could make it an HTTP message. */
function begins(text: string): boolean {
  if (text.length >= LONGEST) return false;
  return ["GET ", "HTTP/1.1 "].some((s) => s.startsWith(text) || text.startsWith(s));
}

/** Header fields by lower-case name, if all are there; octets up to and with the blank line. */
function headers(text: string): { octets: number; values: Map<string, string> } | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const values = new Map<string, string>();
  for (const line of text.slice(0, end).split("\r\n").slice(1)) {
    const colon = line.indexOf(":");
    if (colon > 0)
      values.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { octets: end + 4, values };
}
