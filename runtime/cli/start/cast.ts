/**
 * Who takes part in the tour: processes, each with a stack of its own. A process hears what it needs by a
 * message, and says by one where it listens.
 *
 *     client ──tcp── device ──ipc── server
 *     integrity      no integrity   integrity
 *     req            key            rep
 *     hop ═════════ hop hop ══════ hop
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { device, hop, integrity, open, rep, stack, tap, xrep, xreq } from "../../index.js";

/** Secrets, in base64: of the two ends, and of each hop. */
export interface Secrets {
  readonly ends: string;
  readonly outer: string;
  readonly inner: string;
}

/** What a process is told at first. */
export interface Part {
  readonly secrets: Partial<Secrets>;
  /** Where to listen, and whom to dial. */
  readonly listen: string;
  readonly dial?: string;
  /** File of the tap. */
  readonly tap?: string;
}

export type Role = "server" | "device";

/** A process that plays a role, and where it listens. */
export class Player {
  readonly #child: ChildProcess;
  url = "";
  /** What it had to say since. */
  readonly said: string[] = [];

  private constructor(role: Role, cwd: string) {
    this.#child = fork(process.argv[1] as string, ["start", role], { stdio: "inherit", cwd });
  }

  /** Resolves when it listens. Paths are those of the folder in which it runs. */
  static async start(role: Role, folder: string, part: Part): Promise<Player> {
    const player = new Player(role, folder);
    const child = player.#child;
    child.send(part);
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`the ${role} has ended with code ${code}`);
    });
    const heard = once(child, "message");
    // Whichever comes second is of no interest.
    ended.catch(() => {});
    heard.catch(() => {});
    [player.url] = (await Promise.race([heard, ended])) as [string];
    child.on("message", (said: string) => player.said.push(said));
    return player;
  }

  /** Resolves when it has ended, and its files are whole. */
  async end(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.send("end");
    await ended;
  }
}

export const secured = (secret: string, keyLog?: string) =>
  hop({ pattern: "NNpsk0", psk: secret, ...(keyLog === undefined ? {} : { keyLog }) });

export const signed = (secret: string) =>
  integrity({ keys: [{ id: 1, secret: Buffer.from(secret, "base64") }] });

/** Plays a role until told to end. */
export async function play(role: Role): Promise<void> {
  const [part] = (await once(process, "message")) as [Part];
  const sockets = await (role === "server" ? serve(part) : forward(part));
  await once(process, "message");
  for (const socket of sockets) await socket.close();
  process.disconnect();
}

async function serve({ secrets, listen }: Part) {
  const { ends, inner } = secrets as Secrets;
  const socket = open(stack(signed(ends), rep(), xrep(), secured(inner)));
  socket.on("rejected", ({ error }) => process.send?.(error.message));
  socket.serve((body) => `${new TextDecoder().decode(body).toUpperCase()}!`);
  const { url } = await socket.listen(listen);
  process.send?.(url);
  return [socket];
}

async function forward({ secrets, listen, dial = "", tap: file = "" }: Part) {
  const { outer, inner } = secrets as Secrets;
  const seen = tap(file);
  const front = open(stack(xrep(), seen, secured(outer)));
  const back = open(stack(xreq(), seen, secured(inner)));
  await back.dial(dial).ready;
  // It can read what it forwards. Whether it can change it without being found out, it tries once.
  let tried = false;
  device(front, back, {
    through(m, from) {
      const body = Buffer.from(from.body(m));
      if (tried || from !== front || !body.includes("price")) return m;
      tried = true;
      body.write("PRICE", body.indexOf("price"));
      return from.rewrite(m, body);
    },
  });
  const { url } = await front.listen(listen);
  process.send?.(url);
  return [front, back];
}
