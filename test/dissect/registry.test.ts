import { readdirSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { registry } from "../../generated/dissect.js";

test("the dissector names no header: what headers mean is in the registry alone", () => {
  const files = readdirSync("runtime/dissect", { recursive: true }).map(String);
  const sources = files.filter((f) => f.endsWith(".ts"));
  assert.ok(sources.length > 10);
  for (const file of sources) {
    const code = readFileSync(`runtime/dissect/${file}`, "utf8");
    for (const { name } of [...registry.headers, ...registry.openers]) {
      // Imports of codecs are paths; whole words in quotes would be knowledge.
      assert.not.ok(
        new RegExp(`["'\`]${name.replace(".", "\\.")}["'\`]`).test(code),
        `${file}: ${name}`,
      );
    }
  }
});

test.run();
