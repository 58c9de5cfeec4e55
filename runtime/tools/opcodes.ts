/**
 * Text and other octets, told apart: what WebSocket's opcodes say. Stands on any face, shows the same.
 *
 * Strings go as text, and text comes as `Utf8`. No octet on the wire is this layer's: so it meets
 * nanomsg's NN_WS_MSG_TYPE, and browsers. Without it only binary messages are taken under a protocol;
 * and under one that puts a header of its own into messages, as REQ does, there can be no text.
 * `stack(opcodes(), push(), xpush(), ws(), tcp())`
 */
import { Element, type Layer, type Same } from "../layer.js";

/**
 * Text stays text: what is sent as a string goes in text frames, and what comes in such is a `Utf8` (RFC 6455
 * §5.6; nanomsg's NN_WS_MSG_TYPE). `dial` and `listen` throw StackError where no WebSocket is below, or a layer
 * between adds octets that are no text.
 */
export function opcodes(): Layer<Same, Same, "opcodes"> {
  return {
    name: "opcodes",
    below: { same: "any" },
    above: { same: "any" },
    text: "wanted",
    make: () => new Element(),
  };
}
