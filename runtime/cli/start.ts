/** `wirestack start`: a tour of what this is, on traffic that it makes itself. */
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { dissect, type Frame } from "../dissect/index.js";
import { messageText, treeText } from "../dissect/tree.js";
import { open, readKeyLog, rep, req, sp, stack, tap, tcp, xreq } from "../index.js";
import { Player, play, type Role, type Secrets, secured, signed } from "./start/cast.js";

const print = (text = ""): void => void process.stdout.write(`${text}\n`);
const secret = (): string => randomBytes(32).toString("base64");
const timeout = 5000;

/** A tap's file, where the tap stands, and what is to be seen there. */
interface View {
  readonly file: string;
  readonly where: string;
}

const HELP = `wirestack start

A tour: a stack between three processes, a tap at each of its joints, and what each joint could see. It
takes some seconds, stays on this machine, and leaves its captures in a folder of their own.
`;

export async function startCommand([role]: string[] = []): Promise<number> {
  if (role === "--help" || role === "-h") {
    process.stdout.write(HELP);
    return 0;
  }
  if (role === "server" || role === "device") {
    await play(role satisfies Role);
    return 0;
  }
  const code = await generated();
  if (code !== 0) return code;
  const folder = mkdtempSync(join(tmpdir(), "wirestack-"));
  const { views, log, back, dropped } = await conversation(folder);
  await shown(views, log);
  await between(back, dropped);
  await foreign();
  next(views, log);
  return 0;
}

/** In the repository the generated code is checked against the specs; a package has no specs' sources. */
async function generated(): Promise<number> {
  if (!existsSync(new URL("../../../spec/lang.ts", import.meta.url))) return 0;
  print(
    "1. Every header is described once, in spec/. Its codec, dissector and tests are generated:\n",
  );
  const { main } = await import("../../codegen/main.js");
  return main(["--check"]);
}

/** The two ends speak through a device; each joint of the client's stack is tapped. */
async function conversation(folder: string) {
  const at = (name: string) => join(folder, name);
  const secrets: Secrets = { ends: secret(), outer: secret(), inner: secret() };
  const { ends, outer, inner } = secrets;
  const server = await Player.start("server", folder, {
    secrets: { ends, inner },
    listen: "ipc://server.ipc",
  });
  const device = await Player.start("device", folder, {
    secrets: { outer, inner },
    listen: "tcp://127.0.0.1:0",
    dial: server.url,
    tap: "device.pcapng",
  });

  const log = at("keys.log");
  const views: View[] = [
    { file: at("application.pcapng"), where: "above integrity" },
    { file: at("signed.pcapng"), where: "above the protocol" },
    { file: at("clear.pcapng"), where: "above the hop" },
    { file: at("sealed.pcapng"), where: "below the hop" },
    { file: at("wire.pcapng"), where: "on the wire" },
  ];
  const [application, asSigned, clear, asSealed, wire] = views.map(({ file }) => tap(file)) as [
    Tap,
    Tap,
    Tap,
    Tap,
    Tap,
  ];
  const client = open(
    stack(
      application,
      signed(ends),
      asSigned,
      req({ resendTime: 300 }),
      xreq(),
      clear,
      secured(outer, log),
      asSealed,
      sp(),
      wire,
      tcp(),
    ),
  );
  client.dial(device.url);
  print(`
2. [Integrity] -> [Scalability Protocol] -> [Hop-by-hop encryption] -> [Transport], in three processes:

   client ──tcp── device ──ipc── server      each ── is a hop of its own, encrypted;
                                             the device has no integrity key

   The client's stack, with a tap at every joint:
`);
  print(client.toString().replace(/^/gm, "     "));
  print();
  for (const question of ["what time is it?", "the price is 7", "thank you"]) {
    const reply = await client.request(question, { timeout });
    print(
      `   asked ${JSON.stringify(question)}, answered ${JSON.stringify(Buffer.from(reply).toString())}`,
    );
  }
  await client.close();
  await device.end();
  await server.end();
  return { views, log, back: at("device.pcapng"), dropped: server.said };
}

type Tap = ReturnType<typeof tap>;

async function framesOf(file: string, log?: string): Promise<Frame[]> {
  const keys = log === undefined ? undefined : readKeyLog(readFileSync(log, "utf8"));
  const frames: Frame[] = [];
  for await (const frame of dissect(file, { keys })) frames.push(frame);
  return frames;
}

const indented = (text: string): string => text.trimEnd().replace(/^/gm, "     ");
const linesOf = (frames: readonly Frame[]): string =>
  frames
    .flatMap((frame) => frame.messages)
    .map((m) => messageText(m))
    .join("\n");

/** Octets that nobody can read, and how often there are some. */
function sealedIn(frames: readonly Frame[]): string {
  const parts = frames.flatMap((frame) => frame.parts);
  const sizes = parts.flatMap((p) => (p.is === "octets" && p.sealed ? [p.to - p.from] : []));
  return `${sizes.length} sealed records, of ${sizes.join(", ")} octets; no message`;
}

/** What each joint has seen, and what of it can be opened. */
async function shown(views: readonly View[], log: string): Promise<void> {
  print(
    "\n3. What each joint has seen. A tap writes pcapng, for Wireshark and `wirestack dissect`:\n",
  );
  for (const { file, where } of views) {
    const frames = await framesOf(file);
    const messages = linesOf(frames);
    print(`   ${where}, ${file}`);
    print(indented(messages === "" ? sealedIn(frames) : messages));
  }
  print("\n   on the wire once more, with the key log of the client's hop:");
  const wire = views.at(-1) as View;
  const opened = await framesOf(wire.file, log);
  print(indented(linesOf(opened)));

  print("\n4. The first request, from the wire to the application, layer by layer:\n");
  const first = opened.find((frame) => frame.messages.length > 0);
  if (first !== undefined)
    print(indented(treeText(first).replace(/^ {2}(raw|ip|tcp) .*\n( {4}.*\n)*/gm, "")));
}

/** What the device saw on either side, and what became of what it changed. */
async function between(file: string, dropped: readonly string[]): Promise<void> {
  print("\n5. What the device could see on either side of it, and change:\n");
  print(indented(linesOf(await framesOf(file))));
  print(`
   It reads what it forwards, since its hops end there. Once it changed the price. What the server said
   to that: ${dropped.join(", ") || "nothing"}. It did not answer, and the client asked again.`);
}

/** A plain socket of ours with NNG's, if it is installed. */
async function foreign(): Promise<void> {
  if (spawnSync("nngcat", ["--version"]).error !== undefined) return;
  const socket = open(stack(rep()));
  socket.serve((body) => `pong to ${new TextDecoder().decode(body)}`);
  const { url } = await socket.listen("tcp://127.0.0.1:0");
  const said = await new Promise<string>((done) => {
    const args = ["--req", "--dial", url, "--data", "ping", "--ascii", "--recv-timeout", "5"];
    const child = spawn("nngcat", args, { stdio: ["ignore", "pipe", "ignore"] });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.on("close", () => done(output.trim()));
  });
  await socket.close();
  print(`\n6. A plain socket speaks to nanomsg and NNG as they are:\n
     nngcat --req --dial ${url} --data ping
     ${said}`);
}

function next(views: readonly View[], log: string): void {
  const here = relative(".", views.at(-1)?.file ?? "");
  const file = here.startsWith("..") ? (views.at(-1)?.file ?? "") : here;
  print(`
Next:
  npx wirestack dissect --keys ${log} ${file}
  npx wirestack cat --rep --listen tcp://127.0.0.1:5555 --data pong --tap traffic.pcapng
  npm run codegen -- --new acme/trace`);
}
