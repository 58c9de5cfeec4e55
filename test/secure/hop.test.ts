/** Encryption by hops: who is let in, what an observer sees, and how a connection ends. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  hop,
  hopKeys,
  open,
  pull,
  push,
  rep,
  req,
  sp,
  stack,
  tcp,
  xpull,
  xpush,
  xrep,
  xreq,
} from "../../runtime/index.js";

const test = suite("hop");

test("smoke", async () => {
  const [a, b] = [hopKeys(), hopKeys()];
  const server = open(stack(rep(), xrep(), hop({ key: b.privateKey, peers: [a.publicKey] })));
  server.on("refused", (e) => console.log("srv refused", e.error));
  server.on("detached", (e) => console.log("srv detached", e.error));
  server.on("attached", (e) => console.log("srv attached", e.pipe.facts));
  server.serve((body) => body);
  const { url } = await server.listen("tcp://127.0.0.1:0");
  const client = open(stack(req(), xreq(), hop({ key: a.privateKey, peers: [b.publicKey] })));
  client.on("refused", (e) => console.log("cli refused", e.error));
  client.on("detached", (e) => console.log("cli detached", e.error));
  client.dial(url);
  for (const n of [0, 1, 64, 70_000, 1_000_000]) {
    const body = new Uint8Array(n).fill(7);
    const reply = await client.request(body, { timeout: 2000 });
    assert.equal(Buffer.from(reply).equals(Buffer.from(body)), true, `${n}`);
  }
  console.log(client.toString(), client.stats(), server.stats());
  await client.close();
  await server.close();
});

test.run();
