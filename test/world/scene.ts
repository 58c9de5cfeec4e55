/** What all simulations do alike: sockets in a world, the plan's faults, and the end. */
import { TAIL_MIN } from "../../generated/integrity/trailer.js";
import { device, integrity, open, type Port, type SocketOptions } from "../../runtime/index.js";
import { type AnyLayer, check } from "../../runtime/stack.js";
import { type Fault, type Plan, planOf } from "./plan.js";
import { type Host, World } from "./world.js";

type Layer = Parameters<typeof open>[0];

const signing = integrity({ keys: [{ id: 1, secret: new Uint8Array(32) }] });

/** How often what happened: a test that meets no trouble shows nothing. */
export type Sights = Record<string, number>;

export interface Actor<P extends Port = Port> {
  readonly port: P;
  readonly host: Host;
  attached: number;
  detached: number;
  refused: number;
  closed: boolean;
}

export class Scene {
  readonly world: World;
  readonly actors: Actor[] = [];
  /** Binds an address again. */
  readonly #rebinds: (() => Promise<void>)[] = [];
  /** Closes a socket that answers, and opens another. */
  restart: (() => Promise<void>) | undefined;

  constructor(
    readonly plan: Plan,
    readonly sights: Sights = {},
  ) {
    const { seed, conditions, family } = plan;
    this.world = new World({ seed, conditions, remembers: family !== "request" });
  }

  see(what: string, n = 1): void {
    this.sights[what] = (this.sights[what] ?? 0) + n;
  }

  /** What somebody found who has nobody to throw it to. */
  fail(error: unknown): void {
    this.world.reports.push(error);
  }

  /** Octets behind each body. */
  get tail(): number {
    return this.plan.signed ? TAIL_MIN : 0;
  }

  /** Opens a socket on a host of its own, and counts what it tells. */
  open<P extends Port>(layer: Layer, name: string, options: SocketOptions = {}): Actor<P> {
    const host = this.world.host(name);
    const raw = "above" in layer && layer.above === "raw";
    const proven = this.plan.signed && !raw ? check([signing, layer as AnyLayer]) : layer;
    const port = open(proven as never, { ...this.plan.options, ...options, env: host }) as Port;
    const actor = { port: port as P, host, attached: 0, detached: 0, refused: 0, closed: false };
    port.on("attached", () => actor.attached++);
    port.on("detached", () => actor.detached++);
    port.on("refused", () => actor.refused++);
    this.actors.push(actor);
    return actor;
  }

  url(n: number | string): string {
    const { scheme } = this.plan;
    return scheme === "tcp" ? `tcp://10.0.0.1:${7000 + Number(n)}` : `${scheme}://place-${n}`;
  }

  async listen({ port }: Actor, n: number): Promise<void> {
    const url = this.url(n);
    let listener = await port.listen(url);
    this.#rebinds.push(async () => {
      await listener.close();
      await this.world.sleep(30);
      // It may have been closed meanwhile.
      const bound = await port.listen(url).catch(() => undefined);
      if (bound !== undefined) listener = bound;
    });
  }

  dial({ port }: Actor, n: number): void {
    const { ready } = port.dial(this.url(n));
    this.world.waits(ready, `connection to ${this.url(n)}`);
  }

  /** Connects each of some with each of others, through the plan's devices. */
  async connect(
    senders: readonly Actor[],
    receivers: readonly Actor[],
    raw: { readonly front: () => Layer; readonly back: () => Layer },
  ): Promise<void> {
    let from = senders;
    for (let i = 0; i < this.plan.devices; i++) {
      const front = this.open(raw.front(), `front ${i}`);
      const back = this.open(raw.back(), `back ${i}`);
      void device(front.port as never, back.port as never);
      await this.#join(from, [front], i * 10);
      from = [back];
    }
    await this.#join(from, receivers, 100);
  }

  async #join(upper: readonly Actor[], lower: readonly Actor[], base: number): Promise<void> {
    const [listening, dialing] =
      this.plan.listening === "senders" ? [upper, lower] : [lower, upper];
    // Who dials first finds nobody, and tries again.
    const early = this.world.random.often(0.3);
    const dialAll = () => {
      for (const d of dialing) for (const i of listening.keys()) this.dial(d, base + i);
    };
    if (early) dialAll();
    for (const [i, l] of listening.entries()) await this.listen(l, base + i);
    if (!early) dialAll();
  }

  /** Faults as planned, then peace. */
  async trouble(): Promise<void> {
    const { clock, network } = this.world;
    for (const fault of this.plan.faults) {
      if (fault.at > clock.now) await this.world.sleep(fault.at - clock.now);
      this.see(fault.kind);
      await this.strike(fault.kind);
    }
    if (this.plan.calmAt > clock.now) await this.world.sleep(this.plan.calmAt - clock.now);
    network.calm();
  }

  async strike(kind: Fault["kind"]): Promise<void> {
    const { network, random } = this.world;
    const links = [...network.links];
    const link = links[random.whole(0, Math.max(0, links.length - 1))];
    switch (kind) {
      case "drop":
        return link?.drop();
      case "drop all":
        for (const l of links) l.drop();
        return;
      case "cut":
        if (link !== undefined) link.cut = true;
        return;
      case "outage":
        return network.outage(random.between(10, 300));
      case "rebind":
        return this.#rebinds[0]?.();
      case "restart":
        return this.restart?.();
    }
  }

  async close(actor: Actor): Promise<void> {
    await this.world.waits(actor.port.close(), `close of ${actor.host.name}`);
    actor.closed = true;
    // Connections that it dropped say so in an event of their own, as node's do.
    await this.world.sleep(0.01);
    const left = actor.host.left();
    if (left.length > 0) throw new Error(`closed, and it left: ${left.join(", ")}`);
  }

  /** Closes all, in any order, some at once. */
  async end(): Promise<void> {
    const { random } = this.world;
    const open = this.actors.filter((a) => !a.closed);
    open.sort(() => random.whole(0, 1) - 0.5);
    if (random.often(0.5)) await Promise.all(open.map((a) => this.close(a)));
    else for (const a of open) await this.close(a);
  }

  /** What each socket told is what it counted, and nobody takes part any more. */
  balance(): void {
    for (const { port, host, attached, detached, refused } of this.actors) {
      const stats = port.stats();
      const told = `told ${attached} attached, ${detached} detached, ${refused} refused`;
      const counted = `told ${stats.attached} attached, ${stats.detached} detached, ${stats.refused} refused`;
      if (told !== counted) throw new Error(`${host.name}: ${told}; counted: ${counted}`);
      if (attached !== detached) throw new Error(`${host.name}: ${told} at the end`);
      this.see("attached", attached);
      this.see("refused", refused);
      for (const [rule, n] of Object.entries({ ...stats.dropped, ...stats.malformed })) {
        this.see(rule, n);
      }
    }
  }
}

export type Act = (scene: Scene) => Promise<void>;

/** Plays what a seed stands for. */
export async function play(seed: number, acts: Record<Plan["family"], Act>, sights: Sights) {
  const scene = new Scene(planOf(seed), sights);
  const { family, scheme } = scene.plan;
  scene.see(family);
  scene.see(scheme);
  if (scene.plan.signed) scene.see("signed");
  await scene.world.run(async () => {
    await acts[family](scene);
    await scene.end();
  });
  scene.balance();
  scene.see("steps", scene.world.clock.steps);
  return scene;
}
