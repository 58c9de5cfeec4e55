import { createServer } from "node:http";
import { open, rep, req, stack, ws } from "wirestack";

const http = createServer((_, response) => response.end("an ordinary page\n"));
await new Promise((bound) => http.listen(0, "127.0.0.1", bound));
const at = `ws://127.0.0.1:${http.address().port}`;

// A protocol at one path of this server, and plain WebSocket, as every page speaks it, at another.
const server = open(rep());
server.serve((body) => body);
await server.listen(`${at}/ask`, { ws: { server: http } });
const rooms = open(stack(ws({ server: http, origins: ["https://example.org"] })));
const chat = await rooms.listen(`${at}/chat`);
(async () => {
  for await (const link of chat) link.send("welcome");
})();

const client = open(req());
client.dial(`${at}/ask`);
console.log(new TextDecoder().decode(await client.request("asked over WebSocket")));
const link = await rooms.dial(`${at}/chat`);
console.log(new TextDecoder().decode(await link.receive()));

await Promise.all([client.close(), server.close(), rooms.close()]);
http.close();
