import { fromBase64, toBinary } from "./base64";

/** What stands around a bare RSA key in the usual form: sequence, algorithm, bits. */
const ALGORITHM = [0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

/** Return the SHA-256 of a public key as the server stores it, as Python's client shows it. */
export async function fingerprint(stored: string): Promise<string> {
  const pem = toBinary(fromBase64(stored));
  const found = /-----BEGIN (RSA )?PUBLIC KEY-----([^-]*)-----END \1?PUBLIC KEY-----/.exec(pem);
  if (!found?.[2]) throw new Error("This is not a public key.");
  const der = fromBase64(found[2]);
  return digest(found[1] ? wrap(der) : der);
}

/** Return the first 16 bytes of the SHA-256, short enough to compare over the telephone. */
export async function digest(der: Uint8Array<ArrayBuffer>): Promise<string> {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
  return [...sum.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function wrap(bare: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bits = element(0x03, [0, ...bare]);
  return new Uint8Array(element(0x30, [...ALGORITHM, ...bits]));
}

function element(tag: number, content: number[]): number[] {
  const length = content.length;
  if (length < 0x80) return [tag, length, ...content];
  const size = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return [tag, ...size, ...content];
}
