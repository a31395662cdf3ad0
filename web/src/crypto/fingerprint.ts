import { publicDer, readPublicKey } from "./rsa";

/**
 * Return the SHA-256 of a public key as the server stores it, as Python's client shows it.
 *
 * SECURITY: of the very key for which `encrypt` encrypts. A second reader of the same text could
 * find another key in it.
 */
export async function fingerprint(stored: string): Promise<string> {
  return digest(publicDer(readPublicKey(stored)));
}

/** Return the first 16 bytes of the SHA-256, short enough to compare over the telephone. */
export async function digest(der: Uint8Array<ArrayBuffer>): Promise<string> {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
  return [...sum.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
