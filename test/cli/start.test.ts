import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { installed } from "../support/peers.js";

const test = suite("start");

test("the tour shows each joint, what keys open, what a device may change, and three commands", async () => {
  const child = spawn(process.execPath, ["dist/runtime/cli/main.js", "start"]);
  let [said, wrong] = ["", ""];
  child.stdout.on("data", (chunk) => (said += chunk));
  child.stderr.on("data", (chunk) => (wrong += chunk));
  const [status] = await once(child, "close");
  assert.is(wrong, "");
  assert.is(status, 0);

  assert.match(said, /files are as generated/);
  assert.match(said, /asked "the price is 7", answered "THE PRICE IS 7!"/);
  const parts = said.split(/^ {3}(?=\S.*(?:pcapng|with the key log))/m).slice(1);
  const [application, signed, clear, sealed, wire, opened = ""] = parts;
  assert.is(application?.match(/(req|rep)\/port .* "[a-zA-Z ]*(7|\?)?!?"$/gm)?.length, 6);
  assert.match(signed ?? "", /req\/port {2}socket → pipes {2}74 octets {2}"what time is it\?"/);
  assert.match(clear ?? "", /req\/link .* 78 octets {2}[0-9a-f]{8} {2}"what time is it\?"/);
  for (const secret of [sealed, wire]) {
    assert.match(secret ?? "", /\d+ sealed records, of [\d, ]+ octets; no message/);
    assert.not.match(secret ?? "", "price");
  }
  assert.match(opened, /req\/tcp .* "what time is it\?" {2}decrypted/);
  assert.match(said, /integrity {2}Integrity trailer/);
  assert.match(said, /"the PRICE is 7"/);
  assert.match(said, /said\n {3}to that: integrity: wrong tag\. It did not answer/);
  assert.is(said.includes("pong to ping"), installed("nngcat"));

  const commands = said.slice(said.indexOf("Next:")).match(/^ {2}np[mx] .*$/gm) ?? [];
  assert.is(commands.length, 3);
  const args = commands[0]?.split(" ").slice(5) as string[];
  const shown = spawnSync(process.execPath, ["dist/runtime/cli/main.js", "dissect", ...args]);
  assert.is(shown.status, 0);
  assert.match(String(shown.stdout), /"THE PRICE IS 7!" {2}decrypted/);
  rmSync(dirname(args.at(-1) as string), { recursive: true });
});

test.run();
