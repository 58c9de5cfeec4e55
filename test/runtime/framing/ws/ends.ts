/** Two who read the same octets: our frames, and the receiver of `ws`, the package. Each writes down what it makes of them. */
import { createHash } from "node:crypto";
import type { EventEmitter } from "node:events";
import * as ws from "ws";
import * as close from "../../../../generated/ws/close.js";
import * as frame from "../../../../generated/ws/frame.js";
import { WireError } from "../../../../runtime/error.js";
import { type FrameOptions, Frames } from "../../../../runtime/framing/ws/frames.js";
import { Message } from "../../../../runtime/message.js";
import { joined } from "../../../laws/octets.js";
import { surroundings } from "../../../laws/still.js";

interface Framing {
  readonly opcode: number;
  readonly fin: boolean;
  readonly mask: boolean;
  /** It may not be masked in place. */
  readonly readOnly: true;
}
interface Receiving extends EventEmitter {
  write(octets: Uint8Array): void;
}

/** What the package exports, and its types leave out. */
export const { Receiver, Sender } = ws as unknown as {
  readonly Receiver: new (options: object) => Receiving;
  readonly Sender: { frame(data: Uint8Array, how: Framing): Uint8Array[] };
};

/** `dial`: a client, who is sent what is not masked. */
export type Side = "dial" | "listen";

/** What becomes of octets: messages and pings, and in the end perhaps a close, by the peer or for its faults. */
export type Outcome = readonly (
  | readonly ["binary" | "text" | "ping", octets: string]
  | readonly ["closed" | "failed", code: number]
)[];

/** Octets as an outcome shows them: long ones by their sum. */
export function shown(octets: Uint8Array): string {
  if (octets.length <= 64) return Buffer.from(octets).toString("hex");
  return `${octets.length}: ${createHash("sha256").update(octets).digest("hex").slice(0, 16)}`;
}

/** A frame, right or wrong. */
export interface Piece {
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  readonly fin?: boolean;
  readonly rsv?: number;
  /** As the other side would not have it. */
  readonly wronglyMasked?: boolean;
  /** What the length claims, and how wide it is written. */
  readonly claims?: bigint;
  readonly width?: 0 | 2 | 8;
}

/** A piece's octets, written by hand: so that they can be wrong. */
export function framed(piece: Piece, to: Side, key = 0x3d84a1f2): Uint8Array {
  const { opcode, fin = true, rsv = 0 } = piece;
  const payload = Buffer.from(piece.payload ?? "");
  const length = piece.claims ?? BigInt(payload.length);
  const width = piece.width ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8);
  const masked = (to === "listen") !== (piece.wronglyMasked ?? false);
  const first = width === 0 ? Number(length) : width === 2 ? 126 : 127;
  const head = Buffer.alloc(2 + width + (masked ? 4 : 0));
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | first;
  if (width === 2) head.writeUInt16BE(Number(length), 2);
  if (width === 8) head.writeBigUInt64BE(length, 2);
  if (!masked) return joined([head, payload]);
  head.writeUInt32BE(key, 2 + width);
  return joined([head, payload.map((x, i) => x ^ (head[2 + width + (i % 4)] as number))]);
}

/** Our frames, with nothing above and below but a notebook. */
export class Ours {
  readonly frames: Frames;
  readonly context: ReturnType<typeof surroundings>;
  readonly got: Message[] = [];
  readonly #sent: Uint8Array[] = [];
  #code = 0;
  readonly outcome: Outcome[number][] = [];
  /** What was said below, and what the last reason for closing was. */
  readonly controls: string[] = [];
  error: Error | undefined;

  constructor(side: Side, options: Partial<FrameOptions> = {}, recvMax = 2 ** 20) {
    this.context = surroundings({ side, recvMax });
    this.frames = new Frames(this.context, { maxFrame: 0, text: true, ...options });
    this.frames.above = {
      up: (m) => {
        this.got.push(m);
        this.outcome.push([m.text ? "text" : "binary", shown(joined(m.segments()))]);
      },
      event: (e) => {
        if (e.type === "closed") this.error = e.error;
      },
    };
    this.frames.below = {
      down: (m) => {
        this.context.block.put(m);
        const octets = joined(this.context.block.take());
        this.#sent.push(octets);
        this.#look(octets);
      },
      control: (c) => {
        this.controls.push(c.type);
        if (c.type !== "end") return;
        this.frames.event({ type: "closed" });
        this.outcome.push([this.error instanceof WireError ? "failed" : "closed", this.#code]);
      },
    };
    this.frames.event({ type: "opened", facts: {} });
  }

  feed(octets: Uint8Array): void {
    this.frames.up(Message.of(octets));
  }

  /** All that it has written since this was asked last. */
  written(): Uint8Array {
    return joined(this.#sent.splice(0));
  }

  /** Pings are seen by their answers. */
  #look(octets: Uint8Array): void {
    const h = frame.read(new DataView(octets.buffer), 0, octets.length);
    const key = Buffer.alloc(4);
    key.writeUInt32BE(h.key ?? 0);
    const payload = octets.slice(frame.sizeValue(h)).map((x, i) => x ^ (key[i % 4] as number));
    if (h.opcode === frame.Opcode.pong) this.outcome.push(["ping", shown(payload)]);
    // As `ws` tells of a close without a code.
    if (h.opcode === frame.Opcode.close) {
      const { length } = payload;
      this.#code = length === 0 ? 1005 : close.getCode(new DataView(payload.buffer), 0);
    }
  }
}

/** The package's receiver. */
export class Foreign {
  readonly receiver: Receiving;
  readonly outcome: Outcome[number][] = [];
  #over = false;

  constructor(side: Side, maxPayload = 2 ** 20) {
    this.receiver = new Receiver({ isServer: side === "listen", maxPayload, maxFragments: 16_384 });
    const note = (what: Outcome[number]) => void this.outcome.push(what);
    this.receiver
      .on("message", (data: Buffer, binary: boolean) =>
        note([binary ? "binary" : "text", shown(data)]),
      )
      .on("ping", (data: Buffer) => note(["ping", shown(data)]))
      .on("conclude", (code: number) => {
        this.#over = true;
        note(["closed", code]);
      })
      .on("error", (error: Error) => {
        this.#over = true;
        const [key] = Object.getOwnPropertySymbols(error);
        note(["failed", (error as never)[key as never] as number]);
      });
  }

  feed(octets: Uint8Array): void {
    if (!this.#over) this.receiver.write(octets);
  }
}
