#!/usr/bin/env node
/** The command: finds the subcommand and hands its arguments on. */
import { version } from "./version.js";

const HELP = `wirestack: headers described once; codecs, documentation and a dissector from them

  wirestack dissect FILE          take a capture apart: layers, fields, messages
  wirestack cat --req --dial URL  send and receive messages, as nngcat does
  wirestack codegen [FOLDER]      generate from a folder of specs
  wirestack start                 a tour: a stack between processes, and what each of its joints sees

  wirestack COMMAND --help        more about a command, with examples
  wirestack --version
`;

type Command = (args: string[]) => Promise<number>;
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  dissect: async () => (await import("./dissect.js")).dissectCommand,
  cat: async () => (await import("./cat.js")).catCommand,
  start: async () => (await import("./start.js")).startCommand,
  codegen: async () => (await import("../../codegen/main.js")).main,
};

async function main([name = "--help", ...args]: string[]): Promise<number> {
  if (name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(HELP);
    return 0;
  }
  if (name === "--version") {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return (await command())(args);
  process.stderr.write(`wirestack: no command '${name}'; see: wirestack --help\n`);
  return 1;
}

// Who reads no further, as `head` does, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`wirestack: ${error.message}\n`);
  return 1;
});
