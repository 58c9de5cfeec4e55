import { readdirSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CaptureError, dissect, messageRow } from "../../runtime/dissect/index.js";

const CAPTURES = "test/captures";

/** Rows that an independent extractor found, by file. */
const truth = new Map<string, string[]>();
for (const line of readFileSync(`${CAPTURES}/messages.tsv`, "utf8").split("\n")) {
  if (line === "" || line.startsWith("#")) continue;
  const [file = "", ...row] = line.split("\t");
  truth.set(file, [...(truth.get(file) ?? []), row.join("\t")]);
}

async function rows(file: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const frame of dissect(`${CAPTURES}/${file}`)) {
      found.push(...frame.messages.filter((m) => m.missing === 0).map(messageRow));
    }
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
  }
  return found;
}

for (const folder of ["peers", "variants"]) {
  const files = readdirSync(`${CAPTURES}/${folder}`);
  test(`every message of ${folder} is found, and no other, in each of ${files.length} files`, async () => {
    let compared = 0;
    for (const name of files) {
      const file = `${folder}/${name}`;
      const want = truth.get(file) ?? [];
      assert.equal(await rows(file), want, file);
      compared += want.length;
    }
    assert.is(compared, folder === "peers" ? 104 : 176);
  });
}

test.run();
