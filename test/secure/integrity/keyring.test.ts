/** Keys: what is none, which one signs, how they change while sockets run, and that nobody sees them. */
import { createSecretKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  integrity,
  type IntegrityKey as Key,
  KeyRing,
  node,
  StackError,
} from "../../../runtime/index.js";
import { nodeCrypto } from "../../../runtime/node-crypto.js";

const test = suite("key ring");
const secret = new Uint8Array(randomBytes(32));
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const of = (...keys: Key[]): KeyRing => {
  const ring = new KeyRing(keys);
  ring.open(nodeCrypto);
  return ring;
};

test("what is no key is refused in words that say what one is", () => {
  const bad: readonly (readonly [key: unknown, said: RegExp])[] = [
    [{ id: -1, secret }, /key's id is a whole number/],
    [{ id: 2 ** 53, secret }, /key's id is a whole number/],
    [{ id: "1", secret }, /key's id is a whole number/],
    [{ id: 1, secret: "correct horse battery staple" }, /secret is octets, as of Buffer.from/],
    [{ id: 1, secret: secret.subarray(0, 15) }, /16 octets or more; not 15/],
    [{ id: 1, secret, notBefore: 5, notAfter: 5 }, /the second behind the first/],
    [{ id: 1, secret, notBefore: new Date("?") }, /are times/],
    [{ id: 1 }, /no secret, privateKey or publicKey/],
  ];
  for (const [key, said] of bad) assert.throws(() => new KeyRing([key as Key]), said);
  assert.throws(() => of({ id: 1, secret }, { id: 1, secret }), /there is a key 1 already/);
  assert.throws(() => of({ id: 1, publicKey: secret.subarray(1) }), /32 octets, or is PEM; not 31/);
  assert.throws(() => of({ id: 1, privateKey: "nothing" }), /no private key in PEM/);
  assert.throws(() => of({ id: 1, privateKey: publicKey }), /no private key of Ed25519/);
  const other = generateKeyPairSync("x25519");
  assert.throws(() => of({ id: 1, publicKey: other.publicKey }), /of Ed25519, but x25519/);
  assert.throws(() => of({ id: 1, secret: publicKey }));
});

test("a key is octets, PEM, or node's own", () => {
  const raw = (key: typeof publicKey, type: "spki" | "pkcs8") => {
    const der = key.export({ format: "der", type } as never) as unknown as Buffer;
    return new Uint8Array(der.subarray(-32));
  };
  const pem = (key: typeof publicKey, type: "spki" | "pkcs8") =>
    key.export({ format: "pem", type } as never) as unknown as string;
  const parts = [secret, new Uint8Array(0), secret];
  const signs = [privateKey, raw(privateKey, "pkcs8"), pem(privateKey, "pkcs8")];
  const verifies = [publicKey, raw(publicKey, "spki"), pem(publicKey, "spki")];
  for (const privateKey of signs) {
    const tag = of({ id: 1, privateKey }).get(1)?.sign(nodeCrypto, parts) as Uint8Array;
    for (const publicKey of verifies) {
      const member = of({ id: 1, publicKey }).get(1);
      assert.ok(member?.verify(nodeCrypto, tag, parts));
      assert.not(member?.verify(nodeCrypto, tag, parts.slice(1)));
    }
  }
  const own = of({ id: 1, secret: createSecretKey(secret) }).get(1);
  const tag = of({ id: 1, secret }).get(1)?.sign(nodeCrypto, parts) as Uint8Array;
  assert.ok(own?.verify(nodeCrypto, tag, parts));
});

test("of the keys that can sign, and are good then, the one that began last does", () => {
  const ring = of(
    { id: 1, secret, notAfter: 300 },
    { id: 2, secret, notBefore: 200, notAfter: new Date(400) },
    { id: 3, publicKey, notBefore: 250 },
    { id: 4, privateKey, notBefore: 500 },
  );
  const at = (time: number) => ring.current(time);
  assert.equal([0, 199, 200, 399, 400, 499, 500].map(at), [1, 1, 2, 2, undefined, undefined, 4]);
  assert.is(ring.signer(250, 1)?.id, 1, "or the one that is asked for");
  assert.is(ring.signer(300, 1), undefined, "as long as it is good");
  assert.is(ring.signer(300, 3), undefined, "and if it can");
});

test("keys come and go, before a socket opens and after", () => {
  const ring = new KeyRing([{ id: 1, secret }]);
  ring.add({ id: 2, secret });
  assert.ok(ring.remove(1));
  assert.not(ring.remove(1));
  assert.equal(ring.ids, [2]);
  assert.is(ring.current(0), undefined);
  ring.open(nodeCrypto);
  assert.is(ring.current(0), 2);
  ring.add({ id: 3, secret });
  assert.is(ring.current(new Date()), 3, "of two that began together the one that came last");
  assert.ok(ring.remove(3));
  assert.is(ring.current(0), 2);
  assert.ok(ring.remove(2));
  assert.is(ring.get(2), undefined);
  assert.is(ring.current(0), undefined);
});

test("a list of no keys is refused, and a ring that is still empty is not", () => {
  assert.throws(() => integrity({ keys: [] }), /integrity needs 'keys'/);
  integrity({ keys: new KeyRing([]) });
});

test("a ring belongs to one provider", () => {
  const ring = of({ id: 1, secret });
  ring.open(nodeCrypto);
  assert.throws(
    () => ring.open({ ...nodeCrypto, secretKey: (octets) => nodeCrypto.secretKey(octets) }),
    (e: unknown) => e instanceof StackError,
  );
});

test("a ring shows its keys' ids, and no octet of them", () => {
  const octets = new Uint8Array(randomBytes(32));
  const ring = new KeyRing([
    { id: 7, secret: octets },
    { id: 8, privateKey },
  ]);
  const shown = () => inspect(ring, { depth: 9, showHidden: true }) + JSON.stringify(ring);
  assert.match(shown(), /^KeyRing \[key 7\] \[key 8\]/);
  ring.open(nodeCrypto);
  assert.match(shown(), /^KeyRing \[key 7\] \[key 8\]/);
  const member = inspect(ring.get(7), { depth: 9, showHidden: true });
  for (const form of [Buffer.from(octets).toString("hex"), `${octets[0]}, ${octets[1]}`]) {
    assert.not.ok(`${shown()}${member}`.includes(form));
  }
});

test("octets that were given are copied, and the copy is wiped", () => {
  const given = new Uint8Array(randomBytes(32));
  const before = given.slice();
  let copy: Uint8Array | undefined;
  const spying = {
    ...nodeCrypto,
    secretKey(octets: Uint8Array) {
      copy = octets;
      return nodeCrypto.secretKey(octets);
    },
  };
  const buffer = Buffer.from(given);
  const ring = new KeyRing([
    { id: 1, secret: given },
    { id: 2, secret: buffer },
    { id: 3, privateKey: buffer },
  ]);
  given.fill(0);
  ring.open(spying);
  assert.equal(new Uint8Array(buffer), before, "what was given is the giver's");
  assert.equal(copy, new Uint8Array(32), "wiped");
  const tag = ring.get(1)?.sign(spying, [secret]) as Uint8Array;
  assert.ok(of({ id: 1, secret: before }).get(1)?.verify(nodeCrypto, tag, [secret]));
});

test("the world has a clock on its wall", () => {
  assert.ok(Math.abs(node.date() - Date.now()) < 1000);
});

test.run();
