import { open, req } from "wirestack";

const socket = open(req());
socket.dial(process.argv[2] ?? "tcp://127.0.0.1:5555");
const reply = await socket.request("ping", { timeout: 2000 });
console.log(new TextDecoder().decode(reply));
await socket.close();
