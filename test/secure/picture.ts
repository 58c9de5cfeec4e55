/**
 * The stack that this project began with, for each pattern: integrity, a scalability protocol, encryption
 * hop by hop, and whatever an address brings. As a program it answers in a process of its own.
 */
import {
  bus,
  hop,
  integrity,
  open,
  pair1,
  pub,
  pull,
  push,
  rep,
  req,
  respondent,
  type SocketOptions,
  stack,
  sub,
  surveyor,
  xbus,
  xpair1,
  xpub,
  xpull,
  xpush,
  xrep,
  xreq,
  xrespondent,
  xsub,
  xsurveyor,
} from "../../runtime/index.js";
import { KEYS } from "./keys.js";

const SECRET = new Uint8Array(32).fill(7);

/** Layers of one side; each hop and each end has its own keys. */
export function layersOf(side: "dial" | "listen", over: { readonly hop?: object } = {}) {
  const other = side === "dial" ? "listen" : "dial";
  const { privateKey: key } = KEYS[side];
  return {
    signed: integrity({ keys: [{ id: 1, secret: SECRET }] }),
    sealed: hop({ key, peers: [KEYS[other].publicKey], ...over.hop }),
  };
}

/** Those who are asked, and answer what they hear. */
export function answerers(options: SocketOptions = {}) {
  const { signed, sealed } = layersOf("listen");
  const replier = open(stack(signed, rep(), xrep(), sealed), options);
  replier.serve((body) => body);
  const responder = open(stack(signed, respondent(), xrespondent(), sealed), options);
  responder.serve((body) => body);
  const pair = open(stack(signed, pair1(), xpair1(), sealed), options);
  const neighbour = open(stack(signed, bus(), xbus(), sealed), options);
  const reader = open(stack(signed, sub(), xsub(), sealed), options);
  const pusher = open(stack(signed, push(), xpush(), sealed), options);
  reader.subscribe("topic");
  const echo = async (
    from: AsyncIterable<Uint8Array>,
    to: { send(b: Uint8Array): Promise<void> },
  ) => {
    for await (const body of from) await to.send(body).catch(() => {});
  };
  void echo(pair, pair);
  void echo(neighbour, neighbour);
  void echo(reader, pusher);
  return { replier, responder, pair, neighbour, reader, pusher };
}

/** Those who ask. */
export function askers(options: SocketOptions = {}) {
  const { signed, sealed } = layersOf("dial");
  return {
    replier: open(stack(signed, req(), xreq(), sealed), options),
    responder: open(stack(signed, surveyor(), xsurveyor(), sealed), options),
    pair: open(stack(signed, pair1(), xpair1(), sealed), options),
    neighbour: open(stack(signed, bus(), xbus(), sealed), options),
    reader: open(stack(signed, pub(), xpub(), sealed), options),
    pusher: open(stack(signed, pull(), xpull(), sealed), options),
  };
}

const [as, ...addresses] = process.argv.slice(2);
if (as === "answer") {
  const urls = Object.entries(answerers()).map(async ([name, socket], i) => {
    const { url } = await socket.listen(addresses[i] as string);
    return [name, url] as const;
  });
  console.log(JSON.stringify(Object.fromEntries(await Promise.all(urls))));
}
