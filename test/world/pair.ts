/** PAIR of either version, both ways, and a third who wants in. */
import { MAX } from "../../generated/sp/pair1.js";
import { type Exchanger, pair0, pair1, xpair0, xpair1 } from "../../runtime/index.js";
import { Ledger } from "./ledger.js";
import { settled } from "./pipeline.js";
import { receiveAll, sendAll } from "./post.js";
import type { Scene } from "./scene.js";

export async function pair(scene: Scene): Promise<void> {
  const { plan, world } = scene;
  const second = plan.family === "pair1";
  const ledger = new Ledger(second ? MAX : 0, scene.tail);
  const [cooked, raw] = second ? [pair1, xpair1] : [pair0, xpair0];
  const one = scene.open<Exchanger>(cooked(), "one");
  const two = scene.open<Exchanger>(cooked(), "two");
  one.port.on("attached", () => {
    if (one.attached - one.detached > 1) scene.fail(new Error("a pair of three"));
  });
  await scene.connect([one], [two], { front: raw, back: raw });
  const third = plan.receivers > 1 ? scene.open<Exchanger>(cooked(), "third") : undefined;
  if (third !== undefined) {
    scene.see("a third for a pair");
    scene.dial(third, 100);
    void receiveAll(scene, third, ledger);
  }
  void receiveAll(scene, one, ledger);
  void receiveAll(scene, two, ledger);
  const sending = [one, two].map((a, i) => sendAll(scene, a, i, ledger));
  await scene.trouble();
  if (third !== undefined) {
    await scene.close(third);
    // What it had not yet taken is lost with it.
    for (const { near } of world.network.history) if (near.owner === third.host) near.holds = true;
  }
  await Promise.all(sending);
  await world.until(
    () => settled(scene, ledger),
    () => ledger.missing(world.network, plan.scheme).join(", "),
  );
  scene.see("lost", ledger.open);
  scene.see("came", ledger.came);
}
