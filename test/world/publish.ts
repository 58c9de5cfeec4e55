/** PUB to SUB, under trouble: nothing twice, nothing changed, and whoever misses what, it is counted. */
import { pub, type Sender, type Subscriber, sub, xpub, xsub } from "../../runtime/index.js";
import { Ledger } from "./ledger.js";
import type { Letter } from "./letter.js";
import { receiveAll, sendAll } from "./post.js";
import type { Scene } from "./scene.js";

export async function publish(scene: Scene): Promise<void> {
  const { plan, world } = scene;
  const { random } = world;
  const overflow = random.pick("drop-old", "drop-new", "wait");
  const senders = Array.from({ length: plan.senders }, (_, i) =>
    scene.open<Sender>(pub(), `pub ${i}`),
  );
  const receivers = Array.from({ length: plan.receivers }, (_, i) =>
    scene.open<Subscriber>(sub({ overflow }), `sub ${i}`),
  );
  const wants = receivers.map(({ port }) => {
    // A letter begins with its sender's number.
    const wanted = random.often(0.5) ? undefined : random.whole(0, plan.senders - 1);
    port.subscribe(wanted === undefined ? "" : Uint8Array.of(wanted));
    return (letter: Letter) => wanted === undefined || letter.sender === wanted;
  });
  await scene.connect(senders, receivers, { front: xsub, back: xpub });
  const ledgers = receivers.map(() => new Ledger());
  const wanting = (letter: Letter) => ledgers.filter((_, i) => wants[i]?.(letter));
  for (const [i, r] of receivers.entries()) void receiveAll(scene, r, ledgers[i] as Ledger);

  const { refuses, hangs } = plan.conditions;
  const sound = plan.faults.length === 0 && refuses + hangs === 0 && plan.devices === 0;
  const joints = plan.senders * plan.receivers;
  if (sound) {
    await world.until(
      () => senders.reduce((n, s) => n + s.attached, 0) === joints,
      () => "all connections",
    );
  }
  const sending = senders.map((s, i) =>
    sendAll(scene, s, i, {
      offer: (letter) => wanting(letter).forEach((l) => void l.offer(letter)),
      sent: (letter) => wanting(letter).forEach((l) => void l.sent(letter)),
      withdraw: (letter) => wanting(letter).forEach((l) => void l.withdraw(letter)),
    }),
  );
  await scene.trouble();
  await Promise.all(sending);
  // It comes to rest: what has not come by then never will.
  let before = -1;
  const came = () => ledgers.reduce((n, l) => n + l.came, 0);
  while (before !== came()) {
    before = came();
    await world.sleep(5000);
  }
  scene.see("came", came());
  if (!sound) return;
  scene.see("a publication of all");
  const dropped = (ports: readonly (Sender | Subscriber)[], rule: string) =>
    ports.reduce((n, p) => n + (p.stats().dropped[rule] ?? 0), 0);
  const subscribers = receivers.map((r) => r.port);
  const missed =
    dropped(
      senders.map((s) => s.port),
      "pub: the peer takes no more",
    ) +
    dropped(subscribers, "receive queue full") +
    dropped(subscribers, "sub: no such topic");
  const due = plan.messages * joints;
  if (came() + missed !== due) {
    throw new Error(`of ${due} deliveries ${came()} came, and ${missed} are counted as missed`);
  }
}
