/**
 * Traffic that nobody can read who has no keys: four patterns, over tcp and WebSocket, with new keys and
 * padding as they go. What it says is known, so what is found in a capture of it can be held to that.
 */
import {
  type HopPattern,
  hop,
  integrity,
  open,
  type Ports,
  pub,
  pull,
  push,
  rep,
  req,
  sub,
  xpub,
  xpull,
  xpush,
  xrep,
  xreq,
  xsub,
} from "../../runtime/index.js";
import { type AnyLayer, check, type Stack } from "../../runtime/stack.js";
import { optionsOf } from "./keys.js";

/** A message, as lists have it. */
export interface Said {
  readonly protocol: string;
  readonly body: string;
}

const BIG = "0123456789".repeat(15_000);
const QUESTIONS = ["what time is it?", "", "and now?", BIG.slice(0, 3000)];
const JOBS = [...Array.from({ length: 40 }, (_, i) => `job ${i}`), BIG, "the last"];
const NEWS = ["weather: sunny", `weather: ${BIG.slice(0, 400)}`];

export const SAID: readonly Said[] = [
  ...QUESTIONS.flatMap((body) => [
    { protocol: "req", body },
    { protocol: "rep", body: `${body}!` },
  ]),
  ...JOBS.map((body) => ({ protocol: "push", body })),
  ...NEWS.map((body) => ({ protocol: "pub", body })),
];

/** Where they are held. */
export interface Places {
  readonly asked: string;
  readonly pushed: string;
  readonly news: string;
}

const raised = <F extends keyof Ports>(...layers: readonly AnyLayer[]): Ports[F] =>
  open(check(layers) as Stack<F>);
const keys = [{ id: 7, secret: new Uint8Array(32).fill(7) }];
const timeout = 5000;

/** Holds the conversations; whoever dials logs keys, and stands on this tap above its hop, if there is one. */
export async function converse(
  { asked, pushed, news }: Places,
  keyLog: string,
  above?: AnyLayer,
): Promise<void> {
  const taps = above === undefined ? [] : [above];
  const by = (side: "dial" | "listen", pattern: HopPattern, more: object = {}) =>
    hop(optionsOf(side, pattern, side === "dial" ? { ...more, keyLog } : more));

  const replier = raised<"rep">(integrity({ keys }), rep(), xrep(), by("listen", "XX"));
  replier.serve((body) => Buffer.concat([body, Buffer.from("!")]));
  await replier.listen(asked);
  const asker = raised<"req">(integrity({ keys }), req(), xreq(), ...taps, by("dial", "XX"));
  asker.dial(asked);
  for (const question of QUESTIONS) await asker.request(question, { timeout });

  const suite = "25519_ChaChaPoly_SHA256";
  const more = { suite, rekey: { records: 3 }, padding: "buckets" };
  const sink = raised<"pull">(pull(), xpull(), by("listen", "NNpsk0", more));
  await sink.listen(pushed);
  const source = raised<"push">(push(), xpush(), ...taps, by("dial", "NNpsk0", more));
  source.dial(pushed);
  for (const job of JOBS) {
    await source.send(job);
    await sink.receive({ timeout });
  }

  const reader = raised<"sub">(sub(), xsub(), by("listen", "IK"));
  reader.subscribe("weather");
  await reader.listen(news);
  const station = raised<"pub">(pub(), xpub(), ...taps, by("dial", "IK"));
  await station.dial(news).ready;
  for (const item of NEWS) {
    await station.send(item);
    await reader.receive({ timeout });
  }
  const all = [asker, replier, source, sink, station, reader];
  await Promise.all(all.map((socket) => socket.close()));
}
