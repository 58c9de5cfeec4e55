/**
 * `npm run bench SET [-- --rounds N --only PART --against RIVAL --quick --json]`: PART of a row's name,
 * RIVAL a part of theirs. Exits with 1 if a goal is missed.
 */
import { parseArgs } from "node:util";
import { missed, type Options, type Report, table } from "./report.js";

/** Each returns its report; the modules are loaded only when they are asked for. */
const sets: Readonly<Record<string, (options: Options) => Promise<Report>>> = {
  codecs: async (options) => (await import("./codecs.js")).codecs(options),
  layers: async (options) => (await import("./layers.js")).layers(options),
  sockets: async (options) => (await import("./sockets.js")).sockets(options),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string" },
    only: { type: "string", default: "" },
    against: { type: "string", default: "" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const [name = ""] = positionals;
const measure = sets[name];
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
if (measure === undefined || (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))) {
  const options = "--rounds N --only PART --against RIVAL --quick --json";
  console.error(`npm run bench ${Object.keys(sets).join("|")} [-- ${options}]`);
  process.exitCode = 2;
} else {
  const report = await measure({ ...values, rounds });
  console.log(values.json ? JSON.stringify(report, null, 2) : table(report));
  if (report.rows.length === 0) {
    console.error(`nothing of '${name}' has '${values.only}' in its name`);
    process.exitCode = 2;
  } else if (missed(report).length > 0) process.exitCode = 1;
}
