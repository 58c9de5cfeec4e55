/** The package's root. */
export { type DeviceOptions, device } from "./device.js";
export type { Connection, Env, Listening, Net, Receiver, Timer, Where } from "./env.js";
export * from "./error.js";
export { sp, spIpc } from "./framing/sp.js";
export type {
  Below,
  Context,
  Control,
  Down,
  Event,
  Face,
  Facts,
  HeaderFacts,
  Layer,
  PipeContext,
  Ports,
  Protocol,
  Same,
  Up,
} from "./layer.js";
export { Element } from "./layer.js";
export type { Link, LinkListener, Links } from "./link.js";
export { Message, type Room } from "./message.js";
export { node } from "./node.js";
export { opener } from "./open.js";
export * from "./port.js";
export { pair0, xpair0 } from "./protocol/pair0.js";
export { pull, push, xpull, xpush } from "./protocol/pipeline.js";
export {
  Ask,
  type Handler,
  type HopOptions,
  Replier,
  type ReqOptions,
  Requester,
  rep,
  req,
  xrep,
  xreq,
} from "./protocol/reqrep.js";
export { open, schemes } from "./schemes.js";
export type { Row, Schemes, SocketOptions } from "./socket.js";
export { type Stack, stack } from "./stack.js";
export { Stats } from "./stats.js";
export { inproc } from "./transport/inproc.js";
export { ipc } from "./transport/ipc.js";
export { memory } from "./transport/memory.js";
export { tcp } from "./transport/tcp.js";
