import createClient, { type Middleware } from "openapi-fetch";
import { signal } from "@preact/signals";
import type { components, paths } from "./schema";
import { accessToken, refresh } from "./session";
import { settings } from "./settings";

export type Schemas = components["schemas"];

/** Whether the last request reached the server. */
export const isConnected = signal(true);

/** A refusal of the server: a sentence for the user, and a code for programs. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string | null = null,
  ) {
    super(message);
  }
}

const authorize: Middleware = {
  onRequest({ request }) {
    const token = accessToken();
    if (token) request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  },
};

/** Send a request; a token that ended is exchanged once, and the request repeated. */
async function send(request: Request): Promise<Response> {
  const again = request.clone();
  let answer: Response;
  try {
    answer = await fetch(request);
  } catch (error) {
    if (!request.signal.aborted) isConnected.value = false;
    throw error;
  }
  isConnected.value = true;
  if (answer.status !== 401 || !accessToken()) return answer;
  if (!(await refresh())) return answer;
  again.headers.set("Authorization", `Bearer ${accessToken()}`);
  return fetch(again);
}

export const api = createClient<paths>({ fetch: send });
api.use(authorize, {
  // The prefix is known only after settings.json was read.
  onRequest({ request, schemaPath: _ }) {
    const url = new URL(request.url, location.origin);
    return new Request(`${location.origin}${settings.apiPath}${url.pathname}${url.search}`, request);
  },
});

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Return the data of an answer, or throw its refusal. */
export async function take<T>(answered: Promise<Answered<T>>): Promise<T> {
  const { data, error, response } = await answered;
  if (response.ok) return data as T;
  const problem = error as Partial<Schemas["Problem"]> | undefined;
  throw new Refusal(
    response.status,
    problem?.code ?? "unknown",
    problem?.msg ?? `The server answered ${response.status}.`,
    problem?.request_id ?? null,
  );
}
