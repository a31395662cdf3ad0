/*
 * The layout of an encrypted message, as `vantage6.common.encryption` writes it:
 *
 *     base64(RSA(AES key)) $ base64(initial counter) $ base64(AES-256-CTR(data))
 *
 * The web page of vantage6 put one more base64 around key and data. That is read, and never written.
 */
import { fromBase64, isBase64, toBase64, toBinary } from "./base64";
import { SEPARATOR } from "./layout";
import { decryptWith, encryptFor, type PrivateKey, type PublicKey, sizeOf } from "./rsa";

const KEY_BYTES = 32;
const COUNTER_BYTES = 16;
/** How inputs and results begin: `json.`, `pickle.`, JSON without a name, a pickle without one. */
const BEGINNINGS = ["json.", "pickle.", "{", "[", "\x80"];

export type MessageProblem =
  | "not_encrypted"
  | "not_a_message"
  | "another_key"
  | "damaged"
  | "no_key_loaded";

/** Why a message cannot be read; the code names a text of the pages. */
export class MessageFault extends Error {
  constructor(readonly code: MessageProblem) {
    super(code);
  }
}

/** Encrypt bytes for the owner of a public key. */
export async function seal(bytes: Uint8Array<ArrayBuffer>, receiver: PublicKey): Promise<string> {
  const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const counter = crypto.getRandomValues(new Uint8Array(COUNTER_BYTES));
  const data = await applyAes(key, counter, bytes);
  return [encryptFor(receiver, key), counter, data].map(toBase64).join(SEPARATOR);
}

/** Decrypt a message with the own key. */
export async function open(text: string, own: PrivateKey): Promise<Uint8Array<ArrayBuffer>> {
  const parts = text.split(SEPARATOR, 4);
  const [first, second, third] = parts;
  if (parts.length !== 3 || first === undefined || second === undefined || third === undefined)
    throw new MessageFault("not_a_message");
  const wrapped = decode(first, "not_a_message");
  const counter = decode(second, "not_a_message");
  if (counter.length !== COUNTER_BYTES) throw new MessageFault("not_a_message");
  const [key, isWrappedTwice] = unwrapKey(wrapped, own);
  const data = await applyAes(key, counter, decode(third, "damaged"));
  return unwrapData(data, isWrappedTwice);
}

function decode(text: string, problem: MessageProblem): Uint8Array<ArrayBuffer> {
  try {
    return fromBase64(text);
  } catch {
    throw new MessageFault(problem);
  }
}

/** Return the AES key, and whether it had the second base64 of the older web page. */
function unwrapKey(wrapped: Uint8Array<ArrayBuffer>, own: PrivateKey) {
  const isOuterTwice = wrapped.length > sizeOf(own) && isBase64(wrapped);
  const encrypted = isOuterTwice ? fromBase64(toBinary(wrapped)) : wrapped;
  let key: Uint8Array<ArrayBuffer>;
  try {
    key = decryptWith(own, encrypted);
  } catch {
    throw new MessageFault("another_key");
  }
  const isInnerTwice = key.length !== KEY_BYTES && isBase64(key);
  if (isInnerTwice) key = fromBase64(toBinary(key));
  if (key.length !== KEY_BYTES) throw new MessageFault("another_key");
  return [key, isOuterTwice || isInnerTwice] as const;
}

/** Take the second base64 of the older web page off; no input or result is base64 by itself. */
function unwrapData(data: Uint8Array<ArrayBuffer>, isExpected: boolean): Uint8Array<ArrayBuffer> {
  if (!isBase64(data)) return data;
  const inner = fromBase64(toBinary(data));
  const start = toBinary(inner.subarray(0, 7));
  return isExpected || BEGINNINGS.some((beginning) => start.startsWith(beginning)) ? inner : data;
}

/** Encrypt or decrypt: in counter mode these are the same operation. */
async function applyAes(
  key: Uint8Array<ArrayBuffer>,
  counter: Uint8Array<ArrayBuffer>,
  data: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey("raw", key, "AES-CTR", false, ["encrypt"]);
  // SECURITY: all 128 bits count. With fewer, a message whose low bits wrap is read wrongly.
  const algorithm = { name: "AES-CTR", counter, length: 128 };
  return new Uint8Array(await crypto.subtle.encrypt(algorithm, imported, data));
}
