import createClient, { type Middleware } from "openapi-fetch";
import { addKey, deliver } from "./repeated";
import type { components, paths } from "./schema";
import { accessToken, forget, refresh } from "./session";
import { settings } from "./settings";

export type Schemas = components["schemas"];

/** A refusal of the server: a sentence for the user, and a code for programs. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string | null = null,
    /** After how many seconds the server lets the user try again. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

const authorize: Middleware = {
  onRequest({ request }) {
    const token = accessToken();
    if (token) request.headers.set("Authorization", `Bearer ${token}`);
    addKey(request);
    return request;
  },
};

/** Codes of a session that is over; the API answers 401 to what the rules forbid, too. */
const ENDED = new Set(["session_ended", "token_revoked", "token_reused", "identity_gone"]);

/** Send a request; a token that ended is exchanged once, and the request repeated. */
async function send(request: Request): Promise<Response> {
  const again = request.clone();
  const answer = await deliver(request);
  if (answer.status !== 401 || !accessToken()) return answer;
  const code = await codeOf(answer);
  if (ENDED.has(code)) forget("expired");
  if (code !== "token_expired" || !(await refresh())) return answer;
  again.headers.set("Authorization", `Bearer ${accessToken()}`);
  return deliver(again);
}

async function codeOf(answer: Response): Promise<string> {
  const problem: Partial<Schemas["Problem"]> = await answer
    .clone()
    .json()
    .catch(() => ({}));
  return problem.code ?? "";
}

/**
 * A request below the prefix of the API, which is known only after settings.json was read.
 *
 * Made with its final address: a request that is made from another one streams its body, and
 * browsers send such bodies by HTTP/2 only.
 */
class ApiRequest extends Request {
  constructor(path: RequestInfo | URL, init?: RequestInit) {
    super(typeof path === "string" ? `${settings.apiPath}${path}` : path, init);
  }
}

export const api = createClient<paths>({ fetch: send, Request: ApiRequest });
api.use(authorize);

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
    Number(response.headers.get("Retry-After")) || null,
  );
}

/** A list of the API, or one page of it. */
export interface List<Row> {
  rows: Row[];
  /** How many there are on all pages. */
  total: number;
}

/** Return the rows of a list and how many there are in all, or throw the refusal. */
export async function takeList<Row>(
  answered: Promise<Answered<Row[] | { data: Row[]; links: Record<string, string> }>>,
): Promise<List<Row>> {
  const answer = await answered;
  const found = await take(Promise.resolve(answer));
  const rows = Array.isArray(found) ? found : found.data;
  return { rows, total: Number(answer.response.headers.get("total-count") ?? rows.length) };
}
