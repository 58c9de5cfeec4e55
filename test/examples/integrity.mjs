import { randomBytes } from "node:crypto";
import { KeyRing, integrity, open, rep, req, stack, xrep, xreq } from "wirestack";

const day = 24 * 3600 * 1000;
const [old, next] = [randomBytes(32), randomBytes(32)]; // both sides have them
const keys = [{ id: 1, secret: old, notAfter: Date.now() + day }];

const server = open(stack(integrity({ keys: new KeyRing(keys) }), rep(), xrep()));
server.on("rejected", ({ error }) => console.log("dropped:", error.message));
server.serve((body) => body);
const { url } = await server.listen("tcp://127.0.0.1:0");

const ring = new KeyRing(keys);
const client = open(stack(integrity({ keys: ring }), req(), xreq()));
client.dial(url);
console.log(new TextDecoder().decode(await client.request("signed")));

ring.add({ id: 2, secret: next, notBefore: Date.now() }); // the server does not know it yet
await client.request("too early", { timeout: 100 }).catch(() => console.log("no reply"));
console.log(server.stats().malformed);

await client.close();
await server.close();
