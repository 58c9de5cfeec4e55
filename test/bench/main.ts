/**
 * `npm run bench SET [-- --rounds N --only PART --json]`: PART of a row's name. Exits with 1 if a goal
 * is missed.
 */
import { parseArgs } from "node:util";
import { missed, type Options, type Report, table } from "./report.js";

/** Each returns its report; the modules are loaded only when they are asked for. */
const sets: Readonly<Record<string, (options: Options) => Promise<Report>>> = {
  codecs: async (options) => (await import("./codecs.js")).codecs(options),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "100" },
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  },
});
const [name = ""] = positionals;
const measure = sets[name];
const rounds = Number(values.rounds);
if (measure === undefined || !Number.isInteger(rounds) || rounds < 1) {
  console.error(`npm run bench ${Object.keys(sets).join("|")} [-- --rounds N --only PART --json]`);
  process.exitCode = 2;
} else {
  const report = await measure({ rounds, only: values.only });
  console.log(values.json ? JSON.stringify(report, null, 2) : table(report));
  if (missed(report).length > 0) process.exitCode = 1;
}
