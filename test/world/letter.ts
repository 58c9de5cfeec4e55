/** Bodies that say who wrote them: so nothing can be invented, or changed on the way, unnoticed. */

/** Octets of the shortest. */
export const SHORTEST = 9;

export interface Letter {
  readonly sender: number;
  readonly number: number;
}

export function write({ sender, number }: Letter, size: number): Uint8Array {
  const body = new Uint8Array(size);
  const view = new DataView(body.buffer);
  view.setUint8(0, sender);
  view.setUint32(1, number);
  view.setUint32(5, size);
  for (let i = SHORTEST; i < size; i++) body[i] = number * 7 + i;
  return body;
}

/** Throws if nobody wrote it so. */
export function read(body: Uint8Array): Letter {
  if (body.length < SHORTEST) throw new Error(`nobody wrote ${body.length} octets`);
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const letter = { sender: view.getUint8(0), number: view.getUint32(1) };
  let right = view.getUint32(5) === body.length;
  for (let i = SHORTEST; i < body.length && right; i++) {
    right = body[i] === ((letter.number * 7 + i) & 0xff);
  }
  if (!right) throw new Error(`letter ${name(letter)} was changed on its way`);
  return letter;
}

export function name({ sender, number }: Letter): string {
  return `${sender}/${number}`;
}
