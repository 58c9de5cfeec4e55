import { open, rep, req, stack, tap, xrep, xreq } from "wirestack";
import { acmeMark } from "./layers/acme/mark.layer.mjs";

const server = open(stack(rep(), xrep(), acmeMark()));
server.serve((body) => body);
const { url } = await server.listen("tcp://127.0.0.1:0");

const client = open(stack(req(), xreq(), acmeMark(), tap("marked.pcapng")));
client.dial(url);
const reply = await client.request("through a layer of mine");
console.log(new TextDecoder().decode(reply));
await client.close();
await server.close();
