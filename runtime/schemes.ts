/** What an address stands for: the layers that it puts under a stack, the uppermost first. */
import { sp, spIpc } from "./framing/sp.js";
import { ws } from "./framing/ws.js";
import { node } from "./node.js";
import { opener } from "./open.js";
import type { Schemes } from "./socket.js";
import { inproc } from "./transport/inproc.js";
import { ipc } from "./transport/ipc.js";
import { memory } from "./transport/memory.js";
import { tcp } from "./transport/tcp.js";
import { tls } from "./transport/tls.js";

export const schemes = {
  "inproc://": [inproc],
  "memory://": [sp, memory],
  "tcp://": [sp, tcp],
  "ipc://": [spIpc, ipc],
  "tls+tcp://": [sp, tls, tcp],
  "ws://": [ws, tcp],
  "wss://": [ws, tls, tcp],
} as const satisfies Schemes;

/** Runs a stack. Its topmost face decides what comes back: `open(req())` is a Requester. */
export const open = opener(schemes, node);
