import { computed, effect, signal } from "@preact/signals";
import { isSignedIn } from "../api/session";
import { type Key, t } from "../language";
import { fromBase64, toBase64 } from "./base64";
import { isEncrypted } from "./layout";
import type { Answer, Question } from "./worker";
import workerAddress from "./worker?worker&url";

/** After so long without a use the key is forgotten. */
const IDLE_MILLISECONDS = 30 * 60 * 1000;
/** Decrypted results that are kept, in bytes. */
const MOST_CACHED_BYTES = 64 * 2 ** 20;

/** Return the fingerprint of a public key; what reads keys is loaded when a page needs it. */
export async function fingerprint(stored: string): Promise<string> {
  return (await import("./fingerprint")).fingerprint(stored);
}

/** Fingerprint of the public half of the loaded key, or null. */
export const keyFingerprint = signal<string | null>(null);
export const hasKey = computed(() => keyFingerprint.value !== null);

/** Why a key or a message cannot be used, as a sentence for the user. */
export class CryptoFault extends Error {
  constructor(readonly code: string) {
    super(t(`crypto.${code}` as Key));
  }
}

let worker: Worker | null = null;
let count = 0;
const waiting = new Map<number, { done(answer: Answer): void; failed(error: Error): void }>();
const cache = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
let cachedBytes = 0;
let idle: ReturnType<typeof setTimeout> | undefined;

// A user that signs out leaves no key behind.
effect(() => {
  if (!isSignedIn.value) forgetKey();
});

/** Whether the browser can encrypt here: it does so over HTTPS and on this computer only. */
export function canEncrypt(): boolean {
  return globalThis.crypto?.subtle !== undefined;
}

/** Read a private key into the worker, and return the fingerprint of its public half. */
export async function loadKey(file: File): Promise<string> {
  forgetKey();
  const { text } = await ask({ kind: "load", file }, hasText);
  keyFingerprint.value = text;
  return text;
}

/** Forget the private key, and all that was decrypted with it. */
export function forgetKey(): void {
  // SECURITY: nothing of the memory of a worker outlives it.
  worker?.terminate();
  worker = null;
  clearTimeout(idle);
  for (const { failed } of waiting.values()) failed(new CryptoFault("no_key_loaded"));
  waiting.clear();
  cache.clear();
  cachedBytes = 0;
  keyFingerprint.value = null;
}

/** Return the bytes behind a text of a collaboration; each text is decrypted once. */
export function decrypt(text: string, isFromEncrypted: boolean): Promise<Uint8Array<ArrayBuffer>> {
  if (!isEncrypted(text)) return decode(text, isFromEncrypted);
  const known = cache.get(text);
  if (known) return known;
  const opened = ask({ kind: "decrypt", text }, hasBytes).then(({ bytes }) => bytes);
  keep(text, opened);
  return opened;
}

async function decode(text: string, isFromEncrypted: boolean): Promise<Uint8Array<ArrayBuffer>> {
  // SECURITY: anybody on the way could have written it in place of the encrypted one.
  if (isFromEncrypted) throw new CryptoFault("not_encrypted");
  return fromBase64(text);
}

/** Return the text for each receiver: encrypted, or base64 where there are no `publicKeys`. */
export async function encrypt(
  bytes: Uint8Array<ArrayBuffer>,
  publicKeys: (string | null)[] | null,
): Promise<string[]> {
  if (!publicKeys) return [toBase64(bytes)];
  return (await ask({ kind: "encrypt", bytes, receivers: publicKeys }, hasTexts)).texts;
}

function keep(text: string, opened: Promise<Uint8Array<ArrayBuffer>>): void {
  const size = 2 * text.length;
  if (size > MOST_CACHED_BYTES) return;
  cache.set(text, opened);
  cachedBytes += size;
  for (const oldest of cache.keys()) {
    if (cachedBytes <= MOST_CACHED_BYTES) break;
    cache.delete(oldest);
    cachedBytes -= 2 * oldest.length;
  }
  // A failure may have another answer once the right key is loaded.
  opened.catch(() => {
    if (cache.get(text) === opened && cache.delete(text)) cachedBytes -= size;
  });
}

const hasText = (answer: Answer) => "text" in answer;
const hasTexts = (answer: Answer) => "texts" in answer;
const hasBytes = (answer: Answer) => "bytes" in answer;

function ask<T extends Answer>(
  question: Question,
  is: (answer: Answer) => answer is T,
): Promise<T> {
  if (!canEncrypt()) return Promise.reject(new CryptoFault("insecure"));
  worker ??= start();
  clearTimeout(idle);
  idle = setTimeout(forgetKey, IDLE_MILLISECONDS);
  const id = (count += 1);
  return new Promise((resolve, reject) => {
    waiting.set(id, {
      done: (answer) =>
        is(answer)
          ? resolve(answer)
          : reject(new CryptoFault("fault" in answer ? answer.fault : "failed")),
      failed: reject,
    });
    worker?.postMessage({ id, ...question });
  });
}

function start(): Worker {
  const started = new Worker(trusted(workerAddress), { type: "module" });
  started.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
    waiting.get(data.id)?.done(data);
    waiting.delete(data.id);
  });
  started.addEventListener("error", () => {
    if (worker === started) forgetKey();
  });
  return started;
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(address: string): string },
  ): { createScriptURL(address: string): string };
}

// SECURITY: the policy of the page asks for it. Nothing but the worker's own address passes.
const policy = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy(
  "vantage6-worker",
  {
    createScriptURL(address) {
      if (address !== workerAddress) throw new TypeError("This is not the address of the worker.");
      return address;
    },
  },
);

function trusted(address: string): string {
  return policy ? policy.createScriptURL(address) : address;
}
