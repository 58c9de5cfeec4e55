import { readFileSync } from "node:fs";
import { open, rep, req } from "wirestack";

const [ca, mine, yours] = process.argv.slice(2).map((file) => readFileSync(file));

const server = open(rep());
server.on("attached", ({ pipe }) => console.log("here is", pipe.facts.tls.certificate.subject));
server.on("refused", ({ error }) => console.log("sent away:", error.message));
server.serve((body) => body);
// Whoever dials must show a certificate that `ca` signed; so must we.
const tls = { ca, cert: mine, key: mine, requestCert: true };
const { url } = await server.listen("tls+tcp://127.0.0.1:0", { tls });

const client = open(req());
client.dial(url, { tls: { ca, cert: yours, key: yours } });
const reply = await client.request("between us");
console.log(new TextDecoder().decode(reply));

await client.close();
await server.close();
