/**
 * Other software that speaks the scalability protocols: the two command line tools, and a small peer
 * of ours over each C library. All of them are given files to send, and write what they receive to
 * their output as MessagePack binary.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LayerOptions } from "../../runtime/index.js";
import { bodyOf } from "../support/body.js";
import { ca, pathOf, shows } from "../support/certificates.js";
import type { Program, Scheme, Side, Stage } from "../support/stage.js";

export { bodyOf };

/** Who can be at the other end. */
export const OPPOSITE = {
  req: "rep",
  rep: "req",
  push: "pull",
  pull: "push",
  pair0: "pair0",
  pair1: "pair1",
  pub: "sub",
  sub: "pub",
  surveyor: "respondent",
  respondent: "surveyor",
  bus: "bus",
} as const;

export type Role = keyof typeof OPPOSITE;
export const ROLES = Object.keys(OPPOSITE) as Role[];

/** Whether it takes data to send. */
export const sends = (role: Role): boolean => role !== "pull" && role !== "sub";
/** Whoever is not there yet misses what these send: so foreign ones send it again and again. */
export const repeats = (role: Role): boolean =>
  role === "pub" || role === "surveyor" || role === "bus";

export interface Foreign {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly schemes: readonly Scheme[];
  /** One of its processes sends many files; the tools send one. */
  readonly many: boolean;
  /** Takes messages above 1 MiB. */
  readonly large: boolean;
  start(stage: Stage, role: Role, side: Side, url: string, files: readonly string[]): Program;
}

export const secured = (scheme: Scheme): boolean => scheme === "wss" || scheme === "tls+tcp";

/** What both have of TLS: ours asks for the other's certificate. */
export function termsOf(scheme: Scheme): LayerOptions {
  return secured(scheme) ? { tls: { ...shows("localhost"), ca, requestCert: true } } : {};
}

/** NNG looks for the host's name, as text, in our certificate. */
const named = (side: Side, url: string): string =>
  side === "dial" ? url.replace(/^(tls\+tcp|wss)(:\/\/)127\.0\.0\.1/, "$1$2localhost") : url;

/** A tool stays when it has sent its file, since what a process has not written goes with it. */
const STAYS = "600";

function tool(
  name: string,
  roles: readonly Role[],
  schemes: readonly Scheme[],
  names: Partial<Record<Role, string>>,
  limit: readonly string[],
  /** How it sends again. */
  again: (role: Role) => readonly string[],
): Foreign {
  return {
    name,
    roles,
    schemes,
    many: false,
    large: limit.length > 0,
    start(stage, role, side, url, [file]) {
      const data = file === undefined ? [] : dataOf(file);
      const answers = role === "rep" || role === "respondent";
      const once = answers || file === undefined;
      const interval = once ? [] : repeats(role) ? again(role) : ["--interval", STAYS];
      const where = side === "listen" ? "--bind" : "--connect";
      const what = `--${names[role] ?? role}`;
      const format = role === "push" || role === "pub" ? [] : ["--msgpack", ...limit];
      const trust = SECURED.test(url) ? TRUST : [];
      return stage.start(
        name,
        ...[what, where, named(side, url)],
        ...[...format, ...trust, ...data, ...interval],
      );
    },
  };
}

const SECURED = /^(tls\+tcp|wss):/;
const TRUST = ["--cacert", pathOf("ca"), "--cert", pathOf("localhost")];

/** nanocat aborts on an empty file. */
function dataOf(file: string): string[] {
  return readFileSync(file).length === 0 ? ["--data", ""] : ["--file", file];
}

const sources = "test/interop/peers";

let folder: string | undefined;

/** A path in a folder that goes with this process. */
function made(name: string): string {
  if (folder === undefined) {
    const path = mkdtempSync(join(tmpdir(), "wirestack-"));
    process.on("exit", () => rmSync(path, { recursive: true }));
    folder = path;
  }
  return join(folder, name);
}

function library(
  name: string,
  roles: readonly Role[],
  schemes: readonly Scheme[],
  source: string,
  link: string,
): Library {
  let program: string | undefined;
  /** Compiled once, when first needed. */
  const compiled = (): string => {
    if (program !== undefined) return program;
    program = made(name);
    const files = ["peer.c", source].map((file) => join(sources, file));
    execFileSync("gcc", ["-std=c11", "-D_GNU_SOURCE", "-O1", "-o", program, ...files, link]);
    return program;
  };
  return {
    name,
    roles,
    schemes,
    many: true,
    large: true,
    start: (stage, role, side, url, files) =>
      stage.start(compiled(), role, side, named(side, url), ...files),
    text: (stage, role, side, url, files) =>
      stage.start(compiled(), "text", role, side, url, ...files),
    device: (stage, front, ...ends) =>
      stage.start(compiled(), "device", front, ...ends.flatMap(({ side, url }) => [side, url])),
  };
}

export interface End {
  readonly side: Side;
  readonly url: string;
}

export interface Library extends Foreign {
  /** As `start`, and sends as text, where it can. */
  text: Foreign["start"];
  /** A device of the library's own. */
  device(stage: Stage, front: Role, first: End, second: End): Program;
}

/** nanomsg has no PAIR1. */
const NANOMSG = ROLES.filter((role) => role !== "pair1");

const PLAIN: readonly Scheme[] = ["tcp", "ipc", "ws"];
/** Debian's nanomsg has no TLS; its NNG knows no newer version than 1.2. */
const ALL: readonly Scheme[] = [...PLAIN, "tls+tcp", "wss"];

export const nngcat = tool("nngcat", ROLES, ALL, {}, ["--recv-maxsz", "0"], (role) =>
  // Surveys as far apart as they are long make it wait for ever, sometimes, when there is much to do.
  role === "surveyor" ? ["--delay", "1", "--interval", "2"] : ["--interval", "1"],
);
export const nanocat = tool("nanocat", NANOMSG, PLAIN, { pair0: "pair" }, [], () => [
  "--interval",
  "0.2",
]);
export const libnng = library("libnng", ROLES, ALL, "nng.c", "-lnng");
export const libnanomsg = library("libnanomsg", NANOMSG, PLAIN, "nanomsg.c", "-lnanomsg");

export const libraries: readonly Library[] = [libnng, libnanomsg];
export const tools: readonly Foreign[] = [nngcat, nanocat];
export const foreigners: readonly Foreign[] = [...tools, ...libraries];

export interface Came {
  readonly body: Uint8Array;
  /** It says that it came as text. */
  readonly text: boolean;
}

/** Messages that a program has written to its output, whole ones. */
export function came({ output }: Program): Came[] {
  const messages: Came[] = [];
  for (let at = 0; at < output.length; ) {
    const kind = KINDS[output[at] as number];
    if (kind === undefined) throw new Error(`not MessagePack binary: ${output[at]}`);
    const body = at + 1 + kind.octets;
    if (body > output.length) break;
    const end = body + output.readUIntBE(at + 1, kind.octets);
    if (end > output.length) break;
    messages.push({ body: output.subarray(body, end), text: kind.text });
    at = end;
  }
  return messages;
}

export const received = (program: Program): Uint8Array[] => came(program).map(({ body }) => body);

/** Which of `expected` it is. */
export function indexOf(body: Uint8Array, expected: readonly Uint8Array[]): number {
  const i = expected.findIndex((other) => Buffer.compare(other, body) === 0);
  if (i < 0) throw new Error(`of ${body.length} octets, and nobody sent that`);
  return i;
}

/** Whether these are all of `expected`, some of them again and again, and nothing else. */
export function covers(got: readonly Uint8Array[], expected: readonly Uint8Array[]): boolean {
  return new Set(got.map((body) => indexOf(body, expected))).size === expected.length;
}

/** Octets of the length after each first octet: bin 8, bin 16, bin 32, and str 32. */
const KINDS: Readonly<Record<number, { readonly octets: number; readonly text: boolean }>> = {
  196: { octets: 1, text: false },
  197: { octets: 2, text: false },
  198: { octets: 4, text: false },
  219: { octets: 4, text: true },
};

const files = new Map<string, string>();

/** A file of these octets. */
export function fileWith(name: string, octets: Uint8Array): string {
  const path = made(name);
  writeFileSync(path, octets);
  return path;
}

/** A file of `bodyOf` the same. */
export function fileOf(n: number, seed = 0): string {
  const name = `${n}-${seed}`;
  const known = files.get(name);
  if (known !== undefined) return known;
  const file = fileWith(name, bodyOf(n, seed));
  files.set(name, file);
  return file;
}
