/** How messages are printed: nngcat's formats, octet for octet. */

type Spelling = readonly string[];

const hex = (octet: number): string => `\\x${octet.toString(16).padStart(2, "0")}`;
const plain = (octet: number): boolean => octet >= 0x20 && octet <= 0x7e;
const spelling = (spell: (octet: number, character: string) => string): Spelling =>
  Array.from({ length: 256 }, (_, octet) => spell(octet, String.fromCharCode(octet)));

const ESCAPES: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  '"': '\\"',
  "\\": "\\\\",
};
const QUOTED = spelling((octet, c) => ESCAPES[c] ?? (plain(octet) ? c : hex(octet)));
const ASCII = spelling((octet, c) => (plain(octet) ? c : "."));
const HEX = spelling(hex);

export const formats: Readonly<Record<string, (body: Uint8Array) => string | Uint8Array>> = {
  /** In double quotes, escaped as in C, a message a line. */
  quoted: (body) => `"${spelt(body, QUOTED)}"\n`,
  /** Printable characters, and a dot for any other; nothing between messages. */
  ascii: (body) => spelt(body, ASCII),
  /** As it is; nothing between messages. */
  raw: (body) => body,
  /** Every octet in hexadecimal, in double quotes, a message a line. */
  hex: (body) => `"${spelt(body, HEX)}"\n`,
  /** As binary of MessagePack: its kind, its length, itself. */
  msgpack: (body) => Buffer.concat([Buffer.from(binary(body.length), "hex"), body]),
  no: () => "",
};

/** The head of MessagePack's bin 8, bin 16 or bin 32, in hexadecimal. */
function binary(length: number): string {
  const [kind, digits] = length < 2 ** 8 ? ["c4", 2] : length < 2 ** 16 ? ["c5", 4] : ["c6", 8];
  return kind + length.toString(16).padStart(digits, "0");
}

/** Octets of a piece: a longer text would be put together from as many small ones. */
const PIECE = 16 * 1024;

function spelt(body: Uint8Array, spelling: Spelling): string {
  const pieces: string[] = [];
  for (let at = 0; at < body.length; at += PIECE) {
    const octets = body.subarray(at, at + PIECE);
    pieces.push(Array.from(octets, (octet) => spelling[octet]).join(""));
  }
  return pieces.join("");
}
