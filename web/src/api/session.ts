import { computed, signal } from "@preact/signals";
import { t } from "../language";
import { reach } from "./connection";
import type { components } from "./schema";
import { settings } from "./settings";

export type LoginReply = components["schemas"]["LoginReply"];
type User = components["schemas"]["UserReply"];

interface Tokens {
  access: string;
  refresh: string;
}

// SECURITY: tokens live in this module only; no storage, no attribute, no address ever holds one.
let tokens: Tokens | null = null;
let refreshing: Promise<boolean> | null = null;

/** The user of this tab, or null before sign-in. */
export const user = signal<User | null>(null);
export const isSignedIn = computed(() => user.value !== null);

export function accessToken(): string | null {
  return tokens?.access ?? null;
}

/** Keep the tokens of a login, and learn which user they are of. */
export async function begin(reply: LoginReply): Promise<void> {
  if (!reply.access_token || !reply.refresh_token || !reply.user_url)
    throw new Error(t("sign_in.no_tokens"));
  tokens = { access: reply.access_token, refresh: reply.refresh_token };
  const id = reply.user_url.split("/").pop();
  const answer = await reach(
    new Request(`${settings.apiPath}/user/${id}`, {
      headers: { Authorization: `Bearer ${tokens.access}` },
    }),
  );
  if (!answer.ok) throw new Error(t("sign_in.no_user"));
  ended.value = null;
  user.value = (await answer.json()) as User;
}

/** Why the form of the sign-in stands there again. */
export const ended = signal<"signed_out" | "expired" | null>(null);

/** End the session at the server and here; here also where the server does not answer. */
export async function signOut(): Promise<void> {
  const token = tokens?.access;
  const id = token && sessionOf(token);
  forget("signed_out");
  if (!id) return;
  await fetch(`${settings.apiPath}/session/${id}`, {
    method: "DELETE",
    headers: { Authorization: `Bearer ${token}` },
    keepalive: true,
  }).catch(() => null);
}

/** Forget the tokens and the user. */
export function forget(why: "signed_out" | "expired"): void {
  tokens = null;
  user.value = null;
  ended.value = why;
}

/** Return the number of the session that a token belongs to; the server alone checks tokens. */
function sessionOf(token: string): number | null {
  const [, middle = ""] = token.split(".");
  try {
    const claims: unknown = JSON.parse(atob(middle.replace(/-/g, "+").replace(/_/g, "/")));
    if (typeof claims !== "object" || claims === null || !("sid" in claims)) return null;
    return typeof claims.sid === "number" ? claims.sid : null;
  } catch {
    return null;
  }
}

/** Exchange the refresh token once for all requests that wait; false if the session has ended. */
export function refresh(): Promise<boolean> {
  refreshing ??= exchange().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function exchange(): Promise<boolean> {
  const before = tokens;
  if (!before) return false;
  const answer = await reach(
    new Request(`${settings.apiPath}/token/refresh`, {
      method: "POST",
      headers: { Authorization: `Bearer ${before.refresh}` },
    }),
  );
  if (!answer.ok) {
    if (answer.status === 401 || answer.status === 422) forget("expired");
    return false;
  }
  const reply = (await answer.json()) as components["schemas"]["TokenReply"];
  // SECURITY: a sign-out meanwhile stays one.
  if (tokens !== before) return false;
  tokens = { access: reply.access_token, refresh: reply.refresh_token };
  return true;
}
