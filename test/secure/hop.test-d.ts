/** What the compiler says of a hop's options. `npm run check` reads this file; nothing runs. */
import { expectTypeOf } from "expect-type";
import {
  type Exchanger,
  type HopFacts,
  hop,
  hopKeys,
  open,
  pair0,
  stack,
  tcp,
  xpair0,
} from "../../runtime/index.js";

const { privateKey: key, publicKey } = hopKeys();
const psk = new Uint8Array(32);

expectTypeOf(
  open(stack(pair0(), xpair0(), hop({ key, peers: [publicKey] }))),
).toEqualTypeOf<Exchanger>();
hop({ pattern: "IK", key, peers: (peer) => peer === publicKey, peer: publicKey });
hop({ pattern: "NNpsk0", psk, padding: 16, rekey: { records: 10 }, lifetime: { time: 1000 } });
hop({ pattern: "NNpsk0", psk, keyLog: "keys.log" });
hop({ key, peers: [publicKey], keyLog: (line) => expectTypeOf(line).toEqualTypeOf<string>() });

// @ts-expect-error: a path, or a function
hop({ pattern: "NNpsk0", psk, keyLog: true });
// @ts-expect-error: whoever proves who is there must be wanted
hop({ key });
// @ts-expect-error: a secret is no key
hop({ pattern: "XX", psk });
// @ts-expect-error: no such pattern
hop({ pattern: "NK", key, peers: [publicKey] });
// @ts-expect-error: buckets, or 16
hop({ pattern: "NNpsk0", psk, padding: 32 });
// @ts-expect-error: a hop stands on messages, and TCP has none
stack(pair0(), xpair0(), hop({ pattern: "NNpsk0", psk }), tcp());

declare const facts: HopFacts;
expectTypeOf(facts.peer).toEqualTypeOf<string | undefined>();
