/** `wirestack cat`: messages from the command line, with nngcat's options. */
import { readFileSync } from "node:fs";
import {
  bus,
  type Exchanger,
  type Layer,
  node,
  type Port,
  pair0,
  pair1,
  pub,
  pull,
  push,
  type Replier,
  rep,
  req,
  respondent,
  type Sender,
  StackError,
  star,
  sub,
  surveyor,
  type Taker,
  TimeoutError,
  type TlsOptions,
  tap,
} from "../index.js";
import { Conversation, Refused, SECURED, type Wishes } from "./conversation.js";
import { formats } from "./echo.js";
import { parsed } from "./options.js";
import type { Terminal } from "./terminal.js";
import { version } from "./version.js";

const HELP = `wirestack cat PROTOCOL ADDRESS... [OPTIONS]

Sends and receives messages of the scalability protocols, as nngcat and nanocat do.

Protocol, one of
  --req               send --data, print the reply
  --rep               print each request, answer it with --data; without --data, answer nothing
  --push              send --data
  --pull              print what comes
  --pub               send --data to everybody who is there
  --sub               print what begins with a --subscribe
  --surveyor          ask everybody --data, print what they answer within --recv-timeout, or a second
  --respondent        print each survey, answer it with --data; without --data, answer nothing
  --pair0, --pair1    send --data if it is given, print what comes
  --pair              PAIR1, as with nngcat; with --compat PAIR0, as with nanocat
  --bus, --star       as --pair0, with everybody
A 0 may follow the name, as in nngcat's: --req0

Addresses, as many as you like: tcp://HOST:PORT, ipc://PATH, ws://HOST:PORT/PATH, and over TLS
tls+tcp://HOST:PORT, wss://HOST:PORT/PATH
  --dial URL          connect there (also --connect); with --async, wait until somebody listens
  --listen URL        accept connections there (also --bind)
  -l, --connect-local PORT, -L, --bind-local PORT      the same at tcp://127.0.0.1:PORT
  -x, --connect-ipc PATH, -X, --bind-ipc PATH          the same at ipc://PATH
  --compat            as nanocat: --async, and --pair is PAIR0

TLS, for every such address; files are PEM
  -E, --cert FILE     our certificate; who listens needs one
  --key FILE          its private key (default: in the same file as --cert)
  --cacert FILE       who signs the peer's certificate. Without it who dials trusts node's authorities;
                      with it who listens wants a certificate, too, which nngcat does not
  -k, --insecure      talk to whoever is there, whatever certificate it shows

What to take
  --subscribe TOPIC   for --sub: messages that begin with this; may be given again. Default: all
  -Z, --recv-maxsz N  longest message to receive, in octets; 0: no limit (default 1048576)

What to keep
  --tap FILE          every message as it goes over the connections, with its protocol's header, as a
                      capture (pcapng) for wirestack dissect and Wireshark; in clear also over TLS. What
                      is in FILE is replaced; beyond 64 MiB a new one begins, and one before it is kept

What to send
  -D, --data TEXT     this, as UTF-8
  -F, --file FILE     what is in the file; - is standard input
  -d, --delay SEC     wait before the first message, for others to come. Without it, the first one
                      to come is enough
  -i, --interval SEC  send again and again, so far apart; fractions are fine in every SEC

How to print
  -Q, --quoted        in double quotes, escaped as in C, one a line (default)
  -A, --ascii         printable characters, a dot for any other
  --raw               as it is
  --hex               in hexadecimal, one a line
  --msgpack           as MessagePack's binary
  --format FORMAT     quoted, ascii, raw, hex, msgpack, or no

When to end
  -C, --count N       after N messages: sent by --push and --pub, received by --pull, --sub, --rep and
                      --respondent, answered for --req, each way for pairs, --bus and --star; or
                      after N surveys. 0: no limit. Without it and --interval, --req, --push, --pub
                      and --surveyor end after one
  --recv-timeout SEC  when nothing comes for so long
  --send-timeout SEC  when nobody takes a message for so long

  -v, --verbose       tell on standard error who is attached, detached, refused, and why
  -q, --silent        tell nothing there
  -h, --help
  -V, --version

Examples
  wirestack cat --rep --listen tcp://127.0.0.1:5555 --data pong
  wirestack cat --req --dial tcp://127.0.0.1:5555 --data ping --recv-timeout 2
  wirestack cat --sub --dial tcp://127.0.0.1:5556 --subscribe weather --subscribe news
  wirestack cat --push --listen ipc:///tmp/work.ipc --file job.json
  wirestack cat --pull --dial ipc:///tmp/work.ipc --raw --count 1 > job.json
  wirestack cat --sub --dial tcp://127.0.0.1:5556 --tap news.pcapng && wirestack dissect news.pcapng
  wirestack cat --rep --listen wss://127.0.0.1:5557/ask --cert mine.pem --data pong
  wirestack cat --req --dial wss://127.0.0.1:5557/ask --cacert ca.pem --data ping

Exit codes: 0 done, 1 usage, 2 refused (nobody listens, the address is taken, the peer speaks another
protocol), 3 timed out (nothing came, or less than --count, or nobody took what was sent),
130 interrupted before it was done. SIGINT ends what would go on for ever with 0.
`;

interface Protocol {
  /** Whether it sends what --data gives; when `answered`, to who asks. */
  readonly data: "needed" | "allowed" | "answered" | "refused";
  talk(c: Conversation): Promise<unknown>;
}

async function send(c: Conversation, socket: Sender): Promise<void> {
  await c.meet(socket);
  await c.rounds(() => socket.send(c.data, c.sending));
}

async function take(c: Conversation, socket: Taker): Promise<void> {
  await c.meet(socket);
  await c.takes(async () => c.print(await socket.receive(c.receiving)));
}

async function exchange(c: Conversation, socket: Exchanger): Promise<void> {
  await c.meet(socket);
  const sends = c.speaks ? c.rounds(() => socket.send(c.data, c.sending)) : undefined;
  const takes = c.takes(async () => c.print(await socket.receive(c.receiving)));
  await Promise.all([sends, takes]);
}

async function answer(c: Conversation, socket: Port & Pick<Replier, "receive">): Promise<void> {
  await c.meet(socket);
  await c.takes(async () => {
    const ask = await socket.receive(c.receiving);
    await c.print(ask.body);
    if (c.speaks) ask.reply(c.data);
  });
}

const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  req: {
    data: "needed",
    async talk(c) {
      const socket = await c.meet(c.open(req()));
      await c.rounds(async () => c.print(await socket.request(c.data, c.receiving)));
    },
  },
  rep: { data: "answered", talk: (c) => answer(c, c.open(rep())) },
  push: { data: "needed", talk: (c) => send(c, c.open(push())) },
  pull: { data: "refused", talk: (c) => take(c, c.open(pull())) },
  pub: { data: "needed", talk: (c) => send(c, c.open(pub())) },
  sub: {
    data: "refused",
    talk(c) {
      // Whoever reads the output slowly makes the publisher drop; what has come is printed.
      const socket = c.open(sub({ overflow: "wait" }));
      for (const topic of c.topics) socket.subscribe(topic);
      return take(c, socket);
    },
  },
  surveyor: {
    data: "needed",
    async talk(c) {
      const socket = await c.meet(c.open(surveyor()));
      let silent = true;
      await c.rounds(async () => {
        for await (const response of socket.survey(c.data, c.surveying)) {
          silent = false;
          await c.print(response);
        }
      });
      if (silent) throw new TimeoutError("survey: no response");
    },
  },
  respondent: { data: "answered", talk: (c) => answer(c, c.open(respondent())) },
  pair0: { data: "allowed", talk: (c) => exchange(c, c.open(pair0())) },
  pair1: { data: "allowed", talk: (c) => exchange(c, c.open(pair1())) },
  bus: { data: "allowed", talk: (c) => exchange(c, c.open(bus())) },
  star: { data: "allowed", talk: (c) => exchange(c, c.open(star())) },
};

/** As an option: nngcat's names end in a version, which may be left out where there is but one. */
const namesOf = (protocol: string): string[] =>
  /\d$/.test(protocol) ? [protocol] : [protocol, `${protocol}0`];

/** Ways to give an address: which side it is, and how its text becomes a URL. */
const ADDRESSES: Readonly<Record<string, { dial: boolean; short?: string; url: string }>> = {
  dial: { dial: true, url: "" },
  connect: { dial: true, url: "" },
  listen: { dial: false, url: "" },
  bind: { dial: false, url: "" },
  "connect-local": { dial: true, short: "l", url: "tcp://127.0.0.1:" },
  "bind-local": { dial: false, short: "L", url: "tcp://127.0.0.1:" },
  "connect-ipc": { dial: true, short: "x", url: "ipc://" },
  "bind-ipc": { dial: false, short: "X", url: "ipc://" },
};

type Option = { type: "string"; multiple: true; short?: string } | Flag;
type Flag = { type: "boolean"; short?: string };

const text = (short?: string): Option => ({
  type: "string",
  multiple: true,
  ...(short === undefined ? {} : { short }),
});
const flag = (short?: string): Option => ({
  type: "boolean",
  ...(short === undefined ? {} : { short }),
});

const OPTIONS: Readonly<Record<string, Option>> = {
  ...Object.fromEntries(
    [...Object.keys(PROTOCOLS).flatMap(namesOf), "pair"].map((name) => [name, flag()]),
  ),
  ...Object.fromEntries(Object.entries(ADDRESSES).map(([name, { short }]) => [name, text(short)])),
  async: flag(),
  compat: flag(),
  cert: text("E"),
  key: text(),
  cacert: text(),
  insecure: flag("k"),
  subscribe: text(),
  data: text("D"),
  file: text("F"),
  delay: text("d"),
  interval: text("i"),
  quoted: flag("Q"),
  ascii: flag("A"),
  raw: flag(),
  hex: flag(),
  msgpack: flag(),
  format: text(),
  count: text("C"),
  "recv-timeout": text(),
  "send-timeout": text(),
  "recv-maxsz": text("Z"),
  tap: text(),
  verbose: flag("v"),
  silent: flag("q"),
  help: flag("h"),
  version: flag("V"),
};

const LOOSE = ": protocol and address are options, as in: --req --dial tcp://127.0.0.1:5555";

type Values = Readonly<Record<string, readonly string[] | boolean | undefined>>;

/** Runs the command; resolves with its exit code. */
export async function catCommand(args: string[], terminal: Terminal = process): Promise<number> {
  let wanted: { talk: Protocol["talk"]; wishes: Wishes };
  try {
    const { values } = (await parsed({ args, options: OPTIONS }, LOOSE)) as { values: Values };
    if (values.help === true || values.version === true) {
      terminal.stdout.write(values.help === true ? HELP : `${version()}\n`);
      return 0;
    }
    wanted = understand(values, terminal);
  } catch (error) {
    return usage(error as Error, terminal);
  }
  return converse(wanted.talk, wanted.wishes, terminal);
}

function usage(error: Error, { stderr }: Terminal): number {
  stderr.write(`wirestack cat: ${error.message}\nsee: wirestack cat --help\n`);
  return 1;
}

/** Checks what was given. */
function understand(
  values: Values,
  { stderr }: Terminal,
): { talk: Protocol["talk"]; wishes: Wishes } {
  const many = (name: string) => (values[name] ?? []) as readonly string[];
  const one = (name: string): string | undefined => {
    const given = many(name);
    if (given.length > 1) throw new Error(`--${name} can be given once only`);
    return given[0];
  };
  const compat = values.compat === true;
  const protocols = Object.keys(PROTOCOLS).filter(
    (name) =>
      namesOf(name).some((n) => values[n] === true) ||
      (values.pair === true && name === (compat ? "pair0" : "pair1")),
  );
  const [name = "", another] = protocols;
  const protocol = PROTOCOLS[name];
  if (protocol === undefined) {
    const all = Object.keys(PROTOCOLS).map((p) => `--${p}`);
    throw new Error(`say which protocol: ${all.slice(0, -1).join(", ")} or ${all.at(-1)}`);
  }
  if (another !== undefined) throw new Error(`one protocol at a time, not also --${another}`);

  const urls = (dial: boolean) =>
    Object.entries(ADDRESSES)
      .filter(([, a]) => a.dial === dial)
      .flatMap(([n, a]) => many(n).map((rest) => a.url + rest));
  const [dial, listen] = [urls(true), urls(false)];
  if (dial.length + listen.length === 0) {
    throw new Error("give an address, as --dial tcp://127.0.0.1:5555 or --listen ipc:///tmp/a.ipc");
  }

  const secured = [...dial, ...listen].some((url) => SECURED.test(url));
  const tls = { cert: one("cert"), key: one("key"), ca: one("cacert") };
  const insecure = values.insecure === true;
  const idle = TLS.find((name) => values[name] !== undefined);
  if (idle !== undefined && !secured)
    throw new Error(`--${idle} is for tls+tcp:// and wss://, and no address is one of them`);
  if (tls.key !== undefined && tls.cert === undefined)
    throw new Error("--key needs --cert: the certificate that it belongs to");
  if (tls.cert === undefined && listen.some((url) => SECURED.test(url)))
    throw new Error(
      "who listens over TLS shows a certificate: give it by --cert, and --key if apart",
    );

  const [data, file] = [one("data"), one("file")];
  if (data !== undefined && file !== undefined) throw new Error("give --data or --file, not both");
  const given = data ?? file;
  if (protocol.data === "needed" && given === undefined)
    throw new Error(`--${name} sends something: give it by --data or --file`);
  if (protocol.data === "refused" && given !== undefined)
    throw new Error(`--${name} sends nothing; leave out --data and --file`);
  const interval = milliseconds("interval", one("interval"));
  if (interval !== undefined && given === undefined)
    throw new Error("--interval is for what is sent: give it by --data or --file");
  if (interval !== undefined && protocol.data === "answered")
    throw new Error(`--${name} sends when it is asked; leave out --interval`);

  const topics = many("subscribe");
  if (name !== "sub" && topics.length > 0)
    throw new Error(`--subscribe is for --sub; --${name} has no topics`);

  const asked = ["quoted", "ascii", "raw", "hex", "msgpack"].filter((f) => values[f] === true);
  const format = one("format");
  if (format !== undefined) asked.push(format);
  const [echo = "quoted", twice] = asked;
  if (twice !== undefined) throw new Error(`one format at a time, not also ${twice}`);
  if (!Object.hasOwn(formats, echo))
    throw new Error(`--format is ${Object.keys(formats).join(", ")}; not '${echo}'`);

  const loudness = values.silent === true ? 0 : values.verbose === true ? 2 : 1;
  return {
    talk: protocol.talk,
    wishes: {
      listen,
      dial,
      patient: values.async === true || compat,
      topics: topics.length > 0 ? topics : [""],
      tls: secured ? termsOf(tls, insecure) : undefined,
      data: file === undefined ? (data === undefined ? undefined : octetsOf(data)) : read(file),
      delay: milliseconds("delay", one("delay")) ?? 0,
      interval,
      count: whole("count", one("count")) ?? 0,
      sendTimeout: milliseconds("send-timeout", one("send-timeout")),
      recvTimeout: milliseconds("recv-timeout", one("recv-timeout")),
      recvMax: whole("recv-maxsz", one("recv-maxsz")),
      echo: formats[echo] as Wishes["echo"],
      tell(what, wrong) {
        if (loudness >= (wrong ? 1 : 2)) stderr.write(`wirestack cat: ${what}\n`);
      },
      // The last: what is there is kept if anything else is wrong.
      tap: tapOf(one("tap")),
    },
  };
}

const octetsOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function read(file: string, option = "file"): Uint8Array {
  try {
    return readFileSync(file === "-" ? 0 : file);
  } catch (error) {
    throw new Error(`--${option}: ${(error as Error).message}`);
  }
}

function tapOf(file: string | undefined): Layer | undefined {
  if (file === undefined) return undefined;
  try {
    const layer = tap(file);
    layer.check?.("dial", node);
    return layer;
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`--tap: ${message}; name a file that you may write, in a folder that is there`);
  }
}

const TLS = ["cert", "key", "cacert", "insecure"];

/** What both sides go by; a key may stand in its certificate's file, as nngcat has it. */
function termsOf(
  { cert, key = cert, ca }: Readonly<Record<"cert" | "key" | "ca", string | undefined>>,
  insecure: boolean,
): TlsOptions {
  return {
    ...(cert === undefined ? {} : { cert: read(cert, "cert") }),
    ...(key === undefined ? {} : { key: read(key, "key") }),
    ...(ca === undefined ? {} : { ca: read(ca, "cacert") }),
    requestCert: ca !== undefined && !insecure,
    rejectUnauthorized: !insecure,
  };
}

/** The longest that node's timers wait. */
const LONGEST = 2 ** 31 - 1;

function milliseconds(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const ms = Math.round(Number(given) * 1000);
  if (/^(\d+\.?\d*|\.\d+)$/.test(given) && ms <= LONGEST) return ms;
  throw new Error(`--${name} is in seconds, 0 to ${Math.floor(LONGEST / 1000)}; not '${given}'`);
}

function whole(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (/^\d{1,15}$/.test(given)) return Number(given);
  throw new Error(`--${name} is a whole number, 0 or more; not '${given}'`);
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

async function converse(
  talk: Protocol["talk"],
  wishes: Wishes,
  terminal: Terminal,
): Promise<number> {
  const { stdout } = terminal;
  const conversation = new Conversation(wishes, stdout);
  // Only once: whoever cannot wait for a clean end says it again.
  const interrupt = () => conversation.interrupt();
  for (const signal of SIGNALS) terminal.once(signal, interrupt);
  let unread = false;
  // Who reads no further has enough; unlike other commands, this one has connections to end.
  stdout.removeAllListeners("error").on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    unread = true;
    conversation.interrupt();
  });
  const code = (error: unknown): number => {
    if (conversation.interrupted) return conversation.unfinished && !unread ? 130 : 0;
    if (error === undefined) return 0;
    if (!(error instanceof Error)) throw error;
    if (error instanceof StackError) return usage(error, terminal);
    const known = error instanceof TimeoutError ? 3 : error instanceof Refused ? 2 : undefined;
    if (known === undefined) throw error;
    wishes.tell(error.message, true);
    return known;
  };
  try {
    const failure = await failureOf(talk(conversation));
    const left = await failureOf(conversation.close(failure !== undefined));
    return code(failure ?? left);
  } finally {
    for (const signal of SIGNALS) terminal.removeListener(signal, interrupt);
  }
}

const failureOf = (done: Promise<unknown>): Promise<unknown> =>
  done.then(
    () => undefined,
    (error) => error,
  );
