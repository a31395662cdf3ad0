import type { pki } from "node-forge";
import forge from "node-forge/lib/forge";
import "node-forge/lib/pem";
import "node-forge/lib/rsa";
import { fromBase64, fromBinary, toBinary } from "./base64";

export type PrivateKey = pki.rsa.PrivateKey;
export type PublicKey = pki.rsa.PublicKey;

const SCHEME = "RSAES-PKCS1-V1_5";
/** Sizes of keys with which other organizations and stations work, too. */
const LEAST_BITS = 2048;
const MOST_BITS = 16384;
const PRIVATE = new Set(["RSA PRIVATE KEY", "PRIVATE KEY"]);
/** One public key as PEM, and nothing else. */
const PUBLIC_PEM = /^\s*-----BEGIN ((?:RSA )?PUBLIC KEY)-----[A-Za-z0-9+/=\s]+-----END \1-----\s*$/;
/** A public key as text is a fifth of it at most. */
const MOST_CHARACTERS = 20_000;

/** Why a key cannot be used; the code names a text of the pages. */
export class KeyFault extends Error {
  constructor(readonly code: "no_key" | "not_a_key" | "has_passphrase" | "wrong_size") {
    super(code);
  }
}

function randomBytes(count: number): string {
  return toBinary(crypto.getRandomValues(new Uint8Array(count)));
}

// SECURITY: node-forge mixes a generator of its own; padding comes from the browser alone.
forge.random.getBytes = (count: number) => randomBytes(count);
forge.random.getBytesSync = randomBytes;

/** Read a private key from a PEM text without passphrase. */
export function readPrivateKey(pem: string): PrivateKey {
  const message = decode(pem).find(({ type }) => type.endsWith("PRIVATE KEY"));
  if (message?.procType || message?.type === "ENCRYPTED PRIVATE KEY")
    throw new KeyFault("has_passphrase");
  if (!message || !PRIVATE.has(message.type)) throw new KeyFault("not_a_key");
  let key: PrivateKey;
  try {
    key = forge.pki.privateKeyFromAsn1(forge.asn1.fromDer(message.body));
  } catch {
    throw new KeyFault("not_a_key");
  }
  checkSize(key.n.bitLength());
  return key;
}

/** Read a public key as the server stores it: base64 of the PEM. */
export function readPublicKey(stored: string | null): PublicKey {
  if (!stored) throw new KeyFault("no_key");
  if (stored.length > MOST_CHARACTERS) throw new KeyFault("not_a_key");
  let key: PublicKey;
  try {
    const pem = toBinary(fromBase64(stored));
    // SECURITY: of a text with two keys, one could be shown, and the other one be encrypted for.
    if (!PUBLIC_PEM.test(pem)) throw new KeyFault("not_a_key");
    const [message, ...more] = decode(pem);
    if (!message || more.length) throw new KeyFault("not_a_key");
    key = forge.pki.publicKeyFromAsn1(forge.asn1.fromDer(message.body));
  } catch {
    throw new KeyFault("not_a_key");
  }
  checkSize(key.n.bitLength());
  return key;
}

function decode(pem: string) {
  try {
    return forge.pem.decode(pem);
  } catch {
    throw new KeyFault("not_a_key");
  }
}

function checkSize(bits: number): void {
  if (bits < LEAST_BITS || bits > MOST_BITS) throw new KeyFault("wrong_size");
}

/** Return the public half of a key in the form of which fingerprints are made. */
export function publicDer(key: PrivateKey | PublicKey): Uint8Array<ArrayBuffer> {
  const half = forge.pki.setRsaPublicKey(key.n, key.e);
  return fromBinary(forge.asn1.toDer(forge.pki.publicKeyToAsn1(half)).getBytes());
}

/** Number of bytes that an encrypted message has. */
export function sizeOf(key: PrivateKey | PublicKey): number {
  return Math.ceil(key.n.bitLength() / 8);
}

export function encryptFor(key: PublicKey, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return fromBinary(key.encrypt(toBinary(bytes), SCHEME));
}

/** Decrypt with the own key; throws where the message was made for another one. */
export function decryptWith(key: PrivateKey, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return fromBinary(key.decrypt(toBinary(bytes), SCHEME));
}
