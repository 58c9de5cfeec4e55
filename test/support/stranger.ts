/** A connection without a socket of ours on it: it sends whatever octets a test wants. */
import { connect, type Socket } from "node:net";
import * as greeting from "../../generated/sp/greeting.js";
import * as ipcLength from "../../generated/sp/ipc.js";
import * as tcpLength from "../../generated/sp/tcp.js";
import { until } from "./until.js";

export class Stranger {
  readonly #socket: Socket;
  readonly #length: typeof tcpLength | typeof ipcLength;
  #came: Buffer = Buffer.alloc(0);
  closed = false;

  private constructor(socket: Socket, url: string) {
    this.#socket = socket;
    this.#length = url.startsWith("ipc:") ? ipcLength : tcpLength;
    socket
      .on("data", (octets) => {
        this.#came = Buffer.concat([this.#came, octets]);
      })
      .on("close", () => {
        this.closed = true;
      })
      .on("error", () => {});
  }

  /** Connects; rejects with the system's error if nobody is there. */
  static dial(url: string): Promise<Stranger> {
    return new Promise((done, failed) => {
      const rest = url.slice("tcp://".length);
      const at = rest.lastIndexOf(":");
      const socket = url.startsWith("ipc:")
        ? connect({ path: rest })
        : connect({ host: rest.slice(0, at), port: Number(rest.slice(at + 1)) });
      socket.setNoDelay(true);
      socket.once("error", failed);
      socket.once("connect", () => {
        socket.off("error", failed);
        done(new Stranger(socket, url));
      });
    });
  }

  /** As `dial`, and says that it speaks the protocol of this number. */
  static async greet(url: string, type: number): Promise<Stranger> {
    const stranger = await Stranger.dial(url);
    stranger.send(greetingOf(type));
    return stranger;
  }

  /** Resolves when the system has the octets: so two sends are two writes. */
  send(octets: Uint8Array): Promise<void> {
    return new Promise((done) => this.#socket.write(octets, () => done()));
  }

  /** Each octet is a write of its own. */
  async dribble(octets: Uint8Array): Promise<void> {
    for (let i = 0; i < octets.length; i++) await this.send(octets.subarray(i, i + 1));
  }

  /** A message behind its length. */
  framed(...pieces: readonly Uint8Array[]): Uint8Array {
    const body = Buffer.concat(pieces);
    const octets = new Uint8Array(this.#length.MAX + body.length);
    this.#length.write(new DataView(octets.buffer), 0, body.length);
    octets.set(body, this.#length.MAX);
    return octets;
  }

  /** The header of a message of so many octets, whether that can be or not. */
  claim(length: bigint): Uint8Array {
    const header = this.framed();
    new DataView(header.buffer).setBigUint64(header.length - 8, length);
    return header;
  }

  message(...pieces: readonly Uint8Array[]): Promise<void> {
    return this.send(this.framed(...pieces));
  }

  /** The messages that came, whole ones. */
  get messages(): Uint8Array[] {
    const came = new Uint8Array(this.#came);
    const view = new DataView(came.buffer);
    const messages: Uint8Array[] = [];
    let at = greeting.MAX;
    for (;;) {
      if (this.#length.measure(view, at, came.length) < 0) return messages;
      const { length } = this.#length.read(view, at, came.length);
      const body = at + this.#length.MAX;
      if (body + length > came.length) return messages;
      messages.push(came.subarray(body, body + length));
      at = body + length;
    }
  }

  /** The message of that number, when it is here. */
  async take(n: number): Promise<Uint8Array> {
    await until(`message ${n}`, () => this.messages.length > n);
    return this.messages[n] as Uint8Array;
  }

  /** Resolves when the other side has closed. */
  ended(): Promise<void> {
    return until("the connection to be closed", () => this.closed);
  }

  /** Says the end; resolves when the system has it. */
  end(): Promise<void> {
    return new Promise((done) => this.#socket.end(done));
  }

  /** Reads nothing more for now. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }
}

export function greetingOf(type: number): Uint8Array {
  const octets = new Uint8Array(greeting.MAX);
  greeting.write(new DataView(octets.buffer), 0, type, greeting.Stack.plain);
  return octets;
}

export function octetsOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}
