/** The end of a connection, told while the application takes no more. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { open, pull, push } from "../runtime/index.js";

const test = suite("stream");

const ipc = `ipc://${join(tmpdir(), `wirestack-${process.pid}.ipc`)}`;
for (const address of ["tcp://127.0.0.1:0", ipc, "memory://here"]) {
  test(`over ${address.split(":")[0]}, what came before a peer's end is delivered after it`, async () => {
    const sink = open(pull(), { recvBuffer: 10 });
    const { url } = await sink.listen(address);
    const source = open(push(), { linger: 50 });
    await source.dial(url).ready;
    for (let n = 0; n < 100; n++) await source.send(`${n}`);
    await source.close();
    for (let n = 0; n < 100; n++) {
      assert.is(new TextDecoder().decode(await sink.receive({ timeout: 5000 })), `${n}`);
    }
    await sink.close();
  });
}

test.run();
