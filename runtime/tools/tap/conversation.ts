/**
 * Octets of a connection as a TCP conversation over IP: what every reader of captures puts together again.
 * RFC 9293, RFC 791, RFC 8200.
 *
 * Addresses are the connection's own where they are such, and unlike any other's; else they are made up.
 * Numbers, acknowledgments and checksums are as if it had been. In a file that begins in the midst of it the
 * handshake stands again, then the first octets of each direction, which say what it is; then it goes on
 * where it was.
 */
import * as ip from "../../../generated/net/ipv4.js";
import * as ip6 from "../../../generated/net/ipv6.js";
import * as tcp from "../../../generated/net/tcp.js";
import type { Facts } from "../../layer.js";
import type { Message } from "../../message.js";
import {
  blockOf,
  type Capture,
  copy,
  IN,
  IP,
  OUT,
  Source,
  type Text,
  type Way,
} from "./capture.js";

/** Octets of a segment at most. */
const SEGMENT = 32 * 1024;
/** Octets that are acknowledged at the latest: before they are as many as the window. */
const OWED = 16 * 1024;
const WINDOW = 0xffff;
/** First octets of each direction that are kept, for files that begin later. */
const FIRST = 1024;
const PROTOCOL = 6;
const HOPS = 64;
const NO_OPTIONS: never[] = [];
const NOTHING = new Uint8Array(0);
const { syn, ack, push, fin } = tcp.Flags;

/** Of who dials, where there are no addresses to go by: from there up to the last. RFC 6335 §6. */
const DYNAMIC = 49_152;
const PORTS = 65_536 - DYNAMIC;
const LOOPBACK = 0x7f00_0001;

interface Address {
  /** IPv4 as a number. */
  readonly host: number | Uint8Array;
  readonly port: number;
}

/** All conversations of a capture: no two at a time have the same addresses. */
export class Network {
  readonly #taken = new Set<string>();
  #made = 0;
  #conversations = 0;

  /** Addresses for a connection, ours first, and how to give them back. */
  addresses(
    { local = "", remote = "" }: Facts,
    side: "dial" | "listen",
  ): readonly [ours: Address, theirs: Address, free: () => void] {
    const [ours, theirs] = [addressOf(local), addressOf(remote)];
    // Both ends of it may be here.
    const key = [local, remote].sort().join(" ");
    const fit = ours && theirs && typeof ours.host === typeof theirs.host;
    if (fit && !this.#taken.has(key)) {
      this.#taken.add(key);
      return [ours, theirs, () => void this.#taken.delete(key)];
    }
    const n = this.#made++;
    const dials = { host: LOOPBACK, port: DYNAMIC + (n % PORTS) };
    const listens = { host: LOOPBACK, port: 1 + (Math.floor(n / PORTS) % (DYNAMIC - 1)) };
    const free = () => {};
    return side === "dial" ? [dials, listens, free] : [listens, dials, free];
  }

  /** Where a conversation begins to count: elsewhere than the one before it. */
  begin(): number {
    return Math.imul(this.#conversations++, 0x9e37_79b1) >>> 0;
  }
}

/** One end, and what it has said. */
class End {
  /** Number of its next octet: in front of its first stands its SYN. */
  next: number;
  /** Octets that the other end has not acknowledged. */
  owed = 0;
  /** Its first octets, and how many they are. */
  first = NOTHING;
  kept = 0;

  constructor(
    readonly address: Address,
    readonly way: Way,
    /** Number of its SYN. */
    readonly begin: number,
  ) {
    this.next = after(begin, 1);
  }
}

export class Conversation {
  readonly #source: Source;
  readonly #ours: End;
  readonly #theirs: End;
  /** Who dialed, and who listened. */
  readonly #asked: End;
  readonly #answered: End;
  readonly #free: () => void;
  /** Octets of a segment's headers, those of IP among them. */
  readonly #headers: number;
  /** Sum of what a checksum covers of addresses and protocol. */
  readonly #pseudo: number;
  /** Octets behind the header that is being written. */
  #payload = 0;
  readonly #checksum = (v: DataView, o: number, end: number): number => {
    const n = end - o + this.#payload;
    return checksum(this.#pseudo + n + words(v, o, o + n));
  };
  /** We say the end before the peer does. */
  #ending = false;

  /** Begins with a handshake: the connection is open. */
  constructor(
    readonly capture: Capture,
    network: Network,
    facts: Facts,
    side: "dial" | "listen",
    tell: () => Text,
  ) {
    const [ours, theirs, free] = network.addresses(facts, side);
    this.#free = free;
    this.#ours = new End(ours, OUT, network.begin());
    this.#theirs = new End(theirs, IN, network.begin());
    const pair = [this.#ours, this.#theirs] as const;
    [this.#asked, this.#answered] = side === "dial" ? pair : [pair[1], pair[0]];
    this.#headers = (typeof ours.host === "number" ? ip.MIN : ip6.MIN) + tcp.MIN;
    this.#pseudo = PROTOCOL + sumOf(ours.host) + sumOf(theirs.host);
    const bare = blockOf(this.#headers);
    this.#source = new Source(IP, tell, 3 * bare + 2 * (bare + FIRST));
    if (capture.store.on && capture.ready(this.#source, 0)) this.#introduce();
  }

  /** Octets that we say. */
  out(m: Message): void {
    this.#say(this.#ours, m);
  }

  /** Octets that the peer says. */
  in(m: Message): void {
    this.#say(this.#theirs, m);
  }

  /** We are to say the end, unless the peer has. */
  end(): void {
    this.#ending = true;
  }

  /** The connection is gone. */
  close(): void {
    this.#free();
    const { capture } = this;
    // Where nothing was said of it, its end means nothing.
    if (!capture.store.on || this.#source.part !== capture.store.part) return;
    const first = this.#ending ? this.#ours : this.#theirs;
    const second = this.#other(first);
    if (capture.ready(this.#source, 3 * blockOf(this.#headers))) this.#introduce();
    this.#put(first, first.next, second.next, fin | ack);
    first.next = after(first.next, 1);
    this.#put(second, second.next, first.next, fin | ack);
    second.next = after(second.next, 1);
    this.#put(first, first.next, second.next, ack);
  }

  #other(end: End): End {
    return end === this.#ours ? this.#theirs : this.#ours;
  }

  #say(from: End, m: Message): void {
    const { store } = this.capture;
    if (!store.on) return;
    const { length } = m;
    if (length === 0) return;
    if (length <= SEGMENT) {
      const at = this.#begin(from, length);
      copy(m, store.bytes, store.view, at + this.#headers);
      return this.#finish(from, at, length);
    }
    for (const s of m.segments()) {
      for (let o = 0; o < s.length; o += SEGMENT) {
        const piece = s.subarray(o, o + SEGMENT);
        const at = this.#begin(from, piece.length);
        store.bytes.set(piece, at + this.#headers);
        this.#finish(from, at, piece.length);
      }
    }
  }

  /** A segment of `n` octets: answers where it is to be written. */
  #begin(from: End, n: number): number {
    const { capture } = this;
    const size = this.#headers + n;
    // It may have to be acknowledged.
    if (capture.ready(this.#source, size + blockOf(this.#headers))) this.#introduce();
    return capture.packet(this.#source, from.way, size);
  }

  /** Its octets are there. */
  #finish(from: End, at: number, n: number): void {
    const to = this.#other(from);
    this.#head(from, at, from.next, to.next, push | ack, n);
    if (from.kept < FIRST) this.#keep(from, at + this.#headers, n);
    from.next = after(from.next, n);
    to.owed = 0;
    from.owed += n;
    if (from.owed < OWED) return;
    from.owed = 0;
    this.#put(to, to.next, from.next, ack);
  }

  #keep(from: End, at: number, n: number): void {
    const { store } = this.capture;
    if (!store.turns) return;
    const more = Math.min(n, FIRST - from.kept);
    const first = new Uint8Array(from.kept + more);
    first.set(from.first);
    first.set(store.bytes.subarray(at, at + more), from.kept);
    from.first = first;
    from.kept = first.length;
  }

  /** How it began, for who reads from here on. */
  #introduce(): void {
    const [one, two] = [this.#asked, this.#answered];
    const [mine, yours] = [after(one.begin, 1), after(two.begin, 1)];
    this.#put(one, one.begin, 0, syn);
    this.#put(two, two.begin, mine, syn | ack);
    this.#put(one, mine, yours, ack);
    if (one.kept > 0) this.#put(one, mine, yours, push | ack, one.first);
    if (two.kept > 0) this.#put(two, yours, after(mine, one.kept), push | ack, two.first);
  }

  #put(from: End, number: number, heard: number, flags: number, octets = NOTHING): void {
    const { capture } = this;
    const n = octets.length;
    const at = capture.packet(this.#source, from.way, this.#headers + n);
    capture.store.bytes.set(octets, at + this.#headers);
    this.#head(from, at, number, heard, flags, n);
  }

  /** Headers in front of `n` octets that are there. */
  #head(from: End, at: number, number: number, heard: number, flags: number, n: number): void {
    const { view } = this.capture.store;
    const { host, port } = from.address;
    const { address: to } = this.#other(from);
    const length = tcp.MIN + n;
    let p = at;
    if (typeof host === "number") {
      const [size, df] = [ip.MIN + length, ip.Flags.df];
      const there = to.host as number;
      p = ip.write(view, p, 0, 0, size, 0, df, 0, HOPS, PROTOCOL, host, there, NO_OPTIONS);
    } else {
      p = ip6.write(view, p, 0, 0, 0, length, PROTOCOL, HOPS, host, to.host as Uint8Array);
    }
    this.#payload = n;
    const sum = this.#checksum;
    tcp.write(view, p, port, to.port, number, heard, flags, WINDOW, sum, 0, NO_OPTIONS);
  }
}

/** Numbers of octets begin again. */
const after = (number: number, n: number): number => (number + n) >>> 0;

/** Sum of octets as words of 16 bits, the last one filled up. RFC 1071. */
function words(v: DataView, from: number, end: number): number {
  let sum = 0;
  let p = from;
  for (; p + 4 <= end; p += 4) {
    const w = v.getUint32(p);
    sum += (w >>> 16) + (w & 0xffff);
  }
  if (p + 2 <= end) {
    sum += v.getUint16(p);
    p += 2;
  }
  return p < end ? sum + v.getUint8(p) * 256 : sum;
}

function checksum(sum: number): number {
  const once = (sum >>> 16) + (sum & 0xffff);
  return ~(once + (once >>> 16)) & 0xffff;
}

function sumOf(host: Address["host"]): number {
  if (typeof host === "number") return (host >>> 16) + (host & 0xffff);
  return words(new DataView(host.buffer), 0, host.length);
}

/** As the system writes addresses: `127.0.0.1:5555`, `[::1]:5555`. */
function addressOf(text: string): Address | undefined {
  const [, six, four = "", port] = /^(?:\[(.+)\]|([\d.]+)):(\d+)$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 0xffff) return undefined;
  // A socket for both kinds shows one in the other.
  const mapped = /^::ffff:([\d.]+)$/i.exec(six ?? "")?.[1];
  const host = six === undefined || mapped !== undefined ? v4(mapped ?? four) : v6(six);
  return host === undefined ? undefined : { host, port: Number(port) };
}

function v4(text: string): number | undefined {
  const parts = text.split(".").map(Number);
  if (parts.length !== 4) return undefined;
  return parts.reduce((host, part) => host * 256 + part) >>> 0;
}

function v6(text: string): Uint8Array | undefined {
  const [before = "", behind] = (text.split("%")[0] as string).split("::");
  const groups = (half: string) => (half === "" ? [] : half.split(":")).map((g) => parseInt(g, 16));
  const [head, tail] = [groups(before), groups(behind ?? "")];
  const none = new Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0);
  const all = [...head, ...none, ...tail];
  if (all.length !== 8 || all.some(Number.isNaN)) return undefined;
  return Uint8Array.from(all.flatMap((g) => [g >>> 8, g & 0xff]));
}
