/** The package's root. */
export { spIpc } from "./framing/sp.js";
export { type WsOptions, ws } from "./framing/ws.js";
export { node } from "./node.js";
export * from "./portable.js";
export { open, schemes } from "./schemes.js";
export { type HopKeys, hopKeys, readKeyLog } from "./secure/hop/keys.js";
export { type IpcOptions, ipc } from "./transport/ipc.js";
export { type TcpOptions, tcp } from "./transport/tcp.js";
export { type Pem, type TlsFacts, type TlsOptions, tls } from "./transport/tls.js";
