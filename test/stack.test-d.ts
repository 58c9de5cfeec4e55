/**
 * What the compiler must refuse in a stack, and what it must make of one. `npm run check` reads this
 * file; nothing runs. A mark without a mistake under it is itself an error.
 */
import { expectTypeOf } from "expect-type";
import {
  type Exchanger,
  type Face,
  inproc,
  type Layer,
  type Links,
  open,
  pair0,
  pull,
  push,
  type Raw,
  type Replier,
  type Requester,
  rep,
  req,
  type Same,
  type Sender,
  type Stack,
  sp,
  spIpc,
  stack,
  type Taker,
  tcp,
  xpush,
  xrep,
  xreq,
} from "../runtime/index.js";

declare const tap: () => Layer<Same<Face>, Same<Face>, "tap">;
declare const sealed: () => Layer<
  Same<"req" | "rep" | "push">,
  Same<"req" | "rep" | "push">,
  "sealed"
>;
declare const hop: () => Layer<"link", "link", "hop">;

// ------------------------------------------------------------------------------- mistakes, planted

// @ts-expect-error 'req' stands on 'raw', but the one below it offers 'link'
stack(req(), sp(), tcp());
// @ts-expect-error 'hop' stands on 'link', but the one below it offers 'octets'
stack(req(), xreq(), hop(), tcp());
// @ts-expect-error 'xreq' stands on 'link', but the one below it offers 'octets'
stack(req(), xreq(), tcp());
// @ts-expect-error 'sp' stands on 'octets', but the one below it offers 'link'
stack(xreq(), sp(), inproc());
// @ts-expect-error 'sealed' stands on 'req' | 'rep' | 'push', but the one below it offers 'raw'
stack(req(), sealed(), xreq());
// @ts-expect-error nothing may stand on the application's face
stack(pull(), push(), xpush());
// @ts-expect-error a stack has layers
stack();
// @ts-expect-error a replier answers; it does not ask
open(rep()).request("?");
// @ts-expect-error who pushes receives nothing
open(push()).receive();
// @ts-expect-error milliseconds
open(req(), { linger: "1s" });
// @ts-expect-error no such option
req({ resend: 1 });
// @ts-expect-error no such option of an address, nor a layer
open(req()).dial("tcp://127.0.0.1:1", { tsl: {} });
// @ts-expect-error options of a layer are its own
open(req()).dial("tcp://127.0.0.1:1", { tcp: { keepalive: 1 } });
// @ts-expect-error who listens does not connect again
open(req()).listen("tcp://127.0.0.1:1", { reconnect: { min: 1 } });
// @ts-expect-error who is let in is known at once
open(req()).listen("tcp://127.0.0.1:1", { accept: async () => true });
open(req()).dial("ipc:///x", { recvMax: 1, reconnect: { min: 0 }, accept: () => "no", ipc: {} });

const sentence = () =>
  // @ts-expect-error the mistake is told in words
  stack(req(), sp());
expectTypeOf<
  Parameters<typeof stack<readonly [ReturnType<typeof req>, ReturnType<typeof sp>]>>[0]
>().toExtend<"'req' stands on 'raw', but the one below it offers 'link'">();
void sentence;

// ----------------------------------------------------------------------------- what becomes of one

expectTypeOf(stack(req(), xreq())).toEqualTypeOf<Stack<"req", "link">>();
expectTypeOf(stack(req(), xreq(), hop(), sp(), tcp())).toEqualTypeOf<Stack<"req", "ground">>();
expectTypeOf(stack(tap(), sealed(), req(), tap(), xreq(), tap(), spIpc())).toEqualTypeOf<
  Stack<"req", "octets">
>();
expectTypeOf(open(stack(sealed(), req(), xreq()))).toEqualTypeOf<Requester>();
expectTypeOf(open(req())).toEqualTypeOf<Requester>();
expectTypeOf(open(rep())).toEqualTypeOf<Replier>();
expectTypeOf(open(push())).toEqualTypeOf<Sender>();
expectTypeOf(open(pull())).toEqualTypeOf<Taker>();
expectTypeOf(open(pair0())).toEqualTypeOf<Exchanger>();
expectTypeOf(open(xrep())).toEqualTypeOf<Raw>();
expectTypeOf(open(stack(sp()))).toEqualTypeOf<Links>();
