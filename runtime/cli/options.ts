/** Options of a command, and what to say of those that it does not have. */
import { type ParseArgsConfig, parseArgs } from "node:util";

/** As node's `parseArgs`; throws what says which option was meant. `loose`: what to do with other words. */
export async function parsed<T extends ParseArgsConfig & { options: object }>(
  config: T,
  loose = "",
): Promise<ReturnType<typeof parseArgs<T>>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const { message } = error as Error;
    const [, word] = /^Unexpected argument '(.*?)'\. /.exec(message) ?? [];
    if (word !== undefined) throw new Error(`'${word}' is no option${loose}`);
    const [, wrong] = /^Unknown option '(-*[^']+)'/.exec(message) ?? [];
    if (wrong === undefined) throw error;
    const names = Object.keys(config.options).map((name) => `--${name}`);
    const { hint } = await import("../../codegen/error.js");
    throw new Error(`no option '${wrong}'; ${hint(wrong, new Set(names), "options")}`);
  }
}
