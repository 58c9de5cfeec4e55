/**
 * What the compiler must refuse in a stack, and what it must make of one. `npm run check` reads this
 * file; nothing runs. A mark without a mistake under it is itself an error.
 */
import { expectTypeOf } from "expect-type";
import {
  type Body,
  bus,
  type Exchanger,
  inproc,
  integrity,
  type Layer,
  type Links,
  open,
  pair0,
  pub,
  pull,
  push,
  type Raw,
  type Replier,
  type Requester,
  rep,
  req,
  respondent,
  type Same,
  type Sender,
  type Stack,
  type Subscriber,
  type Surveyor,
  sp,
  spIpc,
  stack,
  sub,
  surveyor,
  type Taker,
  tap,
  tcp,
  xpush,
  xrep,
  xreq,
  xsub,
} from "../runtime/index.js";

const tapped = tap("traffic.pcapng");
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
// @ts-expect-error 'integrity' stands on 'ports', but the one below it offers 'raw': put integrity above req …
stack(req(), integrity({ keys: [] }), xreq());
// @ts-expect-error the same on a link
stack(req(), xreq(), integrity({ keys: [] }), sp(), tcp());
// @ts-expect-error the same on octets
stack(req(), xreq(), sp(), integrity({ keys: [] }), tcp());
// @ts-expect-error 'req' stands on 'raw', but what the tap shows is 'link'
stack(req(), tapped, sp(), tcp());
// @ts-expect-error a tap's limit is octets
tap({ file: "traffic.pcapng", limit: "1 MiB" });
// @ts-expect-error a key has a secret, or one half of a pair
integrity({ keys: [{ id: 1 }] });
// @ts-expect-error a secret is octets
integrity({ keys: [{ id: 1, secret: "hunter2" }] });
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

const advice = () =>
  // @ts-expect-error the mistake is told in words, and how to mend it
  stack(integrity({ keys: [] }), xreq());
expectTypeOf<
  Parameters<typeof stack<readonly [ReturnType<typeof integrity>, ReturnType<typeof xreq>]>>[0]
>().toExtend<"'integrity' stands on 'ports', but the one below it offers 'raw': put integrity above req: devices rewrite what is below">();
void advice;

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
expectTypeOf(stack(tapped, sealed(), req(), tapped, xreq(), tapped, spIpc())).toEqualTypeOf<
  Stack<"req", "octets">
>();
expectTypeOf(stack(req(), xreq(), tapped)).toEqualTypeOf<Stack<"req", "link">>();
expectTypeOf(stack(req(), xreq(), hop(), tapped, tapped)).toEqualTypeOf<Stack<"req", "link">>();
expectTypeOf(stack(req(), xreq(), sp(), tapped)).toEqualTypeOf<Stack<"req", "octets">>();
expectTypeOf(open(stack(req(), tapped))).toEqualTypeOf<Requester>();
expectTypeOf(open(stack(sp(), tapped))).toEqualTypeOf<Links>();
expectTypeOf(open(stack(sealed(), req(), xreq()))).toEqualTypeOf<Requester>();
expectTypeOf(open(req())).toEqualTypeOf<Requester>();
const proven = integrity({ keys: [{ id: 1, secret: new Uint8Array(32) }] });
expectTypeOf(stack(proven, req(), xreq())).toEqualTypeOf<Stack<"req", "link">>();
expectTypeOf(open(stack(proven, req()))).toEqualTypeOf<Requester>();
expectTypeOf(open(stack(proven, tapped, rep(), xrep()))).toEqualTypeOf<Replier>();
expectTypeOf(open(stack(proven, sub(), xsub()))).toEqualTypeOf<Subscriber>();
expectTypeOf(open(stack(proven, pub()))).toEqualTypeOf<Sender>();
expectTypeOf(open(stack(proven, pull()))).toEqualTypeOf<Taker>();
expectTypeOf(open(stack(proven, surveyor()))).toEqualTypeOf<Surveyor>();
expectTypeOf(open(stack(proven, respondent()))).toEqualTypeOf<Replier<Body | undefined>>();
expectTypeOf(open(stack(proven, bus()))).toEqualTypeOf<Exchanger>();
expectTypeOf(open(rep())).toEqualTypeOf<Replier>();
expectTypeOf(open(push())).toEqualTypeOf<Sender>();
expectTypeOf(open(pull())).toEqualTypeOf<Taker>();
expectTypeOf(open(pair0())).toEqualTypeOf<Exchanger>();
expectTypeOf(open(xrep())).toEqualTypeOf<Raw>();
expectTypeOf(open(stack(sp()))).toEqualTypeOf<Links>();
