import { open, pair0 } from "wirestack";

await using near = open(pair0());
await using far = open(pair0());
await near.listen("inproc://here");
far.dial("inproc://here");
await far.send("closed at the end of this block, whatever happens");
console.log(new TextDecoder().decode(await near.receive()));
