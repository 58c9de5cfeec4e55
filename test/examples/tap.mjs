import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hop, open, pull, push, readKeyLog, stack, tap, xpull, xpush } from "wirestack";
import { dissect } from "wirestack/dissect";

const psk = randomBytes(32);
const secured = (more) => hop({ pattern: "NNpsk0", psk, ...more });
const sink = open(stack(pull(), xpull(), secured()));
await sink.listen("ipc://tapped.ipc"); // where no capture tool reaches

// Above the hop all is in clear, below it sealed, for whoever does not have the session's keys.
const [clear, sealed] = [tap("clear.pcapng"), tap("sealed.pcapng")];
const source = open(stack(push(), xpush(), clear, secured({ keyLog: "keys.log" }), sealed));
source.dial("ipc://tapped.ipc");
await source.send("seen from inside");
await sink.receive();
await source.close();
await sink.close();

const keys = readKeyLog(readFileSync("keys.log", "utf8"));
for (const [file, options] of [["clear.pcapng"], ["sealed.pcapng"], ["sealed.pcapng", { keys }]]) {
  let found = 0;
  for await (const { messages } of dissect(file, options)) {
    for (const { protocol, payload } of messages) {
      console.log(`${file}: ${protocol} says ${new TextDecoder().decode(payload)}`);
      found++;
    }
  }
  if (found === 0) console.log(`${file}: no messages without keys`);
}
