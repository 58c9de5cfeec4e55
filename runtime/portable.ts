/** What the package has wherever it runs: node, or a page. Who needs the one or the other is beside it. */
export { Ask, type Handler, Replier, type ServeOptions } from "./answering.js";
export { type Body, bodyOf, compose, type Draft, Utf8 } from "./body.js";
export type { Crypto, KeyLike, PrivateKey, PublicKey, SecretKey } from "./crypto.js";
export { type DeviceOptions, device } from "./device.js";
export type {
  Connection,
  Env,
  Listening,
  Net,
  Receiver,
  Settings,
  Timer,
  Where,
} from "./env.js";
export * from "./error.js";
export { type SpOptions, sp } from "./framing/sp.js";
export type { PipeInfo, Priority } from "./hub.js";
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
  LayerOptions,
  PipeContext,
  Ports,
  Protocol,
  Same,
  TtlOptions,
  Up,
} from "./layer.js";
export { Element } from "./layer.js";
export type { Link, LinkListener, Links } from "./link.js";
export { Message, type Room } from "./message.js";
export { opener } from "./open.js";
export * from "./port.js";
export { bus, xbus } from "./protocol/bus.js";
export { pair0, xpair0 } from "./protocol/pair0.js";
export { pair1, xpair1 } from "./protocol/pair1.js";
export { pull, push, xpull, xpush } from "./protocol/pipeline.js";
export { pub, type SubOptions, Subscriber, sub, xpub, xsub } from "./protocol/pubsub.js";
export {
  type ReqOptions,
  Requester,
  type RequestOptions,
  rep,
  req,
  xrep,
  xreq,
} from "./protocol/reqrep.js";
export { star, xstar } from "./protocol/star.js";
export {
  respondent,
  type SurveyOptions,
  Surveyor,
  type SurveyorOptions,
  surveyor,
  xrespondent,
  xsurveyor,
} from "./protocol/survey.js";
export * from "./queues.js";
export {
  type HopFacts,
  type HopOptions,
  type HopPattern,
  type HopSuite,
  hop,
  type KeyedHop,
  type SharedHop,
} from "./secure/hop.js";
export {
  type IntegrityKey,
  type IntegrityOptions,
  integrity,
  KeyRing,
  type SharedKey,
  type SigningKey,
  type VerifyingKey,
} from "./secure/integrity.js";
export type { Row, Schemes, SocketOptions } from "./socket.js";
export { type Stack, stack } from "./stack.js";
export { Stats } from "./stats.js";
export { opcodes } from "./tools/opcodes.js";
export { type TapOptions, tap } from "./tools/tap.js";
export { inproc } from "./transport/inproc.js";
export { memory } from "./transport/memory.js";
export {
  type WebSocketMaker,
  type WebSocketObject,
  websocket,
} from "./transport/websocket.js";
export { web } from "./web.js";
