import { randomBytes } from "node:crypto";
import { hop, hopKeys, integrity, open, rep, req, stack, xrep, xreq } from "wirestack";

const keys = [{ id: 1, secret: randomBytes(32) }]; // of both ends, and of nobody in between
const [here, there] = [hopKeys(), hopKeys()]; // made once; public halves are handed out

const secured = hop({ key: here.privateKey, peers: [there.publicKey] });
const server = open(stack(integrity({ keys }), rep(), xrep(), secured));
console.log(server.toString());
server.on("attached", ({ pipe }) => console.log("known:", pipe.facts.hop.peer === there.publicKey));
server.on("refused", ({ error }) => console.log("refused:", error.message));
server.serve((body) => body);
const { url } = await server.listen("tcp://127.0.0.1:0");

const client = open(
  stack(
    integrity({ keys }),
    req(),
    xreq(),
    hop({ key: there.privateKey, peers: [here.publicKey] }),
  ),
);
client.dial(url);
console.log(new TextDecoder().decode(await client.request("sealed and signed")));

const plain = open(req());
plain.dial(url);
await plain.request("in clear", { timeout: 200 }).catch(() => console.log("no answer"));

for (const socket of [client, plain, server]) await socket.close();
