/** Values as text: numbers and addresses as Wireshark prints them, octets so that no terminal suffers. */
import type { Format, Node, Value } from "../../generated/dissect.js";
import type { Time } from "./capture.js";

/** A field's value, for a table: what `tshark -T fields` prints. */
export function valueText({
  value,
  format,
  bits,
}: Pick<Node, "value" | "format" | "bits">): string {
  if (value === undefined) return "";
  if (typeof value === "string") return escaped(value);
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "object") return formText(value, format);
  if (format === "bool") return value === 0 ? "0" : "1";
  if (format === "ipv4") return ipv4(Number(value));
  if (format === "hex") return `0x${value.toString(16).padStart(digits(bits), "0")}`;
  return String(value);
}

/** Hex digits of a field: two an octet, rounded up to 1, 2, 3, 4 or 8 octets' worth. */
function digits(bits: number): number {
  const octets = Math.ceil(bits / 8);
  return 2 * (octets === 3 || octets < 3 ? octets : octets <= 4 ? 4 : 8);
}

function formText(octets: Uint8Array, format: Format): string {
  const { length, print } = FORMS[format] ?? {};
  return print === undefined || (length ?? octets.length) !== octets.length
    ? hex(octets)
    : print(octets);
}

/** How octets of a format are printed, if they are as many as it has. */
const FORMS: Readonly<
  Partial<Record<Format, { readonly length?: number; readonly print: (o: Uint8Array) => string }>>
> = {
  mac: { print: (o) => hex(o).match(/../g)?.join(":") ?? "" },
  ipv4: { length: 4, print: (o) => o.join(".") },
  ipv6: { length: 16, print: ipv6 },
  text: { print: (o) => escaped(LATIN1.decode(o)) },
};

const LATIN1 = new TextDecoder("latin1");

export const hex = (octets: Uint8Array): string =>
  Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("hex");

const ipv4 = (n: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(n / 2 ** shift) % 256).join(".");

/** RFC 5952: lower case, the longest run of two or more zero groups as `::`, the first if equal. */
export function ipv6(octets: Uint8Array): string {
  const groups =
    hex(octets)
      .match(/.{4}/g)
      ?.map((g) => g.replace(/^0{1,3}/, "")) ?? [];
  const joined = `:${groups.join(":")}:`;
  const runs = [...joined.matchAll(/(?<=:)(?:0:){2,}/g)];
  const longest = runs.reduce<RegExpMatchArray | undefined>(
    (best, run) => (best === undefined || run[0].length > best[0].length ? run : best),
    undefined,
  );
  if (longest?.index === undefined) return groups.join(":");
  const before = joined.slice(1, longest.index).replace(/:$/, "");
  const after = joined.slice(longest.index + longest[0].length, -1);
  return `${before}::${after}`;
}

/** Address and port as one: `127.0.0.1:80`, `[::1]:80`. */
export function addressText(address: Value, format: Format, port?: Value): string {
  const text = valueText({ value: address, format, bits: 32 });
  if (port === undefined) return text;
  return `${text.includes(":") ? `[${text}]` : text}:${port}`;
}

/** How many octets: `1 octet`, `2 octets`. */
export const octetsText = (n: number): string => (n === 1 ? "1 octet" : `${n} octets`);

/** Seconds since 1970 with nine decimals. */
export const epochText = (time: Time | undefined): string =>
  time === undefined ? "" : `${time.seconds}.${String(time.nanoseconds).padStart(9, "0")}`;

/** Text without control characters: they are escaped as in JSON. */
export const escaped = (text: string): string =>
  JSON.stringify(text)
    .slice(1, -1)
    .replace(/\\"/g, '"')
    .replace(
      /[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );

/** A name that a capture gives: as much of it as a line has room for, without control characters. */
export const nameText = (text: string, most = 128): string =>
  text.length > most ? `${escaped(text.slice(0, most))}…` : escaped(text);

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** The beginning of a payload: as text if it is text, else in hex. */
export function preview(octets: Uint8Array, most = 40): string {
  if (octets.length === 0) return "(empty)";
  const some = octets.subarray(0, most);
  const more = octets.length > most ? "…" : "";
  try {
    const text = UTF8.decode(some, { stream: octets.length > most });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (!/[\u0000-\u0008\u000e-\u001f]/.test(text)) return `"${escaped(text)}${more}"`;
  } catch {}
  return `${
    hex(some)
      .match(/.{1,8}/g)
      ?.join(" ") ?? ""
  }${more}`;
}
