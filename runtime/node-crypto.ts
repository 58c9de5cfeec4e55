/** Cryptography by node's OpenSSL. */
import type * as NodeCrypto from "node:crypto";
import { builtin } from "./builtin.js";
import type {
  Agreement,
  CipherName,
  Crypto,
  HashName,
  KeyLike,
  NoiseFunctions,
  PrivateKey,
  PublicKey,
  SecretKey,
} from "./crypto.js";

let found: typeof NodeCrypto | undefined;
/** Where `mac` puts its octets: a Buffer for each would cost as much as a third of the whole. */
let last: Buffer;
/** Loaded by whoever needs it first: most sockets do not. */
const openssl = () => {
  if (found === undefined) {
    found = builtin<typeof NodeCrypto>("node:crypto");
    last = Buffer.alloc(32);
  }
  return found;
};

/** node's own object, where we hold it by a name of ours. */
const own = (key: object) => key as unknown as NodeCrypto.KeyObject;

/** What stands before the octets of an Ed25519 key, in DER: PKCS #8 and SPKI, RFC 8410. */
const ED25519_PKCS8 = "302e020100300506032b657004220420";
const ED25519_SPKI = "302a300506032b6570032100";

/** A key by its octets, PEM, or as it is. */
function ed25519(
  given: Uint8Array | string | object,
  type: "private" | "public",
): NodeCrypto.KeyObject {
  const { createPrivateKey, createPublicKey, KeyObject } = openssl();
  const create = type === "private" ? createPrivateKey : createPublicKey;
  let key: NodeCrypto.KeyObject;
  if (given instanceof Uint8Array) {
    if (given.length !== 32) {
      throw new TypeError(`an Ed25519 key has 32 octets, or is PEM; not ${given.length} octets`);
    }
    const before = type === "private" ? ED25519_PKCS8 : ED25519_SPKI;
    const der = Buffer.concat([Buffer.from(before, "hex"), given]);
    key = create({ key: der, format: "der", type: type === "private" ? "pkcs8" : "spki" } as never);
    der.fill(0);
  } else if (given instanceof KeyObject) {
    key = type === "public" && given.type === "private" ? createPublicKey(given as never) : given;
  } else {
    try {
      key = create(given as string);
    } catch (cause) {
      throw new TypeError(`this is no ${type} key in PEM`, { cause });
    }
  }
  if (key.type === type && key.asymmetricKeyType === "ed25519") return key;
  throw new TypeError(
    `this is no ${type} key of Ed25519, but ${key.asymmetricKeyType ?? key.type}`,
  );
}

export const nodeCrypto: Crypto = {
  mac(key, parts) {
    const hmac = openssl().createHmac("sha256", own(key));
    for (let i = 0; i < parts.length; i++) hmac.update(parts[i] as Uint8Array);
    last.write(hmac.digest("binary"), "binary");
    return last;
  },
  signingKey: (given) => ed25519(given, "private") as unknown as PrivateKey,
  verifyingKey: (given) => ed25519(given, "public") as unknown as PublicKey,
  sign: (key, parts) => openssl().sign(null, Buffer.concat(parts), own(key)),
  verify: (key, signature, parts) =>
    openssl().verify(null, Buffer.concat(parts), own(key), signature),

  equal: (a, b) => a.length === b.length && openssl().timingSafeEqual(a, b),
  secretKey: (octets) => openssl().createSecretKey(octets) as unknown as SecretKey,
  get noise() {
    return noise;
  },
};

// --- Noise ---

const HASHES: Readonly<Record<HashName, string>> = {
  SHA256: "sha256",
  SHA512: "sha512",
  BLAKE2s: "blake2s256",
  BLAKE2b: "blake2b512",
};
const CIPHERS: Readonly<Record<CipherName, "aes-256-gcm" | "chacha20-poly1305">> = {
  AESGCM: "aes-256-gcm",
  ChaChaPoly: "chacha20-poly1305",
};
const TAG = 16;
const TAGGED = { authTagLength: TAG } as const;

/** The same of an X25519 key. */
const X25519_PKCS8 = "302e020100300506032b656e04220420";

const x25519: Agreement = {
  generate: () => openssl().generateKeyPairSync("x25519").privateKey as unknown as PrivateKey,
  privateKey(given) {
    const octets = octetsOf(given);
    if (octets === undefined) return checked(given, "private") as unknown as PrivateKey;
    const key = Buffer.concat([Buffer.from(X25519_PKCS8, "hex"), octets]);
    const made = openssl().createPrivateKey({ key, format: "der", type: "pkcs8" });
    key.fill(0);
    return made as unknown as PrivateKey;
  },
  publicKey(given) {
    const octets = octetsOf(given);
    if (octets === undefined) return checked(given, "public") as unknown as PublicKey;
    // Ten times as fast as by DER.
    const key = { kty: "OKP", crv: "X25519", x: Buffer.from(octets).toString("base64url") };
    return openssl().createPublicKey({ key, format: "jwk" }) as unknown as PublicKey;
  },
  publicOf: (key) => openssl().createPublicKey(own(key)) as unknown as PublicKey,
  octets: (key) => Buffer.from(own(key).export({ format: "jwk" }).x ?? "", "base64url"),
  text(key) {
    if (own(key).type === "private")
      return own(key).export({ format: "pem", type: "pkcs8" }) as string;
    return Buffer.from(x25519.octets(key as PublicKey)).toString("base64");
  },
  agree(privateKey, publicKey) {
    try {
      return openssl().diffieHellman({ privateKey: own(privateKey), publicKey: own(publicKey) });
    } catch {
      return undefined;
    }
  },
};

/** A key's 32 octets, if that is how it was given. */
function octetsOf(given: KeyLike): Uint8Array | undefined {
  const octets =
    typeof given === "string" && /^[A-Za-z0-9+/]{43}=$/.test(given)
      ? Buffer.from(given, "base64")
      : given;
  return octets instanceof Uint8Array && octets.length === 32 ? octets : undefined;
}

/** From PEM, or node's own. */
function checked(given: KeyLike, type: "private" | "public"): NodeCrypto.KeyObject {
  const crypto = openssl();
  let key: NodeCrypto.KeyObject | undefined;
  if (given instanceof crypto.KeyObject) key = given;
  else if (typeof given === "string" || given instanceof Uint8Array) {
    const pem = typeof given === "string" ? given : Buffer.from(given);
    try {
      key = type === "private" ? crypto.createPrivateKey(pem) : crypto.createPublicKey(pem);
    } catch {}
  }
  if (key?.type === "private" && type === "public") key = crypto.createPublicKey(key);
  if (key?.type === type && key.asymmetricKeyType === "x25519") return key;
  throw new TypeError(`an X25519 ${type} key is 32 octets, these in base64, PEM, or a KeyObject`);
}

const noise: NoiseFunctions = {
  x25519,
  hash(name, parts) {
    const hash = openssl().createHash(HASHES[name]);
    for (const part of parts) hash.update(part);
    return hash.digest();
  },
  hmac(name, key, parts) {
    const hmac = openssl().createHmac(HASHES[name], own(key));
    for (const part of parts) hmac.update(part);
    return hmac.digest();
  },
  cipher(name, given) {
    const { createCipheriv, createDecipheriv } = openssl();
    // One type for both: they are used alike.
    const cipher = CIPHERS[name] as "aes-256-gcm";
    const key = own(given);
    return {
      seal(nonce, beside, plain, into) {
        const seal = createCipheriv(cipher, key, nonce, TAGGED);
        if (beside.length > 0) seal.setAAD(beside);
        into.set(seal.update(plain));
        seal.final();
        into.set(seal.getAuthTag(), plain.length);
      },
      open(nonce, beside, sealed) {
        const end = sealed.length - TAG;
        if (end < 0) return undefined;
        const open = createDecipheriv(cipher, key, nonce, TAGGED);
        if (beside.length > 0) open.setAAD(beside);
        open.setAuthTag(sealed.subarray(end));
        const plain = open.update(sealed.subarray(0, end));
        try {
          open.final();
        } catch {
          return undefined;
        }
        return new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
      },
    };
  },
};
