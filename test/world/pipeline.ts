/** PUSH to PULL, under trouble. */
import {
  pull,
  push,
  type Raw,
  type Sender,
  type Taker,
  xpull,
  xpush,
} from "../../runtime/index.js";
import { Ledger } from "./ledger.js";
import { receiveAll, sendAll } from "./post.js";
import type { Actor, Scene } from "./scene.js";

export async function pipeline(scene: Scene): Promise<void> {
  const { plan, world } = scene;
  const ledger = new Ledger(0, scene.tail);
  const raw = plan.receiving === "raw";
  const senders = Array.from({ length: plan.senders }, (_, i) =>
    scene.open<Sender>(push(), `push ${i}`, { linger: 600_000 }),
  );
  const receivers = Array.from({ length: plan.receivers }, (_, i) =>
    scene.open<Taker | Raw>(raw ? xpull() : pull(), `pull ${i}`),
  );
  await scene.connect(senders, receivers, { front: xpull, back: xpush });
  for (const r of receivers) void receiveAll(scene, r, ledger);
  const sending = senders.map(async (s, i) => {
    if (plan.closesEarly) await attached(scene, s);
    await sendAll(scene, s, i, ledger);
    if (plan.closesEarly) await scene.close(s);
  });
  await scene.trouble();
  await Promise.all(sending);
  await world.until(
    () => settled(scene, ledger),
    () => ledger.missing(world.network, plan.scheme).join(", "),
  );
  scene.see("lost", ledger.open);
  scene.see("came", ledger.came);
}

function attached(scene: Scene, actor: Actor): Promise<void> {
  return scene.world.until(
    () => actor.attached > 0,
    () => `a connection of ${actor.host.name}`,
  );
}

/** Nothing is open but what was lost with a connection. */
export function settled({ world, plan }: Scene, ledger: Ledger): boolean {
  return ledger.open === 0 || ledger.missing(world.network, plan.scheme).length === 0;
}
