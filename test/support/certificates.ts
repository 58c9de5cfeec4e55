/** The certificates of `test/certs/`, each with its key; `ca` and `stranger-ca` are authorities. */
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

export const pathOf = (name: string): string => `test/certs/${name}.pem`;
export const pem = (name: string): string => readFileSync(pathOf(name), "utf8");

export const ca = pem("ca");
export const strangerCa = pem("stranger-ca");

/** Options of who shows the certificate of that name. */
export function shows(name: string): { readonly cert: string; readonly key: string } {
  return { cert: pem(name), key: pem(name) };
}

/** As `openssl` would compute it. */
export function pinOf(name: string): string {
  const { publicKey } = new X509Certificate(pem(name));
  const spki = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(spki).digest("base64");
}
