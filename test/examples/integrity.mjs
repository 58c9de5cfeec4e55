import { randomBytes } from "node:crypto";
import { integrity, KeyRing, open, rep, req, stack } from "wirestack";

const first = { id: 1, secret: randomBytes(32) }; // both sides have it, and nobody else
const [here, there] = [new KeyRing([first]), new KeyRing([first])];

const server = open(stack(integrity({ keys: here }), rep()));
server.on("rejected", ({ error }) => console.log("dropped:", error.message));
server.serve((body) => body);
const { url } = await server.listen("tcp://127.0.0.1:0");

const client = open(stack(integrity({ keys: there }), req()));
client.dial(url);
const second = { id: 2, secret: randomBytes(32), notBefore: Date.now() };
for (const ring of [here, there]) ring.add(second); // the first still counts
const reply = await client.request("signed by key");
console.log(new TextDecoder().decode(reply), there.current(Date.now()));
for (const ring of [here, there]) ring.remove(1);

const stranger = open(req());
stranger.dial(url);
await stranger.request("I am the client", { timeout: 500 }).catch(() => console.log("no answer"));

for (const socket of [client, stranger, server]) await socket.close();
