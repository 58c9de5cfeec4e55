import { open, pull, push } from "wirestack";

const sink = open(pull(), { recvMax: 8 << 20, recvBuffer: 100 });
sink.on("detached", ({ error }) =>
  console.log("the source has gone:", error?.message ?? "no error"),
);
sink.on("refused", ({ error }) => console.log("somebody was sent away:", error.message));
const { url } = await sink.listen("tcp://127.0.0.1:0");

const source = open(push(), { reconnect: { min: 50, max: 2000 } });
await source.dial(url).ready;
const pushing = (async () => {
  for (let job = 0; job < 1000; job++) await source.send(`job ${job}`);
  await source.close();
})();

let taken = 0;
for await (const _job of sink) if (++taken === 1000) break;
await pushing;
const { received, receivedOctets, malformed } = sink.stats();
console.log({ received, receivedOctets, malformed });
await sink.close();
