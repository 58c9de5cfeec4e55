import { open, rep, req, stack, tap, xrep, xreq } from "wirestack";
import { acmeDeflate } from "./specs/acme/deflate.layer.mjs";

const server = open(stack(rep(), xrep(), acmeDeflate()));
server.serve((body) => body);
const { url } = await server.listen("tcp://127.0.0.1:0");

const client = open(stack(req(), xreq(), acmeDeflate(), tap("traffic.pcapng")));
client.dial(url);
for (const body of ["short", "long ".repeat(1000)]) await client.request(body);

await client.close();
await server.close();
