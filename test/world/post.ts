/** Who sends letters, and who receives them, in all the ways that there are. */
import {
  CancelledError,
  ClosedError,
  type Exchanger,
  Message,
  type Raw,
  type Sender,
  type Taker,
  TimeoutError,
  type Waits,
} from "../../runtime/index.js";
import type { Ledger } from "./ledger.js";
import { SHORTEST, write } from "./letter.js";
import type { Actor, Scene } from "./scene.js";

/** Sends the plan's letters; resolves when the last was handed off, or given up. */
export async function sendAll(
  scene: Scene,
  { port }: Actor<Sender | Exchanger>,
  sender: number,
  ledger: Pick<Ledger, "offer" | "sent" | "withdraw">,
): Promise<void> {
  const { plan, world } = scene;
  const { random } = world;
  const under: Promise<void>[] = [];
  for (let number = 0; number < plan.messages; number++) {
    const letter = { sender, number };
    const body = write(letter, random.whole(SHORTEST, plan.largest));
    ledger.offer(letter);
    if (plan.sending === "try") {
      while (!port.trySend(body)) {
        scene.see("trySend said no");
        await world.sleep(5);
      }
      ledger.sent(letter);
      // Who never waits says in one write what it says at once: then nobody misses anything.
      if (plan.family === "publish") await world.sleep(random.between(0, 2));
      continue;
    }
    const limits = random.often(plan.impatience) ? impatience(scene) : {};
    const handed = world.waits(port.send(body, limits), `send of ${sender}/${number}`).then(
      () => ledger.sent(letter),
      (error) => {
        if (!(error instanceof TimeoutError || error instanceof CancelledError)) throw error;
        scene.see("a send given up");
        ledger.withdraw(letter);
      },
    );
    if (plan.sending === "await") await handed;
    else under.push(handed);
  }
  await Promise.all(under);
}

/** A deadline, or a signal that will be raised. */
export function impatience({ world }: Scene): Waits {
  const ms = world.random.between(0, 30);
  if (world.random.often(0.5)) return { timeout: ms };
  const controller = new AbortController();
  world.clock.after(ms, () => controller.abort());
  return { signal: controller.signal };
}

/** Receives letters until the socket closes. */
export async function receiveAll(
  scene: Scene,
  actor: Actor<Taker | Exchanger | Raw>,
  ledger: Ledger,
): Promise<void> {
  const { plan, world } = scene;
  const { port } = actor;
  // Order is kept on each pipe. Only raw sockets tell pipes apart; others while there was but one each.
  const inOrder = plan.devices === 0 && plan.faults.length === 0 && plan.conditions.refuses === 0;
  let taken = 0;
  let octets = 0;
  const take = async (m: Uint8Array | Message) => {
    const isRaw = m instanceof Message;
    const body = isRaw ? new Uint8Array(Buffer.concat(m.segments())) : m;
    ledger.take(body, isRaw && plan.devices === 0 ? m.pipe : inOrder ? port : undefined);
    taken++;
    octets += body.length;
    marks(scene, actor, taken, octets);
    if (plan.work > 0) await world.sleep(world.random.between(0, plan.work));
  };
  for (;;) {
    try {
      if (plan.receiving === "poll" && "tryReceive" in port) {
        const m = port.tryReceive();
        if (m !== undefined) await take(m);
        else if (actor.closed) return;
        else await world.sleep(10);
      } else if (plan.receiving === "loop" || plan.receiving === "raw") {
        for await (const m of port) await take(m);
        return;
      } else {
        const limits = plan.receiving === "deadlines" ? { timeout: 15 } : {};
        await take(
          await world.waits<Uint8Array | Message>(
            port.receive(limits),
            `receive of ${actor.host.name}`,
          ),
        );
      }
    } catch (error) {
      if (error instanceof ClosedError) return;
      if (!(error instanceof TimeoutError)) return scene.fail(error);
    }
  }
}

/** What waits for the application passes the marks by one message at most. */
function marks({ plan }: Scene, { port, host }: Actor, taken: number, octets: number): void {
  const { recvBuffer, recvBufferOctets } = plan.options;
  const { received, receivedOctets, dropped } = port.stats();
  // Of what gave way for others only the number is known.
  const lost = dropped["receive queue full"] ?? 0;
  if (lost > 0) octets = Number.POSITIVE_INFINITY;
  if (received - lost - taken > recvBuffer + 1) {
    throw new Error(
      `${host.name} holds ${received - lost - taken} messages; its mark is ${recvBuffer}`,
    );
  }
  if (receivedOctets - octets > recvBufferOctets + 2 * plan.largest) {
    throw new Error(
      `${host.name} holds ${receivedOctets - octets} octets; its mark is ${recvBufferOctets}`,
    );
  }
}
