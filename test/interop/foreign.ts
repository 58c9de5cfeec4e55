/**
 * Other software that speaks the scalability protocols: the two command line tools, and a small peer
 * of ours over each C library. All of them are given files to send, and write what they receive to
 * their output as MessagePack binary.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bodyOf } from "../support/body.js";
import type { Program, Side, Stage } from "../support/stage.js";

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
  /** One of its processes sends many files; the tools send one. */
  readonly many: boolean;
  /** Takes messages above 1 MiB. */
  readonly large: boolean;
  start(stage: Stage, role: Role, side: Side, url: string, files: readonly string[]): Program;
}

/** A tool stays when it has sent its file, since what a process has not written goes with it. */
const STAYS = "600";

function tool(
  name: string,
  roles: readonly Role[],
  names: Partial<Record<Role, string>>,
  limit: readonly string[],
  /** Seconds between messages that are sent again. */
  again: string,
): Foreign {
  return {
    name,
    roles,
    many: false,
    large: limit.length > 0,
    start(stage, role, side, url, [file]) {
      const data = file === undefined ? [] : dataOf(file);
      const answers = role === "rep" || role === "respondent";
      const once = answers || file === undefined;
      const interval = once ? [] : ["--interval", repeats(role) ? again : STAYS];
      const where = side === "listen" ? "--bind" : "--connect";
      const what = `--${names[role] ?? role}`;
      const format = role === "push" || role === "pub" ? [] : ["--msgpack", ...limit];
      return stage.start(name, what, where, url, ...format, ...data, ...interval);
    },
  };
}

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

function library(name: string, roles: readonly Role[], source: string, link: string): Library {
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
    many: true,
    large: true,
    start: (stage, role, side, url, files) => stage.start(compiled(), role, side, url, ...files),
    device: (stage, front, ...ends) =>
      stage.start(compiled(), "device", front, ...ends.flatMap(({ side, url }) => [side, url])),
  };
}

export interface End {
  readonly side: Side;
  readonly url: string;
}

export interface Library extends Foreign {
  /** A device of the library's own. */
  device(stage: Stage, front: Role, first: End, second: End): Program;
}

/** nanomsg has no PAIR1. */
const NANOMSG = ROLES.filter((role) => role !== "pair1");

export const nngcat = tool("nngcat", ROLES, {}, ["--recv-maxsz", "0"], "1");
export const nanocat = tool("nanocat", NANOMSG, { pair0: "pair" }, [], "0.2");
export const libnng = library("libnng", ROLES, "nng.c", "-lnng");
export const libnanomsg = library("libnanomsg", NANOMSG, "nanomsg.c", "-lnanomsg");

export const libraries: readonly Library[] = [libnng, libnanomsg];
export const tools: readonly Foreign[] = [nngcat, nanocat];
export const foreigners: readonly Foreign[] = [...tools, ...libraries];

/** Messages that a program has written to its output, whole ones. */
export function received({ output }: Program): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < output.length; ) {
    const octets = WIDTHS[output[at] as number];
    if (octets === undefined) throw new Error(`not MessagePack binary: ${output[at]}`);
    const body = at + 1 + octets;
    if (body > output.length) break;
    const end = body + output.readUIntBE(at + 1, octets);
    if (end > output.length) break;
    messages.push(output.subarray(body, end));
    at = end;
  }
  return messages;
}

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

/** Octets of the length after each first octet: bin 8, bin 16, bin 32. */
const WIDTHS: Readonly<Record<number, number>> = { 196: 1, 197: 2, 198: 4 };

const files = new Map<string, string>();

/** A file of `bodyOf` the same. */
export function fileOf(n: number, seed = 0): string {
  const name = `${n}-${seed}`;
  const known = files.get(name);
  if (known !== undefined) return known;
  const file = made(name);
  files.set(name, file);
  writeFileSync(file, bodyOf(n, seed));
  return file;
}
