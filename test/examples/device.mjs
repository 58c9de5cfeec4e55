import { randomBytes } from "node:crypto";
import { device, hop, integrity, open, rep, req, stack, xrep, xreq } from "wirestack";

const keys = [{ id: 1, secret: randomBytes(32) }];
const [inner, outer] = [randomBytes(32), randomBytes(32)]; // a secret for each hop
const by = (psk) => hop({ pattern: "NNpsk0", psk });

// Behind the device, and before it: they share what it does not have.
const server = open(stack(integrity({ keys }), rep(), xrep(), by(inner)));
server.serve((body) => body);
const { url } = await server.listen("tcp://127.0.0.1:0");
const [front, back] = [open(stack(xrep(), by(outer))), open(stack(xreq(), by(inner)))];
const door = await front.listen("tcp://127.0.0.1:0");
await back.dial(url).ready;

// It reads what it forwards, and cannot change it. Whatever is said here is said for every message.
const through = (m, from) => {
  console.log(from === front ? "→" : "←", from.body(m).length, "octets");
  return m;
};
device(front, back, { through });

const client = open(stack(integrity({ keys }), req(), xreq(), by(outer)));
client.dial(door.url);
console.log(new TextDecoder().decode(await client.request("through two hops")));

for (const socket of [client, front, back, server]) await socket.close();
