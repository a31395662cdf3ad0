/*
 * Requests that create something can be sent again: by the `Idempotency-Key` of a request, the
 * server knows that it came before, and gives its first answer (docs/http-api.md).
 */
import { Lost, reach } from "./connection";
import { settings } from "./settings";

const HEADER = "Idempotency-Key";
/** In each answer of a server that knows such keys. */
const KEEPS_ANSWERS = "X-Idempotency-Seconds";
const CREATING = new Set([
  "algorithm",
  "collaboration",
  "invitation",
  "organization",
  "port",
  "role",
  "task",
]);
const ATTEMPTS = 3;
const WAIT_MS = 200;

let keepsAnswers = false;

/** Return a key for a request: a UUID. `crypto.randomUUID` is there over HTTPS only. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Give a request that creates something a key, unless it has one. */
export function addKey(request: Request): void {
  if (request.method !== "POST" || request.headers.has(HEADER)) return;
  const { pathname } = new URL(request.url);
  const path = pathname.slice(settings.apiPath.length + 1);
  if (CREATING.has(path)) request.headers.set(HEADER, newKey());
}

/** Send a request; one with a key once more and then once again, where no answer comes. */
export async function deliver(request: Request): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    const isRepeatable = keepsAnswers && request.headers.has(HEADER) && attempt < ATTEMPTS;
    try {
      const answer = await reach(isRepeatable ? request.clone() : request);
      keepsAnswers ||= answer.headers.has(KEEPS_ANSWERS);
      return answer;
    } catch (error) {
      if (!isRepeatable || !(error instanceof Lost)) throw error;
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS * 2 ** (attempt - 1)));
    }
  }
}
