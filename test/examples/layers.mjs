import { open, req, sp, stack, tcp, xreq } from "wirestack";

const layers = stack(req(), xreq(), sp(), tcp());
console.log(layers.toString());

const socket = open(layers);
socket.dial(process.argv[2] ?? "tcp://127.0.0.1:5555");
const reply = await socket.request("ping", { timeout: 2000 });
console.log(new TextDecoder().decode(reply));
await socket.close();
