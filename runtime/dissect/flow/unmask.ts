/** Takes a four-octet mask off. */
import { piecesOf, type Source, sourceOf } from "../source.js";

/** The octets from `from` to `to`, each XORed with one of the key's octets, greatest first. */
export function unmask(key: number, source: Source, from: number, to: number): Source {
  const bytes = source.bytes.slice(from, to);
  const mask = [key >>> 24, (key >>> 16) & 0xff, (key >>> 8) & 0xff, key & 0xff];
  xor(bytes, mask);
  const { frame, secret } = source;
  const pieces = piecesOf(source, from, to, 0);
  return sourceOf("unmasked", bytes, frame, secret ? { pieces, secret } : { pieces });
}

/** Bulk mask: the one place here that computes with payload octets. */
function xor(bytes: Uint8Array, mask: readonly number[]): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] ?? 0) ^ (mask[i & 3] ?? 0);
}
