import { open, rep, req } from "wirestack";

const server = open(rep());
server.serve((body) => body);
const { url } = await server.listen("tcp://127.0.0.1:0");

const client = open(req());
client.dial(url);
const reply = await client.request("hello, myself");
console.log(new TextDecoder().decode(reply));

await client.close();
await server.close();
