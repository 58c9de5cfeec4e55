/** Another process, which answers under integrity, and says where. */
import {
  bus,
  integrity,
  open,
  pair1,
  push,
  rep,
  respondent,
  stack,
  sub,
} from "../../../runtime/index.js";

const [secret = "", ...addresses] = process.argv.slice(2);
const layer = integrity({ keys: [{ id: 1, secret: Buffer.from(secret, "hex") }] });

const replier = open(stack(layer, rep()));
replier.serve((body) => body);
const responder = open(stack(layer, respondent()));
responder.serve((body) => body);
const [pair, neighbour] = [open(stack(layer, pair1())), open(stack(layer, bus()))];
const [reader, pusher] = [open(stack(layer, sub())), open(stack(layer, push()))];
reader.subscribe("topic");

async function echo(from: AsyncIterable<Uint8Array>, to: { send(b: Uint8Array): Promise<void> }) {
  for await (const body of from) await to.send(body);
}
for (const [from, to] of [
  [pair, pair],
  [neighbour, neighbour],
  [reader, pusher],
] as const) {
  void echo(from, to);
}

const sockets = { replier, responder, pair, neighbour, reader, pusher };
const urls = Object.entries(sockets).map(async ([name, socket], i) => {
  const { url } = await socket.listen((addresses[i] ?? addresses[0]) as string);
  return [name, url] as const;
});
console.log(JSON.stringify(Object.fromEntries(await Promise.all(urls))));
