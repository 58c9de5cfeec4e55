/** TCP addresses as text: `127.0.0.1:5555`, `[::1]:5555`, `localhost:5555`; `*:5555` is every interface. */
import type { Where } from "./env.js";
import { StackError } from "./error.js";

const FORM = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.]+)?)\]|([^\s:/[\];]*)):(\d{1,5})\/?$/;

/** Reads `host:port`; `side` decides what `*` and no host mean, and whether port 0 does. */
export function hostAndPort(scheme: string, rest: string, side: "dial" | "listen"): Where {
  const [, six, name, digits] = FORM.exec(rest) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new StackError(
      `'${scheme}${rest}' is not ${scheme}HOST:PORT, as ${scheme}127.0.0.1:5555 or ${scheme}[::1]:5555`,
    );
  }
  const any = six === undefined && (name === "" || name === "*");
  if (side === "dial" && (any || port === 0)) {
    throw new StackError(`'${scheme}${rest}' names nobody to connect to: give host and port`);
  }
  return { host: any ? "0.0.0.0" : (six ?? (name as string)), port };
}

/** The text that `hostAndPort` reads. */
export function textOf(where: Where): string {
  if ("path" in where) return where.path;
  const { host, port } = where;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
