/** REQ to REP, under trouble: each request has its own reply, once, or ends as its caller said. */
import { getEventListeners } from "node:events";
import * as tag from "../../generated/sp/tag.js";
import {
  type Ask,
  CancelledError,
  ClosedError,
  type Message,
  type Raw,
  Replier,
  type Requester,
  rep,
  req,
  TimeoutError,
  type Waits,
  xrep,
  xreq,
} from "../../runtime/index.js";
import { name, read, SHORTEST, write } from "./letter.js";
import { impatience } from "./post.js";
import type { Actor, Scene } from "./scene.js";

export async function request(scene: Scene): Promise<void> {
  const { plan } = scene;
  const exchange = new Exchanges(scene);
  const requesters = Array.from({ length: plan.senders }, (_, i) =>
    scene.open<Requester>(req({ resendTime: plan.resendTime }), `req ${i}`),
  );
  const repliers = Array.from({ length: plan.receivers }, (_, i) => exchange.replier(i));
  if (plan.forger) repliers.push(exchange.forger());
  await scene.connect(requesters, repliers, { front: xrep, back: xreq });
  scene.restart = () => exchange.restart(repliers);
  const asking = requesters.map((r, i) => exchange.askAll(r, i));
  await scene.trouble();
  await Promise.all(asking);
  exchange.reckon();
}

class Exchanges {
  /** How often each request was handled. */
  readonly #handled = new Map<string, number>();
  readonly #silent = new Set<string>();
  /** Numbers of requests that somebody was asked, and those that the forger was. */
  readonly #heard: number[] = [];
  readonly #asked = new Set<number>();
  #count = 0;

  constructor(readonly scene: Scene) {}

  async askAll({ port }: Actor<Requester>, sender: number): Promise<void> {
    const { plan, world } = this.scene;
    const under: Promise<void>[] = [];
    for (let number = 0; number < plan.messages; number++) {
      const asked = this.#ask(port, sender, number);
      if (plan.sending === "burst") under.push(asked);
      else await asked;
      if (plan.sending === "try") await world.sleep(world.random.between(0, 5));
    }
    await Promise.all(under);
  }

  async #ask(port: Requester, sender: number, number: number): Promise<void> {
    const { plan, world } = this.scene;
    const { random, clock } = world;
    const letter = { sender, number };
    const body = write(letter, random.whole(SHORTEST, plan.largest));
    const limits: Waits = random.often(plan.impatience) ? impatience(this.scene) : {};
    const { timeout, signal } = limits;
    const began = clock.now;
    try {
      const reply = await world.waits(port.request(body, limits), `reply to ${name(letter)}`);
      if (Buffer.compare(reply.subarray(0, body.length), body) !== 0) {
        throw new Error(`${name(letter)} has another's reply`);
      }
      if (reply.length !== body.length + 1) throw new Error("a reply that nobody gave");
      this.scene.see("replies");
    } catch (error) {
      const took = clock.now - began;
      if (timeout !== undefined && error instanceof TimeoutError) {
        if (Math.abs(took - Math.max(1, timeout)) > 1.001) {
          throw new Error(`a deadline of ${timeout} ms came after ${took} ms`);
        }
      } else if (!(error instanceof CancelledError)) throw error;
      else if (!signal?.aborted) throw new Error("cancelled, and nobody said so");
      this.scene.see("a request given up");
    }
    if (signal !== undefined && getEventListeners(signal, "abort").length > 0) {
      throw new Error("somebody still listens to the signal of a request that is over");
    }
  }

  replier(place: number): Actor<Replier | Raw> {
    const { scene } = this;
    const { plan, world } = scene;
    const mark = this.#count++;
    const raw = plan.forger || plan.receiving === "raw";
    const actor = scene.open<Replier | Raw>(raw ? xrep() : rep(), `rep ${place} (${mark})`);
    const { port } = actor;
    // What a handler throws on purpose.
    port.on("error", ({ error }) => {
      if (error !== SILENCE) scene.fail(error);
    });
    const work = () =>
      plan.work > 0 ? world.sleep(world.random.between(0, plan.work)) : undefined;
    const loop = async () => {
      if (!(port instanceof Replier)) {
        for await (const m of port) {
          await work();
          const reply = this.#echo(m, mark);
          if (reply !== undefined) await port.send(reply);
        }
      } else if (plan.receiving === "loop") {
        port.serve((body) => {
          const wait = work();
          if (wait === undefined) return this.#reply(body, mark);
          return wait.then(() => this.#reply(body, mark));
        });
      } else {
        for await (const ask of port) {
          await work();
          this.#answer(ask, mark);
        }
      }
    };
    loop().catch((error) => {
      if (!(error instanceof ClosedError)) scene.fail(error);
    });
    return actor;
  }

  #answer(ask: Ask, mark: number): void {
    try {
      ask.reply(this.#reply(ask.body, mark));
    } catch (error) {
      if (error !== SILENCE) throw error;
    }
  }

  /** The request, and who answers. */
  #reply(body: Uint8Array, mark: number): Uint8Array {
    const { plan, world } = this.scene;
    const key = name(read(body));
    const before = this.#handled.get(key) ?? 0;
    this.#handled.set(key, before + 1);
    if (before > 0) this.scene.see("asked again");
    if (before === 0 && world.random.often(plan.silence) && !this.#silent.has(key)) {
      this.#silent.add(key);
      this.scene.see("nothing said");
      throw SILENCE;
    }
    const reply = new Uint8Array(body.length + 1);
    reply.set(body);
    reply[body.length] = mark;
    return reply;
  }

  /** As `#reply`, by hand: the way back stands before the body. */
  #echo(m: Message, mark: number): Uint8Array | undefined {
    const octets = new Uint8Array(Buffer.concat(m.segments()));
    const body = bodyAt(octets);
    if (this.scene.plan.forger) this.#heard.push(numberAt(octets, body - tag.MAX));
    let reply: Uint8Array;
    try {
      reply = this.#reply(octets.subarray(body), mark);
    } catch (error) {
      if (error === SILENCE) return undefined;
      throw error;
    }
    const out = new Uint8Array(body + reply.length);
    out.set(octets.subarray(0, body));
    out.set(reply, body);
    return out;
  }

  /** Answers what it was not asked, what was answered, what nobody asked; and nothing else. */
  forger(): Actor<Raw> {
    const { scene } = this;
    const actor = scene.open<Raw>(xrep(), "forger");
    const forge = async () => {
      for await (const m of actor.port) {
        const octets = new Uint8Array(Buffer.concat(m.segments()));
        this.#asked.add(numberAt(octets, tag.MAX));
        const others = this.#heard.slice(-8).filter((n) => !this.#asked.has(n));
        for (const number of [...others, scene.world.random.word() >>> 1]) {
          const forged = new Uint8Array(2 * tag.MAX + 6);
          forged.set(octets.subarray(0, tag.MAX));
          forged.set(new TextEncoder().encode("FORGED"), 2 * tag.MAX);
          tag.write(new DataView(forged.buffer), tag.MAX, scene.world.random.often(0.9), number);
          scene.see("forged");
          await actor.port.send(forged);
        }
      }
    };
    forge().catch((error) => scene.fail(error));
    return actor;
  }

  /** Closes one that answers, and puts another in its place. */
  async restart(repliers: Actor[]): Promise<void> {
    const { scene } = this;
    const { plan, world } = scene;
    const place = world.random.whole(0, plan.receivers - 1);
    await scene.close(repliers[place] as Actor);
    const another = this.replier(place);
    repliers[place] = another;
    if (plan.listening === "receivers") await scene.listen(another, 100 + place);
    else
      for (let i = 0; i < (plan.devices > 0 ? 1 : plan.senders); i++) scene.dial(another, 100 + i);
  }

  /** Where nothing was lost and nobody was silent, everybody was asked once. */
  reckon(): void {
    const { plan } = this.scene;
    const { refuses, hangs } = plan.conditions;
    const sound = plan.faults.length === 0 && refuses + hangs === 0 && plan.resendTime === 0;
    if (!sound || plan.impatience > 0 || plan.forger) return;
    this.scene.see("worlds in which everybody is asked once");
    const all = plan.senders * plan.messages;
    const twice = [...this.#handled].filter(([, n]) => n !== 1);
    if (this.#handled.size !== all || twice.length > 0) {
      throw new Error(`${this.#handled.size} of ${all} were handled, more than once: ${twice}`);
    }
  }
}

const SILENCE = new Error("nothing to say");

/** Where the body begins: behind the word that is the last of the way. */
function bodyAt(octets: Uint8Array): number {
  const view = new DataView(octets.buffer);
  let at = 0;
  while (!tag.getLast(view, at)) at += tag.MAX;
  return at + tag.MAX;
}

function numberAt(octets: Uint8Array, at: number): number {
  return tag.getNumber(new DataView(octets.buffer), at);
}
