/**
 * The package's root where there is no node: a page, or a worker. The same sockets, over what a browser
 * has: WebSocket to others, names inside the page.
 */
import { sp } from "./framing/sp.js";
import { opener } from "./open.js";
import type { Schemes } from "./socket.js";
import { inproc } from "./transport/inproc.js";
import { memory } from "./transport/memory.js";
import { websocket } from "./transport/websocket.js";
import { web } from "./web.js";

// A page has no cryptography that answers at once: who seals or signs there puts some into an env of its own.
export * from "./portable.js";

/** What an address stands for: the layers that it puts under a stack, the uppermost first. */
export const schemes = {
  "ws://": [websocket],
  "wss://": [websocket],
  "inproc://": [inproc],
  "memory://": [sp, memory],
} as const satisfies Schemes;

/**
 * Runs a stack. Its topmost face decides what comes back: `open(req())` is a Requester.
 *
 * Whose page has only some of the schemes weighs less with an `open` of its own, and a bundler leaves
 * this one out: `opener({ "ws://": [websocket] }, web)`.
 */
export const open = /* @__PURE__ */ opener(schemes, web);
