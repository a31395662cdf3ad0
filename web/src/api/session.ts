import { computed, signal } from "@preact/signals";
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
    throw new Error("The server sent no tokens.");
  tokens = { access: reply.access_token, refresh: reply.refresh_token };
  const id = reply.user_url.split("/").pop();
  const answer = await fetch(`${settings.apiPath}/user/${id}`, {
    headers: { Authorization: `Bearer ${tokens.access}` },
  });
  if (!answer.ok) throw new Error("The server did not say which user this is.");
  user.value = (await answer.json()) as User;
}

/** Forget the tokens and the user; the caller ends the session at the server. */
export function forget(): void {
  tokens = null;
  user.value = null;
}

/** Exchange the refresh token once for all requests that wait; false if the session has ended. */
export function refresh(): Promise<boolean> {
  refreshing ??= exchange().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function exchange(): Promise<boolean> {
  if (!tokens) return false;
  const answer = await fetch(`${settings.apiPath}/token/refresh`, {
    method: "POST",
    headers: { Authorization: `Bearer ${tokens.refresh}` },
  });
  if (!answer.ok) {
    if (answer.status === 401 || answer.status === 422) forget();
    return false;
  }
  const reply = (await answer.json()) as components["schemas"]["TokenReply"];
  tokens = { access: reply.access_token, refresh: reply.refresh_token };
  return true;
}
