/** Every layer between a hub and a transport, found where such layers are kept, obeys the laws of layers. */
import { existsSync, readdirSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { layerChecks } from "../../runtime/kit/index.js";
import type { Layer } from "../../runtime/layer.js";
import { RUNS } from "./runs.js";

const test = suite("layers");
const found: string[] = [];
/** Layers that need options, or more than octets below: their own tests call `layerChecks`. */
const elsewhere: readonly string[] = ["hop", "integrity", "tap", "ws"];

for (const folder of ["framing", "secure", "tools"]) {
  const url = new URL(`../../runtime/${folder}/`, import.meta.url);
  if (!existsSync(url)) continue;
  for (const file of readdirSync(url).filter((name) => name.endsWith(".js"))) {
    const module = (await import(new URL(file, url).href)) as Record<string, unknown>;
    for (const [name, make] of Object.entries(module)) {
      if (typeof make !== "function" || !/^[a-z]/.test(name) || elsewhere.includes(name)) continue;
      found.push(name);
      const checks = layerChecks({ ...RUNS, make: make as () => Layer });
      for (const { name, run } of checks) test(name, run);
    }
  }
}

test("the layers that there are were found", () => {
  assert.equal(
    ["sp", "spIpc"].filter((name) => !found.includes(name)),
    [],
  );
});

test.run();
