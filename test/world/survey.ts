/** SURVEYOR to RESPONDENT, under trouble: each survey hears each who answers once, and ends in time. */
import {
  CancelledError,
  type Replier,
  respondent,
  type Surveyor,
  surveyor,
  xrespondent,
  xsurveyor,
} from "../../runtime/index.js";
import { name, SHORTEST, write } from "./letter.js";
import type { Actor, Scene } from "./scene.js";

export async function survey(scene: Scene): Promise<void> {
  const { plan, world } = scene;
  const askers = Array.from({ length: plan.senders }, (_, i) =>
    scene.open<Surveyor>(surveyor(), `surveyor ${i}`),
  );
  const others = Array.from({ length: plan.receivers }, (_, i) => answers(scene, i));
  await scene.connect(askers, others, { front: xrespondent, back: xsurveyor });
  const { refuses, hangs, window } = plan.conditions;
  const sound = plan.faults.length === 0 && refuses + hangs === 0 && plan.devices === 0;
  if (sound) {
    await world.until(
      () => askers.every((a) => a.attached === plan.receivers),
      () => "all connections",
    );
  }
  // Nothing is dropped, and there is time enough.
  // Nothing is dropped then, and there is time enough.
  const { recvBuffer, recvBufferOctets } = plan.options;
  const room =
    recvBuffer >= plan.receivers && recvBufferOctets > plan.receivers * (plan.largest + 1);
  const all = sound && room && window > 10_000 && plan.messages * plan.largest < 30_000;
  const asking = askers.map((a, i) => askAll(scene, a, i, all));
  await scene.trouble();
  await Promise.all(asking);
}

function answers(scene: Scene, mark: number): Actor<Replier> {
  const { plan, world } = scene;
  const actor = scene.open<Replier>(respondent(), `respondent ${mark}`);
  const answer = (body: Uint8Array) => {
    const out = new Uint8Array(body.length + 1);
    out.set(body);
    out[body.length] = mark;
    return out;
  };
  (actor.port as Replier<Uint8Array | undefined>).serve(async (body) => {
    if (plan.work > 0) await world.sleep(world.random.between(0, plan.work));
    return answer(body);
  });
  return actor;
}

async function askAll(scene: Scene, asker: Actor<Surveyor>, sender: number, all: boolean) {
  const { plan } = scene;
  const under: Promise<void>[] = [];
  for (let number = 0; number < Math.min(plan.messages, 8); number++) {
    const asked = ask(scene, asker, sender, number, all);
    if (plan.sending === "burst") under.push(asked);
    else await asked;
  }
  await Promise.all(under);
}

async function ask(
  scene: Scene,
  { port }: Actor<Surveyor>,
  sender: number,
  number: number,
  all: boolean,
): Promise<void> {
  const { plan, world } = scene;
  const { random, clock } = world;
  const body = write({ sender, number }, random.whole(SHORTEST, plan.largest));
  const impatient = random.often(plan.impatience);
  const surveyTime = all ? 20_000 : random.between(5, 200);
  const stop = new AbortController();
  if (impatient) clock.after(random.between(0, 30), () => stop.abort());
  const began = clock.now;
  const heard = new Set<number>();
  try {
    const responses = port.survey(body, { surveyTime, signal: stop.signal });
    for (;;) {
      const next = await world.waits(responses.next(), `response to ${sender}/${number}`);
      if (next.done) break;
      const { value } = next;
      if (Buffer.compare(value.subarray(0, body.length), body) !== 0) {
        throw new Error(`${name({ sender, number })} has another's response`);
      }
      const mark = value[body.length] as number;
      if (heard.has(mark) || value.length !== body.length + 1) {
        throw new Error(`${mark} answered ${name({ sender, number })} twice`);
      }
      heard.add(mark);
      scene.see("responses");
      if (all && !impatient && heard.size === plan.receivers) {
        scene.see("a survey of all");
        await responses.return?.();
      }
    }
  } catch (error) {
    if (!(error instanceof CancelledError && stop.signal.aborted)) throw error;
    scene.see("a survey given up");
    return;
  }
  const took = clock.now - began;
  if (took > surveyTime + 1.001) throw new Error(`${surveyTime} ms took ${took}`);
  if (all && !impatient && heard.size < plan.receivers) {
    throw new Error(`${heard.size} of ${plan.receivers} answered ${name({ sender, number })}`);
  }
}
